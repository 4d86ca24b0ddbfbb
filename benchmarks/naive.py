"""The naive way: look whether it is there, then write it object by object, one ORM transaction for each payment.

It writes the very rows that Premia writes and judges by the same rules, in the way that tutorials teach it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
import strawberry
from tortoise.transactions import in_transaction
from uuid_utils.compat import uuid7

from app import clock
from app.live.outbox import BatchPicture, PaymentPicture
from app.rules import payments as rules
from app.rules.dues import within_period
from app.services import reference
from app.services.sight import bank_of
from app.vocabulary import DueStatus, EventKind, PaymentStatus, TransferKind
from models.clearing import BatchRow, ClearingBatch, HandlingBankTotal, TotalRow
from models.dues import Due
from models.ledger import Transfer, bank_account, payers_account
from models.outbox import NewEvent, OutboxEvent
from models.payments import Payment, PaymentRow
from models.state_changes import StateChange
from schema.context import Context, Info
from schema.node import key_of
from schema.payments import (
    RecordPaymentInput,
    RecordPaymentPayload,
    RecordPaymentsInput,
    RecordPaymentsPayload,
)
from schema.payments import payment as shown
from schema.root import Mutation
from schema.scalars import Money


class NaiveRefusal(Exception):
    """The naive way met what it has no answer for; a benchmark offers payable dues only."""


@strawberry.type(name="Mutation", description="Premia's mutations, and the naive ones.")
class NaiveMutation(Mutation):
    """Premia's mutations, and the naive ones."""

    @strawberry.mutation(description="Record one payment in an ORM transaction of its own.")
    async def naive_payment(self, info: Info, input: RecordPaymentInput) -> RecordPaymentPayload:  # noqa: A002
        """Record one payment."""
        return await _record(input, info.context)

    @strawberry.mutation(description="Record payments one by one, each in an ORM transaction of its own.")
    async def naive_payments(self, info: Info, input: RecordPaymentsInput) -> RecordPaymentsPayload:  # noqa: A002
        """Record a list of payments."""
        results = [await _record(item, info.context) for item in input.payments]
        return RecordPaymentsPayload(
            results=results,
            accepted_count=len(results),
            refused_count=0,
            accepted_amount=Money(sum(result.payment.amount for result in results if result.payment)),
        )


async def _record(item: RecordPaymentInput, context: Context) -> RecordPaymentPayload:
    facts = await reference.load()
    bank_id = bank_of(context.principal, facts)
    now = clock.now()
    async with in_transaction():
        known = await Payment.filter(handling_bank_id=bank_id, bank_reference=item.bank_reference).first()
        due = await (
            Due.filter(id=key_of(item.due_id, "Due"))
            .select_for_update()
            .prefetch_related("payer", "period")
            .first()
        )
        if (
            known is not None
            or due is None
            or await Payment.filter(due_id=due.id, status="ACCEPTED").exists()
        ):
            raise NaiveRefusal("recorded before, unknown or paid")
        _judge(item, due, now)
        route = facts.clearing_bank(bank_id, clock.office_day(now))
        batch = await (
            ClearingBatch.filter(clearing_bank_id=route.id, scheme=due.period.scheme, status="OPEN")
            .select_for_update()
            .get()
        )
        batch.payment_count += 1
        batch.total_amount += int(item.amount)
        batch.receipts_issued += 1
        await batch.save(update_fields=["payment_count", "total_amount", "receipts_issued"])
        payment = await Payment.create(
            id=uuid7(),
            due=due,
            amount=int(item.amount),
            channel=item.channel,
            status=PaymentStatus.ACCEPTED,
            handling_bank_id=bank_id,
            clearing_batch=batch,
            bank_reference=item.bank_reference,
            collection_point_code=item.collection_point_code,
            paid_at=item.paid_at,
            accepted_at=now,
            receipt_number=f"{batch.number}{batch.receipts_issued:07}",
        )
        due.status, due.held_by, due.held_until = DueStatus.PAID, None, None
        await due.save(update_fields=["status", "held_by", "held_until"])
        await _book(payment, due, context.principal.name, facts.banks[bank_id].code)
        row = _row(payment, batch)
        await _tell(row, due, batch, await _add_to_handling_bank(payment, batch))
    return RecordPaymentPayload(payment=shown(row), already_recorded=False, user_errors=[])


def _judge(item: RecordPaymentInput, due: Due, now: datetime) -> None:
    period = due.period
    paid_at: Any = item.paid_at
    refused = (
        rules.readable_reference(item.bank_reference)
        or rules.something_to_pay(due)
        or rules.due_is_free(due, now)
        or rules.paid_in_full(int(item.amount), due)
        or rules.not_in_the_future(paid_at, now)
        or within_period(period.opens_on, period.closes_on, clock.office_day(paid_at), clock.office_day(now))
    )
    if refused:
        raise NaiveRefusal(refused.code)


async def _book(payment: Payment, due: Due, actor: str, bank_code: str) -> None:
    await StateChange.create(
        id=uuid7(),
        object_type="due",
        object_id=due.id,
        from_state=DueStatus.OPEN,
        to_state=DueStatus.PAID,
        occurred_at=payment.accepted_at,
        actor=actor,
        reason=f"payment {payment.receipt_number}",
    )
    await Transfer.create(
        id=uuid7(),
        debit_account=bank_account(bank_code),
        credit_account=payers_account(due.period.scheme),
        amount=payment.amount,
        kind=TransferKind.PAYMENT,
        cause_id=payment.id,
        occurred_at=payment.accepted_at,
    )


async def _add_to_handling_bank(payment: Payment, batch: ClearingBatch) -> Sequence[HandlingBankTotal]:
    total, _ = await HandlingBankTotal.get_or_create(
        clearing_batch_id=batch.id,
        handling_bank_id=_column(payment, "handling_bank_id"),
        defaults={"id": uuid7(), "payment_count": 0, "total_amount": 0},
    )
    total.payment_count += 1
    total.total_amount += payment.amount
    await total.save(update_fields=["payment_count", "total_amount"])
    return await HandlingBankTotal.filter(clearing_batch_id=batch.id)


async def _tell(row: PaymentRow, due: Due, batch: ClearingBatch, totals: Sequence[HandlingBankTotal]) -> None:
    columns = {name: _column(batch, name) for name in BatchRow.__slots__}
    shares = tuple(
        TotalRow(batch.id, _column(total, "handling_bank_id"), total.payment_count, total.total_amount)
        for total in totals
    )
    events = (
        BatchPicture(BatchRow(**columns), shares).event(EventKind.BATCH_TOTALS),
        PaymentPicture(row, due.payer.household_id, _column(due.payer, "region_id")).event(
            EventKind.PAYMENT_ACCEPTED
        ),
    )
    for event in events:
        await OutboxEvent.create(**_event(event, row.accepted_at))


def _event(event: NewEvent, at: datetime) -> dict[str, Any]:
    text = orjson.dumps(event.payload, default=str).decode()
    return {"kind": event.kind, "subject_id": event.subject_id, "occurred_at": at, "payload": text}


def _row(payment: Payment, batch: ClearingBatch) -> PaymentRow:
    read_through = {
        "clearing_bank_id": _column(batch, "clearing_bank_id"),
        "business_date": batch.business_date,
        "scheme": batch.scheme,
    }
    own = {name: _column(payment, name) for name in PaymentRow.__slots__ if name not in read_through}
    return PaymentRow(**own, **read_through)


def _column(instance: object, name: str) -> Any:
    """A column that the ORM adds to its models by itself, such as `payer_id`."""
    return getattr(instance, name)
