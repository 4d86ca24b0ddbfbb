"""What happens with payments: recording, taking back, looking up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app import clock
from app.faults import Unavailable
from app.live import outbox
from app.live.outbox import BatchPicture, PaymentPicture
from app.principal import Principal
from app.rules import payments as rules
from app.rules.refusals import ErrorCode, Refused
from app.services import payment_posting, reference
from app.services.sight import bank_of
from app.services.transactions import transaction
from app.vocabulary import Channel, DueStatus, EventKind, PaymentStatus, TransferKind
from models import clearing, dues, ledger, locks, payments, state_changes
from models.database import Session
from models.dues import LockedDue
from models.failures import ConstraintViolated
from models.payments import PaymentRow
from models.state_changes import Move

ATTEMPTS = 4
Key = tuple[UUID, str]


@dataclass(frozen=True, slots=True)
class RecordPayment:
    """Money that a handling bank says it has taken. `amount` in fen, `paid_at` with an offset."""

    bank_id: UUID
    due_id: UUID | None
    amount: int
    channel: Channel
    bank_reference: str
    paid_at: datetime
    collection_point_code: str | None
    actor: str

    def unreadable(self) -> Refused | None:
        """The refusal of texts that cannot be stored or printed."""
        return rules.readable_reference(self.bank_reference) or rules.readable_collection_point(
            self.collection_point_code
        )


@dataclass(frozen=True, slots=True)
class Recorded:
    """A payment that stands; `already_recorded` when an earlier request had recorded it."""

    payment: PaymentRow
    already_recorded: bool


Outcome = Recorded | Refused


async def record_payments(commands: Sequence[RecordPayment]) -> list[Outcome]:
    """Record payments that banks have taken, in one transaction.

    Each command stands alone and is answered in order: recorded, recorded before, or refused by a rule.
    A constant number of statements, whatever the length. Locks: dues by id, then open batches by id.

    Raises:
        Unavailable: the database did not answer, or other writers won every time: repeat the request.
        ConstraintViolated: a row that no rule foresaw; nothing was recorded.
    """
    facts = await reference.load()
    for attempt in range(ATTEMPTS):
        try:
            async with transaction() as session:
                return await _record(session, facts, commands)
        except ConstraintViolated:
            # Another process recorded the same reference or opened the same batch: judged anew, it is seen.
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


async def _record(
    session: Session, facts: reference.Reference, commands: Sequence[RecordPayment]
) -> list[Outcome]:
    readable = [c for c in commands if c.unreadable() is None]
    locked = await locks.dues(session, (c.due_id for c in readable if c.due_id is not None))
    known = {key_of(p): p for p in await payments.by_references(session, [key_of(c) for c in readable])}
    posting = payment_posting.Posting(facts, clock.now())
    refused = [c.unreadable() or _judge(c, known, posting, locked) for c in commands]
    written = await posting.write(session)
    answered = set(known)
    outcomes: list[Outcome] = []
    for command, refusal in zip(commands, refused, strict=True):
        key = key_of(command)
        outcomes.append(refusal or Recorded(known.get(key) or written[key], already_recorded=key in answered))
        if refusal is None:
            answered.add(key)
    return outcomes


def key_of(recording: RecordPayment | PaymentRow) -> Key:
    """The natural key that makes a repeat safe: a bank's own number is unique per bank."""
    bank = recording.bank_id if isinstance(recording, RecordPayment) else recording.handling_bank_id
    return bank, recording.bank_reference


def _judge(
    command: RecordPayment,
    known: Mapping[Key, PaymentRow],
    posting: payment_posting.Posting,
    locked: Mapping[UUID, LockedDue],
) -> Refused | None:
    """A repeat is compared with what its reference was first used for; anything else is judged by the rules."""
    first = known.get(key_of(command)) or posting.offered(key_of(command))
    if first is None:
        return posting.offer(command, locked)
    return None if rules.same_recording(first, command) else rules.reference_conflict(first, command)


@dataclass(frozen=True, slots=True)
class ReversePayment:
    """A bank takes back a payment that it recorded."""

    payment_id: UUID | None
    reason: str


async def reverse_payment(command: ReversePayment, principal: Principal) -> PaymentRow | Refused:
    """Take back a payment while its clearing batch is open; its due is open again.

    Raises:
        Forbidden: the caller is no bank.
        Unavailable: the database did not answer.
    """
    bank_id = bank_of(principal, await reference.load())
    if refused := rules.readable_reason(command.reason):
        return refused
    for attempt in range(ATTEMPTS):
        try:
            async with transaction() as session:
                return await _reverse(session, command, bank_id, principal.name)
        except ConstraintViolated as exc:
            if attempt == ATTEMPTS - 1:
                raise Unavailable("other writers won every time; repeat the request") from exc
    raise AssertionError("unreachable")


async def _reverse(
    session: Session, command: ReversePayment, bank_id: UUID, actor: str
) -> PaymentRow | Refused:
    found = await payments.by_ids(session, [command.payment_id] if command.payment_id else [])
    if not found or found[0].handling_bank_id != bank_id:
        return Refused(ErrorCode.NOT_FOUND, field="paymentId")
    locked = await locks.dues(session, [found[0].due_id])
    batch = await locks.batch(session, found[0].clearing_batch_id)
    [payment] = await payments.by_ids(session, [found[0].id])
    if batch is None:
        raise AssertionError("a payment without a clearing batch")
    if refused := rules.may_reverse(payment.status, batch.status):
        return refused
    at = clock.now()
    state_changes.check_move(payments.TRANSITIONS, payment.status, PaymentStatus.REVERSED)
    state_changes.check_move(dues.TRANSITIONS, DueStatus.PAID, DueStatus.OPEN)
    await payments.mark_reversed(session, payment.id)
    await dues.reopen(session, payment.due_id)
    await clearing.take_back(session, batch.id, bank_id, payment.amount)
    await state_changes.record(
        session,
        [
            Move("payment", payment.id, payment.status, PaymentStatus.REVERSED, at, actor, command.reason),
            Move("due", payment.due_id, DueStatus.PAID, DueStatus.OPEN, at, actor, command.reason),
        ],
    )
    bank = (await reference.load()).banks[bank_id]
    entry = ledger.Entry(
        ledger.payers_account(payment.scheme),
        ledger.bank_account(bank.code),
        payment.amount,
        TransferKind.REVERSAL,
        payment.id,
    )
    await ledger.post(session, [entry], at)
    after = replace(
        batch, payment_count=batch.payment_count - 1, total_amount=batch.total_amount - payment.amount
    )
    reversed_payment = replace(payment, status=PaymentStatus.REVERSED)
    due = locked[payment.due_id]
    picture = PaymentPicture(reversed_payment, due.household_id, due.region_id)
    totals = tuple(await clearing.totals(session, [batch.id]))
    events = [
        picture.event(EventKind.PAYMENT_REVERSED),
        BatchPicture(after, totals).event(EventKind.BATCH_TOTALS),
    ]
    await outbox.append(session, events, at)
    return reversed_payment
