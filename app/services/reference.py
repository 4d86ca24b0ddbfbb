"""Reference data in memory: banks, routes, regions, periods. Read anew when older than a few seconds.

Effective-dated rows are written for a day to come, so a copy that is seconds old decides the same.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.rules.clearing import clearing_bank_id
from app.rules.regions import present_codes
from app.services.transactions import reading
from models import banks, collection_periods, regions
from models.banks import BankFacts, RouteFacts
from models.collection_periods import PeriodFacts
from models.regions import RegionFacts

FRESH_SECONDS = 5.0


@dataclass(frozen=True)
class Reference:
    """One consistent copy."""

    banks: dict[UUID, BankFacts]
    banks_by_code: dict[str, BankFacts]
    routes: list[RouteFacts]
    regions: dict[UUID, RegionFacts]
    regions_by_code: dict[str, RegionFacts]
    periods: dict[UUID, PeriodFacts]

    def clearing_bank(self, bank_id: UUID, day: date) -> BankFacts:
        """The bank that clears for `bank_id` on `day`."""
        bank = self.banks[bank_id]
        return self.banks[clearing_bank_id(bank, self.routes, self.banks.values(), day)]

    def subtree(self, code: str) -> list[UUID] | None:
        """The ids of a region (former codes resolve) and all below it; None for the root, which is everywhere.

        An unknown code is an empty subtree.
        """
        root = self.regions_by_code.get(code)
        if root is None:
            return []
        if root.parent_id is None:
            return None
        return [region.id for region in self.regions.values() if region.path.startswith(root.path)]


_copy: tuple[float, Reference] | None = None


async def load() -> Reference:
    """The reference data, at most FRESH_SECONDS old."""
    global _copy  # noqa: PLW0603 - one copy per process is the point
    if _copy is not None:
        if time.monotonic() - _copy[0] < FRESH_SECONDS:
            return _copy[1]
        # Whoever comes while this caller reads anew goes on with the copy that is there.
        _copy = (time.monotonic(), _copy[1])
    reference = await _read()
    _copy = (time.monotonic(), reference)
    return reference


async def _read() -> Reference:
    async with reading() as session:
        all_banks = await banks.all_banks(session)
        routes = await banks.all_routes(session)
        tree = await regions.all_regions(session)
        periods = await collection_periods.all_periods(session)
    present = {region.code: region for region in tree}
    by_code = {code: present[now] for code, now in present_codes(tree).items()}
    return Reference(
        banks={bank.id: bank for bank in all_banks},
        banks_by_code={bank.code: bank for bank in all_banks},
        routes=routes,
        regions={region.id: region for region in tree},
        regions_by_code=by_code,
        periods={period.id: period for period in periods},
    )


def forget() -> None:
    """Read anew at the next `load` (a test or a command has changed the data)."""
    global _copy  # noqa: PLW0603
    _copy = None
