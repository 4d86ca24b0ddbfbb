"""The feed: each process tails the outbox and fans out in memory.

It is woken by the local commit, by NOTIFY on PostgreSQL, else by a short poll. A subscription starts from any
position: it reads the past from the database, then follows. Its queue is bounded: a slow reader is disconnected
and resumes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

import orjson
import structlog

from app.faults import SlowReader, Unavailable
from app.live import bell, outbox
from app.live.outbox import BatchPicture, PaymentPicture
from app.services.transactions import reading
from app.vocabulary import EventKind
from models import outbox as stored
from models import wake_up
from models.outbox import StoredEvent

PAGE = 500
# How many pieces of news may wait for one subscriber before it is told to resume.
QUEUE = 10_000
POLL_SECONDS = 0.25
RETRY_SECONDS = 0.5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class News:
    """One event, read once for all subscribers."""

    sequence: int
    kind: EventKind
    occurred_at: datetime
    picture: PaymentPicture | BatchPicture


def read_news(event: StoredEvent) -> News:
    """The news in an outbox row."""
    batch = event.kind in {EventKind.BATCH_STATUS, EventKind.BATCH_TOTALS}
    payload = orjson.loads(event.payload)
    picture = outbox.read_batch(payload) if batch else outbox.read_payment(payload)
    return News(event.sequence, event.kind, event.occurred_at, picture)


class _Queue:
    """What waits for one subscriber."""

    def __init__(self, kinds: Sequence[EventKind]) -> None:
        self.kinds = frozenset(kinds)
        self._waiting: deque[News] = deque()
        self._ready = asyncio.Event()
        self._ended: Exception | None = None

    def offer(self, news: News) -> None:
        if news.kind not in self.kinds or self._ended is not None:
            return
        if len(self._waiting) >= QUEUE:
            self.end(SlowReader("read faster, or resume with the last cursor in `after`"))
            return
        self._waiting.append(news)
        self._ready.set()

    def end(self, reason: Exception) -> None:
        self._waiting.clear()
        self._ended = reason
        self._ready.set()

    async def take(self) -> list[News]:
        await self._ready.wait()
        if self._ended is not None:
            raise self._ended
        self._ready.clear()
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


class Feed:
    """The tail of the outbox in this process."""

    def __init__(self) -> None:
        self._sequence = stored.START
        self._queues: set[_Queue] = set()
        self._wake = asyncio.Event()
        self._listening = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def subscribers(self) -> int:
        """How many subscriptions follow live."""
        return len(self._queues)

    @property
    def sequence(self) -> int:
        """The newest event that this process has seen."""
        return self._sequence

    async def start(self) -> None:
        """Begin behind the newest event."""
        async with reading() as session:
            self._sequence = await stored.newest(session)
        bell.listen(self._wake.set)
        self._tasks = [asyncio.create_task(self._tail(), name="feed")]
        listening = wake_up.listen(self._wake.set)
        if listening is not None:
            self._tasks.append(asyncio.create_task(listening, name="feed-notify"))

    async def stop(self) -> None:
        """End every subscription with the advice to resume."""
        bell.stop_listening(self._wake.set)
        for queue in self._queues:
            queue.end(Unavailable("the server is stopping; resume with the last cursor in `after`"))
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def follow(self, after: int | None, kinds: Sequence[EventKind]) -> AsyncGenerator[list[News], None]:
        """News of these kinds behind `after` (None: from now on), in order, without end.

        Raises:
            SlowReader: the caller did not take it as fast as it came.
            Unavailable: the server is stopping, or the database did not answer.
        """
        position = self._sequence if after is None else after
        queue = _Queue(kinds)
        while position < (seen := self._sequence):
            async with aclosing(self.past(position, seen, kinds)) as pages:
                async for news in pages:
                    yield news
            position = seen
        # Nothing is awaited between the last look at the position and this line, so no news falls between.
        self._queues.add(queue)
        self._listening.set()
        self._wake.set()
        try:
            while True:
                news = [piece for piece in await queue.take() if piece.sequence > position]
                if news:
                    yield news
        finally:
            self._queues.discard(queue)

    async def past(
        self, after: int, until: int, kinds: Sequence[EventKind]
    ) -> AsyncGenerator[list[News], None]:
        """News of these kinds behind `after` up to `until`, page by page, from the database.

        Raises:
            Unavailable: the database did not answer.
        """
        while after < until:
            async with reading() as session:
                events = await stored.read_after(session, after, PAGE, until)
            if news := [read_news(event) for event in events if event.kind in kinds]:
                yield news
            after = events[-1].sequence if len(events) == PAGE else until

    async def _tail(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._read_on()
            except Unavailable:
                await asyncio.sleep(RETRY_SECONDS)
            except Exception as exc:
                log.error("feed_failed", error=type(exc).__name__, sequence=self._sequence)
                await asyncio.sleep(RETRY_SECONDS)

    async def _read_on(self) -> None:
        if not self._queues:
            # Nobody listens: knowing the newest is enough, and once in a while.
            async with reading() as session:
                newest = await stored.newest(session)
            if not self._queues:
                self._sequence = newest
            await self._someone_listens()
            return
        while True:
            async with reading() as session:
                events = await stored.read_after(session, self._sequence, PAGE)
            for event in events:
                self._fan_out(event)
                self._sequence = event.sequence
            if len(events) < PAGE:
                return

    async def _someone_listens(self) -> None:
        """Sleep until the next look; a new subscription ends it."""
        self._listening.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._listening.wait()

    def _fan_out(self, event: StoredEvent) -> None:
        try:
            news = read_news(event)
        except (KeyError, ValueError, TypeError) as exc:
            # One row that this version cannot read must not silence all that follow.
            log.error("event_unreadable", sequence=event.sequence, error=type(exc).__name__)
            return
        for queue in self._queues:
            queue.offer(news)
