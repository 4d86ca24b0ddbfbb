"""Looking up payments within a caller's sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from app.principal import Principal
from app.services import reference
from app.services.pages import Page, take
from app.services.sight import Sight, sight_of
from app.services.transactions import reading
from app.vocabulary import Channel, PaymentStatus, Scheme
from models import payments
from models.database import Session
from models.payments import PaymentCriteria, PaymentRow


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """What a client narrows payments by."""

    scheme: Scheme | None = None
    channel: Channel | None = None
    status: PaymentStatus | None = None
    bank_code: str | None = None
    business_date: date | None = None
    region_code: str | None = None


EVERY_PAYMENT = PaymentFilter()


async def by_reference(bank_reference: str, bank_code: str | None, principal: Principal) -> PaymentRow | None:
    """A payment by the number that its handling bank gave it; None when there is none in sight.

    `bank_code` None means the caller's own bank; who is no bank then finds nothing.
    """
    facts = await reference.load()
    sight = await sight_of(principal)
    bank = facts.banks_by_code.get(bank_code or principal.bank_code or "")
    if bank is None or "\x00" in bank_reference:
        return None
    async with reading() as session:
        found = await payments.by_references(session, [(bank.id, bank_reference)])
        seen = await _in_sight(session, found, sight)
    return seen[0] if seen else None


async def visible(payment_id: UUID, principal: Principal) -> PaymentRow | None:
    """A payment, or None when there is none in sight."""
    sight = await sight_of(principal)
    async with reading() as session:
        seen = await _in_sight(session, await payments.by_ids(session, [payment_id]), sight)
    return seen[0] if seen else None


async def live_by_dues(due_ids: Sequence[UUID], sight: Sight) -> dict[UUID, PaymentRow]:
    """The live payment of each due, where it is in sight."""
    async with reading() as session:
        found = await payments.live_by_dues(session, due_ids)
        return {row.due_id: row for row in await _in_sight(session, found, sight)}


async def _in_sight(session: Session, found: Sequence[PaymentRow], sight: Sight) -> list[PaymentRow]:
    if sight.bank_id is not None:
        return [p for p in found if sight.bank_id in (p.handling_bank_id, p.clearing_bank_id)]
    if not found or (sight.household_id is None and sight.region_ids is None):
        return list(found)
    criteria = replace(sight.payments(), ids=[p.id for p in found])
    return await payments.page(session, criteria, limit=len(found))


async def page(
    principal: Principal,
    wanted: PaymentFilter,
    window: Page,
    *,
    payer_id: UUID | None = None,
    batch_id: UUID | None = None,
) -> tuple[list[PaymentRow], bool, PaymentCriteria | None]:
    """A page of payments in sight, whether more follow, and the criteria to count them by."""
    criteria = await _criteria(principal, wanted)
    if criteria is None:
        return [], False, None
    criteria = replace(criteria, payer_id=payer_id, clearing_batch_id=batch_id)
    async with reading() as session:
        rows = await payments.page(session, criteria, window.first + 1, window.after)
    return (*take(rows, window), criteria)


async def _criteria(principal: Principal, wanted: PaymentFilter) -> PaymentCriteria | None:
    """None when a code that nobody has can match nothing."""
    facts = await reference.load()
    criteria = replace(
        (await sight_of(principal)).payments(),
        scheme=wanted.scheme,
        channel=wanted.channel,
        status=wanted.status,
        business_date=wanted.business_date,
    )
    if wanted.bank_code is not None:
        bank = facts.banks_by_code.get(wanted.bank_code)
        if bank is None:
            return None
        criteria = replace(criteria, handling_bank_id=bank.id)
    if wanted.region_code is not None:
        criteria = replace(criteria, narrowed_region_ids=facts.subtree(wanted.region_code))
    return criteria


async def count(criteria: PaymentCriteria | None) -> int:
    """How many payments."""
    if criteria is None:
        return 0
    async with reading() as session:
        return await payments.count(session, criteria)
