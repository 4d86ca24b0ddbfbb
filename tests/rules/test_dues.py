"""R05, R08, R15, R21, R35, R37: what is owed, by whom and when."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reference import tables
from app.rules import regions
from app.rules.dues import age_on, medical_amount, pension_age, pension_tier, split_half, within_period
from app.rules.refusals import ErrorCode, Refused
from app.rules.registry import RULES, rule

RESTRICTED = {tier: facts.restricted for tier, facts in tables.pension_tiers().items()}
OPENS, CLOSES = date(2019, 9, 1), date(2019, 12, 31)


@pytest.mark.parametrize(
    ("year", "category", "amount"),
    [
        (2019, "ADULT_TIER_1", 43_000),
        (2019, "ADULT_TIER_2", 35_500),
        (2020, "ADULT_TIER_2", 39_500),
        (2020, "CHILD", 39_500),
        (2020, "UNIVERSITY_STUDENT", 15_000),
        (2025, "ADULT_TIER_2", 41_500),
    ],
)
def test_r05_the_medical_due_is_the_one_of_the_table_and_no_other(
    year: int, category: str, amount: int
) -> None:
    assert medical_amount(tables.medical_rates(), year, category) == amount


@pytest.mark.parametrize(
    ("year", "category"),
    [(2018, "CHILD"), (2026, "CHILD"), (0, "CHILD"), (2020, "PENSIONER"), (2020, ""), (2020, "child")],
)
def test_r05_an_unknown_year_or_category_is_refused_and_not_guessed(year: int, category: str) -> None:
    refused = medical_amount(tables.medical_rates(), year, category)

    assert refused == Refused(
        ErrorCode.DUE_NOT_PAYABLE,
        rule="R05",
        field="category",
        facts={"benefitYear": year, "category": category},
    )


@pytest.mark.parametrize(
    ("amount", "halves"),
    [(41_500, (20_750, 20_750)), (39_500, (19_750, 19_750)), (1, (0, 1)), (3, (1, 2)), (0, (0, 0))],
)
def test_r08_government_takes_the_odd_fen_and_the_person_never_does(
    amount: int, halves: tuple[int, int]
) -> None:
    assert split_half(amount) == halves


@given(st.integers(0, 10**15))
def test_r08_the_halves_add_up_and_no_fen_is_lost(amount: int) -> None:
    personal, subsidy = split_half(amount)

    assert personal + subsidy == amount
    assert subsidy - personal in {0, 1}


@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("tier", sorted(RESTRICTED))
def test_r15_each_tier_is_open_but_that_of_100_yuan_only_to_special_groups(tier: int, special: bool) -> None:
    outcome = pension_tier(RESTRICTED, tier, special)

    if tier == 10_000 and not special:
        assert outcome == Refused(ErrorCode.TIER_NOT_ALLOWED, rule="R15", field="tier", facts={"tier": tier})
    else:
        assert outcome == tier


@pytest.mark.parametrize("tier", [0, -30_000, 9_999, 10_001, 29_999, 30_001, 35_000, 500_001, 100])
def test_r15_what_is_no_tier_is_refused_and_nobody_is_special_enough(tier: int) -> None:
    for special in (False, True):
        outcome = pension_tier(RESTRICTED, tier, special)
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.rule) == (ErrorCode.TIER_NOT_ALLOWED, "R15")


@pytest.mark.parametrize(
    ("born", "day", "age", "open_"),
    [
        (date(2003, 10, 9), date(2019, 10, 8), 15, False),
        (date(2003, 10, 8), date(2019, 10, 8), 16, True),
        (date(1959, 10, 9), date(2019, 10, 8), 59, True),
        (date(1959, 10, 8), date(2019, 10, 8), 60, False),
        (date(2004, 2, 29), date(2020, 2, 28), 15, False),
        (date(2004, 2, 29), date(2020, 2, 29), 16, True),
        (date(2004, 2, 29), date(2021, 3, 1), 17, True),
        (date(2019, 10, 8), date(2019, 10, 8), 0, False),
    ],
)
def test_r21_pension_is_for_16_to_59_on_the_day_and_for_nobody_else(
    born: date, day: date, age: int, open_: bool
) -> None:
    outcome = pension_age(born, day)

    assert age_on(born, day) == age
    if open_:
        assert outcome is None
    else:
        assert outcome == Refused(ErrorCode.DUE_NOT_PAYABLE, rule="R21", field="idNumber", facts={"age": age})


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(0, 40_000))
def test_age_never_falls_from_one_day_to_the_next(born: date, days: int) -> None:
    day = born + timedelta(days=days)

    assert 0 <= age_on(born, day) <= age_on(born, day + timedelta(days=1)) <= age_on(born, day) + 1


@pytest.mark.parametrize(
    ("paid_on", "today", "allowed"),
    [
        (OPENS - timedelta(days=1), OPENS, False),
        (OPENS, OPENS, True),
        (CLOSES, CLOSES, True),
        (CLOSES + timedelta(days=1), CLOSES + timedelta(days=1), False),
        (CLOSES, CLOSES + timedelta(days=10), True),
        (CLOSES, CLOSES + timedelta(days=11), False),
        (OPENS, CLOSES + timedelta(days=10), True),
        (OPENS, CLOSES + timedelta(days=365), False),
    ],
)
def test_r37_money_is_taken_within_the_period_and_not_reported_later_than_ten_days_after(
    paid_on: date, today: date, allowed: bool
) -> None:
    outcome = within_period(OPENS, CLOSES, paid_on, today)

    if allowed:
        assert outcome is None
    else:
        assert outcome == Refused(
            ErrorCode.OUTSIDE_COLLECTION_PERIOD,
            rule="R37",
            field="paidAt",
            facts={"opensOn": "2019-09-01", "closesOn": "2019-12-31"},
        )


def _tree() -> list[Any]:
    """A renamed district with a subdistrict, and a district that kept its code."""
    return [
        SimpleNamespace(code="370200", path="370200.", former_codes=()),
        SimpleNamespace(code="370203", path="370200.370203.", former_codes=()),
        SimpleNamespace(code="370215", path="370200.370215.", former_codes=("370282",)),
        SimpleNamespace(code="370215001", path="370200.370215.370215001.", former_codes=()),
    ]


@pytest.mark.parametrize(
    ("code", "present"),
    [
        ("370282", "370215"),
        ("370215", "370215"),
        ("370282001", "370215001"),
        (" 370282 ", "370215"),
        ("370203", "370203"),
        ("370200", "370200"),
    ],
)
def test_r35_a_code_that_was_replaced_resolves_to_the_present_one_and_no_other(
    code: str, present: str
) -> None:
    assert regions.resolve_region(regions.present_codes(_tree()), code) == present


@pytest.mark.parametrize("code", ["", "3702", "370282002", "999999", "37028", "3702825"])
def test_r35_a_code_that_never_was_is_refused_and_not_resolved(code: str) -> None:
    refused = Refused(ErrorCode.INVALID_VALUE, rule="R35", field="regionCode")

    assert regions.resolve_region(regions.present_codes(_tree()), code) == refused


def test_a_rule_is_decided_in_one_place_and_not_in_two() -> None:
    with pytest.raises(ValueError, match="rule R05 is defined twice"):
        rule("R05", zh="再来一次。", en="Once more.", source="nowhere")(lambda: None)
    assert RULES["R05"].text_en != "Once more."
