"""The 3+1+N route, the business date, R39."""

from __future__ import annotations

import itertools
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import OFFICE
from app.rules.clearing import (
    NoRoute,
    business_date,
    clearing_bank_id,
    credited_in_full,
    move_refused,
    second_person,
)
from app.rules.refusals import ErrorCode, Refused
from app.vocabulary import BankRole, ClearingBatchStatus

FIRST, SECOND, NEWCOMERS, HANDLING, NEW = (UUID(int=n) for n in range(1, 6))
START = date(2019, 9, 1)


def local(year: int, month: int, day: int, *clock: int) -> datetime:
    hour, minute, second, microsecond = (*clock, 0, 0, 0, 0)[:4]
    return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=OFFICE)


def bank(key: UUID, role: BankRole, *, newcomers: bool = False) -> Any:
    return SimpleNamespace(id=key, role=role, clears_for_newcomers=newcomers)


def route(handling: UUID, clearing: UUID, begin: date, end: date | None = None) -> Any:
    return SimpleNamespace(
        handling_bank_id=handling, clearing_bank_id=clearing, valid_from=begin, valid_until=end
    )


BANKS = [
    bank(FIRST, BankRole.CLEARING),
    bank(SECOND, BankRole.CLEARING),
    bank(NEWCOMERS, BankRole.CLEARING, newcomers=True),
    bank(HANDLING, BankRole.HANDLING),
    bank(NEW, BankRole.HANDLING),
]
# The newest first, as they are read.
ROUTES = [
    route(HANDLING, SECOND, date(2019, 11, 1)),
    route(HANDLING, FIRST, START, date(2019, 10, 15)),
]


@pytest.mark.parametrize(
    ("day", "clears"),
    [
        (date(2019, 8, 31), NEWCOMERS),
        (date(2019, 9, 1), FIRST),
        (date(2019, 10, 14), FIRST),
        (date(2019, 10, 15), NEWCOMERS),  # the end is exclusive
        (date(2019, 10, 31), NEWCOMERS),
        (date(2019, 11, 1), SECOND),
        (date(2029, 1, 1), SECOND),
    ],
)
def test_a_route_holds_from_its_first_day_until_the_day_before_its_end_and_not_on_it(
    day: date, clears: UUID
) -> None:
    assert clearing_bank_id(BANKS[3], ROUTES, BANKS, day) == clears


def test_a_clearing_bank_clears_for_itself_and_a_newcomer_needs_no_route() -> None:
    for clearing in BANKS[:3]:
        assert clearing_bank_id(clearing, ROUTES, BANKS, START) == clearing.id
    assert clearing_bank_id(BANKS[4], ROUTES, BANKS, START) == NEWCOMERS


def test_where_nobody_clears_for_newcomers_no_route_is_guessed() -> None:
    with pytest.raises(NoRoute):
        clearing_bank_id(BANKS[4], ROUTES, BANKS[:2], START)


@pytest.mark.parametrize(
    ("now", "not_before", "expected"),
    [
        (local(2019, 10, 8, 0, 0), None, date(2019, 10, 8)),
        (local(2019, 10, 8, 16, 59, 59, 999_999), None, date(2019, 10, 8)),
        (local(2019, 10, 8, 17, 0), None, date(2019, 10, 9)),
        (local(2019, 10, 8, 23, 59, 59), None, date(2019, 10, 9)),
        (local(2019, 12, 31, 17, 0), None, date(2020, 1, 1)),
        (local(2019, 10, 8, 10, 0), date(2019, 10, 9), date(2019, 10, 9)),
        (local(2019, 10, 8, 18, 0), date(2019, 10, 8), date(2019, 10, 9)),
        (local(2019, 10, 8, 10, 0), date(2019, 10, 1), date(2019, 10, 8)),
    ],
)  # fmt: skip
def test_a_batch_belongs_to_the_day_until_five_in_the_afternoon_and_never_to_one_gone_by(
    now: datetime, not_before: date | None, expected: date
) -> None:
    assert business_date(now, not_before) == expected


@given(st.dates(date(2019, 1, 1), date(2030, 1, 1)), st.times(), st.integers(0, 100_000))
def test_business_days_never_go_backwards(day: date, at: time, seconds: int) -> None:
    now = datetime.combine(day, at, tzinfo=OFFICE)
    later = now + timedelta(seconds=seconds)

    assert business_date(now) <= business_date(later)
    assert business_date(now) - day in {timedelta(0), timedelta(days=1)}


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [("officer-1", "officer-2", True), ("officer-1", "officer-1", False), (None, "officer-1", True)],
)
def test_r39_who_remits_does_not_confirm(first: str | None, second: str, allowed: bool) -> None:
    refused = Refused(ErrorCode.SECOND_PERSON_REQUIRED, rule="R39", field="batchId")

    assert second_person(first, second) == (None if allowed else refused)


@pytest.mark.parametrize(("got", "allowed"), [(39_499, False), (39_500, True), (39_501, False)])
def test_a_credit_equals_the_total_to_the_fen_or_is_refused(got: int, allowed: bool) -> None:
    refused = Refused(ErrorCode.AMOUNT_MISMATCH, field="amount", facts={"expected": 39_500, "got": got})

    assert credited_in_full(39_500, got) == (None if allowed else refused)


@pytest.mark.parametrize(("status", "wanted"), list(itertools.product(ClearingBatchStatus, repeat=2)))
def test_an_unbalanced_batch_says_so_and_any_other_only_that_its_state_does_not_allow_the_step(
    status: ClearingBatchStatus, wanted: ClearingBatchStatus
) -> None:
    unbalanced = status is ClearingBatchStatus.UNBALANCED
    code = ErrorCode.BATCH_UNBALANCED if unbalanced else ErrorCode.ILLEGAL_TRANSITION

    assert move_refused(status, wanted) == Refused(
        code, field="batchId", facts={"from": status.value, "to": wanted.value}
    )
