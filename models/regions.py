"""Regions: the tree of city, districts, subdistricts and villages."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from app.vocabulary import RegionLevel
from models.database import Session, as_id


class Region(Model):
    """One region. `path` holds the codes from the root, each followed by a dot, so a subtree is a prefix."""

    id = fields.UUIDField(primary_key=True)
    code = fields.CharField(max_length=12, unique=True)
    name = fields.CharField(max_length=100)
    level = fields.CharEnumField(RegionLevel, max_length=12)
    parent: fields.ForeignKeyNullableRelation[Region] = fields.ForeignKeyField(
        "premia.Region", null=True, on_delete=fields.RESTRICT, related_name="children"
    )
    path = fields.CharField(max_length=60, unique=True)
    # Codes that this region had before; a code that was replaced still resolves (R35).
    former_codes = fields.CharField(max_length=200, default="")

    class Meta:
        table = "regions"


@dataclass(frozen=True, slots=True)
class RegionFacts:
    """A region as services and rules see it."""

    id: UUID
    code: str
    name: str
    level: RegionLevel
    parent_id: UUID | None
    path: str
    former_codes: tuple[str, ...]


async def all_regions(session: Session) -> list[RegionFacts]:
    """The whole tree, parents before children."""
    rows = await session.fetch(
        "SELECT id, code, name, level, parent_id, path, former_codes FROM regions ORDER BY path"
    )
    return [
        RegionFacts(
            id=as_id(row["id"]),
            code=row["code"],
            name=row["name"],
            level=RegionLevel(row["level"]),
            parent_id=as_id(row["parent_id"]) if row["parent_id"] else None,
            path=row["path"],
            former_codes=tuple(code for code in row["former_codes"].split(",") if code),
        )
        for row in rows
    ]
