"""`premia token`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app.principal import Principal, Role
from app.rules.identity import parse_id_number
from app.rules.refusals import Refused
from app.services import reference
from app.services.transactions import reading
from app.settings import Settings
from app.startup import Opened, opened
from app.tokens import issue
from models import payers


class NotIssued(Exception):
    """No token: the message says why, without personal data."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """Whom a token is for, and how long it is valid."""

    role: Role
    bank: str | None = None
    name: str | None = None
    region: str | None = None
    id_number: str | None = None
    lifetime: timedelta = timedelta(days=30)


async def issue_token(settings: Settings, request: TokenRequest) -> str:
    """The token.

    Raises:
        NotIssued: what the request names does not exist, or something is missing.
    """
    async with opened(settings) as house:
        principal = await principal_of(house, request)
        return issue(principal, house.signing_key(), request.lifetime)


async def principal_of(house: Opened, request: TokenRequest) -> Principal:
    """The principal that a request describes."""
    if request.role is Role.BANK:
        return await _bank(request)
    if request.role is Role.PAYER:
        return await _payer(house, request)
    if request.role is Role.OFFICER:
        return await _officer(request)
    return Principal(request.role, request.name or request.role.value.lower())


async def _bank(request: TokenRequest) -> Principal:
    if request.bank is None:
        raise NotIssued("--role bank needs --bank CODE")
    if request.bank not in (await reference.load()).banks_by_code:
        raise NotIssued(f"there is no bank {request.bank}")
    return Principal(Role.BANK, request.name or f"bank-{request.bank}", bank_code=request.bank)


async def _officer(request: TokenRequest) -> Principal:
    if request.name is None:
        raise NotIssued("--role officer needs --name NAME")
    facts = await reference.load()
    root = next((region for region in facts.regions.values() if region.parent_id is None), None)
    region = facts.regions_by_code.get(request.region) if request.region else root
    if region is None:
        raise NotIssued(f"there is no region {request.region}" if request.region else "there are no regions")
    return Principal(Role.OFFICER, request.name, region_code=region.code)


async def _payer(house: Opened, request: TokenRequest) -> Principal:
    if request.id_number is None:
        raise NotIssued("--role payer needs --id-number NUMBER")
    number = parse_id_number(request.id_number)
    if isinstance(number, Refused):
        raise NotIssued("--id-number is not a valid citizen id number")
    async with reading() as session:
        row = await payers.by_lookup(session, house.keys().lookup_hash(number))
    if row is None:
        raise NotIssued("there is no payer with this id number")
    # The audit trail names a payer by a key that tells nothing to who has no access to the database.
    return Principal(Role.PAYER, f"payer-{row.id}", payer_id=row.id)
