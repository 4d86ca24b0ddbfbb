"""The whole rehearsal: a fresh city, a real server, a season, and the checks after it."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Coroutine

import uvloop
from rich.console import Console

from app.rehearsal.book import Book
from app.rehearsal.cast import (
    ADMIN,
    AUDITOR,
    CLEARING_BANKS,
    HANDLING_BANKS,
    OFFICER_1,
    OFFICER_2,
    REGION,
    Cast,
)
from app.rehearsal.findings import Check, Findings
from app.rehearsal.leaks import leaks_in_file
from app.rehearsal.options import RehearsalOptions
from app.rehearsal.process import Commands, Server, last_line
from app.rehearsal.progress import Stagehand
from app.rehearsal.report import RehearsalReport
from app.rehearsal.season import Season, SeasonFigures
from app.rehearsal.setbacks import Setback, StageFailure, TooFewDues
from app.rehearsal.workplace import Workplace, keys_in_use, workplace
from app.settings import WrongSettings

COMMANDS_AT_ONCE = 3
INTERRUPTED = 130


def run(options: RehearsalOptions) -> int:
    """Rehearse and print the report; 0 only when every check holds.

    Ctrl-C and SIGTERM stop the server that was started, and give 130.
    """
    console = Console()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            report = runner.run(_until_terminated(rehearse(options, console)))
    except (StageFailure, WrongSettings) as failure:
        console.print(f"No rehearsal: {failure}", highlight=False, markup=False, soft_wrap=True)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("Rehearsal: interrupted", highlight=False)
        return INTERRUPTED
    report.print(console)
    return 0 if report.passed else 1


async def rehearse(options: RehearsalOptions, console: Console | None = None) -> RehearsalReport:
    """Play one season on a fresh database and check all that must hold.

    Raises:
        StageFailure: it could not begin: the database is not fresh, a command or the server does not start.
    """
    began = time.perf_counter()
    findings = Findings()
    report = RehearsalReport(findings, Book(findings), SeasonFigures())
    with workplace(options) as place, Stagehand(console or Console(quiet=True)) as stagehand:
        commands = Commands(place.environment)
        stagehand.say(f"making a city of {options.payers:,} payers")
        await _make_city(commands, options)
        tokens = await _issue_tokens(commands)
        server = Server(commands, place.log, options.workers)
        async with server:
            await _play(server, tokens, options, report, stagehand)
        _check_exit(server, findings)
        stagehand.say("verifying")
        await _verify(commands, findings)
        _check_log(place, tokens, findings)
        place.keep = options.keep or not report.passed
        if place.keep:
            report.notes.append(f"log kept in {place.folder}")
    report.seconds = time.perf_counter() - began
    return report


async def _make_city(commands: Commands, options: RehearsalOptions) -> None:
    await commands.must("migrate")
    size = ("--payers", str(options.payers), "--seed", str(options.seed), "--pace", str(options.pace))
    status, output, complaints = await commands.run("demo", "--fresh", *size)
    if status != 0:
        raise StageFailure(
            f"it needs a fresh database, and premia demo said: {last_line(complaints or output)}"
        )


async def _issue_tokens(commands: Commands) -> dict[str, str]:
    wanted: dict[str, tuple[str, ...]] = {
        code: ("--role", "bank", "--bank", code) for code in CLEARING_BANKS + HANDLING_BANKS
    }
    for name in (OFFICER_1, OFFICER_2):
        wanted[name] = ("--role", "officer", "--name", name, "--region", REGION)
    wanted |= {AUDITOR: ("--role", "auditor"), ADMIN: ("--role", "admin")}
    at_once = asyncio.Semaphore(COMMANDS_AT_ONCE)

    async def issue(arguments: tuple[str, ...]) -> str:
        async with at_once:
            return await commands.must("token", *arguments)

    tokens = await asyncio.gather(*(issue(arguments) for arguments in wanted.values()))
    return dict(zip(wanted, tokens, strict=True))


async def _play(
    server: Server,
    tokens: dict[str, str],
    options: RehearsalOptions,
    report: RehearsalReport,
    stagehand: Stagehand,
) -> None:
    """Play the season; a setback in it is a failed check, not the end of the checks after it."""
    cast = Cast.assemble(server.address, tokens, report.book, options.seed)
    season = Season(server.address, cast, report.book, options.seed, stagehand)
    report.figures = season.figures
    try:
        async with asyncio.timeout(options.seconds_allowed):
            await _while_up(server, season.play(options.days))
    except TooFewDues as few:
        raise StageFailure(str(few)) from few
    except TimeoutError:
        report.findings.add(Check.TIME, f"not ended after {options.seconds_allowed:.0f} s")
    except StageFailure as failure:
        report.findings.add(Check.SERVER, str(failure))
    except Setback as setback:
        report.findings.add(Check.ANSWERS, str(setback))
    except ExceptionGroup as group:
        setbacks, others = group.split(Setback)
        if others is not None:
            raise others from None
        report.findings.add(Check.ANSWERS, str(setbacks.exceptions[0] if setbacks else group))
    finally:
        await cast.leave()
    report.findings.performed_all(Check.TIME)


async def _while_up(server: Server, season: Coroutine[object, object, None]) -> None:
    """Play on while the server runs; when it ends, so does the season."""
    playing = asyncio.ensure_future(season)
    ended = asyncio.ensure_future(server.ended())
    try:
        await asyncio.wait({playing, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not playing.done():
            raise StageFailure(f"the server ended by itself with status {ended.result()}")
        playing.result()
    finally:
        for task in (playing, ended):
            task.cancel()
        await asyncio.gather(playing, ended, return_exceptions=True)


def _check_exit(server: Server, findings: Findings) -> None:
    findings.performed_all(Check.SERVER)
    if server.exit_status != 0:
        findings.add(Check.SERVER, f"it ended with status {server.exit_status}")


async def _verify(commands: Commands, findings: Findings) -> None:
    findings.performed_all(Check.VERIFY)
    status, output, complaints = await commands.run("verify")
    if status != 0:
        broken = [line for line in output.splitlines() if line.startswith("broken:")]
        findings.extend(Check.VERIFY, broken or [f"status {status}: {last_line(complaints or output)}"])


def _check_log(place: Workplace, tokens: dict[str, str], findings: Findings) -> None:
    findings.performed_all(Check.LOGS)
    findings.extend(Check.LOGS, leaks_in_file(place.log, [*keys_in_use(), *tokens.values()]))


async def _until_terminated(work: Coroutine[object, object, RehearsalReport]) -> RehearsalReport:
    """Let SIGTERM end the work as Ctrl-C does."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
