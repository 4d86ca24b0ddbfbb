"""Loading a whole city at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from app.vocabulary import Scheme
from models import dues, payers
from models.banks import Bank, BankFacts, ClearingRoute
from models.collection_periods import CollectionPeriod
from models.database import Session, reading
from models.demonstration import Demonstration, DemonstrationFacts
from models.dues import Due
from models.payers import Payer
from models.regions import Region, RegionFacts

_HOLDS_ANYTHING = " OR ".join(
    f"EXISTS (SELECT 1 FROM {table})"
    for table in ("demonstration", "payers", "dues", "regions", "banks", "clearing_batches", "payments")
)


async def holds_anything(session: Session) -> bool:
    """Whether there is any row of a city, finished or not."""
    row = await session.fetch_one(f"SELECT ({_HOLDS_ANYTHING}) AS held")
    return bool(row and row["held"])


async def insert_regions(session: Session, regions: Sequence[RegionFacts]) -> None:
    """Insert regions, parents before children."""
    columns = ("id", "code", "name", "level", "parent_id", "path", "former_codes")
    rows = [(r.id, r.code, r.name, r.level, r.parent_id, r.path, ",".join(r.former_codes)) for r in regions]
    await session.insert_rows(Region, columns, rows)


async def insert_banks(session: Session, banks: Sequence[BankFacts]) -> None:
    """Insert banks."""
    columns = ("id", "code", "name", "name_english", "role", "clears_for_newcomers")
    rows = [(b.id, b.code, b.name, b.name_english, b.role, b.clears_for_newcomers) for b in banks]
    await session.insert_rows(Bank, columns, rows)


async def insert_routes(session: Session, routes: Sequence[tuple[UUID, UUID, UUID, date]]) -> None:
    """Insert routes without an end: (id, handling bank, clearing bank, valid from)."""
    await session.insert_rows(
        ClearingRoute, ("id", "handling_bank_id", "clearing_bank_id", "valid_from"), routes
    )


async def insert_periods(session: Session, periods: Sequence[tuple[UUID, Scheme, int, date, date]]) -> None:
    """Insert collection periods: (id, scheme, benefit year, opens on, closes on)."""
    columns = ("id", "scheme", "benefit_year", "opens_on", "closes_on")
    await session.insert_rows(CollectionPeriod, columns, periods)


async def copy_payers(session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
    """Load payers, in the order of `models.payers.COLUMNS`."""
    await session.copy_rows(Payer, payers.COLUMNS, rows)


async def copy_dues(session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
    """Load dues, in the order of `models.dues.COLUMNS`."""
    await session.copy_rows(Due, dues.COLUMNS, rows)


async def insert_demonstration(session: Session, facts: DemonstrationFacts) -> None:
    """Write the demonstration row: from now on the city is finished."""
    columns = (
        "id", "seed", "payers", "starts_at", "made_at", "pace", "signing_key", "personal_data_keys",
    )  # fmt: skip
    row = (
        1, facts.seed, facts.payers, facts.starts_at, facts.made_at, str(facts.pace),
        facts.signing_key, facts.personal_data_keys,
    )  # fmt: skip
    await session.insert_rows(Demonstration, columns, [row])


async def analyze(session: Session) -> None:
    """Let the engine count what was loaded, so that its first plans are good ones."""
    await session.execute("ANALYZE")


async def sample_adult(among: int = 1_000) -> bytes | None:
    """The sealed id number of an adult who does not live alone; None when there is nobody of the kind.

    Of the first `among` payers by id: the first who still owes something, else the first.
    """
    async with reading() as session:
        row = await session.fetch_one(
            f"WITH few AS (SELECT id, id_number, household_id FROM payers ORDER BY id LIMIT {int(among)})"
            " SELECT y.id_number FROM few y"
            " WHERE EXISTS (SELECT 1 FROM dues d WHERE d.payer_id = y.id AND d.category LIKE 'ADULT%')"
            " AND EXISTS (SELECT 1 FROM few o WHERE o.household_id = y.household_id AND o.id <> y.id)"
            " ORDER BY NOT EXISTS (SELECT 1 FROM dues d WHERE d.payer_id = y.id AND d.status = 'OPEN'), y.id"
            " LIMIT 1"
        )
    return bytes(row["id_number"]) if row else None
