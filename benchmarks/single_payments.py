"""One payment per request at 32 connections: beside one ORM transaction each, and beside an empty mutation."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.client import Instructions, Report
from benchmarks.measures import Bound, Limit, Measure
from benchmarks.processes import HOST, Server
from benchmarks.requests import send_all_accepted, single_body, write_bodies
from benchmarks.stage import OpenDue, Stage, open_dues

CONNECTIONS = 32
WARM_UP_SECONDS = 1.0
# More than any server of ours answers in a second: with work to do, and without.
FASTEST = 4_000
FASTEST_EMPTY = 9_000


@dataclass(slots=True)
class Contender:
    """One mutation on one server, and its runs."""

    name: str
    server: Server
    requests: int
    dues: list[OpenDue]
    runs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers per second, the median of the runs."""
        return float(median(run["rate"] for run in self.runs))

    def take(self) -> list[OpenDue]:
        """Dues for one run, which no run has paid yet."""
        taken, self.dues = self.dues[: self.requests], self.dues[self.requests :]
        return taken


async def run(stage: Stage) -> list[Measure]:
    """Measure."""
    seconds, rounds = (1.5, 1) if stage.quick else (5.0, 5)
    each = int(FASTEST * (seconds + WARM_UP_SECONDS))
    empty_each = int(FASTEST_EMPTY * (seconds + WARM_UP_SECONDS))
    payers = stage.size(110_000, 15_000)
    async with (
        stage.copy_of_city(payers) as url,
        stage.copy_of_city(payers) as naive_url,
        stage.serve(url, "measured") as server,
        stage.serve(naive_url, "naive") as naive_server,
    ):
        contenders = [
            Contender("recordPayment", server, each, await open_dues(url, each * rounds)),
            Contender("emptyPayment", server, empty_each, (await open_dues(url, 1)) * empty_each * rounds),
            Contender("naivePayment", naive_server, each, await open_dues(naive_url, each * rounds)),
        ]
        for number in range(rounds):
            for contender in contenders:
                stage.say(f"{contender.name} at {CONNECTIONS} connections, {number + 1} of {rounds}")
                await _round(stage, contender, seconds)
    ours, empty, naive = contenders
    details = {each.name: each.runs for each in contenders}
    unit = "payments/s"
    return [
        Measure(
            "single", "recordPayment, 32 connections", ours.rate, unit, ("one ORM transaction each", naive.rate),
            Limit(Bound.AT_LEAST, 4), details,
        ),
        Measure(
            "single", "recordPayment, 32 connections", ours.rate, unit, ("an empty mutation", empty.rate),
            Limit(Bound.AT_LEAST, 0.85),
        ),
    ]  # fmt: skip


async def _round(stage: Stage, contender: Contender, seconds: float) -> None:
    bodies = (single_body(contender.name, due) for due in contender.take())
    path = write_bodies(stage.folder / f"{contender.name}.jsonl", bodies)
    instructions = Instructions(
        host=HOST,
        port=contender.server.port,
        tokens=stage.tokens(),
        bodies=path,
        expect='"userErrors":[]',
        connections=CONNECTIONS,
        seconds=seconds,
        warm_up=WARM_UP_SECONDS,
    )
    before = contender.server.processor_seconds()
    report = await send_all_accepted(instructions)
    used = contender.server.processor_seconds() - before
    contender.runs.append(_figures(report, used, seconds))


def _figures(report: Report, server_seconds: float, seconds: float) -> dict[str, Any]:
    share = (seconds + WARM_UP_SECONDS) / seconds
    requests = max(1.0, report.answered * share)
    return {
        "rate": round(report.answered / report.seconds, 1),
        "p50_ms": round(report.p50, 2),
        "p99_ms": round(report.p99, 2),
        "server_processor_ms_per_request": round(1000 * server_seconds / requests, 3),
        "client_processor_ms_per_request": round(1000 * report.processor_seconds / requests, 3),
    }
