"""Collection progress: grouped figures straight from SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.conditions import Conditions
from models.database import Row, Session, as_id

PAID = "d.status = 'PAID'"
_FIGURES = (
    "COUNT(*) AS due_count, SUM(d.personal_amount) AS due_amount,"
    f" SUM(CASE WHEN {PAID} THEN 1 ELSE 0 END) AS paid_count,"
    f" SUM(CASE WHEN {PAID} THEN d.personal_amount ELSE 0 END) AS paid_amount"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """How many dues and how much, in fen of the personal amounts; and what of it is paid."""

    due_count: int = 0
    paid_count: int = 0
    due_amount: int = 0
    paid_amount: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.due_count + other.due_count,
            self.paid_count + other.paid_count,
            self.due_amount + other.due_amount,
            self.paid_amount + other.paid_amount,
        )


def _figures(row: Row) -> Figures:
    return Figures(
        int(row["due_count"]),
        int(row["paid_count"] or 0),
        int(row["due_amount"] or 0),
        int(row["paid_amount"] or 0),
    )


def _conditions(session: Session, period_id: UUID, region_ids: Sequence[UUID] | None) -> Conditions:
    where = Conditions(session)
    where.add("d.period_id = {}", period_id)
    where.add("d.status <> 'CANCELLED'")
    if region_ids is not None:
        where.add_members("y.region_id", region_ids)
    return where


async def by_region(
    session: Session, period_id: UUID, region_ids: Sequence[UUID] | None
) -> dict[UUID, Figures]:
    """Figures of the people who belong to each region itself."""
    where = _conditions(session, period_id, region_ids)
    rows = await session.fetch(
        f"SELECT y.region_id AS key, {_FIGURES} FROM dues d JOIN payers y ON y.id = d.payer_id{where}"
        " GROUP BY y.region_id",
        *where.values,
    )
    return {as_id(row["key"]): _figures(row) for row in rows}


async def by_payment(
    session: Session, column: str, period_id: UUID, region_ids: Sequence[UUID] | None
) -> dict[str | None, Figures]:
    """Figures by a column of the live payment ("channel", "handling_bank_id", "clearing_bank_id"); None: unpaid."""
    expression = {
        "channel": "p.channel",
        "handling_bank_id": "p.handling_bank_id",
        "clearing_bank_id": "b.clearing_bank_id",
    }[column]
    where = _conditions(session, period_id, region_ids)
    people = " JOIN payers y ON y.id = d.payer_id" if region_ids is not None else ""
    rows = await session.fetch(
        f"SELECT {expression} AS key, {_FIGURES} FROM dues d{people}"
        " LEFT JOIN payments p ON p.due_id = d.id AND p.status = 'ACCEPTED'"
        f" LEFT JOIN clearing_batches b ON b.id = p.clearing_batch_id{where} GROUP BY {expression}",
        *where.values,
    )
    return {None if row["key"] is None else str(row["key"]): _figures(row) for row in rows}
