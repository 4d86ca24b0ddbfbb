"""The one door to the database: connecting, reading, and the transaction that a service owns.

SQL is written once, in PostgreSQL's `$1` style. `Session` runs it on both engines; where the engines differ
(`members`, `write`, `for_update`) the difference is here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

import aiosqlite
import asyncpg
import orjson
from tortoise import Model, Tortoise
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from models.configuration import tortoise_config
from models.engines.postgres import ACQUIRE_SECONDS, PremiaPostgresClient
from models.failures import UNREACHABLE, translated

Row = Mapping[str, Any]

SNAPSHOT_SECONDS = 600.0


async def connect(url: str) -> None:
    """Open the database of `url` for this process. One dialect per process (the library's limit)."""
    await Tortoise.init(config=tortoise_config(url), _enable_global_fallback=True)


async def disconnect() -> None:
    """Close every connection."""
    await Tortoise.close_connections()


def _client() -> Any:
    return get_connection("default")


@lru_cache(maxsize=1024)
def _numbered(sql: str) -> str:
    return re.sub(r"\$(\d+)", r"?\1", sql)


def _stored(value: Any) -> Any:
    """A value as SQLite stores it; the forms are those of Tortoise's own fields."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return orjson.dumps(value, default=str).decode()
    return value


def as_id(value: UUID | str) -> UUID:
    """An id from either engine."""
    return UUID(value) if isinstance(value, str) else value


def as_day(value: date | str) -> date:
    """A calendar day from either engine."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def as_instant(value: datetime | str) -> datetime:
    """An instant from either engine, in UTC."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


POSTGRES_TYPES = {
    "UUIDField": "uuid",
    "ForeignKeyFieldInstance": "uuid",
    "CharField": "text",
    "CharEnumFieldInstance": "text",
    "TextField": "text",
    "BigIntField": "bigint",
    "IntField": "integer",
    "SmallIntField": "smallint",
    "BooleanField": "boolean",
    "DatetimeField": "timestamptz",
    "DateField": "date",
    "BinaryField": "bytea",
}


def _array_type(model: type[Model], column: str) -> str:
    for field in model._meta.fields_map.values():
        if (field.source_field or field.model_field_name) == column:
            return POSTGRES_TYPES[type(field).__name__]
    return "uuid"  # a foreign key's column


@lru_cache(maxsize=256)
def _insert_statement(model: type[Model], columns: tuple[str, ...], postgres: bool) -> str:
    names = ", ".join(columns)
    if postgres:
        arrays = ", ".join(f"${n}::{_array_type(model, c)}[]" for n, c in enumerate(columns, 1))
        return f"INSERT INTO {model._meta.db_table} ({names}) SELECT * FROM unnest({arrays})"
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({marks})"


@dataclass(frozen=True, slots=True)
class Insertion:
    """Rows for the table of `model`; `conflict`: what to do with rows that are there, as SQL."""

    model: type[Model]
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    conflict: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """An UPDATE with its parameters."""

    sql: str
    values: tuple[Any, ...]


@lru_cache(maxsize=1024)
def _shifted(sql: str, offset: int) -> str:
    """The statement with its parameters numbered from behind `offset`."""
    return re.sub(r"\$(\d+)", lambda mark: f"${int(mark[1]) + offset}", sql)


def _statement_of(piece: Insertion | Change) -> str:
    if isinstance(piece, Change):
        return piece.sql
    return f"{_insert_statement(piece.model, piece.columns, True)} {piece.conflict}"


class Session:
    """Statements on one connection. Values are parameters, never part of the SQL."""

    def __init__(self, connection: Any, postgres: bool, timeout: float | None = None) -> None:
        self._connection = connection
        # Seconds that a query may take on PostgreSQL; None: as the engine bounds interactive work.
        self._timeout = timeout
        self.postgres = postgres
        self.for_update = " FOR UPDATE" if postgres else ""
        self._after_commit: list[Callable[[], None]] = []

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run `call` once the transaction is committed; never when it is not."""
        self._after_commit.append(call)

    def members(self, expression: str, position: int, kind: str = "uuid") -> str:
        """SQL for "`expression` is one of the list in parameter `position`"."""
        if self.postgres:
            return f"{expression} = ANY(${position}::{kind}[])"
        return f"{expression} IN (SELECT value FROM json_each(${position}))"

    def pairs(self, expressions: str, kinds: tuple[str, str]) -> str:
        """SQL for "these two expressions are one of the pairs in parameters 1 and 2", two lists of one length.

        A list of pairs, not two lists of members: so the planner can only go by an index on both.
        """
        if self.postgres:
            return f"({expressions}) IN (SELECT * FROM unnest($1::{kinds[0]}[], $2::{kinds[1]}[]))"
        return (
            f"({expressions}) IN (SELECT a.value, b.value FROM json_each($1) a"
            " JOIN json_each($2) b ON b.key = a.key)"
        )

    async def fetch(self, sql: str, *values: Any) -> list[Row]:
        """All rows of a query (or of an INSERT or UPDATE with RETURNING)."""
        if self.postgres:
            rows: list[Row] = await self._connection.fetch(sql, *values, timeout=self._timeout)
            return rows
        found = await self._connection.execute_fetchall(_numbered(sql), [_stored(v) for v in values])
        return list(found)

    async def fetch_one(self, sql: str, *values: Any) -> Row | None:
        """The first row, or None."""
        rows = await self.fetch(sql, *values)
        return rows[0] if rows else None

    async def execute(self, sql: str, *values: Any) -> int:
        """Run a statement; the number of rows that it changed."""
        if self.postgres:
            tag: str = await self._connection.execute(sql, *values)
            return int(tag.rsplit(" ", 1)[-1]) if tag[-1].isdigit() else 0
        cursor = await self._connection.execute(_numbered(sql), [_stored(v) for v in values])
        changed: int = cursor.rowcount
        await cursor.close()
        return changed

    async def write(self, *pieces: Insertion | Change) -> None:
        """Write pieces that do not read one another: on PostgreSQL in one statement, one round trip.

        The pieces take effect together, in no order among themselves.
        """
        pieces = tuple(p for p in pieces if isinstance(p, Change) or p.rows)
        if not pieces:
            return
        if not self.postgres:
            for piece in pieces:
                await self._write_alone(piece)
            return
        statements: list[str] = []
        values: list[Any] = []
        for piece in pieces:
            statements.append(_shifted(_statement_of(piece), len(values)))
            values += piece.values if isinstance(piece, Change) else map(list, zip(*piece.rows, strict=True))
        beside = ", ".join(f"w{n} AS ({sql})" for n, sql in enumerate(statements[:-1]))
        await self._connection.execute(
            f"WITH {beside} {statements[-1]}" if beside else statements[-1], *values
        )

    async def _write_alone(self, piece: Insertion | Change) -> None:
        if isinstance(piece, Change):
            await self.execute(piece.sql, *piece.values)
            return
        statement = f"{_insert_statement(piece.model, piece.columns, False)} {piece.conflict}"
        await self._connection.executemany(statement, [[_stored(v) for v in row] for row in piece.rows])

    async def insert_rows(
        self, model: type[Model], columns: tuple[str, ...], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Insert `rows` into the table of `model` with one statement, whatever their number."""
        await self.write(Insertion(model, columns, rows))

    async def insert_missing(
        self, model: type[Model], columns: tuple[str, ...], rows: Sequence[Sequence[Any]]
    ) -> int:
        """As `insert_rows`, leaving out the rows that meet a unique constraint; how many were inserted.

        A row that another transaction is inserting is waited for. Give the rows in the order of that constraint,
        so that two transactions cannot wait for each other.
        """
        if not rows:
            return 0
        statement = _insert_statement(model, columns, self.postgres) + " ON CONFLICT DO NOTHING"
        if self.postgres:
            tag: str = await self._connection.execute(statement, *map(list, zip(*rows, strict=True)))
            return int(tag.rsplit(" ", 1)[-1])
        cursor = await self._connection.executemany(statement, [[_stored(v) for v in row] for row in rows])
        inserted: int = cursor.rowcount
        await cursor.close()
        return inserted

    async def copy_rows(
        self, model: type[Model], columns: tuple[str, ...], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Insert many rows by PostgreSQL's COPY, or as `insert_rows` on SQLite."""
        if self.postgres:
            await self._connection.copy_records_to_table(
                model._meta.db_table, records=rows, columns=columns, timeout=120
            )
        else:
            await self.insert_rows(model, columns, rows)


@asynccontextmanager
async def _borrowed(pool: asyncpg.Pool) -> AsyncIterator[Any]:
    """A pooled connection. One that does not answer is ended at once, and its sisters are not used again.

    A dead line is told from a slow one by nothing but time: handed back, it would cost the next caller that time.
    """
    connection = await pool.acquire(timeout=ACQUIRE_SECONDS)
    try:
        yield connection
    except UNREACHABLE:
        connection.terminate()
        await pool.expire_connections()
        raise
    finally:
        await pool.release(connection)


@asynccontextmanager
async def transaction() -> AsyncIterator[Session]:
    """One transaction: committed at the end, undone by any exception.

    Raises:
        ConstraintViolated: a constraint, or another transaction, stands against it.
        DatabaseUnavailable: no answer. When it comes from the commit itself, the outcome is not known.
    """
    async with translated():
        client = _client()
        if isinstance(client, PremiaPostgresClient):
            # Straight from the pool: the library's context costs as much as two statements.
            async with _borrowed(await client.pool()) as connection:
                began = connection.transaction()
                await began.start()
                session = Session(connection, postgres=True)
                try:
                    yield session
                except UNREACHABLE:
                    raise  # nobody is there to be told: `_borrowed` ends the connection, the server undoes
                except BaseException:
                    await began.rollback()
                    raise
                await began.commit()
        else:
            async with in_transaction("default") as wrapped:
                session = Session(wrapped._connection, postgres=False)
                yield session
    for call in session._after_commit:
        call()


@asynccontextmanager
async def reading() -> AsyncIterator[Session]:
    """Statements that only read: each sees what is committed when it begins.

    Raises:
        DatabaseUnavailable: no answer in time.
    """
    async with translated():
        client = _client()
        if isinstance(client, PremiaPostgresClient):
            async with _borrowed(await client.pool()) as connection:
                yield Session(connection, postgres=True)
        else:
            reader: aiosqlite.Connection = await client.reader()
            yield Session(reader, postgres=False)


@asynccontextmanager
async def snapshot() -> AsyncIterator[Session]:
    """Long reading as of one moment, that makes no writer wait.

    Raises:
        DatabaseUnavailable: no answer in time.
    """
    async with translated():
        client = _client()
        if isinstance(client, PremiaPostgresClient):
            async with (
                _borrowed(await client.pool()) as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield Session(connection, postgres=True, timeout=SNAPSHOT_SECONDS)
        else:
            reader = await client.reader()
            await reader.execute("BEGIN")
            try:
                yield Session(reader, postgres=False)
            finally:
                await reader.rollback()
