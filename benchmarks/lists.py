"""Lists of 500 payments: beside 500 ORM transactions, and beside bare asyncpg that writes the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from benchmarks import bare
from benchmarks.client import Instructions
from benchmarks.measures import Bound, Limit, Measure
from benchmarks.processes import HOST, Server
from benchmarks.requests import list_body, send_all_accepted, write_bodies
from benchmarks.stage import BANKS, OpenDue, Stage, open_dues

LENGTH = 500
# In turn: how many lists Premia, bare asyncpg and the naive way write in one round.
OURS, BARE, NAIVE = 40, 40, 4


async def run(stage: Stage) -> list[Measure]:
    """Measure. Everybody has as many callers at once as there are banks."""
    rounds = stage.size(4, 1)
    payers = stage.size(110_000, 25_000)
    ours_count, bare_count = stage.size(OURS, 12), stage.size(BARE, 12)
    rates: dict[str, list[float]] = {"recordPayments": [], "bare": [], "naivePayments": []}
    used: list[float] = []
    async with (
        stage.copy_of_city(payers) as url,
        stage.copy_of_city(payers) as bare_url,
        stage.copy_of_city(payers) as naive_url,
        stage.serve(url) as server,
        stage.serve(naive_url, "naive") as naive_server,
    ):
        ours = _cut_up(await open_dues(url, LENGTH * (ours_count * rounds + len(BANKS))))
        other = _cut_up(await open_dues(bare_url, LENGTH * bare_count * rounds))
        naive = _cut_up(await open_dues(naive_url, LENGTH * NAIVE * rounds))
        await _send(stage, server, "recordPayments", _some(ours, len(BANKS)))
        for number in range(rounds):
            stage.say(f"lists of {LENGTH} payments, {number + 1} of {rounds}")
            before = server.processor_seconds()
            rates["recordPayments"].append(
                await _send(stage, server, "recordPayments", _some(ours, ours_count))
            )
            used.append(1000 * (server.processor_seconds() - before) / ours_count)
            seconds = await bare.write_lists(bare_url, _some(other, bare_count))
            rates["bare"].append(LENGTH * bare_count / seconds)
            rates["naivePayments"].append(
                await _send(stage, naive_server, "naivePayments", _some(naive, NAIVE))
            )
    value, beside, naive_rate = (median(each) for each in rates.values())
    details = {**rates, "server_processor_ms_per_list": used}
    name, unit = f"recordPayments, lists of {LENGTH}", "payments/s"
    return [
        Measure(
            "lists",
            name,
            value,
            unit,
            ("one ORM transaction each", naive_rate),
            Limit(Bound.AT_LEAST, 20),
            details,
        ),
        Measure("lists", name, value, unit, ("bare asyncpg", beside), Limit(Bound.AT_LEAST, 1 / 3)),
    ]


def _cut_up(dues: Sequence[OpenDue]) -> list[Sequence[OpenDue]]:
    return [dues[start : start + LENGTH] for start in range(0, len(dues), LENGTH)]


def _some(lists: list[Sequence[OpenDue]], count: int) -> list[Sequence[OpenDue]]:
    return [lists.pop() for _ in range(count)]


async def _send(stage: Stage, server: Server, field: str, lists: Sequence[Sequence[OpenDue]]) -> float:
    """Payments per second."""
    bodies = (list_body(field, dues) for dues in lists)
    instructions = Instructions(
        host=HOST,
        port=server.port,
        tokens=stage.tokens(),
        bodies=write_bodies(stage.folder / f"{field}.jsonl", bodies),
        expect='"refusedCount":0',
        connections=len(BANKS),
        seconds=0,
    )
    report = await send_all_accepted(instructions)
    return LENGTH * report.answered / report.seconds
