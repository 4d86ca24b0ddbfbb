"""Working ahead: while one item is being stored, a thread makes the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from typing import TypeVar

Item = TypeVar("Item")


async def one_ahead(source: Generator[Item, None, None]) -> AsyncGenerator[Item, None]:
    """The items of `source`, which runs in threads, never more than one ahead; its exceptions come through.

    Close it (`contextlib.aclosing`): that waits for the item under way and closes `source`.
    """
    end = object()
    ahead = asyncio.ensure_future(asyncio.to_thread(next, source, end))
    try:
        # Shielded: a thread cannot be cancelled, and nothing may be closed under it.
        while (item := await asyncio.shield(ahead)) is not end:
            ahead = asyncio.ensure_future(asyncio.to_thread(next, source, end))
            yield item  # type: ignore[misc] # the end was left out
    finally:
        with suppress(Exception):
            await ahead
        source.close()
