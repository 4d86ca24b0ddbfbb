"""Fresh databases for tests: copies of one migrated template, on the engine of this test process.

PREMIA_TEST_ENGINE chooses the engine (sqlite or postgres), PREMIA_TEST_POSTGRES says where PostgreSQL is. A
process sees one engine only: the library cannot open a second dialect.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from models import migrating

ENGINE = os.environ.get("PREMIA_TEST_ENGINE", "sqlite")
POSTGRES = os.environ.get("PREMIA_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432")


async def postgres_answers() -> str | None:
    """None when PostgreSQL answers, else why not."""
    try:
        connection = await asyncpg.connect(f"{POSTGRES}/postgres", timeout=3)
    except (OSError, TimeoutError, asyncpg.PostgresError) as exc:
        return f"{type(exc).__name__}: {exc}"
    await connection.close()
    return None


async def administer(statement: str) -> None:
    """Run one statement on the PostgreSQL server itself."""
    connection = await asyncpg.connect(f"{POSTGRES}/postgres", timeout=10)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


class Template:
    """A migrated database that tests copy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = f"premia_test_{secrets.token_hex(6)}"
        self._copies = 0

    async def make(self) -> None:
        """Migrate it."""
        if ENGINE == "postgres":
            await administer(f'CREATE DATABASE "{self._name}"')
        await migrating.migrate(self._url(self._name))

    async def remove(self) -> None:
        """Remove it."""
        if ENGINE == "postgres":
            await administer(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')

    def _url(self, name: str) -> str:
        return f"{POSTGRES}/{name}" if ENGINE == "postgres" else f"sqlite://{self._folder / name}.db"

    @asynccontextmanager
    async def copy(self) -> AsyncIterator[str]:
        """The URL of a fresh copy, which is removed at the end."""
        self._copies += 1
        name = f"{self._name}_{self._copies}"
        if ENGINE == "postgres":
            await administer(f'CREATE DATABASE "{name}" TEMPLATE "{self._name}"')
        else:
            shutil.copy(self._folder / f"{self._name}.db", self._folder / f"{name}.db")
        try:
            yield self._url(name)
        finally:
            if ENGINE == "postgres":
                await administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            else:
                for file in self._folder.glob(f"{name}.db*"):
                    file.unlink()
