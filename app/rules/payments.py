"""When a payment is recorded, answered as a repeat, refused, or taken back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from app.rules.refusals import ErrorCode, Refused
from app.rules.registry import rule
from app.vocabulary import Channel, ClearingBatchStatus, DueStatus, PaymentStatus

REFERENCE_LENGTH = 64
COLLECTION_POINT_LENGTH = 30
REASON_LENGTH = 200
# How far a bank's clock may run ahead of ours.
CLOCK_TOLERANCE = timedelta(seconds=60)


class DueFacts(Protocol):
    """What the rules ask of a due; amounts in fen."""

    @property
    def personal_amount(self) -> int: ...  # noqa: D102
    @property
    def status(self) -> DueStatus: ...  # noqa: D102
    @property
    def held_by(self) -> str | None: ...  # noqa: D102
    @property
    def held_until(self) -> datetime | None: ...  # noqa: D102


class PaymentFacts(Protocol):
    """What makes two recordings the same; `amount` in fen."""

    @property
    def due_id(self) -> UUID | None: ...  # noqa: D102
    @property
    def amount(self) -> int: ...  # noqa: D102
    @property
    def channel(self) -> Channel: ...  # noqa: D102
    @property
    def paid_at(self) -> datetime: ...  # noqa: D102
    @property
    def collection_point_code(self) -> str | None: ...  # noqa: D102


def readable_reference(reference: str, field: str = "bankReference") -> Refused | None:
    """A reference has 1 to 64 printable characters and no white space at its ends."""
    if 0 < len(reference) <= REFERENCE_LENGTH and reference.isprintable() and reference == reference.strip():
        return None
    return Refused(ErrorCode.INVALID_REFERENCE, field=field, facts={"limit": REFERENCE_LENGTH})


def readable_collection_point(code: str | None) -> Refused | None:
    """A collection point's code, where given, has 1 to 30 printable characters."""
    if code is None or (0 < len(code) <= COLLECTION_POINT_LENGTH and code.isprintable()):
        return None
    return Refused(
        ErrorCode.INVALID_VALUE, field="collectionPointCode", facts={"limit": COLLECTION_POINT_LENGTH}
    )


def readable_reason(reason: str) -> Refused | None:
    """A reason has 1 to 200 printable characters."""
    if len(reason.strip()) > 0 and len(reason) <= REASON_LENGTH and reason.isprintable():
        return None
    return Refused(ErrorCode.INVALID_REASON, field="reason", facts={"limit": REASON_LENGTH})


def not_in_the_future(paid_at: datetime, now: datetime) -> Refused | None:
    """Money cannot have been taken later than now; a bank's clock may be a minute ahead."""
    if paid_at <= now + CLOCK_TOLERANCE:
        return None
    facts: dict[str, str | int] = {"paidAt": paid_at.isoformat(), "now": now.isoformat(timespec="seconds")}
    return Refused(ErrorCode.INVALID_TIME, field="paidAt", facts=facts)


@rule(
    "R07",
    zh="每笔应缴须一次足额缴清，不得多缴或少缴。",
    en="A due is paid in full or not at all.",
    source="configurable: a due is paid in full",
    configurable=True,
)
def paid_in_full(amount: int, due: DueFacts) -> Refused | None:
    """Refused unless `amount` is the personal amount, to the fen."""
    if amount == due.personal_amount:
        return None
    facts: dict[str, str | int] = {"expected": due.personal_amount, "got": amount}
    return Refused(ErrorCode.AMOUNT_MISMATCH, rule="R07", field="amount", facts=facts)


@rule(
    "R09",
    zh="全额资助的人员个人缴费为零，不产生缴费。",
    en="Of a fully subsidised due the personal part is zero and no payment can be made.",
    source="medical assistance rules",
)
def something_to_pay(due: DueFacts) -> Refused | None:
    """Refused when government pays all of it."""
    if due.personal_amount > 0:
        return None
    return Refused(ErrorCode.DUE_NOT_PAYABLE, rule="R09", field="dueId", facts={"status": due.status.value})


def due_is_free(due: DueFacts, now: datetime) -> Refused | None:
    """An open due can be paid, and a held one whose hold has ended."""
    if due.status is DueStatus.OPEN:
        return None
    if due.status in {DueStatus.PAID, DueStatus.SETTLED}:
        return Refused(ErrorCode.DUE_ALREADY_PAID, field="dueId")
    if due.status is DueStatus.HELD:
        if due.held_until is None or due.held_until <= now:
            return None
        facts: dict[str, str | int] = {"heldBy": due.held_by or "", "heldUntil": due.held_until.isoformat()}
        return Refused(ErrorCode.DUE_HELD, field="dueId", facts=facts)
    return Refused(ErrorCode.DUE_NOT_PAYABLE, field="dueId", facts={"status": due.status.value})


def same_recording(first: PaymentFacts, second: PaymentFacts) -> bool:
    """Whether two recordings under one reference say the same."""
    return (
        first.due_id == second.due_id
        and first.amount == second.amount
        and first.channel == second.channel
        and first.paid_at == second.paid_at
        and first.collection_point_code == second.collection_point_code
    )


def reference_conflict(recorded: PaymentFacts, offered: PaymentFacts) -> Refused:
    """The same reference with other content: both are shown."""
    names = {
        "dueId": "due_id",
        "amount": "amount",
        "channel": "channel",
        "paidAt": "paid_at",
        "collectionPointCode": "collection_point_code",
    }
    differing = [shown for shown, name in names.items() if getattr(recorded, name) != getattr(offered, name)]
    facts: dict[str, str | int] = {
        "recorded": recorded.amount,
        "offered": offered.amount,
        "differing": ", ".join(differing),
    }
    return Refused(ErrorCode.REFERENCE_CONFLICT, field="bankReference", facts=facts)


@rule(
    "R38",
    zh="只有原收款银行可以冲正，且仅限其清算批次尚未截止之前。",
    en="Only the bank that recorded a payment reverses it, and only while its clearing batch is open.",
    source="same-day reversal, before clearing",
)
def may_reverse(status: PaymentStatus, batch_status: ClearingBatchStatus) -> Refused | None:
    """Refused when the payment is no longer live, and behind the cut, however far clearing has come."""
    if status in {PaymentStatus.REVERSED, PaymentStatus.REFUNDED}:
        code, state = ErrorCode.ILLEGAL_TRANSITION, status.value
    elif batch_status is not ClearingBatchStatus.OPEN:
        code, state = ErrorCode.BATCH_NOT_OPEN, batch_status.value
    else:
        return None
    return Refused(code, rule="R38", field="paymentId", facts={"status": state})
