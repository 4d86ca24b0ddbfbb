"""The 3+1+N route, the business date, and who may move a clearing batch on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Protocol
from uuid import UUID

from app.rules.refusals import ErrorCode, Refused
from app.rules.registry import rule
from app.vocabulary import BankRole, ClearingBatchStatus

# Until this hour (Asia/Shanghai) a new batch belongs to the same day (assumed).
CUT_OFF = time(17, 0)


class BankFacts(Protocol):
    """What the route asks of a bank."""

    @property
    def id(self) -> UUID: ...  # noqa: D102
    @property
    def role(self) -> BankRole: ...  # noqa: D102
    @property
    def clears_for_newcomers(self) -> bool: ...  # noqa: D102


class RouteFacts(Protocol):
    """An effective-dated route; `valid_until` is exclusive."""

    @property
    def handling_bank_id(self) -> UUID: ...  # noqa: D102
    @property
    def clearing_bank_id(self) -> UUID: ...  # noqa: D102
    @property
    def valid_from(self) -> date: ...  # noqa: D102
    @property
    def valid_until(self) -> date | None: ...  # noqa: D102


class NoRoute(Exception):
    """No bank clears for newcomers: the set-up of the banks is not finished."""


def clearing_bank_id(
    bank: BankFacts, routes: Iterable[RouteFacts], banks: Iterable[BankFacts], day: date
) -> UUID:
    """The bank that clears for `bank` on `day`: by its route, itself, or the one that clears for newcomers.

    Raises:
        NoRoute: nobody clears for newcomers.
    """
    for route in routes:
        begun = route.handling_bank_id == bank.id and route.valid_from <= day
        if begun and (route.valid_until is None or day < route.valid_until):
            return route.clearing_bank_id
    if bank.role is BankRole.CLEARING:
        return bank.id
    for candidate in banks:
        if candidate.clears_for_newcomers:
            return candidate.id
    raise NoRoute


def business_date(local_now: datetime, not_before: date | None = None) -> date:
    """The clearing day of a batch that opens at `local_now` (Asia/Shanghai): tomorrow once the cut-off has passed."""
    day = local_now.date() if local_now.time() < CUT_OFF else local_now.date() + timedelta(days=1)
    return max(day, not_before) if not_before else day


def move_refused(status: ClearingBatchStatus, wanted: ClearingBatchStatus) -> Refused:
    """The refusal of a move that the table of states does not allow."""
    facts: dict[str, str | int] = {"from": status.value, "to": wanted.value}
    unbalanced = status is ClearingBatchStatus.UNBALANCED
    code = ErrorCode.BATCH_UNBALANCED if unbalanced else ErrorCode.ILLEGAL_TRANSITION
    return Refused(code, field="batchId", facts=facts)


@rule(
    "R39",
    zh="解缴与入库确认须由两人分别办理。",
    en="Who remits a batch is not who confirms its credit by the treasury.",
    source="configurable: two-person control of public money",
    configurable=True,
)
def second_person(first: str | None, second: str) -> Refused | None:
    """Refused when one person would do both steps."""
    if first != second:
        return None
    return Refused(ErrorCode.SECOND_PERSON_REQUIRED, rule="R39", field="batchId")


def credited_in_full(expected: int, got: int) -> Refused | None:
    """The treasury's credit equals the batch's total, in fen."""
    if expected == got:
        return None
    return Refused(ErrorCode.AMOUNT_MISMATCH, field="amount", facts={"expected": expected, "got": got})
