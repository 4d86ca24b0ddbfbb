"""The schema: queries, mutations and subscriptions of all aggregates."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry
from strawberry.schema.config import StrawberryConfig

from app.faults import LimitExceeded
from app.rules.registry import RULES
from app.services import clearing_reading, dues, payers, payment_reading, reference
from app.services.pages import PAGE_LIMIT
from schema.banks import Bank, bank
from schema.clearing import (
    ClearingBatch,
    ClearingMutation,
    ClearingQuery,
    ClearingSubscription,
    clearing_batch,
)
from schema.context import Context, Info
from schema.dues import Due, DueQuery, due
from schema.enumerations import Role
from schema.node import Node, split
from schema.payers import Payer, PayerQuery, payer
from schema.payments import Payment, PaymentMutation, PaymentQuery, PaymentSubscription, payment
from schema.progress import ProgressQuery
from schema.regions import Region, region
from schema.scalars import SCALARS


@strawberry.type(description="The caller.")
class Viewer:
    """The caller."""

    role: Role = strawberry.field(description="What kind of user the token stands for.")
    name: str = strawberry.field(description="How the audit trail names the caller.")
    bank: Bank | None = strawberry.field(description="The caller's bank, for role BANK.")
    region: Region | None = strawberry.field(
        description="The root of what the caller sees, for role OFFICER."
    )
    payer: Payer | None = strawberry.field(description="The caller's own record, for role PAYER.")


@strawberry.type(description="A collection rule.")
class Rule:
    """A collection rule."""

    id: str = strawberry.field(description="Id of the rule: R07.")
    text: str = strawberry.field(description="What it says, in the language of Accept-Language.")
    source: str = strawberry.field(description="Where it comes from.")
    configurable: bool = strawberry.field(description="Whether an office may decide it otherwise.")


async def _payer(key: UUID, context: Context) -> Node | None:
    row = await payers.visible(key, context.principal)
    return payer(row, context) if row else None


async def _due(key: UUID, context: Context) -> Node | None:
    row = await dues.visible(key, context.principal)
    return due(row, (await reference.load()).periods[row.period_id]) if row else None


async def _payment(key: UUID, context: Context) -> Node | None:
    row = await payment_reading.visible(key, context.principal)
    return payment(row) if row else None


async def _batch(key: UUID, context: Context) -> Node | None:
    row = await clearing_reading.visible(key, context.principal)
    return clearing_batch(row) if row else None


async def _bank(key: UUID, context: Context) -> Node | None:
    row = (await reference.load()).banks.get(key)
    return bank(row, context.language) if row else None


async def _region(key: UUID, _context: Context) -> Node | None:
    row = (await reference.load()).regions.get(key)
    return region(row) if row else None


READERS: dict[str, Callable[[UUID, Context], Awaitable[Node | None]]] = {
    "Payer": _payer,
    "Due": _due,
    "Payment": _payment,
    "ClearingBatch": _batch,
    "Bank": _bank,
    "Region": _region,
}


async def read_node(value: str, context: Context) -> Node | None:
    """The object with this id; None for one that does not exist, is not in sight, or is no id at all."""
    _ = context.principal
    parts = split(value)
    reader = READERS.get(parts[0]) if parts else None
    return await reader(parts[1], context) if reader and parts else None


@strawberry.type(description="Everything that can be asked.")
class Query(PayerQuery, DueQuery, PaymentQuery, ClearingQuery, ProgressQuery):
    """Everything that can be asked."""

    @strawberry.field(description="The caller.")
    async def viewer(self, info: Info) -> Viewer:
        """The caller."""
        principal = info.context.principal
        facts = await reference.load()
        own_bank = facts.banks_by_code.get(principal.bank_code or "")
        own_region = facts.regions_by_code.get(principal.region_code or "")
        own = await payers.visible(principal.payer_id, principal) if principal.payer_id else None
        return Viewer(
            role=principal.role,
            name=principal.name,
            bank=bank(own_bank, info.context.language) if own_bank else None,
            region=region(own_region) if own_region else None,
            payer=payer(own, info.context) if own else None,
        )

    @strawberry.field(description="An object by its id; null when there is none in sight.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The global id.")]
    ) -> Node | None:
        """An object."""
        return await read_node(id, info.context)

    @strawberry.field(
        description="Objects by their ids, at most 100, in that order; null where there is none in sight."
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="The global ids.")],
    ) -> list[Node | None]:
        """Objects."""
        if len(ids) > PAGE_LIMIT:
            raise LimitExceeded(f"ids holds at most {PAGE_LIMIT}")
        return [await read_node(value, info.context) for value in ids]

    @strawberry.field(description="All partner banks, by code.")
    async def banks(self, info: Info) -> list[Bank]:
        """All banks."""
        _ = info.context.principal
        return [bank(row, info.context.language) for row in (await reference.load()).banks.values()]

    @strawberry.field(
        description="The newest position of the news. Read it, then read what you show, then subscribe with it in `after`: "
        "nothing falls between."
    )
    async def updates_cursor(self, info: Info) -> str:
        """A cursor for either subscription."""
        _ = info.context.principal
        return str(info.context.house.feed.sequence)

    @strawberry.field(
        description="What a collection rule says and where it comes from; null when there is no such rule."
    )
    def explain_rule(
        self, info: Info, id: Annotated[str, strawberry.argument(description="Id of the rule: R07.")]
    ) -> Rule | None:
        """A rule."""
        rule = RULES.get(id)
        if rule is None:
            return None
        text = rule.text_en if info.context.language == "en" else rule.text_zh
        return Rule(id=rule.id, text=text, source=rule.source, configurable=rule.configurable)


@strawberry.type(description="Everything that can be done.")
class Mutation(PaymentMutation, ClearingMutation):
    """Everything that can be done."""


@strawberry.type(description="Everything that can be followed.")
class Subscription(PaymentSubscription, ClearingSubscription):
    """Everything that can be followed."""


def make_schema() -> strawberry.Schema:
    """The whole schema."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Region, Bank, Payer, Due, Payment, ClearingBatch],
        config=StrawberryConfig(scalar_map=cast("Any", SCALARS)),
    )
