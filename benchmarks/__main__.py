"""`python -m benchmarks [names…]`: run benchmarks, print one table, write results/latest.json."""

from __future__ import annotations

import asyncio
import signal
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
from rich.console import Console

from benchmarks import city, cutting, lists, memory, roster, single_payments, starting, steady
from benchmarks.machine import machine_facts, postgres_facts
from benchmarks.measures import Measure, table_of, write_results
from benchmarks.processes import BenchmarkFailure
from benchmarks.stage import POSTGRES, Stage

BENCHMARKS: dict[str, tuple[Callable[[Stage], Awaitable[list[Measure]]], str]] = {
    "single": (single_payments.run, "single payments over HTTP, beside naive and empty"),
    "lists": (lists.run, "lists of 500 payments, beside naive and bare asyncpg"),
    "steady": (steady.run, "300 payments a second offered to SQLite for a minute"),
    "start": (starting.run, "from the server's start to the first answer"),
    "city": (city.run, "a city of a million payers"),
    "roster": (roster.run, "a roster of 200,000 lines"),
    "cut": (cutting.run, "cutting a batch of a million payments, beside one of a thousand"),
    "memory": (memory.run, "memory of a server over a million payments"),
}


def main() -> None:
    """Run what was asked for. Exit status 1 when a benchmark cannot run; a missed limit is said, and no failure."""
    parser = ArgumentParser(
        prog="benchmarks",
        description="Measures Premia against its limits and against the naive way.",
        epilog="\n".join(f"{name:8} {words}" for name, (_, words) in BENCHMARKS.items()),
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", help="which benchmarks; all when none is named")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that everything runs")
    given = parser.parse_args()
    if unknown := set(given.names) - BENCHMARKS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    sys.exit(asyncio.run(_run(given.names or list(BENCHMARKS), quick=given.quick)))


async def _run(names: Sequence[str], *, quick: bool) -> int:
    # An order to stop undoes what was made, as Ctrl-C does.
    if (running := asyncio.current_task()) is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    console = Console()
    machine = machine_facts()
    try:
        machine["postgresql"] = await postgres_facts(POSTGRES)
    except (OSError, TimeoutError, asyncpg.PostgresError) as trouble:
        console.print(f"PostgreSQL does not answer at PREMIA_TEST_POSTGRES: {type(trouble).__name__}")
        return 1
    measures: list[Measure] = []
    failed = False
    with console.status("") as status:
        async with Stage(quick, status.update) as stage:
            for name in names:
                try:
                    measures += await BENCHMARKS[name][0](stage)
                except (BenchmarkFailure, OSError, asyncpg.PostgresError) as trouble:
                    console.print(f"{name} cannot run: {trouble}")
                    failed = True
    console.print(table_of(measures))
    path = write_results(measures, machine, quick=quick)
    console.print(f"{machine['cores']} cores, Python {machine['python']}; every figure is in {path}")
    return 1 if failed else 0


if __name__ == "__main__":
    main()
