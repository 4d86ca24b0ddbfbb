"""Banks and the 3+1+N route as clients see them."""

from __future__ import annotations

from typing import Annotated

import strawberry

from app import clock
from app.services import reference
from models.banks import BankFacts
from schema.context import Info
from schema.enumerations import BankRole
from schema.node import Node, global_id
from schema.scalars import Day


@strawberry.type(description="A partner bank.")
class Bank(Node):
    """A bank."""

    row: strawberry.Private[BankFacts]
    code: str = strawberry.field(
        description="Three-digit bank class of the CNAPS number, or the full 12 digits."
    )
    name: str = strawberry.field(description="Name, in the language of Accept-Language.")
    role: BankRole = strawberry.field(description="Whether it clears or only handles.")

    @strawberry.field(
        description="The bank that clears for this one on the given day (today): itself, for a clearing bank. The 3+1+N route."
    )
    async def clearing_bank(
        self,
        info: Info,
        on: Annotated[Day | None, strawberry.argument(description="The day; today when left out.")] = None,
    ) -> Bank:
        """The bank at the end of the route."""
        facts = await reference.load()
        return bank(facts.clearing_bank(self.row.id, on or clock.today()), info.context.language)


def bank(row: BankFacts, language: str) -> Bank:
    """A bank from its facts."""
    name = row.name_english if language == "en" else row.name
    return Bank(id=global_id("Bank", row.id), row=row, code=row.code, name=name, role=row.role)
