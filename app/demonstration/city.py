"""The demonstration city: made in one transaction, so that there is a whole one or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random
from uuid import UUID

from app.clock import OFFICE
from app.demonstration import places, production
from app.demonstration.assessments import BENEFIT_YEAR
from app.demonstration.identities import TimeOrderedIds
from app.demonstration.places import Place
from app.demonstration.population import Chunk, PlainPayer, Plan
from app.live import outbox
from app.personal_data import PersonalDataKeys
from app.reference import tables
from app.vocabulary import BankRole, EventKind, RegionLevel, Scheme
from models import clearing, loading
from models.banks import BankFacts, all_banks
from models.database import Session, transaction
from models.demonstration import DemonstrationFacts
from models.regions import RegionFacts

STARTS_AT = datetime(2019, 10, 8, 10, 0, tzinfo=OFFICE)
SEASON = (date(2019, 9, 1), date(2019, 12, 31))
MOST_PAYERS = 5_000_000
# Where ids begin, in milliseconds: the office's before the people's, all of them before any that comes later.
_OFFICE_IDS_FROM = int(datetime(2019, 9, 1, tzinfo=OFFICE).timestamp() * 1000)
_PEOPLE_IDS_FROM = int(STARTS_AT.timestamp() * 1000)


class CityExists(Exception):
    """The database is not empty. Nothing was made or changed."""


class NoSuchPayer(Exception):
    """The city has no adult who does not live alone (a handful of payers)."""


@dataclass(frozen=True, slots=True)
class CitySummary:
    """What was made; amounts in fen, personal and subsidised parts together."""

    payers: int
    dues: int
    due_amount: int
    regions: int
    banks: int
    starts_at: datetime
    made_at: datetime


async def make_city(
    *,
    payers: int,
    seed: int,
    pace: float,
    keys: PersonalDataKeys,
    carried_signing_key: str | None,
    carried_personal_data_keys: str | None,
    progress: Callable[[int, int], None],
) -> CitySummary:
    """Make the city of `seed` with `payers` people in an open, migrated, empty database.

    The same seed and number give the same rows, ids included; only ciphertexts, the ids of the six clearing
    batches and `made_at` differ. Its clock stands at STARTS_AT when it is made and runs `pace` times as fast
    as ours. `progress(made, payers)` is called after each chunk. What is carried is stored in the city.

    Raises:
        CityExists: there is something in the database already.
        ValueError: `payers` is not between 1 and MOST_PAYERS, or `pace` is not above zero.
        MakingFailed: the process that makes the people was ended from outside; nothing was made.
        ConstraintViolated, DatabaseUnavailable: nothing was made.
    """
    if not 1 <= payers <= MOST_PAYERS:
        raise ValueError(f"a city has 1 to {MOST_PAYERS:,} payers")
    if not pace > 0:
        raise ValueError("the pace must be above zero")
    async with transaction() as session:
        if await loading.holds_anything(session):
            raise CityExists("the database is not empty: a demonstration city needs one of its own")
        plan, regions = await _found(session, payers, seed)
        dues, due_amount = await _people(session, plan, keys, progress)
        await loading.analyze(session)
        made_at = datetime.now(UTC)
        facts = DemonstrationFacts(
            seed,
            payers,
            STARTS_AT.astimezone(UTC),
            made_at,
            pace,
            carried_signing_key,
            carried_personal_data_keys,
        )
        await loading.insert_demonstration(session, facts)
        await _open_batches(session)
    return CitySummary(payers, dues, due_amount, regions, len(tables.banks()), facts.starts_at, made_at)


async def sample_payer_id_number(keys: PersonalDataKeys) -> str:
    """The id number of an adult who does not live alone and, as long as there is one, still owes something.

    Of several the first by id, so that it stays the same until the dues are paid.

    Raises:
        NoSuchPayer: nobody is of the kind.
        WrongKeys: the city was sealed with other keys.
    """
    sealed = await loading.sample_adult()
    if sealed is None:
        raise NoSuchPayer("no adult of the city lives in a household of two or more")
    return keys.open(sealed)


async def _found(session: Session, payers: int, seed: int) -> tuple[Plan, int]:
    """Everything but people. The plan for them, and the number of regions."""
    random = Random(seed)  # noqa: S311 - people are invented by it, nothing is protected
    ids = TimeOrderedIds(random, _OFFICE_IDS_FROM)
    tree = places.lay_out(random, ids)
    await loading.insert_regions(session, [_region(place) for place in tree])
    await _banks(session, ids)
    medical, pension = UUID(ids.next()), UUID(ids.next())
    periods = [
        (medical, Scheme.MEDICAL, BENEFIT_YEAR, *SEASON),
        (pension, Scheme.PENSION, BENEFIT_YEAR, *SEASON),
    ]
    await loading.insert_periods(session, periods)
    plan = Plan(
        seed=random.getrandbits(64),
        payers=payers,
        day=STARTS_AT.date(),
        ids_from=_PEOPLE_IDS_FROM,
        xiyuanzhuang=places.xiyuanzhuang(tree).id,
        villages=_peopled(tree),
        medical_period=str(medical),
        pension_period=str(pension),
    )
    return plan, len(tree)


def _peopled(tree: Sequence[Place]) -> tuple[tuple[str, float], ...]:
    villages = [place for place in tree if place.level is RegionLevel.VILLAGE and place.residents]
    return tuple((village.id, village.residents) for village in villages)


def _region(place: Place) -> RegionFacts:
    parent = UUID(place.parent_id) if place.parent_id else None
    return RegionFacts(
        UUID(place.id), place.code, place.name, place.level, parent, place.path, place.former_codes
    )


async def _banks(session: Session, ids: TimeOrderedIds) -> None:
    """The thirteen banks, and the routes of the ten that joined later."""
    banks = [
        BankFacts(UUID(ids.next()), b.code, b.name, b.name_english, b.role, b.clears_for_newcomers)
        for b in tables.banks()
    ]
    await loading.insert_banks(session, banks)
    newcomers_clear_at = next(bank.id for bank in banks if bank.clears_for_newcomers)
    handling = [bank for bank in banks if bank.role is BankRole.HANDLING]
    await loading.insert_routes(
        session, [(UUID(ids.next()), bank.id, newcomers_clear_at, SEASON[0]) for bank in handling]
    )


async def _open_batches(session: Session) -> None:
    """The first open batches of the three, and the news of them: the last thing in the transaction."""
    opened_at = STARTS_AT.astimezone(UTC)
    opened = [
        await clearing.open_batch(session, (bank.id, bank.code), scheme, STARTS_AT.date(), opened_at)
        for bank in await all_banks(session)
        if bank.role is BankRole.CLEARING
        for scheme in Scheme
    ]
    events = [picture.event(EventKind.BATCH_STATUS) for picture in outbox.pictures(opened, ())]
    await outbox.append(session, events, opened_at)


async def _people(
    session: Session, plan: Plan, keys: PersonalDataKeys, progress: Callable[[int, int], None]
) -> tuple[int, int]:
    """Load the people of the plan and what they owe: the number of dues, and their sum in fen."""
    made = dues = due_amount = 0
    async with aclosing(production.chunks(plan)) as chunks:
        async for chunk in chunks:
            await _load(session, chunk, keys)
            made += len(chunk.payers)
            dues += len(chunk.dues)
            due_amount += sum(due[4] + due[5] for due in chunk.dues)
            progress(made, plan.payers)
    return dues, due_amount


async def _load(session: Session, chunk: Chunk, keys: PersonalDataKeys) -> None:
    await loading.copy_payers(session, [_sealed(payer, keys) for payer in chunk.payers])
    await loading.copy_dues(session, chunk.dues)


def _sealed(
    payer: PlainPayer, keys: PersonalDataKeys
) -> tuple[str, str, bytes, bytes, bytes | None, str, str]:
    identity, name, id_number, phone, household, region = payer
    sealed_phone = keys.seal(phone) if phone else None
    return identity, name, keys.seal(id_number), keys.lookup_hash(id_number), sealed_phone, household, region
