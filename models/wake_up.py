"""NOTIFY: how PostgreSQL tells every process that the outbox has grown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
from tortoise.connection import get_connection

from models.engines.postgres import CONNECT_SECONDS, PremiaPostgresClient

CHANNEL = "premia_outbox"
CHECK_SECONDS = 5.0
RECONNECT_SECONDS = 1.0


def listen(call: Callable[[], None]) -> Coroutine[Any, Any, None] | None:
    """A coroutine that calls `call` at each NOTIFY, for ever, reconnecting; None on SQLite, which has none."""
    client = get_connection("default")
    return _listen(client, call) if isinstance(client, PremiaPostgresClient) else None


async def _listen(client: PremiaPostgresClient, call: Callable[[], None]) -> None:
    def heard(*_: object) -> None:
        call()

    while True:
        try:
            connection = await asyncpg.connect(
                host=client.host,
                port=client.port,
                user=client.user,
                password=client.password,
                database=client.database,
                timeout=CONNECT_SECONDS,
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await asyncio.sleep(RECONNECT_SECONDS)
            continue
        try:
            await connection.add_listener(CHANNEL, heard)
            call()
            while not connection.is_closed():
                await asyncio.sleep(CHECK_SECONDS)
                await connection.fetchval("SELECT 1", timeout=CONNECT_SECONDS)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await asyncio.sleep(RECONNECT_SECONDS)
        finally:
            connection.terminate()
