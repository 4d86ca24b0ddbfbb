"""Payers as clients see them: masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from app.principal import Role
from app.rules import identity
from app.services import dues as due_service
from app.services import payers, payment_reading, reference
from app.services.pages import window
from models.payers import PayerRow
from schema.agreements import Agreement
from schema.connections import AFTER, FIRST, Connection, connection
from schema.context import Context, Info
from schema.enumerations import Scheme
from schema.node import Node, global_id
from schema.regions import Region, region

if TYPE_CHECKING:
    from schema.dues import Due
    from schema.payments import Payment

SCHEME_FILTER = "Only this scheme."


@strawberry.type(description="A resident who pays premiums.")
class Payer(Node):
    """A resident."""

    row: strawberry.Private[PayerRow]
    name: str = strawberry.field(
        description="Name; the surname alone unless the payer or their household asks."
    )
    id_number: str = strawberry.field(
        description="Masked unless the caller holds the right to see it; every unmasked read is written to "
        "the audit log with its purpose."
    )
    phone: str | None = strawberry.field(description="Mobile number, masked; null where none is known.")

    @strawberry.field(description="The region that collects from this person.")
    async def region(self) -> Region:
        """The region."""
        return region((await reference.load()).regions[self.row.region_id])

    @strawberry.field(description="What the person owes. A bank sees only what is still to be paid.")
    async def dues(
        self,
        info: Info,
        scheme: Annotated[Scheme | None, strawberry.argument(description=SCHEME_FILTER)] = None,
        benefit_year: Annotated[
            int | None, strawberry.argument(description="Only this benefit year.")
        ] = None,
    ) -> list[Annotated[Due, strawberry.lazy("schema.dues")]]:
        """The person's dues."""
        from schema.dues import due  # noqa: PLC0415 - payers and dues point at each other

        rows = await info.context.load.dues_of_payer.load(self.row.id)
        periods = (await reference.load()).periods
        if info.context.principal.role is Role.BANK:
            rows = [row for row in rows if row.status in due_service.UNPAID]
        return [
            due(row, periods[row.period_id])
            for row in rows
            if scheme in (None, periods[row.period_id].scheme)
            and benefit_year in (None, periods[row.period_id].benefit_year)
        ]

    @strawberry.field(description="The person's withholding agreements.")
    def agreements(self) -> list[Agreement]:
        """None is stored yet."""
        return []

    @strawberry.field(description="The person's payments, as far as the caller may see them.")
    async def payments(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)],
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
    ) -> Connection[Annotated[Payment, strawberry.lazy("schema.payments")]]:
        """A page of payments."""
        from schema.payments import payment_connection  # noqa: PLC0415 - payments point back at payers

        page = window(first, after)
        found = await payment_reading.page(
            info.context.principal, payment_reading.EVERY_PAYMENT, page, payer_id=self.row.id
        )
        return payment_connection(found, after)


@strawberry.input(description="Narrows payers. Everything given must hold.")
class PayerFilter:
    """Narrows payers."""

    id_number: str | None = strawberry.field(
        default=None, description="The citizen id number, 18 characters."
    )
    region_code: str | None = strawberry.field(
        default=None, description="Only people of this region and those below it; former codes resolve."
    )


def payer(row: PayerRow, context: Context) -> Payer:
    """A payer from the stored row, unsealed and masked (R31)."""
    keys = context.house.keys
    phone = keys.open(bytes(row.phone)) if row.phone is not None else None
    own = context.principal.role is Role.PAYER
    return Payer(
        id=global_id("Payer", row.id),
        row=row,
        name=row.name if own else identity.mask_name(row.name),
        id_number=identity.mask_id_number(keys.open(bytes(row.id_number))),
        phone=identity.mask_phone(phone) if phone else None,
    )


async def load_payer(key: UUID, context: Context) -> Payer:
    """The payer of something that the caller may see."""
    row = await context.load.payer.load(key)
    if row is None:
        raise LookupError("a due without a payer")
    return payer(row, context)


@strawberry.type
class PayerQuery:
    """Queries for payers."""

    @strawberry.field(
        description="Within the caller's sight: an officer's region, a payer's household. "
        "Banks look a person up by id number instead."
    )
    async def payers(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)],
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
        filter: Annotated[PayerFilter | None, strawberry.argument(description="Narrows the payers.")] = None,
    ) -> Connection[Payer]:
        """A page of payers."""
        wanted = filter or PayerFilter()
        context = info.context
        rows, more, criteria = await payers.page(
            context.principal, context.house.keys, wanted.id_number, wanted.region_code, window(first, after)
        )
        nodes = [payer(row, context) for row in rows]
        result: Connection[Payer] = connection(
            Connection[Payer], (nodes, more), [row.id for row in rows], after, lambda: payers.count(criteria)
        )
        return result
