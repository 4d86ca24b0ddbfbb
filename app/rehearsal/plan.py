"""Who pays what, where and how: the season's plan, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.rehearsal.cast import CLEARING_BANKS, HANDLING_BANKS
from app.rehearsal.instructions import Slip
from app.rehearsal.lists import LONGEST_LIST, SPOILED_SHARE
from app.rehearsal.setbacks import TooFewDues
from app.rehearsal.stories import Story, deal_stories

OPENING_ROUNDS = 3
UNPAID_SHARE = 0.03
LIST_SHARE = 0.45
CLEARING_BANK_WEIGHT = 3
SLIPS_AT_LEAST = 120
LINES_PLANNED = int(LONGEST_LIST / (1 + 2 * SPOILED_SHARE))
"""Slips in the longest list: the spoiled lines come on top."""


@dataclass(slots=True)
class BankDay:
    """One bank's work on one day: single payments with their stories, and lists."""

    counter: list[tuple[Story, Slip]] = field(default_factory=list)
    lists: list[list[Slip]] = field(default_factory=list)

    @property
    def slips(self) -> int:
        """How many slips are paid."""
        return len(self.counter) + sum(len(each) for each in self.lists)


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole season.

    Attributes:
        opening: rounds of one payment at each bank, until every subscriber has seen something.
        days: for each day, each bank's work by its code.
        unpaid: slips of people who never come.
    """

    opening: list[dict[str, Slip]]
    days: list[dict[str, BankDay]]
    unpaid: list[Slip]


def plan_season(roster: Sequence[Slip], days: int, seed: int) -> Plan:
    """Deal out every slip.

    Raises:
        TooFewDues: there are fewer slips than a season needs.
    """
    if len(roster) < SLIPS_AT_LEAST:
        raise TooFewDues(f"the city has {len(roster)} open dues; a season needs at least {SLIPS_AT_LEAST}")
    chance = random.Random(seed)  # noqa: S311 - a plan that can be repeated, not a secret
    slips = list(roster)
    chance.shuffle(slips)
    codes = CLEARING_BANKS + HANDLING_BANKS
    opening = [{code: slips.pop() for code in codes} for _ in range(OPENING_ROUNDS)]
    unpaid = [slips.pop() for _ in range(max(1, int(len(slips) * UNPAID_SHARE)))]
    portions = [slips[day::days] for day in range(days)]
    return Plan(opening, [_plan_day(portion, chance) for portion in portions], unpaid)


def _plan_day(slips: Sequence[Slip], chance: random.Random) -> dict[str, BankDay]:
    work = {code: BankDay() for code in CLEARING_BANKS + HANDLING_BANKS}
    doors = list(CLEARING_BANKS) * CLEARING_BANK_WEIGHT + list(HANDLING_BANKS)
    in_lists = int(len(slips) * LIST_SHARE)
    for story, slip in zip(deal_stories(len(slips) - in_lists, chance), slips[in_lists:], strict=True):
        work[chance.choice(doors)].counter.append((story, slip))
    left = list(slips[:in_lists])
    while left:
        length = chance.randint(min(20, len(left)), min(LINES_PLANNED, len(left)))
        work[chance.choice(doors)].lists.append(left[:length])
        del left[:length]
    return work
