"""What a chunk of judged roster lines writes: payers who are new, dues that are not there yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from app.personal_data import PersonalDataKeys
from app.services.roster_lines import Entry, LineCode, LineRefused
from app.services.roster_results import Outcome
from app.vocabulary import DueStatus, Scheme
from models import roster_imports
from models.database import Session
from models.roster_imports import KnownPayer


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry of a line that found its payer; `due_id` is the id that its due would get."""

    line_number: int
    entry: Entry
    payer: KnownPayer
    period_id: UUID
    due_id: UUID


async def record(
    session: Session,
    first_line: int,
    judged: Sequence[Entry | LineRefused],
    periods: Mapping[Scheme, UUID],
    keys: PersonalDataKeys,
) -> list[Outcome]:
    """Write what the lines from `first_line` on say; what became of each, in order.

    At most six statements, whatever the number of lines. Insert first and let the constraints decide: another
    process may import the same people.
    """
    entries = [(number, line) for number, line in enumerate(judged, first_line) if isinstance(line, Entry)]
    refused = [
        Outcome(number, accepted=False, code=line.code, rule=line.rule)
        for number, line in enumerate(judged, first_line)
        if isinstance(line, LineRefused)
    ]
    payers = await _payers(session, [entry for _, entry in entries], keys)
    claims, misnamed = _claims(entries, payers, periods)
    outcomes = [*refused, *misnamed, *await _dues(session, claims)]
    return sorted(outcomes, key=lambda outcome: outcome.line_number)


async def _payers(
    session: Session, entries: Sequence[Entry], keys: PersonalDataKeys
) -> dict[str, KnownPayer]:
    """The payer of each id number: registered before, or now by the first line that names it."""
    if not entries:
        return {}
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(entry.id_number, entry)
    lookups = {id_number: keys.lookup_hash(id_number) for id_number in first}
    known = await roster_imports.known_payers(session, list(lookups.values()))
    newcomers = [entry for entry in first.values() if lookups[entry.id_number] not in known]
    made = {lookups[entry.id_number]: KnownPayer(uuid7(), entry.name, entry.region_id) for entry in newcomers}
    rows = [
        _payer_row(entry, made[lookups[entry.id_number]].id, lookups[entry.id_number], keys)
        for entry in newcomers
    ]
    if await roster_imports.add_payers(session, rows) < len(rows):  # somebody else registered some meanwhile
        made = await roster_imports.known_payers(session, list(made))
    known |= made
    return {id_number: known[lookup] for id_number, lookup in lookups.items()}


def _payer_row(
    entry: Entry, payer_id: UUID, lookup: bytes, keys: PersonalDataKeys
) -> tuple[UUID, str, bytes, bytes, bytes | None, UUID, UUID]:
    """In the order of `models.payers.COLUMNS`. A roster names no households: each payer begins as one."""
    phone = keys.seal(entry.phone) if entry.phone else None
    return payer_id, entry.name, keys.seal(entry.id_number), lookup, phone, payer_id, entry.region_id


def _claims(
    entries: Sequence[tuple[int, Entry]], payers: Mapping[str, KnownPayer], periods: Mapping[Scheme, UUID]
) -> tuple[list[Claim], list[Outcome]]:
    """The entries whose name is the payer's, and the outcomes of the others."""
    claims, misnamed = [], []
    for number, entry in entries:
        payer = payers[entry.id_number]
        if payer.name == entry.name:
            claims.append(Claim(number, entry, payer, periods[entry.scheme], uuid7()))
        else:
            misnamed.append(Outcome(number, accepted=False, code=LineCode.NAME_DIFFERS))
    return claims, misnamed


async def _dues(session: Session, claims: Sequence[Claim]) -> Iterator[Outcome]:
    """Insert each due once; a claim is accepted when the due that stands is its own."""
    first: dict[tuple[UUID, UUID], Claim] = {}
    for claim in claims:
        first.setdefault((claim.payer.id, claim.period_id), claim)
    inserted = await roster_imports.add_dues(session, [_due_row(claim) for claim in first.values()])
    standing = {key: (claim.due_id, claim.entry.category, claim.entry.amount) for key, claim in first.items()}
    if inserted < len(first):
        payer_ids, period_ids = {payer for payer, _ in first}, {period for _, period in first}
        found = await roster_imports.known_dues(session, list(payer_ids), list(period_ids))
        standing = {key: (found[key].id, found[key].category, found[key].amount) for key in first}
    return (_outcome(claim, *standing[claim.payer.id, claim.period_id]) for claim in claims)


def _due_row(claim: Claim) -> tuple[UUID, UUID, UUID, str, int, int, DueStatus]:
    """In the order of `models.dues.COLUMNS`."""
    entry = claim.entry
    return claim.due_id, claim.payer.id, claim.period_id, entry.category, entry.amount, 0, DueStatus.OPEN


def _outcome(claim: Claim, due_id: UUID, category: str, amount: int) -> Outcome:
    if due_id == claim.due_id:
        moved = claim.payer.region_id != claim.entry.region_id
        return Outcome(claim.line_number, accepted=True, code=LineCode.REGION_KEPT if moved else None)
    if (category, amount) == (claim.entry.category, claim.entry.amount):
        return Outcome(claim.line_number, accepted=False, code=LineCode.DUE_EXISTS)
    rule = "R06" if claim.entry.scheme is Scheme.MEDICAL else None
    return Outcome(claim.line_number, accepted=False, code=LineCode.DUE_DIFFERS, rule=rule)
