"""PostgreSQL as Premia uses it: a pool slot is never lost to a dead connection, every wait is bounded.

The library's pooled transaction keeps its slot for ever when BEGIN fails, and resets a connection at every
release, one round trip that transactions as we use them do not need.
"""

from __future__ import annotations

from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import TransactionalDBClient, TransactionContext, TransactionContextPooled
from tortoise.connection import get_connections

CONNECT_SECONDS = 3.0
ACQUIRE_SECONDS = 5.0
# Interactive work only: long runs commit in chunks, so that no statement needs more.
COMMAND_SECONDS = 10.0
# A plan that was made while a table was empty reads all of it for ever, where nothing analyses the table.
PLAN_SECONDS = 10


class SafeTransactionContext(TransactionContextPooled):
    """Gives the pool slot back when the transaction cannot begin, and waits for a slot a bounded time."""

    async def __aenter__(self) -> TransactionalDBClient:
        await self.ensure_connection()
        pool: asyncpg.Pool = self.client._parent._pool
        connection = await pool.acquire(timeout=ACQUIRE_SECONDS)
        self.client._connection = connection
        try:
            await self.client.begin()
        except BaseException:
            await pool.release(connection)
            raise
        self.token = get_connections().set(self.connection_name, self.client)
        return self.client


class PremiaPostgresClient(AsyncpgDBClient):
    """Tortoise's asyncpg client with bounded waits."""

    def _in_transaction(self) -> TransactionContext:
        return SafeTransactionContext(TransactionWrapper(self), self._pool_init_lock)

    async def create_pool(self, **kwargs: Any) -> asyncpg.Pool:
        """A pool whose waits are bounded and whose connections are handed on as they are."""
        kwargs.setdefault("timeout", CONNECT_SECONDS)
        kwargs.setdefault("command_timeout", COMMAND_SECONDS)
        kwargs.setdefault("max_cached_statement_lifetime", PLAN_SECONDS)
        return await asyncpg.create_pool(None, reset=_keep, **kwargs)

    async def pool(self) -> asyncpg.Pool:
        """The pool, connected."""
        if self._pool is None:
            async with self._pool_init_lock:
                if self._pool is None:
                    await self.create_connection(with_db=True)
        return self._pool


async def _keep(_connection: object) -> None:
    """Nothing that a transaction sets outlives it: no session state to reset."""


client_class = PremiaPostgresClient
