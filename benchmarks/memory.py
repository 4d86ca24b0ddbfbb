"""Memory of one server process while a million payments are recorded: bounded, and flat."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from benchmarks.client import Instructions
from benchmarks.measures import Bound, Limit, Measure
from benchmarks.processes import HOST, Server
from benchmarks.requests import list_body, send_all_accepted, write_bodies
from benchmarks.stage import BANKS, OpenDue, Stage, open_dues

LENGTH = 500
MEGABYTE = 2**20
SAMPLE_SECONDS = 0.25
# From this share of the payments on, memory has to be flat.
WARM_AT = 0.3


async def run(stage: Stage) -> list[Measure]:
    """Measure, in ten steps; of each the most that the process held."""
    count = stage.size(1_000_000, 20_000)
    step = count // 10
    held: list[float] = []
    seconds = 0.0
    async with stage.copy_of_city(stage.size(1_000_000, 25_000)) as url, stage.serve(url) as server:
        dues = await open_dues(url, count)
        at_start = server.resident_bytes() / MEGABYTE
        for done in range(0, len(dues), step):
            stage.say(
                f"{done:,} of {count:,} payments; the server holds {server.resident_bytes() // MEGABYTE} MB"
            )
            most, taken = await _record(stage, server, dues[done : done + step])
            held.append(most / MEGABYTE)
            seconds += taken
    warm = held[int(len(held) * WARM_AT) - 1]
    details = {
        "at_start_megabytes": round(at_start, 1),
        "most_megabytes_in_each_tenth": [round(each, 1) for each in held],
        "payments_per_second": round(len(dues) / seconds),
    }
    name = f"server memory over {len(dues):,} payments"
    return [
        Measure("memory", name, max(held), "MB", None, Limit(Bound.AT_MOST, 250), details),
        Measure(
            "memory", f"{name}: at the end", held[-1], "MB", ("at 30 %", warm), Limit(Bound.AT_MOST, 1.1)
        ),
    ]


async def _record(stage: Stage, server: Server, dues: Sequence[OpenDue]) -> tuple[int, float]:
    """The most bytes held meanwhile, and the seconds it took."""
    lists = (dues[start : start + LENGTH] for start in range(0, len(dues), LENGTH))
    instructions = Instructions(
        host=HOST,
        port=server.port,
        tokens=stage.tokens(),
        bodies=write_bodies(
            stage.folder / "memory.jsonl", (list_body("recordPayments", each) for each in lists)
        ),
        expect='"refusedCount":0',
        connections=len(BANKS),
        seconds=0,
    )
    sending = asyncio.create_task(send_all_accepted(instructions))
    most = server.resident_bytes()
    while not sending.done():
        await asyncio.wait([sending], timeout=SAMPLE_SECONDS)
        most = max(most, server.resident_bytes())
    return most, (await sending).seconds
