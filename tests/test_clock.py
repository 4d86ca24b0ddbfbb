"""Time: UTC instants, days of the office, and a demonstration city's own clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from app import clock
from app.clock import Clock, office_day

REAL = datetime(2026, 1, 1, tzinfo=UTC)
SEASON = datetime(2019, 10, 8, 10, 0, tzinfo=clock.OFFICE)


@pytest.fixture(autouse=True)
def own_clock() -> Iterator[None]:
    yield
    clock.set_clock(Clock())


def test_without_a_city_the_clock_is_real_time_and_nothing_else() -> None:
    with time_machine.travel(REAL, tick=False):
        assert clock.now() == REAL
        assert clock.now().tzinfo is UTC


@pytest.mark.parametrize(
    ("pace", "real_seconds", "shown"),
    [
        (1.0, 0, timedelta(0)),
        (1.0, 3_600, timedelta(hours=1)),
        (60.0, 60, timedelta(hours=1)),
        (86_400.0, 84, timedelta(days=84)),
        (0.5, 60, timedelta(seconds=30)),
        (0.0, 3_600, timedelta(0)),
    ],
)
def test_a_citys_clock_goes_on_from_where_it_stood_at_its_own_pace_and_a_restart_loses_no_second(
    pace: float, real_seconds: int, shown: timedelta
) -> None:
    with time_machine.travel(REAL, tick=False) as time:
        clock.set_clock(Clock(SEASON, REAL, pace))
        time.shift(real_seconds)
        before = clock.now()
        # Another process, later, reads the same three facts.
        clock.set_clock(Clock(SEASON, REAL, pace))

        assert clock.now() == before == SEASON + shown
        assert clock.now().tzinfo is UTC


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2019, 10, 8, 15, 59, 59, tzinfo=UTC), date(2019, 10, 8)),
        (datetime(2019, 10, 8, 16, 0, tzinfo=UTC), date(2019, 10, 9)),
        (datetime(2019, 12, 31, 16, 0, tzinfo=UTC), date(2020, 1, 1)),
        (datetime(2019, 10, 8, 23, 59, tzinfo=clock.OFFICE), date(2019, 10, 8)),
        (datetime(2019, 10, 9, 0, 0, tzinfo=clock.OFFICE), date(2019, 10, 9)),
    ],
)
def test_a_day_is_the_offices_and_not_that_of_utc(instant: datetime, day: date) -> None:
    assert office_day(instant) == day
    clock.set_clock(Clock(instant, REAL, 0.0))
    assert clock.today() == day
