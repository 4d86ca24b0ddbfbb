"""SQLite as Premia uses it: writers begin IMMEDIATE, readers have a connection of their own.

The library's client begins DEFERRED, so that a second process meets SQLITE_BUSY whatever `busy_timeout` says,
and keeps its lock when a transaction fails to begin. It also makes every reader wait for the writer.
"""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import aiosqlite
from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError

BUSY_MILLISECONDS = 5_000


class ImmediateTransactionWrapper(SqliteTransactionWrapper):
    """Takes the write lock at the start, waiting up to BUSY_MILLISECONDS for another process."""

    async def begin(self) -> None:
        """Begin IMMEDIATE; raises OperationalError when the database stays locked."""
        try:
            await self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as exc:
            raise OperationalError(exc) from exc


class SafeTransactionContext(SqliteTransactionContext):
    """Gives the connection lock back, and leaves nothing begun, when the transaction cannot begin."""

    async def __aenter__(self) -> TransactionalDBClient:
        await self._trxlock.acquire()
        try:
            await self.ensure_connection()
            try:
                await self.connection.begin()
            except asyncio.CancelledError:
                # The connection's thread may still begin: what it began is undone behind it.
                await self.connection._connection.rollback()
                raise
        except BaseException:
            self._trxlock.release()
            raise
        self.token = get_connections().set(self.connection_name, self.connection)
        client: TransactionalDBClient = self.connection
        return client


class PremiaSqliteClient(SqliteClient):
    """Tortoise's SQLite client with immediate transactions and a second connection for reading."""

    def __init__(self, file_path: str, **kwargs: Any) -> None:
        kwargs.setdefault("busy_timeout", BUSY_MILLISECONDS)
        kwargs.setdefault("synchronous", "FULL")
        kwargs.setdefault("journal_size_limit", 64 * 1024 * 1024)
        super().__init__(file_path, **kwargs)
        self._reader: aiosqlite.Connection | None = None
        self._reader_lock = asyncio.Lock()

    def _in_transaction(self) -> TransactionContext:
        return SafeTransactionContext(ImmediateTransactionWrapper(self), self._lock)

    async def reader(self) -> aiosqlite.Connection:
        """The read-only connection: it sees the last commit and never waits for the writer."""
        if self._reader is None:
            async with self._reader_lock:
                if self._reader is None:
                    reader = await aiosqlite.connect(self.filename, isolation_level=None)
                    reader._conn.row_factory = sqlite3.Row
                    await reader.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
                    await reader.execute("PRAGMA query_only=ON")
                    self._reader = reader
        return self._reader

    async def close(self) -> None:
        """Close both connections."""
        if self._reader is not None:
            await self._reader.close()
            self._reader = None
        await super().close()


client_class = PremiaSqliteClient
