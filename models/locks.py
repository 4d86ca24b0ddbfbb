"""The one lock order: dues by id, then clearing batches by id. Nothing locks in any other order.

On SQLite a transaction holds the only write lock from its start, so these are plain reads there.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from app.vocabulary import DueStatus, Scheme
from models import clearing
from models.clearing import BatchRow
from models.database import Session, as_id, as_instant
from models.dues import LockedDue


async def dues(session: Session, ids: Iterable[UUID]) -> dict[UUID, LockedDue]:
    """Lock these dues; those that exist, by id."""
    suffix = " FOR UPDATE OF d" if session.postgres else ""
    rows = await session.fetch(
        "SELECT d.id, d.payer_id, y.household_id, y.region_id, d.period_id, d.personal_amount, d.status, d.held_by,"
        " d.held_until FROM dues d JOIN payers y ON y.id = d.payer_id"
        f" WHERE {session.members('d.id', 1)} ORDER BY d.id{suffix}",
        sorted(set(ids)),
    )
    return {
        as_id(row["id"]): LockedDue(
            id=as_id(row["id"]),
            payer_id=as_id(row["payer_id"]),
            household_id=as_id(row["household_id"]),
            region_id=as_id(row["region_id"]),
            period_id=as_id(row["period_id"]),
            personal_amount=row["personal_amount"],
            status=DueStatus(row["status"]),
            held_by=row["held_by"],
            held_until=as_instant(row["held_until"]) if row["held_until"] else None,
        )
        for row in rows
    }


async def open_batches(
    session: Session, clearing_bank_ids: Iterable[UUID]
) -> dict[tuple[UUID, Scheme], BatchRow]:
    """Lock the open batches (one per scheme) of these clearing banks, by (clearing bank, scheme).

    A batch that another transaction cuts meanwhile is missing, and so may its successor be: ask again.
    """
    batches = await clearing.lock_open(session, sorted(set(clearing_bank_ids)))
    return {(batch.clearing_bank_id, batch.scheme): batch for batch in batches}


async def batch(session: Session, batch_id: UUID) -> BatchRow | None:
    """Lock one batch."""
    batches = await clearing.lock(session, [batch_id])
    return batches[0] if batches else None
