"""Regions as clients see them."""

from __future__ import annotations

import strawberry

from app.services import reference
from models.regions import RegionFacts
from schema.enumerations import RegionLevel
from schema.node import Node, global_id


@strawberry.type(description="A region of the tree: city, district, subdistrict, village.")
class Region(Node):
    """A region."""

    row: strawberry.Private[RegionFacts]
    code: str = strawberry.field(description="The present code, GB/T 2260 and below.")
    name: str = strawberry.field(description="Name in Chinese.")
    level: RegionLevel = strawberry.field(description="Depth in the tree.")

    @strawberry.field(description="The region above; null for the city.")
    async def parent(self) -> Region | None:
        """The region above."""
        if self.row.parent_id is None:
            return None
        return region((await reference.load()).regions[self.row.parent_id])


def region(row: RegionFacts) -> Region:
    """A region from its facts."""
    return Region(id=global_id("Region", row.id), row=row, code=row.code, name=row.name, level=row.level)
