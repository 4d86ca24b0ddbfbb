"""Personal data: sealed, found by a keyed hash, opened by the key that sealed it and by no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.personal_data import PersonalDataKeys, WrongKeys, generate_keys

HEX = "ab" * 32
OTHER = "cd" * 32
LOOKUP = "01" * 32
NUMBER = "11010519491231002X"


@given(st.text(max_size=100))
def test_what_is_sealed_is_opened_again_and_is_not_readable_between(value: str) -> None:
    keys = PersonalDataKeys.parse(f"lookup:{LOOKUP},1:{HEX}")

    sealed = keys.seal(value)

    assert keys.open(sealed) == value
    assert len(value.encode()) < 4 or value.encode() not in sealed


def test_the_same_value_is_sealed_otherwise_each_time_but_its_hash_does_not_change() -> None:
    keys = PersonalDataKeys.parse(f"lookup:{LOOKUP},1:{HEX}")

    assert keys.seal(NUMBER) != keys.seal(NUMBER)
    assert keys.lookup_hash(NUMBER) == keys.lookup_hash(NUMBER)
    assert keys.lookup_hash(NUMBER) != keys.lookup_hash(NUMBER[:-1] + "1")
    assert keys.lookup_hash(NUMBER) != PersonalDataKeys.parse(f"lookup:{OTHER},1:{HEX}").lookup_hash(NUMBER)


def test_after_a_rotation_the_new_key_seals_all_open_and_nobody_is_lost() -> None:
    before = PersonalDataKeys.parse(f"lookup:{LOOKUP},1:{HEX}")
    after = PersonalDataKeys.parse(f"lookup:{LOOKUP},1:{HEX},2:{OTHER}")
    old, new = before.seal(NUMBER), after.seal(NUMBER)

    assert (old[0], new[0]) == (1, 2)
    assert after.open(old) == after.open(new) == NUMBER
    assert after.lookup_hash(NUMBER) == before.lookup_hash(NUMBER)
    with pytest.raises(WrongKeys, match="sealed by key 2, which is not configured"):
        before.open(new)


def test_the_highest_key_seals_in_whatever_order_they_stand_and_no_other_does() -> None:
    keys = PersonalDataKeys.parse(f"10:{OTHER}, 9:{HEX} ,lookup:{LOOKUP}\n")

    assert keys.seal(NUMBER)[0] == 10


@pytest.mark.parametrize("place", [1, 12, 13, -1])
def test_a_sealed_value_that_was_changed_is_not_opened(place: int) -> None:
    keys = PersonalDataKeys.parse(f"lookup:{LOOKUP},1:{HEX}")
    sealed = bytearray(keys.seal(NUMBER))
    sealed[place] ^= 1

    with pytest.raises(WrongKeys):
        keys.open(bytes(sealed))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lookup",
        f"lookup:{LOOKUP}",
        f"1:{HEX}",
        f"lookup:{LOOKUP},1",
        f"lookup:{LOOKUP},one:{HEX}",
        f"lookup:{LOOKUP},0:{HEX}",
        f"lookup:{LOOKUP},256:{HEX}",
        f"lookup:{LOOKUP},-1:{HEX}",
        f"lookup:{LOOKUP[:-2]},1:{HEX}",
        f"lookup:{LOOKUP},1:{HEX}ab",
        f"lookup:{LOOKUP},1:{HEX[:-1]}",
        f"lookup:{LOOKUP},1:{'zz' * 32}",
        f"lookup:{LOOKUP},1:{HEX},",
        f"lookup:{LOOKUP},1:",
        f"lookup:{LOOKUP},1:{HEX[:32]}",  # sixteen bytes
        f"lookup:{LOOKUP},1:{HEX[:48]}",  # twenty-four bytes
        f"lookup:{LOOKUP},1:{HEX},1:{OTHER}",  # one id, two keys: half of the data could not be opened
    ],
)
def test_keys_that_cannot_be_read_are_refused_in_one_sentence_without_the_keys(text: str) -> None:
    with pytest.raises(WrongKeys) as raised:
        PersonalDataKeys.parse(text)

    sentence = str(raised.value)
    assert sentence.startswith("PREMIA_PERSONAL_DATA_KEYS ")
    assert "\n" not in sentence
    assert HEX[:32] not in sentence
    assert LOOKUP[:32] not in sentence


def test_new_keys_are_readable_and_no_two_are_the_same() -> None:
    first, second = generate_keys(), generate_keys()

    assert first != second
    keys = PersonalDataKeys.parse(first)
    assert keys.open(keys.seal(NUMBER)) == NUMBER


def test_keys_that_are_printed_show_no_key() -> None:
    keys = PersonalDataKeys.parse(f"lookup:{LOOKUP},1:{HEX}")

    printed = repr(keys)

    assert repr(bytes.fromhex(LOOKUP)) not in printed
    assert HEX not in printed
