"""Payments as clients see them: recording, taking back, looking up, following."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app.faults import LimitExceeded
from app.live import updates
from app.principal import Role
from app.rules.refusals import ErrorCode, Refused
from app.services import payment_reading, payments, reference
from app.services.pages import window
from app.services.payments import Outcome, RecordPayment
from app.services.sight import bank_of
from models.payments import PaymentCriteria, PaymentRow
from schema.banks import Bank, bank
from schema.connections import AFTER, FIRST, Connection, connection
from schema.context import Context, Info
from schema.dues import Due, due
from schema.enumerations import Channel, PaymentStatus, Scheme
from schema.errors import UserError, user_error
from schema.node import Node, global_id, key_of
from schema.payers import SCHEME_FILTER
from schema.scalars import Day, Instant, Money

if TYPE_CHECKING:
    from schema.clearing import ClearingBatch

BULK_LIMIT = 1_000


@strawberry.type(description="Money that a handling bank has taken for a due.")
class Payment(Node):
    """A payment."""

    row: strawberry.Private[PaymentRow]
    amount: Money = strawberry.field(description="The amount.")
    channel: Channel = strawberry.field(description="Where the money was taken.")
    status: PaymentStatus = strawberry.field(description="State.")
    bank_reference: str = strawberry.field(
        description="The handling bank's own number: unique per bank, and what makes a repeat safe."
    )
    paid_at: Instant = strawberry.field(description="When the bank took the money.")
    accepted_at: Instant = strawberry.field(description="When it was recorded here.")
    business_date: Day = strawberry.field(description="The clearing day that the payment falls into.")
    receipt_number: str = strawberry.field(description="Number of the payer's receipt, unique.")

    @strawberry.field(description="What it was paid for.")
    async def due(self, info: Info) -> Due:
        """The due."""
        row = await info.context.load.due.load(self.row.due_id)
        if row is None:
            raise LookupError("a payment without a due")
        return due(row, (await reference.load()).periods[row.period_id])

    @strawberry.field(description="The bank that took the money.")
    async def handling_bank(self, info: Info) -> Bank:
        """The N."""
        return bank((await reference.load()).banks[self.row.handling_bank_id], info.context.language)

    @strawberry.field(description="The bank that clears it, by the route of its day.")
    async def clearing_bank(self, info: Info) -> Bank:
        """The 3."""
        return bank((await reference.load()).banks[self.row.clearing_bank_id], info.context.language)

    @strawberry.field(description="The clearing batch that it is in.")
    async def clearing_batch(
        self, info: Info
    ) -> Annotated[ClearingBatch, strawberry.lazy("schema.clearing")]:
        """The batch."""
        from schema.clearing import load_batch  # noqa: PLC0415 - payments and batches point at each other

        return await load_batch(self.row.clearing_batch_id, info.context)


def payment(row: PaymentRow) -> Payment:
    """A payment from the stored row."""
    return Payment(
        id=global_id("Payment", row.id),
        row=row,
        amount=Money(row.amount),
        channel=row.channel,
        status=row.status,
        bank_reference=row.bank_reference,
        paid_at=Instant(row.paid_at),
        accepted_at=Instant(row.accepted_at),
        business_date=Day(row.business_date),
        receipt_number=row.receipt_number,
    )


def payment_connection(
    found: tuple[Sequence[PaymentRow], bool, PaymentCriteria | None], after: str | None
) -> Connection[Payment]:
    """A page of payments from what the service found."""
    rows, more, criteria = found
    nodes = [payment(row) for row in rows]
    result: Connection[Payment] = connection(
        Connection[Payment],
        (nodes, more),
        [row.id for row in rows],
        after,
        lambda: payment_reading.count(criteria),
    )
    return result


@strawberry.input(description="Narrows payments. Everything given must hold.")
class PaymentFilter:
    """Narrows payments."""

    scheme: Scheme | None = strawberry.field(default=None, description=SCHEME_FILTER)
    channel: Channel | None = strawberry.field(default=None, description="Only this channel.")
    status: PaymentStatus | None = strawberry.field(default=None, description="Only payments in this state.")
    bank_code: str | None = strawberry.field(
        default=None, description="Only payments that this bank handled."
    )
    business_date: Day | None = strawberry.field(default=None, description="Only this clearing day.")
    region_code: str | None = strawberry.field(
        default=None, description="Only payments for people of this region and those below it."
    )


@strawberry.type
class PaymentQuery:
    """Queries for payments."""

    @strawberry.field(description="Payments within the caller's sight.")
    async def payments(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)],
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
        filter: Annotated[
            PaymentFilter | None, strawberry.argument(description="Narrows the payments.")
        ] = None,
    ) -> Connection[Payment]:
        """A page of payments."""
        given = filter or PaymentFilter()
        wanted = payment_reading.PaymentFilter(
            given.scheme,
            given.channel,
            given.status,
            given.bank_code,
            given.business_date,
            given.region_code,
        )
        found = await payment_reading.page(info.context.principal, wanted, window(first, after))
        return payment_connection(found, after)

    @strawberry.field(
        description="A payment by the number that its handling bank gave it; null when there is none in sight."
    )
    async def payment_by_reference(
        self,
        info: Info,
        bank_reference: Annotated[str, strawberry.argument(description="The handling bank's own number.")],
        bank_code: Annotated[
            str | None, strawberry.argument(description="The handling bank; the caller's own when left out.")
        ] = None,
    ) -> Payment | None:
        """The payment."""
        row = await payment_reading.by_reference(bank_reference, bank_code, info.context.principal)
        return payment(row) if row else None


@strawberry.input(description="Money that a handling bank has taken.")
class RecordPaymentInput:
    """Money that a handling bank has taken."""

    due_id: strawberry.ID = strawberry.field(description="Id of the due that is paid.")
    amount: Money = strawberry.field(description="The due's personalAmount, to the fen.")
    channel: Channel = strawberry.field(description="Where the money was taken.")
    bank_reference: str = strawberry.field(
        description="The bank's own number, 1 to 64 characters, unique per bank: sending it again is safe."
    )
    paid_at: Instant = strawberry.field(description="When the bank took the money; not in the future.")
    collection_point_code: str | None = strawberry.field(
        default=None, description="The window, kiosk or counter, up to 30 characters."
    )


@strawberry.type(description="What became of one recorded payment.")
class RecordPaymentPayload:
    """What became of one payment."""

    payment: Payment | None = strawberry.field(
        description="The payment that stands; null when it was refused."
    )
    already_recorded: bool = strawberry.field(
        description="Whether an earlier request had recorded it: this is the first answer again."
    )
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.input(description="Payments to record at once.")
class RecordPaymentsInput:
    """Payments to record at once."""

    payments: list[RecordPaymentInput] = strawberry.field(description="Up to 1,000.")


@strawberry.type(description="What became of a list of payments.")
class RecordPaymentsPayload:
    """What became of a list."""

    results: list[RecordPaymentPayload] = strawberry.field(description="One for each item, in input order.")
    accepted_count: int = strawberry.field(description="How many stand, repeats included.")
    refused_count: int = strawberry.field(description="How many were refused.")
    accepted_amount: Money = strawberry.field(
        description="The sum of the payments that stand; one that the list names twice counts once."
    )


@strawberry.input(description="A payment to take back.")
class ReversePaymentInput:
    """A payment to take back."""

    payment_id: strawberry.ID = strawberry.field(description="Id of the payment.")
    reason: str = strawberry.field(description="Why, 1 to 200 characters.")


@strawberry.type(description="What became of a reversal.")
class ReversePaymentPayload:
    """What became of a reversal."""

    payment: Payment | None = strawberry.field(description="The payment, REVERSED; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


async def _submit(
    items: Sequence[RecordPaymentInput], context: Context
) -> list[tuple[Outcome, RecordPaymentInput]]:
    """Hand the readable items to the intake; the outcomes in input order."""
    principal = context.principal
    bank_id = bank_of(principal, await reference.load())
    outcomes: list[Outcome | None] = []
    commands: list[RecordPayment] = []
    for item in items:
        amount: Any = item.amount
        paid_at: Any = item.paid_at
        if isinstance(amount, Refused):
            outcomes.append(amount)
        elif isinstance(paid_at, Refused):
            outcomes.append(Refused(ErrorCode.INVALID_TIME, field="paidAt"))
        else:
            outcomes.append(None)
            due_id = key_of(item.due_id, "Due")
            commands.append(
                RecordPayment(
                    bank_id,
                    due_id,
                    amount,
                    item.channel,
                    item.bank_reference,
                    paid_at,
                    item.collection_point_code,
                    principal.name,
                )
            )
    recorded = iter(await context.house.intake.submit(commands))
    return [
        (outcome if outcome is not None else next(recorded), item)
        for outcome, item in zip(outcomes, items, strict=True)
    ]


def _payload(outcome: Outcome, context: Context, path: Sequence[str] = ()) -> RecordPaymentPayload:
    if isinstance(outcome, Refused):
        errors = [user_error(outcome, context, path)]
        return RecordPaymentPayload(payment=None, already_recorded=False, user_errors=errors)
    return RecordPaymentPayload(
        payment=payment(outcome.payment), already_recorded=outcome.already_recorded, user_errors=[]
    )


@strawberry.type
class PaymentMutation:
    """Mutations of payments."""

    @strawberry.mutation(
        description="Record money that a handling bank has taken. Safe to repeat with the same bankReference."
    )
    async def record_payment(
        self,
        info: Info,
        input: Annotated[RecordPaymentInput, strawberry.argument(description="The payment.")],
    ) -> RecordPaymentPayload:
        """Record one payment."""
        [(outcome, _)] = await _submit([input], info.context)
        return _payload(outcome, info.context)

    @strawberry.mutation(
        description="Up to 1,000 at once. Each item stands alone: it is accepted or refused, in input order."
    )
    async def record_payments(
        self,
        info: Info,
        input: Annotated[RecordPaymentsInput, strawberry.argument(description="The payments.")],
    ) -> RecordPaymentsPayload:
        """Record a list of payments."""
        info.context.principal.require(Role.BANK)
        if len(input.payments) > BULK_LIMIT:
            raise LimitExceeded(f"a list holds at most {BULK_LIMIT} payments")
        outcomes = [outcome for outcome, _ in await _submit(input.payments, info.context)]
        standing = [outcome for outcome in outcomes if not isinstance(outcome, Refused)]
        return RecordPaymentsPayload(
            results=[
                _payload(outcome, info.context, ("payments", str(position)))
                for position, outcome in enumerate(outcomes)
            ],
            accepted_count=len(standing),
            refused_count=len(outcomes) - len(standing),
            accepted_amount=Money(sum({o.payment.id: o.payment.amount for o in standing}.values())),
        )

    @strawberry.mutation(
        description="Take back a payment while its clearing batch is still open. Only the bank that recorded it."
    )
    async def reverse_payment(
        self,
        info: Info,
        input: Annotated[ReversePaymentInput, strawberry.argument(description="The payment to take back.")],
    ) -> ReversePaymentPayload:
        """Take back a payment."""
        command = payments.ReversePayment(key_of(input.payment_id, "Payment"), input.reason)
        outcome = await payments.reverse_payment(command, info.context.principal)
        if isinstance(outcome, Refused):
            return ReversePaymentPayload(payment=None, user_errors=[user_error(outcome, info.context)])
        return ReversePaymentPayload(payment=payment(outcome), user_errors=[])


@strawberry.type(description="A payment at the moment of an event.")
class PaymentUpdate:
    """A payment at the moment of an event."""

    cursor: str = strawberry.field(description="Resume behind this update with `after`.")
    occurred_at: Instant = strawberry.field(description="When it happened.")
    payment: Payment = strawberry.field(description="The payment as it was then.")
    status: PaymentStatus = strawberry.field(description="The state that it reached.")


@strawberry.type
class PaymentSubscription:
    """Subscriptions to payments."""

    @strawberry.subscription(
        description="Each payment as it is accepted, cleared, settled, reversed or refunded. "
        "A bank sees its own, a payer their own."
    )
    async def payment_updates(
        self,
        info: Info,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="Begin with what happened since this cursor; from now on when left out."
            ),
        ] = None,
    ) -> AsyncGenerator[PaymentUpdate, None]:
        """Follow payments."""
        sight = await info.context.sight()
        following = updates.payment_updates(info.context.house.feed, sight, after)
        async with aclosing(following):
            async for update in following:
                yield PaymentUpdate(
                    cursor=update.cursor,
                    occurred_at=Instant(update.occurred_at),
                    payment=payment(update.payment),
                    status=update.payment.status,
                )
