"""Dues as clients see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from app.rules.registry import RULES
from app.services import dues, reference
from app.services.pages import window
from models.collection_periods import PeriodFacts
from models.dues import DueRow
from schema.connections import AFTER, FIRST, Connection, connection
from schema.context import Info
from schema.enumerations import DueStatus, Scheme
from schema.node import Node, global_id
from schema.payers import SCHEME_FILTER, Payer, load_payer
from schema.scalars import Day, Instant, Money

if TYPE_CHECKING:
    from schema.payments import Payment


@strawberry.type(description="One step of an explanation.")
class ExplanationStep:
    """One step of an explanation."""

    rule: str = strawberry.field(description="Id of the rule: explainRule tells more.")
    text: str = strawberry.field(description="The rule in the language of Accept-Language.")
    inputs: list[str] = strawberry.field(description="What went into it.")


@strawberry.type(description="What one person owes to one scheme for one benefit year.")
class Due(Node):
    """A due."""

    row: strawberry.Private[DueRow]
    scheme: Scheme = strawberry.field(description="The scheme.")
    benefit_year: int = strawberry.field(description="The year in which the benefit is had.")
    amount: Money = strawberry.field(description="personalAmount + subsidyAmount.")
    personal_amount: Money = strawberry.field(description="What the person pays, in full or not at all.")
    subsidy_amount: Money = strawberry.field(description="What government pays.")
    status: DueStatus = strawberry.field(description="State.")
    payable_from: Day = strawberry.field(description="First day of the collection period.")
    payable_until: Day = strawberry.field(description="Last day of the collection period.")
    held_by: str | None = strawberry.field(description="Where status is HELD: by what.")
    held_until: Instant | None = strawberry.field(description="Where status is HELD: until when.")

    @strawberry.field(description="Who owes it.")
    async def payer(self, info: Info) -> Payer:
        """Who owes it."""
        return await load_payer(self.row.payer_id, info.context)

    @strawberry.field(
        description="The payment that stands for it; null when there is none that the caller may see."
    )
    async def payment(self, info: Info) -> Annotated[Payment, strawberry.lazy("schema.payments")] | None:
        """The live payment."""
        from schema.payments import payment  # noqa: PLC0415 - payments and dues point at each other

        row = await info.context.load.live_payment.load(self.row.id)
        return payment(row) if row else None

    @strawberry.field(description="Why this amount, this status, this route: each step with its rule.")
    async def explanation(self, info: Info) -> list[ExplanationStep]:
        """The steps."""
        language = info.context.language
        return [
            ExplanationStep(
                rule=step.rule,
                text=RULES[step.rule].text_en if language == "en" else RULES[step.rule].text_zh,
                inputs=step.inputs,
            )
            for step in dues.explain(self.row, await reference.load())
        ]


@strawberry.input(description="Narrows dues. Everything given must hold.")
class DueFilter:
    """Narrows dues."""

    scheme: Scheme | None = strawberry.field(default=None, description=SCHEME_FILTER)
    benefit_year: int | None = strawberry.field(default=None, description="Only this benefit year.")
    status: DueStatus | None = strawberry.field(default=None, description="Only dues in this state.")
    region_code: str | None = strawberry.field(
        default=None,
        description="Only dues of people of this region and those below it; former codes resolve.",
    )


def due(row: DueRow, period: PeriodFacts) -> Due:
    """A due from the stored row and its collection period."""
    return Due(
        id=global_id("Due", row.id),
        row=row,
        scheme=period.scheme,
        benefit_year=period.benefit_year,
        amount=Money(row.personal_amount + row.subsidy_amount),
        personal_amount=Money(row.personal_amount),
        subsidy_amount=Money(row.subsidy_amount),
        status=row.status,
        payable_from=Day(period.opens_on),
        payable_until=Day(period.closes_on),
        held_by=row.held_by,
        held_until=Instant(row.held_until) if row.held_until else None,
    )


@strawberry.type
class DueQuery:
    """Queries for dues."""

    @strawberry.field(
        description="What the person may pay now. For a counter, a kiosk or an app that holds an id number."
    )
    async def payable_dues(
        self,
        info: Info,
        id_number: Annotated[str, strawberry.argument(description="The citizen id number, 18 characters.")],
        scheme: Annotated[Scheme | None, strawberry.argument(description=SCHEME_FILTER)] = None,
    ) -> list[Due]:
        """The payable dues."""
        context = info.context
        rows = await dues.payable(id_number, scheme, context.principal, context.house.keys)
        periods = (await reference.load()).periods
        return [due(row, periods[row.period_id]) for row in rows]

    @strawberry.field(
        description="Dues within the caller's sight. Banks look a person up by id number instead."
    )
    async def dues(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)],
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
        filter: Annotated[DueFilter | None, strawberry.argument(description="Narrows the dues.")] = None,
    ) -> Connection[Due]:
        """A page of dues."""
        given = filter or DueFilter()
        wanted = dues.DueFilter(given.scheme, given.benefit_year, given.status, given.region_code)
        rows, more, criteria = await dues.page(info.context.principal, wanted, window(first, after))
        periods = (await reference.load()).periods
        nodes = [due(row, periods[row.period_id]) for row in rows]
        result: Connection[Due] = connection(
            Connection[Due], (nodes, more), [row.id for row in rows], after, lambda: dues.count(criteria)
        )
        return result
