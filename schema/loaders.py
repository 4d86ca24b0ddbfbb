"""Loaders: each relation of a page is read with one statement, within the caller's sight."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from app.services import clearing_reading, dues, payers, payment_reading
from models.clearing import BatchRow, TotalRow
from models.dues import DueRow
from models.payers import PayerRow
from models.payments import PaymentRow
from schema.context import Context

Value = TypeVar("Value")


def _one(read: Callable[[Sequence[UUID]], Awaitable[dict[UUID, Value]]]) -> DataLoader[UUID, Value | None]:
    async def load(ids: list[UUID]) -> list[Value | None]:
        found = await read(ids)
        return [found.get(key) for key in ids]

    return DataLoader(load_fn=load)


def _many(
    read: Callable[[Sequence[UUID]], Awaitable[dict[UUID, list[Value]]]],
) -> DataLoader[UUID, list[Value]]:
    async def load(ids: list[UUID]) -> list[list[Value]]:
        found = await read(ids)
        return [found.get(key, []) for key in ids]

    return DataLoader(load_fn=load)


class Loaders:
    """The loaders of one operation. What they find is related to something that the caller may see."""

    def __init__(self, context: Context) -> None:
        async def live_payments(due_ids: Sequence[UUID]) -> dict[UUID, PaymentRow]:
            return await payment_reading.live_by_dues(due_ids, await context.sight())

        async def batch_totals(batch_ids: Sequence[UUID]) -> dict[UUID, list[TotalRow]]:
            return await clearing_reading.totals_of(batch_ids)

        self.payer: DataLoader[UUID, PayerRow | None] = _one(payers.by_ids)
        self.due: DataLoader[UUID, DueRow | None] = _one(dues.by_ids)
        self.dues_of_payer: DataLoader[UUID, list[DueRow]] = _many(dues.by_payers)
        self.batch: DataLoader[UUID, BatchRow | None] = _one(clearing_reading.by_ids)
        self.batch_totals: DataLoader[UUID, list[TotalRow]] = _many(batch_totals)
        self.live_payment: DataLoader[UUID, PaymentRow | None] = _one(live_payments)
