"""Looking up payers within a caller's sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from app.faults import BadInput
from app.personal_data import PersonalDataKeys
from app.principal import Principal, Role
from app.rules.identity import parse_id_number
from app.rules.refusals import Refused
from app.services import reference
from app.services.pages import Page, take
from app.services.sight import Sight, sight_of
from app.services.transactions import reading
from models import payers
from models.payers import PayerCriteria, PayerRow


def lookup_of(id_number: str, keys: PersonalDataKeys) -> bytes:
    """The keyed hash of a citizen id number.

    Raises:
        BadInput: it is not one (R01).
    """
    number = parse_id_number(id_number)
    if isinstance(number, Refused):
        raise BadInput("idNumber is not a valid citizen id number (INVALID_ID_NUMBER, R01)")
    return keys.lookup_hash(number)


async def by_ids(ids: Sequence[UUID]) -> dict[UUID, PayerRow]:
    """Payers by id, for objects that the caller may see already."""
    async with reading() as session:
        return {row.id: row for row in await payers.by_ids(session, ids)}


async def visible(payer_id: UUID, principal: Principal) -> PayerRow | None:
    """A payer, or None when there is none in sight."""
    sight = await sight_of(principal)
    async with reading() as session:
        rows = await payers.by_ids(session, [payer_id])
    return rows[0] if rows and sight.sees_person(rows[0].household_id, rows[0].region_id) else None


async def page(
    principal: Principal, keys: PersonalDataKeys, id_number: str | None, region_code: str | None, window: Page
) -> tuple[list[PayerRow], bool, PayerCriteria]:
    """A page of payers in sight, whether more follow, and the criteria to count them by.

    Raises:
        Forbidden: a bank looks a person up by id number.
        BadInput: the filter's id number is not one.
    """
    criteria = await _criteria(principal, keys, id_number, region_code)
    async with reading() as session:
        rows = await payers.page(session, criteria, window.first + 1, window.after)
    return (*take(rows, window), criteria)


async def _criteria(
    principal: Principal, keys: PersonalDataKeys, id_number: str | None, region_code: str | None
) -> PayerCriteria:
    sight = await sight_of(principal)
    criteria = sight.people()
    if id_number is not None:
        criteria = replace(criteria, id_number_lookup=lookup_of(id_number, keys))
    if region_code is not None:
        facts = await reference.load()
        criteria = replace(criteria, narrowed_region_ids=facts.subtree(region_code))
    return criteria


async def count(criteria: PayerCriteria) -> int:
    """How many payers."""
    async with reading() as session:
        return await payers.count(session, criteria)


async def by_id_number(id_number: str, keys: PersonalDataKeys, sight: Sight) -> PayerRow | None:
    """The person with this id number: for a bank anybody, for others within their sight.

    Raises:
        BadInput: it is not an id number.
    """
    lookup = lookup_of(id_number, keys)
    async with reading() as session:
        row = await payers.by_lookup(session, lookup)
    if row is None:
        return None
    seen = sight.role is Role.BANK or sight.sees_person(row.household_id, row.region_id)
    return row if seen else None
