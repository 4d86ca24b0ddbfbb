"""What benchmarks stand on: folders, databases of their own, demonstration cities, servers, tokens."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import asyncpg

from app.principal import Principal, Role
from app.tokens import issue
from benchmarks.processes import Ran, Server, child_environment, premia, run, serving

POSTGRES = os.environ.get("PREMIA_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432")
BANKS = ("105", "103", "314", "104")
"""Who pays in the benchmarks: two banks that clear, two that only handle; so payments go into four batches."""


@dataclass(frozen=True, slots=True)
class OpenDue:
    """A due that can be paid; `amount` in fen."""

    id: str
    amount: int

    @property
    def money(self) -> str:
        """The amount as clients write it."""
        return f"{self.amount // 100}.{self.amount % 100:02}"


@dataclass(slots=True)
class Stage:
    """The surroundings of one run of benchmarks.

    Attributes:
        quick: small sizes, to see that everything runs; the figures mean little.
        say: tells what is being done.
    """

    quick: bool
    say: Callable[[str], None]
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="premia-benchmarks-")))
    signing_key: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    _prefix: str = field(default_factory=lambda: f"premia_benchmark_{secrets.token_hex(4)}")
    _databases: list[str] = field(default_factory=list)
    _cities: dict[int, tuple[str, Ran]] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in self._databases:
            await administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        shutil.rmtree(self.folder, ignore_errors=True)

    def size(self, full: int, quick: int) -> int:
        """The size to use."""
        return quick if self.quick else full

    def environment(self, url: str) -> dict[str, str]:
        """The environment of premia's processes on the database of `url`."""
        settings = {
            "DATABASE_URL": url,
            "PREMIA_SIGNING_KEY": self.signing_key,
            "PREMIA_DATA_FOLDER": str(self.folder),
        }
        return child_environment(settings)

    async def premia(self, url: str, *arguments: str) -> Ran:
        """Run a premia command on the database of `url`."""
        return await run(premia(*arguments), self.environment(url))

    def serve(self, url: str, application: str | None = None) -> AbstractAsyncContextManager[Server]:
        """A server on the database of `url`: `premia serve`, or one of `benchmarks.applications`."""
        words = premia("serve")
        if application is not None:
            words = [sys.executable, "-m", "benchmarks.applications", application]
        return serving(words, self.environment(url))

    def tokens(self, banks: Sequence[str] = BANKS) -> list[str]:
        """A token for each of these banks."""
        return [
            issue(Principal(Role.BANK, f"bank-{bank}", bank_code=bank), self.signing_key) for bank in banks
        ]

    def officer_token(self) -> str:
        """A token of an officer who sees the whole city."""
        return issue(Principal(Role.OFFICER, "officer-1", region_code="370200"), self.signing_key)

    async def database(self, template: str | None = None) -> str:
        """The url of a new PostgreSQL database, empty or a copy."""
        name = f"{self._prefix}_{len(self._databases)}"
        self._databases.append(name)
        copied = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
        await administer(f'CREATE DATABASE "{name}"{copied}')
        return f"{POSTGRES}/{name}"

    async def city(self, payers: int) -> Ran:
        """Make the demonstration city on PostgreSQL, once for each size; how its making went."""
        if payers not in self._cities:
            self.say(f"making a city of {payers:,} payers")
            url = await self.database()
            self._cities[payers] = (url, await self.premia(url, "demo", "--payers", str(payers)))
        return self._cities[payers][1]

    @asynccontextmanager
    async def copy_of_city(self, payers: int) -> AsyncIterator[str]:
        """The url of a fresh copy of a city, removed at the end."""
        await self.city(payers)
        url = await self.database(_name(self._cities[payers][0]))
        try:
            await _vacuum(url)
            yield url
        finally:
            await administer(f'DROP DATABASE "{_name(url)}" WITH (FORCE)')
            self._databases.remove(_name(url))


def _name(url: str) -> str:
    return url.rpartition("/")[2]


async def administer(statement: str) -> None:
    """Run one statement on the PostgreSQL server itself."""
    connection = await asyncpg.connect(f"{POSTGRES}/postgres", timeout=10)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _vacuum(url: str) -> None:
    """Begin each measurement without work that loading has left behind."""
    async with connected(url) as connection:
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    """A connection to the database of `url`, without time limit for its statements."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


async def open_dues(url: str, count: int) -> list[OpenDue]:
    """`count` dues that can be paid, in no order, the same for the same city."""
    async with connected(url) as connection:
        rows = await connection.fetch(
            "SELECT id, personal_amount FROM dues WHERE status = 'OPEN' AND personal_amount > 0 ORDER BY id"
        )
    dues = [OpenDue(str(row["id"]), row["personal_amount"]) for row in rows]
    random.Random(2019).shuffle(dues)  # noqa: S311 - people come in no order
    return dues[:count]
