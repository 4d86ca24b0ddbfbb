"""What the caller of a rehearsal chooses, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

SEASON_DAYS = 80
"""From the demonstration city's first morning (2019-10-08) to shortly before its collection period ends."""

SECONDS_AT_LEAST = 60.0
SECONDS_PER_PAYER = 0.06


@dataclass(frozen=True, slots=True)
class RehearsalOptions:
    """One rehearsal.

    Attributes:
        payers: how many people the demonstration city has.
        seed: the same seed gives the same city and the same plan of payments.
        days: how many clearing days the season has; one more follows for what is still open at the end.
        database_url: a fresh database; else DATABASE_URL counts, and without that a temporary SQLite file.
        keep: leave the database (where it is a temporary file) and the server's log in place.
        workers: how many server processes; more than one needs PostgreSQL.
    """

    payers: int = 10_000
    seed: int = 2019
    days: int = 5
    database_url: str | None = None
    keep: bool = False
    workers: int = 1

    @property
    def seconds_allowed(self) -> float:
        """How long the season may take before the rehearsal is given up."""
        return SECONDS_AT_LEAST + self.payers * SECONDS_PER_PAYER

    @property
    def pace(self) -> int:
        """Seconds of the city's clock per second: even the slowest allowed run ends within the season."""
        return int(SEASON_DAYS * 86_400 / self.seconds_allowed)
