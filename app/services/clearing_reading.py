"""Looking up clearing batches within a caller's sight."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from app.faults import Forbidden
from app.live.outbox import BatchPicture
from app.principal import Principal, Role
from app.services import reference
from app.services.pages import Page, take
from app.services.sight import Sight, sight_of
from app.services.transactions import reading
from app.vocabulary import ClearingBatchStatus, Scheme
from models import clearing
from models.clearing import BatchCriteria, BatchRow, TotalRow


@dataclass(frozen=True, slots=True)
class BatchFilter:
    """What a client narrows batches by."""

    clearing_bank_code: str | None = None
    scheme: Scheme | None = None
    business_date: date | None = None
    status: ClearingBatchStatus | None = None


async def by_ids(ids: Sequence[UUID]) -> dict[UUID, BatchRow]:
    """Batches by id, for objects that the caller may see already."""
    async with reading() as session:
        return {row.id: row for row in await clearing.by_ids(session, ids)}


async def totals_of(batch_ids: Sequence[UUID]) -> dict[UUID, list[TotalRow]]:
    """What each handling bank brought into each of these batches."""
    found: dict[UUID, list[TotalRow]] = defaultdict(list)
    async with reading() as session:
        for total in await clearing.totals(session, batch_ids):
            found[total.clearing_batch_id].append(total)
    return found


async def visible(batch_id: UUID, principal: Principal) -> BatchRow | None:
    """A batch, or None when there is none in sight. A payer sees a batch only through a payment."""
    if principal.role is Role.PAYER:
        return None
    sight = await sight_of(principal)
    async with reading() as session:
        criteria = replace(sight.batches(), ids=[batch_id])
        rows = await clearing.page(session, criteria, 1)
    return rows[0] if rows else None


async def page(
    principal: Principal, wanted: BatchFilter, window: Page
) -> tuple[list[BatchRow], bool, BatchCriteria | None]:
    """A page of batches in sight, whether more follow, and the criteria to count them by.

    Raises:
        Forbidden: a payer asks.
    """
    criteria = replace(
        (await sight_of(principal)).batches(),
        scheme=wanted.scheme,
        business_date=wanted.business_date,
        status=wanted.status,
    )
    if wanted.clearing_bank_code is not None:
        bank = (await reference.load()).banks_by_code.get(wanted.clearing_bank_code)
        if bank is None:
            return [], False, None
        criteria = replace(criteria, clearing_bank_id=bank.id)
    async with reading() as session:
        rows = await clearing.page(session, criteria, window.first + 1, window.after)
    return (*take(rows, window), criteria)


async def count(criteria: BatchCriteria | None) -> int:
    """How many batches."""
    if criteria is None:
        return 0
    async with reading() as session:
        return await clearing.count(session, criteria)


def share(picture: BatchPicture, sight: Sight) -> BatchPicture:
    """The picture as the caller may see it: a bank that does not clear the batch sees its own share.

    Raises:
        Forbidden: a payer asks for a batch's figures.
    """
    if sight.role is Role.PAYER:
        raise Forbidden("the figures of a clearing batch are not open to PAYER")
    batch = picture.batch
    if sight.bank_id is None or batch.clearing_bank_id == sight.bank_id:
        return picture
    own = tuple(total for total in picture.totals if total.handling_bank_id == sight.bank_id)
    count = sum(total.payment_count for total in own)
    amount = sum(total.total_amount for total in own)
    return BatchPicture(replace(batch, payment_count=count, total_amount=amount), own)


def sees_batch(picture: BatchPicture, sight: Sight) -> bool:
    """Whether news of this batch is for the caller."""
    if sight.role is Role.PAYER:
        return False
    if sight.bank_id is None or picture.batch.clearing_bank_id == sight.bank_id:
        return True
    return any(total.handling_bank_id == sight.bank_id for total in picture.totals)
