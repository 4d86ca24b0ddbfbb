"""Collection periods: from when until when one scheme is collected for one benefit year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from app.vocabulary import Scheme
from models.database import Session, as_day, as_id


class CollectionPeriod(Model):
    """Both days belong to the period; days are those of the collection office (Asia/Shanghai)."""

    id = fields.UUIDField(primary_key=True)
    scheme = fields.CharEnumField(Scheme, max_length=8)
    benefit_year = fields.IntField()
    opens_on = fields.DateField()
    closes_on = fields.DateField()

    class Meta:
        table = "collection_periods"


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """A collection period as services and rules see it."""

    id: UUID
    scheme: Scheme
    benefit_year: int
    opens_on: date
    closes_on: date


async def all_periods(session: Session) -> list[PeriodFacts]:
    """Every collection period."""
    rows = await session.fetch("SELECT id, scheme, benefit_year, opens_on, closes_on FROM collection_periods")
    return [
        PeriodFacts(
            id=as_id(row["id"]),
            scheme=Scheme(row["scheme"]),
            benefit_year=row["benefit_year"],
            opens_on=as_day(row["opens_on"]),
            closes_on=as_day(row["closes_on"]),
        )
        for row in rows
    ]
