"""Banks and the effective-dated 3+1+N routes between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from app.vocabulary import BankRole
from models.database import Session, as_day, as_id


class Bank(Model):
    """A bank that takes payments; a clearing bank also clears them. At most one clears for newcomers."""

    id = fields.UUIDField(primary_key=True)
    code = fields.CharField(max_length=12, unique=True)
    name = fields.CharField(max_length=100)
    name_english = fields.CharField(max_length=100)
    role = fields.CharEnumField(BankRole, max_length=10)
    clears_for_newcomers = fields.BooleanField(default=False)

    class Meta:
        table = "banks"


class ClearingRoute(Model):
    """From `valid_from` until the day before `valid_until`, one bank clears what another handles."""

    id = fields.UUIDField(primary_key=True)
    handling_bank: fields.ForeignKeyRelation[Bank] = fields.ForeignKeyField(
        "premia.Bank", on_delete=fields.RESTRICT, related_name="routes"
    )
    clearing_bank: fields.ForeignKeyRelation[Bank] = fields.ForeignKeyField(
        "premia.Bank", on_delete=fields.RESTRICT, related_name="cleared_routes"
    )
    valid_from = fields.DateField()
    valid_until = fields.DateField(null=True)

    class Meta:
        table = "clearing_routes"


@dataclass(frozen=True, slots=True)
class BankFacts:
    """A bank as services and rules see it."""

    id: UUID
    code: str
    name: str
    name_english: str
    role: BankRole
    clears_for_newcomers: bool


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """A route as services and rules see it; `valid_until` is exclusive."""

    handling_bank_id: UUID
    clearing_bank_id: UUID
    valid_from: date
    valid_until: date | None


async def all_banks(session: Session) -> list[BankFacts]:
    """Every bank, by code."""
    rows = await session.fetch(
        "SELECT id, code, name, name_english, role, clears_for_newcomers FROM banks ORDER BY code"
    )
    return [
        BankFacts(
            id=as_id(row["id"]),
            code=row["code"],
            name=row["name"],
            name_english=row["name_english"],
            role=BankRole(row["role"]),
            clears_for_newcomers=bool(row["clears_for_newcomers"]),
        )
        for row in rows
    ]


async def all_routes(session: Session) -> list[RouteFacts]:
    """Every route, the newest first."""
    rows = await session.fetch(
        "SELECT handling_bank_id, clearing_bank_id, valid_from, valid_until FROM clearing_routes"
        " ORDER BY valid_from DESC"
    )
    return [
        RouteFacts(
            handling_bank_id=as_id(row["handling_bank_id"]),
            clearing_bank_id=as_id(row["clearing_bank_id"]),
            valid_from=as_day(row["valid_from"]),
            valid_until=as_day(row["valid_until"]) if row["valid_until"] else None,
        )
        for row in rows
    ]
