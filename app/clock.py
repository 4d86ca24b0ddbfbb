"""Time, from one place: instants in UTC, business days in Asia/Shanghai.

A demonstration database carries its own clock: a start instant and a pace, so that a restart goes on from there
and a season can be rehearsed in minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

OFFICE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Clock:
    """At the real instant `made_at` this clock stands at `starts_at`; it runs `pace` times as fast."""

    starts_at: datetime | None = None
    made_at: datetime | None = None
    pace: float = 1.0

    def now(self) -> datetime:
        """The instant, in UTC."""
        real = datetime.now(UTC)
        if self.starts_at is None or self.made_at is None:
            return real
        return (self.starts_at + (real - self.made_at) * self.pace).astimezone(UTC)

    def today(self) -> date:
        """The calendar day in the collection office."""
        return office_day(self.now())


def office_day(instant: datetime) -> date:
    """The calendar day in the collection office at `instant`."""
    return instant.astimezone(OFFICE).date()


_clock = Clock()


def set_clock(clock: Clock) -> None:
    """Make `clock` the clock of this process (at start, from the database)."""
    global _clock  # noqa: PLW0603 - one clock per process is the point
    _clock = clock


def now() -> datetime:
    """The instant, in UTC."""
    return _clock.now()


def today() -> date:
    """The calendar day in the collection office."""
    return _clock.today()
