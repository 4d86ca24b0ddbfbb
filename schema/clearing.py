"""Clearing batches as clients see them: the four steps, looking up, following."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.faults import Forbidden
from app.live import updates
from app.live.outbox import BatchPicture
from app.principal import Role
from app.rules.refusals import Refused
from app.services import clearing, clearing_reading, payment_reading, reference
from app.services.pages import window
from models.clearing import BatchRow
from schema.banks import Bank, bank
from schema.connections import AFTER, FIRST, Connection, connection
from schema.context import Context, Info
from schema.enumerations import ClearingBatchStatus, Scheme
from schema.errors import UserError, user_error
from schema.node import Node, global_id, key_of
from schema.payers import SCHEME_FILTER
from schema.payments import Payment, payment_connection
from schema.scalars import Day, Instant, Money

BATCH_ID = "Id of the clearing batch."


@strawberry.type(description="What one handling bank brought into a clearing batch.")
class HandlingBankTotal:
    """What one handling bank brought in."""

    bank: Bank = strawberry.field(description="The handling bank.")
    payment_count: int = strawberry.field(description="How many payments.")
    total_amount: Money = strawberry.field(description="Their sum.")


@strawberry.type(description="All that one clearing bank clears of one scheme on one business date.")
class ClearingBatch(Node):
    """A clearing batch. `picture` holds the totals where they are known already."""

    row: strawberry.Private[BatchRow]
    picture: strawberry.Private[BatchPicture | None] = None
    number: str = strawberry.field(
        description="Printed in the transfer remark, so that a bank statement line finds its batch by number."
    )
    scheme: Scheme = strawberry.field(description="The scheme.")
    business_date: Day = strawberry.field(description="The clearing day.")
    status: ClearingBatchStatus = strawberry.field(description="State.")
    opened_at: Instant = strawberry.field(description="When it opened.")
    cut_at: Instant | None = strawberry.field(description="When it was cut.")
    remitted_at: Instant | None = strawberry.field(description="When it was paid over.")
    settled_at: Instant | None = strawberry.field(description="When the treasury's credit was confirmed.")
    remittance_reference: str | None = strawberry.field(description="Reference of the remittance.")
    treasury_reference: str | None = strawberry.field(description="Reference of the treasury's credit.")

    @strawberry.field(description="The bank that clears it.")
    async def clearing_bank(self, info: Info) -> Bank:
        """The clearing bank."""
        return bank((await reference.load()).banks[self.row.clearing_bank_id], info.context.language)

    async def _share(self, context: Context) -> BatchPicture:
        sight = await context.sight()
        if sight.role is Role.PAYER:
            raise Forbidden("the figures of a clearing batch are not open to PAYER")
        picture = self.picture
        if picture is None:
            totals = await context.load.batch_totals.load(self.row.id)
            picture = BatchPicture(self.row, tuple(totals))
        return clearing_reading.share(picture, sight)

    @strawberry.field(
        description="How many payments it holds; of a bank that does not clear it, its own share."
    )
    async def payment_count(self, info: Info) -> int:
        """How many payments."""
        return (await self._share(info.context)).batch.payment_count

    @strawberry.field(description="The sum of its payments; of a bank that does not clear it, its own share.")
    async def total_amount(self, info: Info) -> Money:
        """The sum."""
        return Money((await self._share(info.context)).batch.total_amount)

    @strawberry.field(
        description="The N behind the one: what each handling bank brought in. A bank that does not clear it sees its own."
    )
    async def handling_bank_totals(self, info: Info) -> list[HandlingBankTotal]:
        """The totals."""
        facts = await reference.load()
        share = await self._share(info.context)
        return [
            HandlingBankTotal(
                bank=bank(facts.banks[total.handling_bank_id], info.context.language),
                payment_count=total.payment_count,
                total_amount=Money(total.total_amount),
            )
            for total in share.totals
        ]

    @strawberry.field(description="Its payments, reversed ones too, as far as the caller may see them.")
    async def payments(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)],
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
    ) -> Connection[Payment]:
        """A page of payments."""
        page = window(first, after)
        found = await payment_reading.page(
            info.context.principal, payment_reading.EVERY_PAYMENT, page, batch_id=self.row.id
        )
        return payment_connection(found, after)


def _instant(value: Any) -> Instant | None:
    return Instant(value) if value else None


def clearing_batch(row: BatchRow, picture: BatchPicture | None = None) -> ClearingBatch:
    """A batch from the stored row, or from a picture of it."""
    return ClearingBatch(
        id=global_id("ClearingBatch", row.id),
        row=row,
        picture=picture,
        number=row.number,
        scheme=row.scheme,
        business_date=Day(row.business_date),
        status=row.status,
        opened_at=Instant(row.opened_at),
        cut_at=_instant(row.cut_at),
        remitted_at=_instant(row.remitted_at),
        settled_at=_instant(row.settled_at),
        remittance_reference=row.remittance_reference,
        treasury_reference=row.treasury_reference,
    )


async def load_batch(key: UUID, context: Context) -> ClearingBatch:
    """The batch of a payment that the caller may see."""
    row = await context.load.batch.load(key)
    if row is None:
        raise LookupError("a payment without a clearing batch")
    return clearing_batch(row)


@strawberry.input(description="Narrows clearing batches. Everything given must hold.")
class ClearingBatchFilter:
    """Narrows clearing batches."""

    clearing_bank_code: str | None = strawberry.field(default=None, description="Only this clearing bank.")
    scheme: Scheme | None = strawberry.field(default=None, description=SCHEME_FILTER)
    business_date: Day | None = strawberry.field(default=None, description="Only this clearing day.")
    status: ClearingBatchStatus | None = strawberry.field(
        default=None, description="Only batches in this state."
    )


@strawberry.type
class ClearingQuery:
    """Queries for clearing batches."""

    @strawberry.field(description="Clearing batches within the caller's sight, oldest first.")
    async def clearing_batches(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)],
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
        filter: Annotated[
            ClearingBatchFilter | None, strawberry.argument(description="Narrows the batches.")
        ] = None,
    ) -> Connection[ClearingBatch]:
        """A page of batches."""
        given = filter or ClearingBatchFilter()
        wanted = clearing_reading.BatchFilter(
            given.clearing_bank_code, given.scheme, given.business_date, given.status
        )
        rows, more, criteria = await clearing_reading.page(
            info.context.principal, wanted, window(first, after)
        )
        nodes = [clearing_batch(row) for row in rows]
        result: Connection[ClearingBatch] = connection(
            Connection[ClearingBatch],
            (nodes, more),
            [row.id for row in rows],
            after,
            lambda: clearing_reading.count(criteria),
        )
        return result


@strawberry.input(description="The batch to cut.")
class ClearingBatchInput:
    """The batch to cut."""

    batch_id: strawberry.ID = strawberry.field(description=BATCH_ID)


@strawberry.input(description="What the clearing bank says that the batch holds.")
class ConfirmClearingTotalsInput:
    """The clearing bank's totals."""

    batch_id: strawberry.ID = strawberry.field(description=BATCH_ID)
    payment_count: int = strawberry.field(description="How many payments the bank counts.")
    total_amount: Money = strawberry.field(description="Their sum by the bank's books.")


@strawberry.input(description="A remittance to the treasury account.")
class RemitClearingBatchInput:
    """A remittance."""

    batch_id: strawberry.ID = strawberry.field(description=BATCH_ID)
    remittance_reference: str = strawberry.field(description="Reference of the transfer, 1 to 64 characters.")


@strawberry.input(description="The treasury's credit.")
class ConfirmTreasuryCreditInput:
    """The treasury's credit."""

    batch_id: strawberry.ID = strawberry.field(description=BATCH_ID)
    treasury_reference: str = strawberry.field(description="The treasury's reference, 1 to 64 characters.")
    amount: Money = strawberry.field(description="What was credited: the batch's total, to the fen.")


@strawberry.type(description="What became of a step of clearing.")
class ClearingBatchPayload:
    """What became of a step."""

    batch: ClearingBatch | None = strawberry.field(
        description="The batch behind the step; null when refused."
    )
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


def _payload(outcome: BatchRow | Refused, context: Context) -> ClearingBatchPayload:
    if isinstance(outcome, Refused):
        return ClearingBatchPayload(batch=None, user_errors=[user_error(outcome, context)])
    return ClearingBatchPayload(batch=clearing_batch(outcome), user_errors=[])


@strawberry.type
class ClearingMutation:
    """The four steps of clearing."""

    @strawberry.mutation(
        description="End intake into the batch. The next one for the same bank and scheme opens in the same transaction."
    )
    async def cut_clearing_batch(
        self,
        info: Info,
        input: Annotated[ClearingBatchInput, strawberry.argument(description="The batch to cut.")],
    ) -> ClearingBatchPayload:
        """Cut a batch."""
        outcome = await clearing.cut(key_of(input.batch_id, "ClearingBatch"), info.context.principal)
        return _payload(outcome, info.context)

    @strawberry.mutation(
        description="The clearing bank states its totals for a cut batch: equal ones balance it, others do not."
    )
    async def confirm_clearing_totals(
        self,
        info: Info,
        input: Annotated[ConfirmClearingTotalsInput, strawberry.argument(description="The bank's totals.")],
    ) -> ClearingBatchPayload:
        """State totals."""
        principal = info.context.principal
        principal.require(Role.BANK)
        amount: Any = input.total_amount
        if isinstance(amount, Refused):
            return _payload(replace(amount, field="totalAmount"), info.context)
        command = clearing.ConfirmTotals(key_of(input.batch_id, "ClearingBatch"), input.payment_count, amount)
        return _payload(await clearing.confirm_totals(command, principal), info.context)

    @strawberry.mutation(description="A balanced batch has been paid over to the treasury account.")
    async def remit_clearing_batch(
        self,
        info: Info,
        input: Annotated[RemitClearingBatchInput, strawberry.argument(description="The remittance.")],
    ) -> ClearingBatchPayload:
        """Remit a batch."""
        batch_id = key_of(input.batch_id, "ClearingBatch")
        outcome = await clearing.remit(batch_id, input.remittance_reference, info.context.principal)
        return _payload(outcome, info.context)

    @strawberry.mutation(
        description="The treasury has credited the remittance: the batch, its payments and their dues are settled."
    )
    async def confirm_treasury_credit(
        self,
        info: Info,
        input: Annotated[
            ConfirmTreasuryCreditInput, strawberry.argument(description="The treasury's credit.")
        ],
    ) -> ClearingBatchPayload:
        """Confirm the credit."""
        principal = info.context.principal
        principal.require(Role.OFFICER)
        amount: Any = input.amount
        if isinstance(amount, Refused):
            return _payload(amount, info.context)
        batch_id = key_of(input.batch_id, "ClearingBatch")
        command = clearing.ConfirmCredit(batch_id, input.treasury_reference, amount)
        return _payload(await clearing.confirm_credit(command, principal), info.context)


@strawberry.type(description="A picture of the batch at the moment of the event, not of now.")
class SettlementUpdate:
    """A picture of a batch."""

    cursor: str = strawberry.field(description="Resume behind this update with `after`.")
    occurred_at: Instant = strawberry.field(description="When it happened.")
    batch: ClearingBatch = strawberry.field(
        description="The batch as it was then; `payments` reads what is now."
    )
    status: ClearingBatchStatus = strawberry.field(description="The state then.")
    payment_count: int = strawberry.field(description="How many payments it held then.")
    total_amount: Money = strawberry.field(description="Their sum then.")


@strawberry.type
class ClearingSubscription:
    """Subscriptions to clearing."""

    @strawberry.subscription(
        description="The state of clearing batches as it changes. Every change of status is sent; changes of the running totals "
        "are coalesced to at most four a second per batch, and the newest is always sent. With after, the stream "
        "starts with what happened since that cursor: a client that reconnects misses nothing."
    )
    async def settlement_updates(
        self,
        info: Info,
        clearing_bank_code: Annotated[
            str | None, strawberry.argument(description="Only batches of this clearing bank.")
        ] = None,
        batch_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only this batch.")] = None,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="Begin with what happened since this cursor; from now on when left out."
            ),
        ] = None,
    ) -> AsyncGenerator[SettlementUpdate, None]:
        """Follow batches."""
        sight = await info.context.sight()
        if sight.role is Role.PAYER:
            raise Forbidden("clearing batches are not open to PAYER")
        bank_id = await _bank_id(clearing_bank_code)
        key = key_of(batch_id, "ClearingBatch") if batch_id is not None else None

        def wanted(picture: BatchPicture) -> bool:
            return (
                clearing_reading.sees_batch(picture, sight)
                and (clearing_bank_code is None or picture.batch.clearing_bank_id == bank_id)
                and (batch_id is None or picture.batch.id == key)
            )

        following = updates.batch_updates(info.context.house.feed, wanted, after)
        async with aclosing(following):
            async for update in following:
                share = clearing_reading.share(update.picture, sight)
                yield SettlementUpdate(
                    cursor=update.cursor,
                    occurred_at=Instant(update.occurred_at),
                    batch=clearing_batch(share.batch, share),
                    status=share.batch.status,
                    payment_count=share.batch.payment_count,
                    total_amount=Money(share.batch.total_amount),
                )


async def _bank_id(code: str | None) -> UUID | None:
    found = (await reference.load()).banks_by_code.get(code or "")
    return found.id if found else None
