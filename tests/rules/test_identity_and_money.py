"""R01, R04, R31: identifiers and money, with the boundary on each side."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.rules.identity import (
    birth_date,
    check_character,
    mask_id_number,
    mask_name,
    mask_phone,
    parse_id_number,
    parse_phone,
)
from app.rules.money import format_money, parse_money
from app.rules.refusals import ErrorCode, Refused

GOOD = ("11010519491231002X", "440524188001010014", "34052419800101001X")
LARGEST = 99_999_999_999_999_99


@pytest.mark.parametrize("number", GOOD)
def test_a_good_id_number_is_accepted_as_it_is_and_not_changed(number: str) -> None:
    assert parse_id_number(number) == number
    assert check_character(number[:17]) == number[17]


def test_r01_a_lower_case_x_is_normalised_and_not_refused() -> None:
    assert parse_id_number("11010519491231002x") == "11010519491231002X"
    assert parse_id_number(" 34052419800101001x ") == "34052419800101001X"


@pytest.mark.parametrize(
    "number",
    [
        "",
        "110105491231002",  # fifteen digits
        "1101051949123100",
        "11010519491231002",
        "11010519491231002X1",
        "110105194912310020",  # wrong check character
        "11010519491231001X",
        "110105194912320020",  # the 32nd
        "11010519490229002" + check_character("11010519490229002"),  # 1949 had no 29 February
        "11010519491331002" + check_character("11010519491331002"),  # thirteenth month
        "11010500000101002" + check_character("11010500000101002"),  # the year nought
        "X1010519491231002X",
        "1101051949123100２X",
        "11010519491231002X\x00",
        "11010519491231002\n",
    ],
)
def test_r01_a_bad_id_number_is_refused_and_not_repaired(number: str) -> None:
    assert parse_id_number(number) == Refused(ErrorCode.INVALID_ID_NUMBER, rule="R01", field="idNumber")


def test_r01_an_obsolete_or_unknown_address_code_is_not_judged() -> None:
    for address in ("370282", "999999", "000000"):
        first = f"{address}19800102123"
        assert parse_id_number(first + check_character(first)) == first + check_character(first)


@given(st.dates(date(1900, 1, 1), date(2019, 12, 31)), st.integers(0, 999), st.integers(0, 999_999))
def test_of_all_check_characters_one_is_accepted_and_ten_are_not(
    born: date, order: int, address: int
) -> None:
    first = f"{address:06}{born:%Y%m%d}{order:03}"

    accepted = [last for last in "0123456789X" if not isinstance(parse_id_number(first + last), Refused)]

    assert accepted == [check_character(first)]
    assert birth_date(first + accepted[0]) == born


@given(st.sampled_from(GOOD), st.integers(0, 16), st.integers(1, 9))
def test_no_single_wrong_digit_goes_unnoticed(number: str, place: int, step: int) -> None:
    wrong = str((int(number[place]) + step) % 10)

    assert isinstance(parse_id_number(number[:place] + wrong + number[place + 1 :]), Refused)


@given(st.sampled_from(GOOD), st.integers(0, 15))
def test_no_two_neighbours_that_change_places_go_unnoticed(number: str, place: int) -> None:
    assume(number[place] != number[place + 1])
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]

    assert isinstance(parse_id_number(swapped), Refused)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0.00", 0),
        ("0.01", 1),
        ("0.99", 99),
        ("1.00", 100),
        ("395.00", 39_500),
        ("21000000.00", 2_100_000_000),
        ("99999999999999.99", LARGEST),
    ],
)
def test_r04_money_is_read_to_the_fen_and_not_rounded(text: str, fen: int) -> None:
    assert parse_money(text) == fen
    assert format_money(fen) == text


@pytest.mark.parametrize(
    "value",
    [
        "395.005", "1e3", "-1.00", "395", "395.", ".50", "395.0", "00.01", "0395.00", "+1.00", "1,000.00", "１.00",
        "1.00 ", " 1.00", "1.00\n", "", "NaN", "Infinity", "0x1.00", "1_0.00", "100000000000000.00",
        395, 395.0, True, None, [], {}, b"1.00",
    ],
    ids=repr,
)  # fmt: skip
def test_r04_what_is_not_text_with_two_decimals_is_refused_and_not_guessed(value: object) -> None:
    assert parse_money(value) == Refused(ErrorCode.INVALID_AMOUNT, rule="R04", field="amount")


@given(st.integers(0, LARGEST))
def test_an_amount_that_is_written_and_read_again_is_not_another(fen: int) -> None:
    assert parse_money(format_money(fen)) == fen


@given(st.integers(max_value=-1))
def test_a_negative_amount_is_shown_but_never_read(fen: int) -> None:
    assert format_money(fen) == f"-{format_money(-fen)}"
    assert isinstance(parse_money(format_money(fen)), Refused)


@given(st.text())
def test_no_text_at_all_is_read_as_another_amount_than_it_shows(text: str) -> None:
    read = parse_money(text)

    assert isinstance(read, Refused) or format_money(read) == text


def test_r31_masks_keep_the_ends_and_not_the_middle() -> None:
    assert mask_id_number("11010519491231002X") == "110***********002X"
    assert mask_phone("13812345678") == "138****5678"
    assert [mask_name(name) for name in ("于小满", "欧阳", "李", "")] == ["于**", "欧*", "李", ""]


@given(st.sampled_from(GOOD))
def test_r31_the_birth_date_is_not_in_a_masked_id_number(number: str) -> None:
    masked = mask_id_number(number)

    assert len(masked) == len(number)
    assert masked[3:14] == "*" * 11


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("13812345678", "13812345678"),
        (" 19912345678 ", "19912345678"),
        ("13000000000", "13000000000"),
        ("12812345678", None),
        ("1381234567", None),
        ("138123456789", None),
        ("03812345678", None),
        ("+8613812345678", None),
        ("１3812345678", None),
        ("", None),
    ],
)
def test_a_mobile_number_has_eleven_digits_and_nothing_else_is_one(text: str, phone: str | None) -> None:
    assert parse_phone(text) == phone
