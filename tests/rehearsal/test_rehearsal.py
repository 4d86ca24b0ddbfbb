"""A whole small season against a real server, on SQLite always and on PostgreSQL where it answers."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from app.rehearsal import RehearsalOptions, RehearsalReport, rehearse
from app.rehearsal.findings import Check
from app.rehearsal.process import Commands
from app.rehearsal.setbacks import StageFailure
from app.rehearsal.workplace import workplace

PAYERS = 300
DAYS = 3
REFUSALS = {"AMOUNT_MISMATCH", "DUE_ALREADY_PAID", "REFERENCE_CONFLICT", "NOT_FOUND"}
POSTGRES = "PREMIA_TEST_POSTGRES"


@asynccontextmanager
async def fresh_postgres() -> AsyncIterator[str]:
    """A database of its own on the server that the environment names, dropped afterwards."""
    server = os.environ.get(POSTGRES)
    if not server:
        pytest.skip(f"{POSTGRES} names no PostgreSQL server")
    try:
        connection = await asyncpg.connect(server, timeout=5)
    except (OSError, asyncpg.PostgresError, TimeoutError) as trouble:
        pytest.skip(f"PostgreSQL does not answer: {type(trouble).__name__}")
    name = f"premia_rehearsal_{uuid4().hex}"
    await connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await connection.close()


def assert_a_whole_season(report: RehearsalReport) -> None:
    """Every check was carried out and holds, and what makes a season did happen."""
    assert report.findings.examples == {}
    assert report.failed_checks() == []
    assert report.findings.performed == set(Check)
    assert len(report.book.payments) > PAYERS
    assert report.book.reversals > 0
    assert report.book.abandoned > 0
    assert report.book.repeats > 0
    assert report.figures.reconnects > 0
    assert report.figures.batches >= DAYS * 6
    assert report.book.refused.keys() >= REFUSALS


async def test_a_season_on_sqlite(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path / 'season.db'}"

    report = await rehearse(RehearsalOptions(payers=PAYERS, days=DAYS, database_url=url))

    assert_a_whole_season(report)


async def test_a_season_on_postgresql() -> None:
    async with fresh_postgres() as url:
        report = await rehearse(RehearsalOptions(payers=PAYERS, days=DAYS, database_url=url))

    assert_a_whole_season(report)


async def test_a_season_on_postgresql_with_two_server_processes() -> None:
    async with fresh_postgres() as url:
        report = await rehearse(RehearsalOptions(payers=PAYERS, days=DAYS, database_url=url, workers=2))

    assert_a_whole_season(report)


async def test_a_database_with_payers_is_refused_in_one_sentence(tmp_path: Path) -> None:
    options = RehearsalOptions(payers=PAYERS, database_url=f"sqlite://{tmp_path / 'used.db'}")
    with workplace(options) as place:
        commands = Commands(place.environment)
        await commands.must("migrate")
        await commands.must("demo", "--payers", str(PAYERS))

    with pytest.raises(StageFailure, match="it needs a fresh database") as refusal:
        await rehearse(options)

    assert "\n" not in str(refusal.value)


async def test_a_cancelled_rehearsal_stops_its_server(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path / 'cancelled.db'}"
    rehearsal = asyncio.create_task(rehearse(RehearsalOptions(payers=PAYERS, database_url=url)))
    await _wait_for_children(rehearsal, "serve")

    rehearsal.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rehearsal

    assert _children("serve") == []


async def _wait_for_children(rehearsal: asyncio.Task[RehearsalReport], word: str) -> None:
    deadline = time.monotonic() + 60
    while not _children(word):
        assert not rehearsal.done()
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


def _children(word: str) -> list[int]:
    """Processes that this test process has started and that have `word` in their command line."""
    psutil = import_module("psutil")
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if word in child.cmdline():
                found.append(child.pid)
        except psutil.NoSuchProcess:
            continue
    return found
