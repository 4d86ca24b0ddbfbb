"""From the start of the server's process to its first answered query, on the database that `make run` makes."""

from __future__ import annotations

import asyncio
import time
from statistics import median

import orjson

from benchmarks.measures import Bound, Limit, Measure
from benchmarks.processes import HOST, BenchmarkFailure, ask, free_port, premia
from benchmarks.stage import Stage

POLL_SECONDS = 0.01
GIVE_UP_SECONDS = 30


async def run(stage: Stage) -> list[Measure]:
    """Measure."""
    url = f"sqlite://{stage.folder / 'starting.db'}"
    stage.say("making a city on SQLite")
    await stage.premia(url, "demo", "--payers", str(stage.size(10_000, 1_000)))
    taken: list[float] = []
    for number in range(stage.size(7, 2)):
        stage.say(f"start {number + 1}")
        taken.append(await _start(stage, url))
    details = {"seconds": [round(each, 3) for each in taken]}
    name = "server start to first answered query"
    return [Measure("start", name, median(taken), "s", None, Limit(Bound.AT_MOST, 2), details)]


async def _start(stage: Stage, url: str) -> float:
    port = free_port()
    body = orjson.dumps({"query": "{ banks { code name clearingBank { code } } }"})
    head = (
        f"POST /graphql HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {stage.tokens()[0]}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *premia("serve", "--host", HOST, "--port", str(port)),
        env=stage.environment(url),
        start_new_session=True,
    )
    try:
        while time.perf_counter() - started < GIVE_UP_SECONDS and process.returncode is None:
            if b'"code":"105"' in await ask(port, head.encode() + body):
                return time.perf_counter() - started
            await asyncio.sleep(POLL_SECONDS)
        raise BenchmarkFailure("the server did not answer")
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
