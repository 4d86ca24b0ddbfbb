"""Ids, id numbers and phones that look real to the rules and can be no real person's.

An id number begins with 999999. No province has the code 99, and the numbers of foreign residents, which
begin with 9, name a province next: so it was never assigned, and is seen to be synthetic at a glance. A phone
begins with 154, a range that was never opened to the public.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from app.rules.identity import check_character

SYNTHETIC_ADDRESS_CODE = "999999"
SYNTHETIC_PHONE_RANGE = "154"
ORDER_CODES = 499
BIRTHDAYS_OF_A_YEAR = 365
_PHONES = 100_000_000
_PHONE_STRIDE = 38_196_601  # coprime to _PHONES, so that every phone comes once before any comes twice


class TimeOrderedIds:
    """Ids of UUIDv7 form that depend on the seed alone: a fixed time and a count in front, chance behind.

    They ascend in the order of making, so that indexes stay local. Text, which both engines take as an id.
    """

    def __init__(self, random: Random, starts_at_milliseconds: int) -> None:
        self._random_bits = random.getrandbits
        self._base = starts_at_milliseconds
        self._count = 0

    def next(self) -> str:
        """The next id."""
        milliseconds, count = self._base + (self._count >> 12), self._count & 0xFFF
        self._count += 1
        tail = (0b10 << 62) | self._random_bits(62)
        text = f"{(milliseconds << 80) | (7 << 76) | (count << 64) | tail:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class IdNumbers:
    """Hands out id numbers that are valid by R01, each once."""

    def __init__(self, random: Random, day: date) -> None:
        self._random = random.random
        self._day = day
        self._given: dict[tuple[int, int, bool], int] = {}

    def next(self, age: int, woman: bool) -> str:
        """An id number of somebody who is `age` full years old on the day; odd order codes are men's."""
        days = int(self._random() * BIRTHDAYS_OF_A_YEAR)
        while (given := self._given.get((age, days, woman), 0)) >= ORDER_CODES:
            days = (days + 1) % BIRTHDAYS_OF_A_YEAR
        self._given[age, days, woman] = given + 1
        born = self._day.replace(year=self._day.year - age) - timedelta(days=days)
        order_code = 2 * given + (2 if woman else 1)
        digits = f"{SYNTHETIC_ADDRESS_CODE}{born:%Y%m%d}{order_code:03}"
        return digits + check_character(digits)


class Phones:
    """Hands out phone numbers of the synthetic range, each once (per hundred million)."""

    def __init__(self, random: Random) -> None:
        self._at = int(random.random() * _PHONES)

    def next(self) -> str:
        """A phone number."""
        self._at = (self._at + _PHONE_STRIDE) % _PHONES
        return f"{SYNTHETIC_PHONE_RANGE}{self._at:08}"
