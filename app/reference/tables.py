"""The reference tables, read once from the files beside this module. Amounts are in fen."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple

from app.vocabulary import BankRole, RegionLevel


@dataclass(frozen=True, slots=True)
class ReferenceRegion:
    """The city or one of its districts; `former_codes` are codes that it had before (R35)."""

    code: str
    parent_code: str | None
    level: RegionLevel
    name: str
    name_english: str
    former_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReferenceBank:
    """A bank by its three-digit CNAPS class."""

    code: str
    name: str
    name_english: str
    role: BankRole
    clears_for_newcomers: bool


class PensionTier(NamedTuple):
    """What belongs to one yearly contribution; the subsidy (fen) is credited later and no part of a due."""

    restricted: bool
    government_subsidy: int


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = (files("app.reference") / name).read_text(encoding="utf-8")
    return iter(csv.DictReader(text.splitlines()))


@lru_cache(maxsize=1)
def regions() -> tuple[ReferenceRegion, ...]:
    """The city and its districts, the city first."""
    return tuple(
        ReferenceRegion(
            code=row["code"],
            parent_code=row["parent"] or None,
            level=RegionLevel(row["level"]),
            name=row["name_zh"],
            name_english=row["name_en"],
            former_codes=tuple(row["aliases"].split()),
        )
        for row in _rows("regions.csv")
    )


@lru_cache(maxsize=1)
def banks() -> tuple[ReferenceBank, ...]:
    """The handling banks; three of them clear, one of those for newcomers."""
    return tuple(
        ReferenceBank(
            code=row["class_code"],
            name=row["name_zh"],
            name_english=row["name_en"],
            role=BankRole(row["role"]),
            clears_for_newcomers=row["clears_for_newcomers"] == "yes",
        )
        for row in _rows("banks.csv")
    )


@lru_cache(maxsize=1)
def medical_rates() -> Mapping[tuple[int, str], int]:
    """What one person pays: fen by (benefit year, category)."""
    return MappingProxyType(
        {
            (int(row["benefit_year"]), row["category"]): int(row["amount_fen"])
            for row in _rows("medical_rates.csv")
        }
    )


@lru_cache(maxsize=1)
def pension_tiers() -> Mapping[int, PensionTier]:
    """The yearly contributions that may be chosen, by fen."""
    return MappingProxyType(
        {
            int(row["tier_fen"]): PensionTier(
                row["restricted_to_special_groups"] == "yes", int(row["government_subsidy_fen"])
            )
            for row in _rows("pension_tiers.csv")
        }
    )
