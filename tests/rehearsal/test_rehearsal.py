"""Whole small seasons against real server processes, on each engine."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import psutil
import pytest

from app.rehearsal import RehearsalOptions, RehearsalReport, rehearse
from app.rehearsal.cast import ADMIN, AUDITOR, CLEARING_BANKS, HANDLING_BANKS, OFFICER_1, OFFICER_2
from app.rehearsal.findings import Check
from app.rehearsal.process import Commands
from app.rehearsal.season import Season
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


@pytest.fixture
def only_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RehearsalOptions:
    """A rehearsal that starts its server, without tokens, and leaves nothing outside the test's folder."""

    async def no_tokens(_commands: Commands) -> dict[str, str]:
        return dict.fromkeys((*CLEARING_BANKS, *HANDLING_BANKS, OFFICER_1, OFFICER_2, AUDITOR, ADMIN), "none")

    monkeypatch.setattr("app.rehearsal.stage._issue_tokens", no_tokens)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return RehearsalOptions(payers=PAYERS, database_url=f"sqlite://{tmp_path / 'short.db'}")


async def test_a_cancelled_rehearsal_stops_its_server(
    only_a_server: RehearsalOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    playing = asyncio.Event()

    async def play_on(_season: Season, _days: int) -> None:
        playing.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(Season, "play", play_on)
    rehearsal = asyncio.create_task(rehearse(only_a_server))
    await playing.wait()
    assert len(_servers()) == 1

    rehearsal.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rehearsal

    assert _servers() == []


async def test_a_server_that_dies_ends_the_season_and_is_named(
    only_a_server: RehearsalOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def kill_the_server(_season: Season, _days: int) -> None:
        _servers()[0].kill()
        await asyncio.sleep(60)

    monkeypatch.setattr(Season, "play", kill_the_server)

    report = await rehearse(only_a_server)

    assert report.findings.examples[Check.SERVER] == [
        "the server ended by itself with status -9",
        "it ended with status -9",
    ]
    assert not report.passed


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
