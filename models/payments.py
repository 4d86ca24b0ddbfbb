"""Payments: money that a handling bank has taken for a due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from app.vocabulary import Channel, PaymentStatus, Scheme
from models.banks import Bank
from models.clearing import ClearingBatch
from models.conditions import Conditions
from models.database import Insertion, Row, Session, as_day, as_id, as_instant
from models.dues import Due
from models.state_changes import Transitions


class Payment(Model):
    """One payment; `amount` in fen. Stored states are ACCEPTED, REVERSED and REFUNDED.

    CLEARED and SETTLED are the state of the clearing batch, read through it, so that no step of clearing
    updates the payments. `paid_at` is the bank's instant, `accepted_at` ours, both UTC.
    """

    id = fields.UUIDField(primary_key=True)
    due: fields.ForeignKeyRelation[Due] = fields.ForeignKeyField(
        "premia.Due", on_delete=fields.RESTRICT, related_name="payments"
    )
    amount = fields.BigIntField()
    channel = fields.CharEnumField(Channel, max_length=20)
    status = fields.CharEnumField(PaymentStatus, max_length=10)
    handling_bank: fields.ForeignKeyRelation[Bank] = fields.ForeignKeyField(
        "premia.Bank", on_delete=fields.RESTRICT, related_name="payments"
    )
    clearing_batch: fields.ForeignKeyRelation[ClearingBatch] = fields.ForeignKeyField(
        "premia.ClearingBatch", on_delete=fields.RESTRICT, related_name="payments"
    )
    bank_reference = fields.CharField(max_length=64)
    collection_point_code = fields.CharField(max_length=30, null=True)
    paid_at = fields.DatetimeField()
    accepted_at = fields.DatetimeField()
    receipt_number = fields.CharField(max_length=30)

    class Meta:
        table = "payments"


COLUMNS = (
    "id", "due_id", "amount", "channel", "status", "handling_bank_id", "clearing_batch_id",
    "bank_reference", "collection_point_code", "paid_at", "accepted_at", "receipt_number",
)  # fmt: skip

# ACCEPTED → CLEARED → SETTLED are not here: they are the moves of the clearing batch, read through it.
TRANSITIONS: Transitions[PaymentStatus] = {
    PaymentStatus.ACCEPTED: frozenset({PaymentStatus.REVERSED, PaymentStatus.REFUNDED}),
}


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment as clients see it; `status` and `business_date` are read through the clearing batch."""

    id: UUID
    due_id: UUID
    amount: int
    channel: Channel
    status: PaymentStatus
    handling_bank_id: UUID
    clearing_bank_id: UUID
    clearing_batch_id: UUID
    bank_reference: str
    collection_point_code: str | None
    paid_at: datetime
    accepted_at: datetime
    business_date: date
    receipt_number: str
    scheme: Scheme


@dataclass(frozen=True, slots=True)
class PaymentCriteria:
    """Which payments: everything given must hold. `seen_by_bank_id`: handled by it or cleared by it."""

    seen_by_bank_id: UUID | None = None
    handled_by_bank_id: UUID | None = None
    household_id: UUID | None = None
    region_ids: Sequence[UUID] | None = None
    narrowed_region_ids: Sequence[UUID] | None = None
    handling_bank_id: UUID | None = None
    payer_id: UUID | None = None
    clearing_batch_id: UUID | None = None
    scheme: Scheme | None = None
    channel: Channel | None = None
    status: PaymentStatus | None = None
    business_date: date | None = None
    ids: Sequence[UUID] | None = None
    live: bool = False


_STATUS = (
    "CASE WHEN p.status <> 'ACCEPTED' THEN p.status WHEN b.status = 'SETTLED' THEN 'SETTLED'"
    " WHEN b.status IN ('BALANCED', 'REMITTED') THEN 'CLEARED' ELSE 'ACCEPTED' END"
)
_FROM = " FROM payments p JOIN clearing_batches b ON b.id = p.clearing_batch_id"
_SELECT = (
    "SELECT p.id, p.due_id, p.amount, p.channel, p.handling_bank_id, b.clearing_bank_id, p.clearing_batch_id,"
    " p.bank_reference, p.collection_point_code, p.paid_at, p.accepted_at, b.business_date, p.receipt_number,"
    f" b.scheme, {_STATUS} AS status{_FROM}"
)


def _row(row: Row) -> PaymentRow:
    return PaymentRow(
        id=as_id(row["id"]),
        due_id=as_id(row["due_id"]),
        amount=row["amount"],
        channel=Channel(row["channel"]),
        status=PaymentStatus(row["status"]),
        handling_bank_id=as_id(row["handling_bank_id"]),
        clearing_bank_id=as_id(row["clearing_bank_id"]),
        clearing_batch_id=as_id(row["clearing_batch_id"]),
        bank_reference=row["bank_reference"],
        collection_point_code=row["collection_point_code"],
        paid_at=as_instant(row["paid_at"]),
        accepted_at=as_instant(row["accepted_at"]),
        business_date=as_day(row["business_date"]),
        receipt_number=row["receipt_number"],
        scheme=Scheme(row["scheme"]),
    )


_STATUS_CLAUSES = {
    PaymentStatus.ACCEPTED: "p.status = 'ACCEPTED' AND b.status IN ('OPEN', 'CUT', 'UNBALANCED')",
    PaymentStatus.CLEARED: "p.status = 'ACCEPTED' AND b.status IN ('BALANCED', 'REMITTED')",
    PaymentStatus.SETTLED: "p.status = 'ACCEPTED' AND b.status = 'SETTLED'",
    PaymentStatus.REVERSED: "p.status = 'REVERSED'",
    PaymentStatus.REFUNDED: "p.status = 'REFUNDED'",
}


def _conditions(session: Session, criteria: PaymentCriteria) -> Conditions:
    where = Conditions(session)
    if criteria.seen_by_bank_id is not None:
        bank = criteria.seen_by_bank_id
        where.add("p.handling_bank_id = {} OR b.clearing_bank_id = {}", bank, bank)
    equal = {
        "y.household_id": criteria.household_id,
        "d.payer_id": criteria.payer_id,
        "p.clearing_batch_id": criteria.clearing_batch_id,
        "b.scheme": criteria.scheme,
        "p.channel": criteria.channel,
        "b.business_date": criteria.business_date,
    }
    for column, value in equal.items():
        if value is not None:
            where.add(column + " = {}", value)
    for bank_id in (criteria.handled_by_bank_id, criteria.handling_bank_id):
        if bank_id is not None:
            where.add("p.handling_bank_id = {}", bank_id)
    for regions in (criteria.region_ids, criteria.narrowed_region_ids):
        if regions is not None:
            where.add_members("y.region_id", regions)
    if criteria.status is not None:
        where.add(_STATUS_CLAUSES[criteria.status])
    if criteria.live:
        where.add("p.status = 'ACCEPTED'")
    if criteria.ids is not None:
        where.add_members("p.id", criteria.ids)
    return where


def _joins(criteria: PaymentCriteria) -> str:
    people = (criteria.household_id, criteria.region_ids, criteria.narrowed_region_ids)
    if any(value is not None for value in people):
        return " JOIN dues d ON d.id = p.due_id JOIN payers y ON y.id = d.payer_id"
    return " JOIN dues d ON d.id = p.due_id" if criteria.payer_id is not None else ""


async def page(
    session: Session, criteria: PaymentCriteria, limit: int, after: UUID | None = None
) -> list[PaymentRow]:
    """At most `limit` payments behind `after`, by id, which is by time of recording."""
    where = _conditions(session, criteria)
    if after is not None:
        where.add("p.id > {}", after)
    rows = await session.fetch(
        f"{_SELECT}{_joins(criteria)}{where} ORDER BY p.id LIMIT {int(limit)}", *where.values
    )
    return [_row(row) for row in rows]


async def count(session: Session, criteria: PaymentCriteria) -> int:
    """How many payments."""
    where = _conditions(session, criteria)
    row = await session.fetch_one(f"SELECT COUNT(*) AS n{_FROM}{_joins(criteria)}{where}", *where.values)
    return int(row["n"]) if row else 0


async def by_ids(session: Session, ids: Sequence[UUID]) -> list[PaymentRow]:
    """The payments with these ids, in no order."""
    rows = await session.fetch(f"{_SELECT} WHERE {session.members('p.id', 1)}", list(ids))
    return [_row(row) for row in rows]


async def live_by_dues(session: Session, due_ids: Sequence[UUID]) -> list[PaymentRow]:
    """The live payment of each of these dues, where there is one."""
    rows = await session.fetch(
        f"{_SELECT} WHERE {session.members('p.due_id', 1)} AND p.status = 'ACCEPTED'", list(due_ids)
    )
    return [_row(row) for row in rows]


async def by_references(session: Session, keys: Sequence[tuple[UUID, str]]) -> list[PaymentRow]:
    """The payments recorded under these (handling bank, bank reference) keys."""
    rows = await session.fetch(
        f"{_SELECT} WHERE {session.pairs('p.bank_reference, p.handling_bank_id', ('text', 'uuid'))}",
        [reference for _, reference in keys],
        [bank for bank, _ in keys],
    )
    return [_row(row) for row in rows]


def insertion(rows: Sequence[PaymentRow]) -> Insertion:
    """Insert these payments."""
    return Insertion(Payment, COLUMNS, [tuple(getattr(row, name) for name in COLUMNS) for row in rows])


async def mark_reversed(session: Session, payment_id: UUID) -> int:
    """Move one ACCEPTED payment to REVERSED; how many moved."""
    return await session.execute(
        "UPDATE payments SET status = 'REVERSED' WHERE id = $1 AND status = 'ACCEPTED'", payment_id
    )
