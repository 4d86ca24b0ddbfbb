"""Subscriptions: what one caller is told of batches and payments, with cursors to resume from."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.faults import BadInput
from app.live.feed import Feed, News
from app.live.outbox import BatchPicture, PaymentPicture
from app.services.sight import Sight
from app.services.transactions import reading
from app.vocabulary import ClearingBatchStatus, EventKind, PaymentStatus
from models import payments
from models.payments import PaymentRow

# Running totals of one batch are sent at most four times a second.
COALESCE_SECONDS = 0.25
PAGE = 500

BATCH_KINDS = (EventKind.BATCH_STATUS, EventKind.BATCH_TOTALS)
PAYMENT_KINDS = (EventKind.PAYMENT_ACCEPTED, EventKind.PAYMENT_REVERSED, EventKind.BATCH_STATUS)
# What a batch's new state means for its payments.
PAYMENT_STATUS = {
    ClearingBatchStatus.BALANCED: PaymentStatus.CLEARED,
    ClearingBatchStatus.SETTLED: PaymentStatus.SETTLED,
}

Wanted = Callable[[BatchPicture], bool]


@dataclass(frozen=True, slots=True)
class BatchUpdate:
    """A batch at the moment of an event."""

    cursor: str
    occurred_at: datetime
    picture: BatchPicture


@dataclass(frozen=True, slots=True)
class PaymentUpdate:
    """A payment at the moment of an event."""

    cursor: str
    occurred_at: datetime
    payment: PaymentRow


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadInput("`after` is not a cursor of this subscription")
    return int(text)


class _Totals:
    """Running totals that wait to be sent, the newest of each batch."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, News] = {}
        self._sent_at: dict[UUID, float] = {}

    def hold(self, news: News, batch_id: UUID) -> None:
        self._waiting[batch_id] = news

    def drop(self, batch_id: UUID) -> None:
        """A picture of the batch that is newer is on its way."""
        self._waiting.pop(batch_id, None)
        self._sent_at[batch_id] = time.monotonic()

    def take_due(self) -> News | None:
        """The oldest whose turn has come, which counts as sent; one at a time, so that a cursor knows the rest."""
        now = time.monotonic()
        ready = [
            (news.sequence, batch_id)
            for batch_id, news in self._waiting.items()
            if now - self._sent_at.get(batch_id, 0.0) >= COALESCE_SECONDS
        ]
        if not ready:
            return None
        _, batch_id = min(ready)
        self._sent_at[batch_id] = now
        return self._waiting.pop(batch_id)

    def oldest(self) -> int | None:
        """Where a reader must resume so that none that waits is missed."""
        return min((news.sequence - 1 for news in self._waiting.values()), default=None)

    def seconds(self) -> float | None:
        """How long until the next is due; None when nothing waits."""
        if not self._waiting:
            return None
        now = time.monotonic()
        return max(0.0, min(self._sent_at.get(b, 0.0) + COALESCE_SECONDS - now for b in self._waiting))


def _batch_cursor(after: str | None) -> tuple[int | None, int | None]:
    """Where to go on, and from where totals were still waiting: "120", or "120.100"."""
    if after is None:
        return None, None
    seen, _, totals = after.partition(".")
    return _number(seen), (_number(totals) if totals else None)


async def _held(feed: Feed, after: int, until: int, wanted: Wanted) -> _Totals:
    """The totals that still waited when the cursor was given: a change of status since then has overtaken them."""
    totals = _Totals()
    async with aclosing(feed.past(after, until, BATCH_KINDS)) as pages:
        async for page in pages:
            for news in page:
                if isinstance(news.picture, BatchPicture) and wanted(news.picture):
                    if news.kind is EventKind.BATCH_TOTALS:
                        totals.hold(news, news.picture.batch.id)
                    else:
                        totals.drop(news.picture.batch.id)
    return totals


async def batch_updates(feed: Feed, wanted: Wanted, after: str | None) -> AsyncGenerator[BatchUpdate, None]:
    """Every change of status of the wanted batches, and their running totals, coalesced.

    Raises:
        BadInput: `after` is no cursor.
        SlowReader, Unavailable: resume with the last cursor.
    """
    position, waiting_from = _batch_cursor(after)
    seen = position or 0
    totals = _Totals() if waiting_from is None else await _held(feed, waiting_from, seen, wanted)

    def update(news: News) -> BatchUpdate:
        oldest = totals.oldest()
        cursor = str(seen) if oldest is None or oldest >= seen else f"{seen}.{oldest}"
        assert isinstance(news.picture, BatchPicture)  # noqa: S101 - only batch kinds are followed
        return BatchUpdate(cursor, news.occurred_at, news.picture)

    async with aclosing(feed.follow(position, BATCH_KINDS)) as following:
        pending = asyncio.ensure_future(anext(following))
        try:
            while True:
                await asyncio.wait({pending}, timeout=totals.seconds())
                arrived = pending.result() if pending.done() else []
                if pending.done():
                    pending = asyncio.ensure_future(anext(following))
                for news in arrived:
                    seen = max(seen, news.sequence)
                    if not isinstance(news.picture, BatchPicture) or not wanted(news.picture):
                        continue
                    if news.kind is EventKind.BATCH_TOTALS:
                        totals.hold(news, news.picture.batch.id)
                    else:
                        totals.drop(news.picture.batch.id)
                        yield update(news)
                while (news_due := totals.take_due()) is not None:
                    yield update(news_due)
        finally:
            pending.cancel()
            await asyncio.gather(pending, return_exceptions=True)


def _payment_cursor(after: str | None) -> tuple[int | None, tuple[int, UUID] | None]:
    """Where to read from, and how far a batch's payments had been told: "120", or "120.payment id"."""
    if after is None:
        return None, None
    sequence, _, payment_id = after.partition(".")
    if not payment_id:
        return _number(sequence), None
    try:
        within = UUID(payment_id)
    except ValueError:
        raise BadInput("`after` is not a cursor of this subscription") from None
    return _number(sequence) - 1, (_number(sequence), within)


async def payment_updates(feed: Feed, sight: Sight, after: str | None) -> AsyncGenerator[PaymentUpdate, None]:
    """Each payment in sight as it is accepted, reversed, cleared or settled.

    CLEARED and SETTLED are one event of the batch: it is related here to the payments in sight.

    Raises:
        BadInput: `after` is no cursor.
        SlowReader, Unavailable: resume with the last cursor.
    """
    position, within = _payment_cursor(after)
    async with aclosing(feed.follow(position, PAYMENT_KINDS)) as following:
        async for arrived in following:
            for news in arrived:
                if isinstance(news.picture, PaymentPicture):
                    if _seen(sight, news.picture):
                        yield PaymentUpdate(str(news.sequence), news.occurred_at, news.picture.payment)
                    continue
                start = within[1] if within and within[0] == news.sequence else None
                async with aclosing(_members(sight, news, start)) as members:
                    async for update in members:
                        yield update


def _seen(sight: Sight, picture: PaymentPicture) -> bool:
    payment = picture.payment
    person = (picture.household_id, picture.region_id)
    return sight.sees_payment(payment.handling_bank_id, payment.clearing_bank_id, person)


async def _members(sight: Sight, news: News, start: UUID | None) -> AsyncGenerator[PaymentUpdate, None]:
    """The live payments in sight of a batch whose new state is theirs, page by page."""
    assert isinstance(news.picture, BatchPicture)  # noqa: S101 - the caller has sorted the kinds
    batch = news.picture.batch
    status = PAYMENT_STATUS.get(batch.status)
    if status is None:
        return
    criteria = replace(sight.payments(), clearing_batch_id=batch.id, live=True)
    while True:
        async with reading() as session:
            rows = await payments.page(session, criteria, PAGE, after=start)
        for row in rows:
            yield PaymentUpdate(f"{news.sequence}.{row.id}", news.occurred_at, replace(row, status=status))
        if len(rows) < PAGE:
            return
        start = rows[-1].id
