"""What each invented person owes: amounts (fen) from the reference tables, choices by chance."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import accumulate
from random import Random
from typing import NamedTuple

from app.demonstration.households import YOUNGEST_ADULT
from app.reference import tables
from app.rules.dues import MAXIMUM_PENSION_AGE, MINIMUM_PENSION_AGE, split_half
from app.vocabulary import DueStatus

BENEFIT_YEAR = 2020
OLDEST_STUDENT = 22
STUDENTS = 0.45
HIGHER_TIER = 0.35
ENROLLED_IN_PENSION = 0.65
SUBSIDISED_HOUSEHOLDS = 0.03
FULLY_SUBSIDISED = 0.4
# How the unrestricted tiers are chosen, from the lowest up: most people take the lowest (assumed).
_TIER_CHOICES = (58, 13, 6, 5, 5, 4, 3, 2, 2, 1, 1)


class Aid(Enum):
    """What part of the personal contribution government pays for a household."""

    NONE = "NONE"
    HALF = "HALF"
    FULL = "FULL"


class Assessment(NamedTuple):
    """A due before it has an owner."""

    category: str
    personal_amount: int
    subsidy_amount: int
    status: str


@dataclass(frozen=True, slots=True)
class Assessor:
    """Assesses people by the rates of the benefit year."""

    random: Random
    rates: Mapping[tuple[int, str], int] = field(default_factory=tables.medical_rates)
    tiers: tuple[int, ...] = field(
        default_factory=lambda: tuple(
            sorted(t for t, facts in tables.pension_tiers().items() if not facts.restricted)
        )
    )
    _chances: tuple[int, ...] = tuple(accumulate(_TIER_CHOICES))

    def aid(self) -> Aid:
        """What a household gets: most get nothing."""
        if self.random.random() >= SUBSIDISED_HOUSEHOLDS:
            return Aid.NONE
        return Aid.FULL if self.random.random() < FULLY_SUBSIDISED else Aid.HALF

    def category(self, age: int) -> str:
        """The medical category of somebody of this age."""
        if age < YOUNGEST_ADULT:
            return "CHILD"
        if age <= OLDEST_STUDENT and self.random.random() < STUDENTS:
            return "UNIVERSITY_STUDENT"
        return "ADULT_TIER_1" if self.random.random() < HIGHER_TIER else "ADULT_TIER_2"

    def medical(self, category: str, aid: Aid) -> Assessment:
        """The medical due of a category."""
        amount = self.rates[BENEFIT_YEAR, category]
        if aid is Aid.NONE:
            return Assessment(category, amount, 0, DueStatus.OPEN.value)
        if aid is Aid.FULL:  # R09: nothing is left to pay
            return Assessment(category, 0, amount, DueStatus.EXEMPT.value)
        personal, subsidy = split_half(amount)
        return Assessment(category, personal, subsidy, DueStatus.OPEN.value)

    def pension(self, age: int, category: str) -> Assessment | None:
        """The pension due of somebody who enrolled; pupils and students do not."""
        if not MINIMUM_PENSION_AGE <= age <= MAXIMUM_PENSION_AGE or not category.startswith("ADULT"):
            return None
        if self.random.random() >= ENROLLED_IN_PENSION:
            return None
        tier = self.tiers[bisect(self._chances, self.random.random() * self._chances[-1])]
        return Assessment(f"TIER_{tier}", tier, 0, DueStatus.OPEN.value)
