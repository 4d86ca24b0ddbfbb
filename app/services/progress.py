"""Collection progress within a caller's sight."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.principal import Principal, Role
from app.services import reference
from app.services.reference import Reference
from app.services.sight import sight_of
from app.services.transactions import reading
from app.vocabulary import ProgressDimension, Scheme
from models import progress
from models.progress import Figures

UNPAID = "UNPAID"
_COLUMNS = {
    ProgressDimension.CHANNEL: "channel",
    ProgressDimension.HANDLING_BANK: "handling_bank_id",
    ProgressDimension.CLEARING_BANK: "clearing_bank_id",
}


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """One group: `key` is a region or bank code, a channel, or UNPAID."""

    key: str
    label_zh: str
    label_en: str
    figures: Figures


async def collection_progress(
    scheme: Scheme,
    benefit_year: int,
    by: ProgressDimension,
    region_code: str | None,
    principal: Principal,
) -> list[ProgressRow]:
    """Who has to pay and who has paid, grouped; the rows add up to the dues in sight.

    Raises:
        Forbidden: a payer or a bank asks.
    """
    principal.require(Role.OFFICER, Role.AUDITOR, Role.ADMIN)
    facts = await reference.load()
    period = next(
        (p for p in facts.periods.values() if p.scheme is scheme and p.benefit_year == benefit_year), None
    )
    if period is None:
        return []
    region_ids = await _regions(facts, region_code, principal)
    async with reading() as session:
        if by is ProgressDimension.REGION:
            found = await progress.by_region(session, period.id, region_ids)
            return _regional(facts, found, _root(facts, region_code, principal))
        groups = await progress.by_payment(session, _COLUMNS[by], period.id, region_ids)
    return [
        _row(facts, by, key, figures) for key, figures in sorted(groups.items(), key=lambda g: g[0] or "~")
    ]


async def _regions(facts: Reference, region_code: str | None, principal: Principal) -> list[UUID] | None:
    """The regions both in sight and asked for; None is everywhere."""
    seen = (await sight_of(principal)).region_ids
    asked = facts.subtree(region_code) if region_code is not None else None
    if seen is None:
        return asked
    return sorted(seen if asked is None else seen.intersection(asked))


def _root(facts: Reference, region_code: str | None, principal: Principal) -> str:
    """The path of the region whose parts are shown."""
    code = region_code or principal.region_code
    region = facts.regions_by_code.get(code) if code else None
    return region.path if region else ""


def _regional(facts: Reference, found: dict[UUID, Figures], root: str) -> list[ProgressRow]:
    """Figures summed into the regions directly below `root` (and the root itself, where people belong to it)."""
    sums: dict[str, Figures] = {}
    for region_id, figures in found.items():
        parts = facts.regions[region_id].path.removeprefix(root).strip(".").split(".")
        code = parts[0] or facts.regions[region_id].code
        if not root and len(parts) > 1:
            code = parts[1]  # everywhere: the city's districts
        sums[code] = sums.get(code, Figures()) + figures
    rows = []
    for code, figures in sorted(sums.items()):
        name = facts.regions_by_code[code].name
        rows.append(ProgressRow(code, name, name, figures))
    return rows


def _row(facts: Reference, by: ProgressDimension, key: str | None, figures: Figures) -> ProgressRow:
    if key is None:
        return ProgressRow(UNPAID, "未缴", "not paid", figures)
    if by is ProgressDimension.CHANNEL:
        return ProgressRow(key, key, key, figures)
    bank = facts.banks[UUID(key)]
    return ProgressRow(bank.code, bank.name, bank.name_english, figures)
