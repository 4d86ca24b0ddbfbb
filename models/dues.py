"""Dues: what one person owes to one scheme for one benefit year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from app.vocabulary import DueStatus
from models.collection_periods import CollectionPeriod
from models.conditions import Conditions
from models.database import Change, Row, Session, as_id, as_instant
from models.payers import Payer
from models.state_changes import Transitions


class Due(Model):
    """Amounts in fen. `category` is the medical category or the pension tier that set the amount."""

    id = fields.UUIDField(primary_key=True)
    payer: fields.ForeignKeyRelation[Payer] = fields.ForeignKeyField(
        "premia.Payer", on_delete=fields.RESTRICT, related_name="dues"
    )
    period: fields.ForeignKeyRelation[CollectionPeriod] = fields.ForeignKeyField(
        "premia.CollectionPeriod", on_delete=fields.RESTRICT, related_name="dues"
    )
    category = fields.CharField(max_length=30)
    personal_amount = fields.BigIntField()
    subsidy_amount = fields.BigIntField()
    status = fields.CharEnumField(DueStatus, max_length=10, default=DueStatus.OPEN)
    held_by = fields.CharField(max_length=60, null=True)
    held_until = fields.DatetimeField(null=True)

    class Meta:
        table = "dues"


COLUMNS = ("id", "payer_id", "period_id", "category", "personal_amount", "subsidy_amount", "status")

# PAID → SETTLED is not here: it is the move of the payment's clearing batch, read through it.
TRANSITIONS: Transitions[DueStatus] = {
    DueStatus.OPEN: frozenset(
        {DueStatus.HELD, DueStatus.PAID, DueStatus.EXEMPT, DueStatus.CANCELLED, DueStatus.EXPIRED}
    ),
    DueStatus.HELD: frozenset({DueStatus.OPEN, DueStatus.PAID}),
    DueStatus.PAID: frozenset({DueStatus.OPEN, DueStatus.REFUNDED}),
}


@dataclass(frozen=True, slots=True)
class DueRow:
    """A due as clients see it; `status` is read through the payment's clearing batch."""

    id: UUID
    payer_id: UUID
    period_id: UUID
    category: str
    personal_amount: int
    subsidy_amount: int
    status: DueStatus
    held_by: str | None
    held_until: datetime | None


@dataclass(frozen=True, slots=True)
class LockedDue:
    """A due that the caller's transaction has locked, with what recording a payment must know."""

    id: UUID
    payer_id: UUID
    household_id: UUID
    region_id: UUID
    period_id: UUID
    personal_amount: int
    status: DueStatus
    held_by: str | None
    held_until: datetime | None


@dataclass(frozen=True, slots=True)
class DueCriteria:
    """Which dues: everything given must hold. `region_ids` None means everywhere."""

    region_ids: Sequence[UUID] | None = None
    narrowed_region_ids: Sequence[UUID] | None = None
    household_id: UUID | None = None
    payer_id: UUID | None = None
    period_ids: Sequence[UUID] | None = None
    status: DueStatus | None = None


_STATUS = "CASE WHEN d.status = 'PAID' AND b.status = 'SETTLED' THEN 'SETTLED' ELSE d.status END"
_FROM = (
    " FROM dues d LEFT JOIN payments p ON p.due_id = d.id AND p.status = 'ACCEPTED'"
    " LEFT JOIN clearing_batches b ON b.id = p.clearing_batch_id"
)
_SELECT = (
    "SELECT d.id, d.payer_id, d.period_id, d.category, d.personal_amount, d.subsidy_amount,"
    f" d.held_by, d.held_until, {_STATUS} AS status{_FROM}"
)


def _row(row: Row) -> DueRow:
    return DueRow(
        id=as_id(row["id"]),
        payer_id=as_id(row["payer_id"]),
        period_id=as_id(row["period_id"]),
        category=row["category"],
        personal_amount=row["personal_amount"],
        subsidy_amount=row["subsidy_amount"],
        status=DueStatus(row["status"]),
        held_by=row["held_by"],
        held_until=as_instant(row["held_until"]) if row["held_until"] else None,
    )


def _conditions(session: Session, criteria: DueCriteria) -> Conditions:
    where = Conditions(session)
    if criteria.region_ids is not None:
        where.add_members("y.region_id", criteria.region_ids)
    if criteria.narrowed_region_ids is not None:
        where.add_members("y.region_id", criteria.narrowed_region_ids)
    if criteria.household_id is not None:
        where.add("y.household_id = {}", criteria.household_id)
    if criteria.payer_id is not None:
        where.add("d.payer_id = {}", criteria.payer_id)
    if criteria.period_ids is not None:
        where.add_members("d.period_id", criteria.period_ids)
    if criteria.status is DueStatus.SETTLED:
        where.add("d.status = 'PAID' AND b.status = 'SETTLED'")
    elif criteria.status is DueStatus.PAID:
        where.add("d.status = 'PAID' AND (b.status IS NULL OR b.status <> 'SETTLED')")
    elif criteria.status is not None:
        where.add("d.status = {}", criteria.status)
    return where


def _payer_join(criteria: DueCriteria) -> str:
    people = (criteria.region_ids, criteria.narrowed_region_ids, criteria.household_id)
    return "" if all(value is None for value in people) else " JOIN payers y ON y.id = d.payer_id"


async def page(
    session: Session, criteria: DueCriteria, limit: int, after: UUID | None = None
) -> list[DueRow]:
    """At most `limit` dues behind `after`, by id."""
    where = _conditions(session, criteria)
    if after is not None:
        where.add("d.id > {}", after)
    rows = await session.fetch(
        f"{_SELECT}{_payer_join(criteria)}{where} ORDER BY d.id LIMIT {int(limit)}", *where.values
    )
    return [_row(row) for row in rows]


async def count(session: Session, criteria: DueCriteria) -> int:
    """How many dues."""
    where = _conditions(session, criteria)
    # Only PAID and SETTLED are told apart through the batch; without them a million joins are saved.
    source = _FROM if criteria.status in {DueStatus.PAID, DueStatus.SETTLED} else " FROM dues d"
    row = await session.fetch_one(
        f"SELECT COUNT(*) AS n{source}{_payer_join(criteria)}{where}", *where.values
    )
    return int(row["n"]) if row else 0


async def by_ids(session: Session, ids: Sequence[UUID]) -> list[DueRow]:
    """The dues with these ids, in no order."""
    rows = await session.fetch(f"{_SELECT} WHERE {session.members('d.id', 1)}", list(ids))
    return [_row(row) for row in rows]


async def by_payers(session: Session, payer_ids: Sequence[UUID]) -> list[DueRow]:
    """The dues of these payers, by id."""
    rows = await session.fetch(
        f"{_SELECT} WHERE {session.members('d.payer_id', 1)} ORDER BY d.id", list(payer_ids)
    )
    return [_row(row) for row in rows]


def marking_paid(session: Session, ids: Sequence[UUID]) -> Change:
    """Move locked dues to PAID, ending any hold."""
    return Change(
        "UPDATE dues SET status = 'PAID', held_by = NULL, held_until = NULL"
        f" WHERE {session.members('id', 1)} AND status IN ('OPEN', 'HELD')",
        (list(ids),),
    )


async def reopen(session: Session, due_id: UUID) -> int:
    """Move one PAID due back to OPEN (by reversal); how many moved."""
    return await session.execute("UPDATE dues SET status = 'OPEN' WHERE id = $1 AND status = 'PAID'", due_id)
