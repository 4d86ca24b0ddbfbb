"""A season against a premia in memory: a sound one passes, each flaw is found by its own check."""

from __future__ import annotations

import pytest
from rich.console import Console

from app.rehearsal.book import Book
from app.rehearsal.cast import ADMIN, AUDITOR, CLEARING_BANKS, HANDLING_BANKS, OFFICER_1, OFFICER_2, Cast
from app.rehearsal.findings import Check, Findings
from app.rehearsal.progress import Stagehand
from app.rehearsal.report import RehearsalReport
from app.rehearsal.season import Season
from tests.rehearsal.fake_premia import FakePremia, Flaw, token_of
from tests.rehearsal.fake_server import served

AROUND_THE_SEASON = {Check.SERVER, Check.VERIFY, Check.LOGS, Check.TIME}
DUES = 400


async def play(flaw: Flaw) -> RehearsalReport:
    """Play a small season against a fake, without the checks that need a process."""
    premia = FakePremia(flaw)
    premia.settle_city(DUES)
    names = (*CLEARING_BANKS, *HANDLING_BANKS, OFFICER_1, OFFICER_2, AUDITOR, ADMIN)
    findings = Findings()
    book = Book(findings)
    async with served(premia) as address:
        cast = Cast.assemble(address, {name: token_of(name) for name in names}, book, seed=1)
        season = Season(address, cast, book, 1, Stagehand(Console(quiet=True)))
        try:
            await season.play(days=2)
        finally:
            await cast.leave()
    return RehearsalReport(findings, book, season.figures)


async def test_a_sound_premia_passes_every_check_of_a_season() -> None:
    report = await play(Flaw.NONE)

    assert report.findings.examples == {}
    assert report.findings.performed == set(Check) - AROUND_THE_SEASON
    assert report.book.reversals > 0
    assert report.figures.reconnects > 0
    assert report.book.troubles["OVERLOADED"] > 0


@pytest.mark.parametrize(
    ("flaw", "check"),
    [
        (Flaw.FORGETS_A_PAYMENT, Check.ACKNOWLEDGED),
        (Flaw.TAKES_SHORT_PAYMENTS, Check.ANSWERS),
        (Flaw.MISCOUNTS_A_BATCH, Check.BATCH_TOTALS),
        (Flaw.SKIPS_AN_UPDATE, Check.PAYMENT_NEWS),
        (Flaw.DOUBLES_A_CHANGE, Check.SETTLEMENT_NEWS),
        (Flaw.ADMITS_ANYBODY, Check.ANSWERS),
    ],
)
async def test_a_flaw_is_found_by_its_check(
    flaw: Flaw, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rehearsal.audience.IDLE_SECONDS", 1.0)

    report = await play(flaw)

    assert report.findings.counts[check] > 0
    assert not report.passed
