"""Clearing batches: all that one clearing bank clears of one scheme, from one cut to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model
from uuid_utils.compat import uuid7

from app.vocabulary import ClearingBatchStatus, Scheme
from models.banks import Bank
from models.conditions import Conditions
from models.database import Change, Insertion, Row, Session, as_day, as_id, as_instant
from models.state_changes import Transitions

Status = ClearingBatchStatus


class ClearingBatch(Model):
    """Running totals are kept at posting; amounts in fen, instants in UTC, `business_date` in Asia/Shanghai.

    `receipts_issued` only grows: it numbers the receipts of the batch, reversed ones too.
    """

    id = fields.UUIDField(primary_key=True)
    number = fields.CharField(max_length=30, unique=True)
    clearing_bank: fields.ForeignKeyRelation[Bank] = fields.ForeignKeyField(
        "premia.Bank", on_delete=fields.RESTRICT, related_name="clearing_batches"
    )
    scheme = fields.CharEnumField(Scheme, max_length=8)
    business_date = fields.DateField()
    sequence = fields.IntField()
    status = fields.CharEnumField(ClearingBatchStatus, max_length=10)
    payment_count = fields.BigIntField(default=0)
    total_amount = fields.BigIntField(default=0)
    receipts_issued = fields.BigIntField(default=0)
    opened_at = fields.DatetimeField()
    cut_at = fields.DatetimeField(null=True)
    confirmed_at = fields.DatetimeField(null=True)
    confirmed_count = fields.BigIntField(null=True)
    confirmed_amount = fields.BigIntField(null=True)
    remitted_at = fields.DatetimeField(null=True)
    remitted_by = fields.CharField(max_length=100, null=True)
    remittance_reference = fields.CharField(max_length=64, null=True)
    settled_at = fields.DatetimeField(null=True)
    treasury_reference = fields.CharField(max_length=64, null=True)

    class Meta:
        table = "clearing_batches"


class HandlingBankTotal(Model):
    """The N behind the one: what each handling bank brought into a batch."""

    id = fields.UUIDField(primary_key=True)
    clearing_batch: fields.ForeignKeyRelation[ClearingBatch] = fields.ForeignKeyField(
        "premia.ClearingBatch", on_delete=fields.RESTRICT, related_name="handling_bank_totals"
    )
    handling_bank: fields.ForeignKeyRelation[Bank] = fields.ForeignKeyField(
        "premia.Bank", on_delete=fields.RESTRICT, related_name="handling_bank_totals"
    )
    payment_count = fields.BigIntField()
    total_amount = fields.BigIntField()

    class Meta:
        table = "handling_bank_totals"


TRANSITIONS: Transitions[ClearingBatchStatus] = {
    Status.OPEN: frozenset({Status.CUT}),
    Status.CUT: frozenset({Status.BALANCED, Status.UNBALANCED}),
    Status.UNBALANCED: frozenset({Status.BALANCED}),
    Status.BALANCED: frozenset({Status.REMITTED}),
    Status.REMITTED: frozenset({Status.SETTLED}),
}


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A clearing batch as it is stored."""

    id: UUID
    number: str
    clearing_bank_id: UUID
    scheme: Scheme
    business_date: date
    sequence: int
    status: ClearingBatchStatus
    payment_count: int
    total_amount: int
    receipts_issued: int
    opened_at: datetime
    cut_at: datetime | None
    remitted_at: datetime | None
    remitted_by: str | None
    remittance_reference: str | None
    settled_at: datetime | None
    treasury_reference: str | None


@dataclass(frozen=True, slots=True)
class TotalRow:
    """What one handling bank brought into one batch."""

    clearing_batch_id: UUID
    handling_bank_id: UUID
    payment_count: int
    total_amount: int


@dataclass(frozen=True, slots=True)
class BatchCriteria:
    """Which batches: everything given must hold. `seen_by_bank_id`: it clears them or has payments in them."""

    seen_by_bank_id: UUID | None = None
    clearing_bank_id: UUID | None = None
    scheme: Scheme | None = None
    business_date: date | None = None
    status: ClearingBatchStatus | None = None
    ids: Sequence[UUID] | None = None


_SELECT = (
    "SELECT b.id, b.number, b.clearing_bank_id, b.scheme, b.business_date, b.sequence, b.status, b.payment_count,"
    " b.total_amount, b.receipts_issued, b.opened_at, b.cut_at, b.remitted_at, b.remitted_by,"
    " b.remittance_reference, b.settled_at, b.treasury_reference FROM clearing_batches b"
)


def _instant_or_none(value: datetime | str | None) -> datetime | None:
    return as_instant(value) if value else None


def _row(row: Row) -> BatchRow:
    return BatchRow(
        id=as_id(row["id"]),
        number=row["number"],
        clearing_bank_id=as_id(row["clearing_bank_id"]),
        scheme=Scheme(row["scheme"]),
        business_date=as_day(row["business_date"]),
        sequence=row["sequence"],
        status=ClearingBatchStatus(row["status"]),
        payment_count=row["payment_count"],
        total_amount=row["total_amount"],
        receipts_issued=row["receipts_issued"],
        opened_at=as_instant(row["opened_at"]),
        cut_at=_instant_or_none(row["cut_at"]),
        remitted_at=_instant_or_none(row["remitted_at"]),
        remitted_by=row["remitted_by"],
        remittance_reference=row["remittance_reference"],
        settled_at=_instant_or_none(row["settled_at"]),
        treasury_reference=row["treasury_reference"],
    )


def _conditions(session: Session, criteria: BatchCriteria) -> Conditions:
    where = Conditions(session)
    if criteria.seen_by_bank_id is not None:
        bank = criteria.seen_by_bank_id
        where.add(
            "b.clearing_bank_id = {} OR EXISTS (SELECT 1 FROM handling_bank_totals t"
            " WHERE t.clearing_batch_id = b.id AND t.handling_bank_id = {})",
            bank,
            bank,
        )
    equal = {
        "b.clearing_bank_id": criteria.clearing_bank_id,
        "b.scheme": criteria.scheme,
        "b.business_date": criteria.business_date,
        "b.status": criteria.status,
    }
    for column, value in equal.items():
        if value is not None:
            where.add(column + " = {}", value)
    if criteria.ids is not None:
        where.add_members("b.id", criteria.ids)
    return where


async def page(
    session: Session, criteria: BatchCriteria, limit: int, after: UUID | None = None
) -> list[BatchRow]:
    """At most `limit` batches behind `after`, by id, which is by time of opening."""
    where = _conditions(session, criteria)
    if after is not None:
        where.add("b.id > {}", after)
    rows = await session.fetch(f"{_SELECT}{where} ORDER BY b.id LIMIT {int(limit)}", *where.values)
    return [_row(row) for row in rows]


async def count(session: Session, criteria: BatchCriteria) -> int:
    """How many batches."""
    where = _conditions(session, criteria)
    row = await session.fetch_one(f"SELECT COUNT(*) AS n FROM clearing_batches b{where}", *where.values)
    return int(row["n"]) if row else 0


async def by_ids(session: Session, ids: Sequence[UUID]) -> list[BatchRow]:
    """The batches with these ids, in no order."""
    rows = await session.fetch(f"{_SELECT} WHERE {session.members('b.id', 1)}", list(ids))
    return [_row(row) for row in rows]


async def lock(session: Session, ids: Sequence[UUID]) -> list[BatchRow]:
    """Lock these batches by id (see `models.locks`, which is the one caller)."""
    rows = await session.fetch(
        f"{_SELECT} WHERE {session.members('b.id', 1)} ORDER BY b.id{session.for_update}", list(ids)
    )
    return [_row(row) for row in rows]


async def lock_open(session: Session, clearing_bank_ids: Sequence[UUID]) -> list[BatchRow]:
    """Lock the open batches of these clearing banks by id (see `models.locks`, which is the one caller)."""
    rows = await session.fetch(
        f"{_SELECT} WHERE b.status = 'OPEN' AND {session.members('b.clearing_bank_id', 1)}"
        f" ORDER BY b.id{session.for_update}",
        list(clearing_bank_ids),
    )
    return [_row(row) for row in rows]


async def totals(session: Session, batch_ids: Sequence[UUID]) -> list[TotalRow]:
    """What each handling bank brought into these batches."""
    rows = await session.fetch(
        "SELECT clearing_batch_id, handling_bank_id, payment_count, total_amount FROM handling_bank_totals"
        f" WHERE {session.members('clearing_batch_id', 1)} ORDER BY clearing_batch_id, handling_bank_id",
        list(batch_ids),
    )
    return [
        TotalRow(
            as_id(row["clearing_batch_id"]),
            as_id(row["handling_bank_id"]),
            row["payment_count"],
            row["total_amount"],
        )
        for row in rows
    ]


OPEN_COLUMNS = ("id", "number", "clearing_bank_id", "scheme", "business_date", "sequence", "status",
                "payment_count", "total_amount", "receipts_issued", "opened_at")  # fmt: skip


async def open_batch(
    session: Session, clearing_bank: tuple[UUID, str], scheme: Scheme, business_date: date, at: datetime
) -> BatchRow:
    """Open the next batch of a clearing bank (id, code) and scheme on `business_date`.

    The database allows one open batch per clearing bank and scheme: a second one raises ConstraintViolated.
    """
    bank_id, bank_code = clearing_bank
    row = await session.fetch_one(
        "SELECT COALESCE(MAX(sequence), 0) + 1 AS next FROM clearing_batches"
        " WHERE clearing_bank_id = $1 AND scheme = $2 AND business_date = $3",
        bank_id,
        scheme,
        business_date,
    )
    sequence = int(row["next"]) if row else 1
    number = f"{bank_code}{scheme.value[0]}{business_date:%Y%m%d}{sequence:02}"
    batch_id = uuid7()
    values = (batch_id, number, bank_id, scheme, business_date, sequence, Status.OPEN, 0, 0, 0, at)
    await session.insert_rows(ClearingBatch, OPEN_COLUMNS, [values])
    return BatchRow(
        batch_id, number, bank_id, scheme, business_date, sequence, Status.OPEN, 0, 0, 0, at,
        None, None, None, None, None, None,
    )  # fmt: skip


def adding_totals(changes: Mapping[UUID, tuple[int, int, int]]) -> list[Change]:
    """Add (payments, fen, receipts) to the running totals of locked batches."""
    return [
        Change(
            "UPDATE clearing_batches SET payment_count = payment_count + $2, total_amount = total_amount + $3,"
            " receipts_issued = receipts_issued + $4 WHERE id = $1",
            (batch_id, *change),
        )
        for batch_id, change in sorted(changes.items())
    ]


TOTAL_COLUMNS = ("id", "clearing_batch_id", "handling_bank_id", "payment_count", "total_amount")


def adding_handling_totals(changes: Mapping[tuple[UUID, UUID], tuple[int, int]]) -> Insertion:
    """Add (payments, fen) to what (batch, handling bank) brought in; the batches are locked."""
    return Insertion(
        HandlingBankTotal,
        TOTAL_COLUMNS,
        [(uuid7(), batch_id, bank_id, *change) for (batch_id, bank_id), change in changes.items()],
        "ON CONFLICT (clearing_batch_id, handling_bank_id) DO UPDATE"
        " SET payment_count = handling_bank_totals.payment_count + excluded.payment_count,"
        " total_amount = handling_bank_totals.total_amount + excluded.total_amount",
    )


async def take_back(session: Session, batch_id: UUID, handling_bank_id: UUID, amount: int) -> None:
    """Take one payment of `amount` fen out of the totals of a locked batch; its receipt stays issued."""
    await session.execute(
        "UPDATE clearing_batches SET payment_count = payment_count - 1, total_amount = total_amount - $2 WHERE id = $1",
        batch_id,
        amount,
    )
    await session.execute(
        "UPDATE handling_bank_totals SET payment_count = payment_count - 1, total_amount = total_amount - $3"
        " WHERE clearing_batch_id = $1 AND handling_bank_id = $2",
        batch_id,
        handling_bank_id,
        amount,
    )


async def move(
    session: Session, batch_id: UUID, status: ClearingBatchStatus, facts: Mapping[str, Any]
) -> None:
    """Set the state of a locked batch together with the columns that belong to the move."""
    columns = ", ".join(f"{name} = ${n}" for n, name in enumerate(facts, 3))
    comma = ", " if facts else ""
    await session.execute(
        f"UPDATE clearing_batches SET status = $2{comma}{columns} WHERE id = $1",
        batch_id,
        status,
        *facts.values(),
    )
