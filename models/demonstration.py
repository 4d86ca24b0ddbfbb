"""The demonstration row: what a made-up city carries with it, its clock and its keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from models.database import Session, as_instant


class Demonstration(Model):
    """One row in a demonstration database, none in any other.

    At the real instant `made_at` the city's clock stood at `starts_at`; since then it runs `pace` times as fast.
    The keys serve where the environment gives none; they protect synthetic people only.
    """

    id = fields.IntField(primary_key=True, generated=False)
    seed = fields.BigIntField()
    payers = fields.IntField()
    starts_at = fields.DatetimeField()
    made_at = fields.DatetimeField()
    pace = fields.CharField(max_length=20)
    signing_key = fields.CharField(max_length=100, null=True)
    personal_data_keys = fields.CharField(max_length=300, null=True)

    class Meta:
        table = "demonstration"


@dataclass(frozen=True, slots=True)
class DemonstrationFacts:
    """The demonstration row."""

    seed: int
    payers: int
    starts_at: datetime
    made_at: datetime
    pace: float
    signing_key: str | None
    personal_data_keys: str | None


async def load(session: Session) -> DemonstrationFacts | None:
    """The demonstration row, or None in a real database."""
    row = await session.fetch_one("SELECT * FROM demonstration")
    if row is None:
        return None
    return DemonstrationFacts(
        seed=row["seed"],
        payers=row["payers"],
        starts_at=as_instant(row["starts_at"]),
        made_at=as_instant(row["made_at"]),
        pace=float(row["pace"]),
        signing_key=row["signing_key"],
        personal_data_keys=row["personal_data_keys"],
    )
