"""300 payments a second offered to one process on SQLite: none refused, nobody waits long."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from benchmarks.client import Instructions
from benchmarks.measures import Bound, Limit, Measure
from benchmarks.processes import HOST
from benchmarks.requests import send, single_body, write_bodies
from benchmarks.stage import OpenDue, Stage

RATE = 300
CONNECTIONS = 128
WARM_UP_SECONDS = 2


async def run(stage: Stage) -> list[Measure]:
    """Measure. The load is open: it goes on at its rate whatever comes back, and latencies count from then."""
    seconds = stage.size(60, 4)
    file = stage.folder / "steady.db"
    url = f"sqlite://{file}"
    stage.say("making a city on SQLite")
    await stage.premia(url, "demo", "--payers", str(stage.size(20_000, 2_000)))
    bodies = (
        single_body("recordPayment", due) for due in _open_dues(file, RATE * (seconds + WARM_UP_SECONDS))
    )
    path = write_bodies(stage.folder / "steady.jsonl", bodies)
    async with stage.serve(url) as server:
        stage.say(f"{RATE} payments a second for {seconds} s")
        instructions = Instructions(
            host=HOST,
            port=server.port,
            tokens=stage.tokens(),
            bodies=path,
            expect='"userErrors":[]',
            connections=CONNECTIONS,
            seconds=seconds,
            warm_up=WARM_UP_SECONDS,
            rate=RATE,
        )
        before = server.processor_seconds()
        report = await send(instructions)
        busy = (server.processor_seconds() - before) / (seconds + WARM_UP_SECONDS)
    details = {
        "answered": report.answered,
        "first_refusal": report.first_refusal,
        "p50_ms": round(report.p50, 2),
        "longest_ms": round(report.longest, 2),
        "server_processor_share": round(busy, 3),
    }
    name = f"{RATE} payments/s on SQLite for {seconds} s"
    return [
        Measure("steady", f"{name}: refused", report.refused, "payments", None, Limit(Bound.AT_MOST, 0)),
        Measure("steady", f"{name}: p99", report.p99, "ms", None, Limit(Bound.AT_MOST, 100), details),
    ]


def _open_dues(file: Path, count: int) -> list[OpenDue]:
    connection = sqlite3.connect(file)
    try:
        rows = connection.execute(
            "SELECT id, personal_amount FROM dues WHERE status = 'OPEN' AND personal_amount > 0"
            " ORDER BY random() LIMIT ?",
            (count,),
        )
        return [OpenDue(*row) for row in rows]
    finally:
        connection.close()
