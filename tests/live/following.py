"""Reading a stream of updates until something has come, never waiting for what does not come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeVar

from app.live.feed import Feed

PATIENCE = 20.0
Item = TypeVar("Item")


@contextlib.asynccontextmanager
async def started_feed() -> AsyncIterator[Feed]:
    """A feed that tails the open database."""
    feed = Feed()
    await feed.start()
    try:
        yield feed
    finally:
        await feed.stop()


async def read(stream: AsyncGenerator[Item, None], enough: Callable[[list[Item]], bool]) -> list[Item]:
    """Take items until there are enough, then close the stream."""
    taken: list[Item] = []
    async with aclosing(stream), asyncio.timeout(PATIENCE):
        async for item in stream:
            taken.append(item)
            if enough(taken):
                break
    return taken


async def read_some(stream: AsyncGenerator[Item, None], count: int) -> list[Item]:
    """Take so many items, then close the stream."""
    return await read(stream, lambda taken: len(taken) >= count)


async def comes_true(condition: Callable[[], bool]) -> None:
    """Let others work until something is so."""
    for _ in range(int(PATIENCE / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come true")
