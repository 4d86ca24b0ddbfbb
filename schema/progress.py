"""Collection progress as clients see it."""

from __future__ import annotations

from typing import Annotated

import strawberry

from app.services.progress import collection_progress
from schema.context import Info
from schema.enumerations import ProgressDimension, Scheme
from schema.scalars import Money


@strawberry.type(description="Progress of one group. The rows of an answer add up to the dues in sight.")
class ProgressRow:
    """Progress of one group."""

    key: str = strawberry.field(
        description="Region code, channel or bank code; UNPAID for what nobody has paid yet."
    )
    label: str = strawberry.field(description="What to show for the key.")
    due_count: int = strawberry.field(description="How many dues, cancelled ones apart.")
    paid_count: int = strawberry.field(description="How many of them are paid.")
    due_amount: Money = strawberry.field(description="Sum of their personal amounts.")
    paid_amount: Money = strawberry.field(description="Sum of what is paid.")


@strawberry.type
class ProgressQuery:
    """Queries for progress."""

    @strawberry.field(description="Who has to pay and who has paid, grouped, within the caller's sight.")
    async def collection_progress(
        self,
        info: Info,
        scheme: Annotated[Scheme, strawberry.argument(description="The scheme.")],
        benefit_year: Annotated[int, strawberry.argument(description="The benefit year.")],
        by: Annotated[ProgressDimension, strawberry.argument(description="By what to group.")],
        region_code: Annotated[
            str | None, strawberry.argument(description="Only this region and those below it.")
        ] = None,
    ) -> list[ProgressRow]:
        """The rows."""
        context = info.context
        rows = await collection_progress(scheme, benefit_year, by, region_code, context.principal)
        return [
            ProgressRow(
                key=row.key,
                label=row.label_en if context.language == "en" else row.label_zh,
                due_count=row.figures.due_count,
                paid_count=row.figures.paid_count,
                due_amount=Money(row.figures.due_amount),
                paid_amount=Money(row.figures.paid_amount),
            )
            for row in rows
        ]
