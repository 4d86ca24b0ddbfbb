"""Intake by group commit: concurrent recordings are gathered and written in one transaction.

One writer per process takes from what is waiting (up to GROUP_ITEMS, never waiting for more). An item that breaks
its group is found by splitting and does not fail its neighbours. The queue is bounded and says so when it is full.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from app.faults import Overloaded, Unavailable
from app.rules.refusals import ErrorCode, Refused
from app.services.payments import Outcome, RecordPayment
from models.failures import ConstraintViolated

GROUP_ITEMS = 500
RETRY_AFTER_SECONDS = 1.0

Record = Callable[[Sequence[RecordPayment]], Awaitable[list[Outcome]]]
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Waiting:
    commands: Sequence[RecordPayment]
    answer: asyncio.Future[list[Outcome]]


class Intake:
    """The one writer of payments in this process. `capacity` counts payments, not requests."""

    def __init__(self, record: Record, capacity: int) -> None:
        self._record = record
        self._capacity = capacity
        self._queue: deque[_Waiting] = deque()
        self._items = 0
        self._last_requests = 1
        self._news = asyncio.Event()
        self._stopping = False
        self._writer: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._writer = asyncio.create_task(self._write_groups(), name="intake")

    async def stop(self) -> None:
        """Accept nothing more, write what is waiting, end."""
        self._stopping = True
        self._news.set()
        if self._writer is not None:
            await self._writer

    async def submit(self, commands: Sequence[RecordPayment]) -> list[Outcome]:
        """Hand over commands that are answered together; each is judged by itself.

        A caller that goes away does not undo them.

        Raises:
            Overloaded: the queue is full; nothing was recorded.
            Unavailable: the server is stopping, or the database did not answer; repeat the request.
        """
        if not commands:
            return []
        if self._stopping:
            raise Unavailable("the server is stopping; repeat the request")
        if self._items + len(commands) > self._capacity:
            raise Overloaded("more payments are waiting than the queue holds", RETRY_AFTER_SECONDS)
        waiting = _Waiting(commands, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._items += len(commands)
        self._news.set()
        return await waiting.answer

    async def _write_groups(self) -> None:
        while True:
            if not self._queue:
                if self._stopping:
                    return
                self._news.clear()
                await self._news.wait()
                continue
            await self._write(self._next_group())

    def _next_group(self) -> list[_Waiting]:
        """Half of what is waiting, or as many requests as the last group had, whichever is more.

        Taking everything makes groups of 1 and 31 by turns where 32 clients wait for their answers: while the large
        one is written, nobody is left to be read. By halves the database and the reading of requests overlap.
        """
        requests = max((len(self._queue) + 1) // 2, self._last_requests)
        group: list[_Waiting] = []
        items = 0
        while self._queue and len(group) < requests:
            if group and items + len(self._queue[0].commands) > GROUP_ITEMS:
                break
            waiting = self._queue.popleft()
            group.append(waiting)
            items += len(waiting.commands)
        self._items -= items
        self._last_requests = len(group)
        return group

    async def _write(self, group: list[_Waiting]) -> None:
        commands = [command for waiting in group for command in waiting.commands]
        try:
            outcomes = await self._record(commands)
        except Unavailable as exc:
            self._fail([*group, *self._queue], exc)
            self._queue.clear()
            self._items = 0
        except Exception as exc:
            await self._split(group, exc)
        else:
            position = 0
            for waiting in group:
                end = position + len(waiting.commands)
                _answer(waiting, outcomes[position:end])
                position = end

    async def _split(self, group: list[_Waiting], exc: Exception) -> None:
        """Write the halves of a group that failed, down to the request that fails by itself."""
        log.warning("group_split", requests=len(group), error=type(exc).__name__)
        if len(group) > 1:
            middle = len(group) // 2
            await self._write(group[:middle])
            await self._write(group[middle:])
        elif len(group[0].commands) > 1:
            await self._write_halves(group[0])
        elif isinstance(exc, ConstraintViolated):
            self._fail(group, Unavailable("other writers won every time; repeat the request"))
        else:
            self._fail(group, exc)

    async def _write_halves(self, waiting: _Waiting) -> None:
        """A list that fails as a whole: its items stand alone, so only the faulty one is refused."""
        try:
            _answer(waiting, await self._record_apart(waiting.commands))
        except Unavailable as exc:
            self._fail([waiting], exc)

    async def _record_apart(self, commands: Sequence[RecordPayment]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        middle = max(1, len(commands) // 2)
        for half in (commands[:middle], commands[middle:]):
            try:
                outcomes += await self._record(half) if half else []
            except Unavailable:
                raise
            except Exception as exc:
                if len(half) > 1:
                    outcomes += await self._record_apart(half)
                else:
                    log.error("item_faulty", error=type(exc).__name__)
                    outcomes.append(Refused(ErrorCode.FAULTY_ITEM))
        return outcomes

    @staticmethod
    def _fail(group: Sequence[_Waiting], exc: Exception) -> None:
        for waiting in group:
            if not waiting.answer.done():
                waiting.answer.set_exception(exc)


def _answer(waiting: _Waiting, outcomes: list[Outcome]) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(outcomes)
