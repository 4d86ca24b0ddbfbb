"""The making of people: household after household, in chunks, the same for the same plan.

It knows no keys: what it yields is plain and synthetic, and is sealed by whoever stores it. So it can run in
a process of its own.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from random import Random

from app.demonstration import households
from app.demonstration.assessments import Assessor
from app.demonstration.identities import IdNumbers, Phones, TimeOrderedIds

VILLAGERS_OF_XIYUANZHUANG = 298
CHUNK_HOUSEHOLDS = 10_000
WITH_PHONE = 0.72  # of those old enough: two thirds of all
YOUNGEST_WITH_PHONE = 12

# (id, name, id number, phone, household, region) and the columns of `models.dues.COLUMNS`
PlainPayer = tuple[str, str, str, str | None, str, str]
PlainDue = tuple[str, str, str, str, int, int, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the people depend on.

    Attributes:
        ids_from: where the ids begin, in milliseconds since 1970.
        villages: (region id, weight of residents); Xiyuanzhuang is not among them.
    """

    seed: int
    payers: int
    day: date
    ids_from: int
    xiyuanzhuang: str
    villages: tuple[tuple[str, float], ...]
    medical_period: str
    pension_period: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some whole households and what they owe."""

    payers: list[PlainPayer]
    dues: list[PlainDue]


class Population:
    """Makes the people of a plan. The first 298 (or all, when there are fewer) live in Xiyuanzhuang."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._random = random = Random(plan.seed)  # noqa: S311 - nothing is protected by it
        self._ids = TimeOrderedIds(random, plan.ids_from)
        self._id_numbers = IdNumbers(random, plan.day)
        self._phones = Phones(random)
        self._assessor = Assessor(random)
        self._regions = [region for region, _ in plan.villages]
        self._weights = list(accumulate(weight for _, weight in plan.villages))
        self._made = 0

    def chunks(self) -> Iterator[Chunk]:
        """All people, at most CHUNK_HOUSEHOLDS households at a time."""
        while self._made < self._plan.payers:
            chunk = Chunk([], [])
            for _ in range(CHUNK_HOUSEHOLDS):
                if self._made < self._plan.payers:
                    self._household(chunk)
            yield chunk

    def _household(self, chunk: Chunk) -> None:
        villagers = min(VILLAGERS_OF_XIYUANZHUANG, self._plan.payers)
        in_village = self._made < villagers
        room = (villagers if in_village else self._plan.payers) - self._made
        region = self._plan.xiyuanzhuang if in_village else self._region()
        household, aid = self._ids.next(), self._assessor.aid()
        for member in households.members(self._random, min(households.size(self._random), room)):
            payer = self._ids.next()
            phone = self._phone(member.age)
            id_number = self._id_numbers.next(member.age, member.woman)
            chunk.payers.append((payer, member.name, id_number, phone, household, region))
            category = self._assessor.category(member.age)
            medical = self._assessor.medical(category, aid)
            chunk.dues.append((self._ids.next(), payer, self._plan.medical_period, *medical))
            pension = self._assessor.pension(member.age, category)
            if pension:
                chunk.dues.append((self._ids.next(), payer, self._plan.pension_period, *pension))
            self._made += 1

    def _region(self) -> str:
        place = bisect(self._weights, self._random.random() * self._weights[-1])
        return self._regions[min(place, len(self._regions) - 1)]

    def _phone(self, age: int) -> str | None:
        has_one = age >= YOUNGEST_WITH_PHONE and self._random.random() < WITH_PHONE
        return self._phones.next() if has_one else None
