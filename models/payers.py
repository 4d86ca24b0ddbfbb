"""Payers: the residents, with personal data encrypted and a keyed hash to find them by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from models.conditions import Conditions
from models.database import Row, Session, as_id
from models.regions import Region


class Payer(Model):
    """One resident. `id_number` and `phone` are sealed; `id_number_lookup` is the keyed hash of the id number."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=60)
    id_number = fields.BinaryField()
    id_number_lookup = fields.BinaryField(unique=False)
    phone = fields.BinaryField(null=True)
    household_id = fields.UUIDField()
    region: fields.ForeignKeyRelation[Region] = fields.ForeignKeyField(
        "premia.Region", on_delete=fields.RESTRICT, related_name="payers"
    )

    class Meta:
        table = "payers"


COLUMNS = ("id", "name", "id_number", "id_number_lookup", "phone", "household_id", "region_id")


@dataclass(frozen=True, slots=True)
class PayerRow:
    """A payer as it is stored, still sealed."""

    id: UUID
    name: str
    id_number: bytes
    phone: bytes | None
    household_id: UUID
    region_id: UUID


@dataclass(frozen=True, slots=True)
class PayerCriteria:
    """Which payers: everything given must hold. `region_ids` None means everywhere."""

    region_ids: Sequence[UUID] | None = None
    narrowed_region_ids: Sequence[UUID] | None = None
    household_id: UUID | None = None
    id_number_lookup: bytes | None = None


_SELECT = "SELECT y.id, y.name, y.id_number, y.phone, y.household_id, y.region_id FROM payers y"


def _row(row: Row) -> PayerRow:
    return PayerRow(
        id=as_id(row["id"]),
        name=row["name"],
        id_number=row["id_number"],
        phone=row["phone"],
        household_id=as_id(row["household_id"]),
        region_id=as_id(row["region_id"]),
    )


def _conditions(session: Session, criteria: PayerCriteria) -> Conditions:
    where = Conditions(session)
    if criteria.region_ids is not None:
        where.add_members("y.region_id", criteria.region_ids)
    if criteria.narrowed_region_ids is not None:
        where.add_members("y.region_id", criteria.narrowed_region_ids)
    if criteria.household_id is not None:
        where.add("y.household_id = {}", criteria.household_id)
    if criteria.id_number_lookup is not None:
        where.add("y.id_number_lookup = {}", criteria.id_number_lookup)
    return where


async def page(
    session: Session, criteria: PayerCriteria, limit: int, after: UUID | None = None
) -> list[PayerRow]:
    """At most `limit` payers behind `after`, by id."""
    where = _conditions(session, criteria)
    if after is not None:
        where.add("y.id > {}", after)
    rows = await session.fetch(f"{_SELECT}{where} ORDER BY y.id LIMIT {int(limit)}", *where.values)
    return [_row(row) for row in rows]


async def count(session: Session, criteria: PayerCriteria) -> int:
    """How many payers."""
    where = _conditions(session, criteria)
    row = await session.fetch_one(f"SELECT COUNT(*) AS n FROM payers y{where}", *where.values)
    return int(row["n"]) if row else 0


async def by_ids(session: Session, ids: Sequence[UUID]) -> list[PayerRow]:
    """The payers with these ids, in no order."""
    rows = await session.fetch(f"{_SELECT} WHERE {session.members('y.id', 1)}", list(ids))
    return [_row(row) for row in rows]


async def by_lookup(session: Session, lookup: bytes) -> PayerRow | None:
    """The payer whose id number has this keyed hash."""
    row = await session.fetch_one(f"{_SELECT} WHERE y.id_number_lookup = $1", lookup)
    return _row(row) if row else None
