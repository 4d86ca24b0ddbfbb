"""Households of one to five invented people: who lives together, and how old they are."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import NamedTuple

from app.demonstration import syllables

LARGEST = 5
_SIZES = tuple(accumulate((0.18, 0.27, 0.30, 0.16, 0.09)))
YOUNGEST_PARENT, OLDEST_PARENT = 22, 36
OLDEST = 95
YOUNGEST_ADULT = 18


class Member(NamedTuple):
    """One person; `age` in full years on the day that the city begins."""

    name: str
    age: int
    woman: bool


def size(random: Random) -> int:
    """How many live together."""
    return min(bisect(_SIZES, random.random()), LARGEST - 1) + 1


def members(random: Random, count: int) -> list[Member]:
    """`count` people: the head, then partner, children and parents. The first is always an adult."""
    head_name = _pick(random, syllables.SURNAMES)
    head_woman = random.random() < 0.4
    head_age = _head_age(random, count)
    people = [_member(random, head_name, head_age, head_woman)]
    if count > 1:
        partner_age = max(20, min(OLDEST, head_age + _between(random, -4, 4)))
        people.append(_member(random, _pick(random, syllables.SURNAMES), partner_age, not head_woman))
    elders = {4: _between(random, 0, 1), LARGEST: 2}.get(count, 0)
    for place in range(2, count):
        woman = random.random() < 0.5
        gap = _between(random, YOUNGEST_PARENT, OLDEST_PARENT)
        elder = place >= count - elders
        age = min(OLDEST, head_age + gap) if elder else max(0, head_age - gap)
        people.append(_member(random, head_name, age, woman))
    return people


def _head_age(random: Random, count: int) -> int:
    if count == 1:
        return _between(random, YOUNGEST_ADULT, OLDEST)
    if count == 2:
        return _between(random, 22, 90)
    return _between(random, 24, 62)


def _member(random: Random, surname: str, age: int, woman: bool) -> Member:
    syllables_of = syllables.WOMEN if woman else syllables.MEN
    given = _pick(random, syllables_of)
    if random.random() < 0.7:
        given += _pick(random, syllables_of)
    return Member(surname + given, age, woman)


def _between(random: Random, lowest: int, highest: int) -> int:
    return lowest + int(random.random() * (highest - lowest + 1))


def _pick(random: Random, choices: Sequence[str]) -> str:
    return choices[int(random.random() * len(choices))]
