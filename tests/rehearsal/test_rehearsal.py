"""Whole small seasons against real server processes, on each engine."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import psutil
import pytest

from app.rehearsal import RehearsalOptions, RehearsalReport, rehearse
from app.rehearsal.findings import Check
from app.rehearsal.process import Commands
from app.rehearsal.setbacks import StageFailure
from app.rehearsal.workplace import workplace
from tests.engines import ENGINE

PAYERS = 300
DAYS = 3
BATCHES_AT_LEAST = 6 * DAYS
REFUSALS = {"AMOUNT_MISMATCH", "DUE_ALREADY_PAID", "REFERENCE_CONFLICT", "NOT_FOUND"}


def assert_a_whole_season(report: RehearsalReport) -> None:
    """Every check was carried out and holds, and what makes a season did happen."""
    assert report.findings.examples == {}
    assert report.failed_checks() == []
    assert report.findings.performed == set(Check)
    assert len(report.book.payments) > PAYERS
    assert report.book.reversals > 0
    assert report.book.abandoned > 0
    assert report.book.repeats > 0
    assert report.book.refused.keys() >= REFUSALS
    assert report.figures.reconnects > 0
    assert report.figures.batches >= BATCHES_AT_LEAST


async def test_a_season_on_a_fresh_database(database_url: str) -> None:
    report = await rehearse(RehearsalOptions(payers=PAYERS, days=DAYS, database_url=database_url))

    assert_a_whole_season(report)


async def test_a_season_on_two_server_processes_which_sqlite_refuses(database_url: str) -> None:
    options = RehearsalOptions(payers=PAYERS, days=DAYS, database_url=database_url, workers=2)

    if ENGINE == "postgres":
        assert_a_whole_season(await rehearse(options))
    else:
        with pytest.raises(StageFailure, match="SQLite serves one process"):
            await rehearse(options)


async def test_a_database_with_payers_is_refused_in_one_sentence(tmp_path: Path) -> None:
    options = RehearsalOptions(payers=PAYERS, database_url=f"sqlite://{tmp_path / 'used.db'}")
    with workplace(options) as place:
        await Commands(place.environment).must("demo", "--payers", str(PAYERS))

    with pytest.raises(StageFailure, match="it needs a fresh database") as refusal:
        await rehearse(options)

    assert "\n" not in str(refusal.value)


async def test_a_cancelled_rehearsal_stops_its_server(tmp_path: Path) -> None:
    options = RehearsalOptions(payers=PAYERS, database_url=f"sqlite://{tmp_path / 'cancelled.db'}")
    rehearsal = asyncio.create_task(rehearse(options))
    await _wait_for_a_server(rehearsal)

    rehearsal.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rehearsal

    assert _servers() == []


async def test_a_server_that_dies_ends_the_season_and_is_named(tmp_path: Path) -> None:
    options = RehearsalOptions(payers=PAYERS, database_url=f"sqlite://{tmp_path / 'killed.db'}")
    rehearsal = asyncio.create_task(rehearse(options))
    await _wait_for_a_server(rehearsal)
    while not _answers(_servers()[0]):
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)

    _servers()[0].kill()
    report = await rehearsal

    assert report.findings.examples[Check.SERVER] == [
        "the server ended by itself with status -9",
        "it ended with status -9",
    ]
    assert not report.passed


def _answers(server: psutil.Process) -> bool:
    """Whether the server listens already."""
    return any(each.status == psutil.CONN_LISTEN for each in server.net_connections())


async def _wait_for_a_server(rehearsal: asyncio.Task[RehearsalReport]) -> None:
    deadline = time.monotonic() + 60
    while not _servers():
        assert not rehearsal.done()
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


def _servers() -> list[psutil.Process]:
    """Servers that this test process has started."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "serve" in child.cmdline():
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found
