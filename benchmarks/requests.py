"""The requests of banks, built before the clock starts, and the load client that sends them."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from benchmarks.client import Instructions, Report
from benchmarks.processes import HOUSE, BenchmarkFailure
from benchmarks.stage import OpenDue

PAYLOAD = "payment { id status receiptNumber } alreadyRecorded userErrors { code }"
PAID_AT = "2019-10-08T01:30:00Z"
CLIENT_SECONDS = 600.0
# Beyond what a copied database may hold from an earlier run.
_references = itertools.count(time.time_ns() // 1_000_000)


def single_body(field: str, due: OpenDue) -> bytes:
    """One call of a mutation that takes RecordPaymentInput."""
    query = f"mutation Pay($input: RecordPaymentInput!) {{ {field}(input: $input) {{ {PAYLOAD} }} }}"
    return orjson.dumps({"query": query, "operationName": "Pay", "variables": {"input": _payment(due)}})


def list_body(field: str, dues: Sequence[OpenDue]) -> bytes:
    """One call of a mutation that takes RecordPaymentsInput."""
    query = (
        f"mutation PayAll($input: RecordPaymentsInput!) {{ {field}(input: $input)"
        f" {{ acceptedCount refusedCount results {{ {PAYLOAD} }} }} }}"
    )
    variables = {"input": {"payments": [_payment(due) for due in dues]}}
    return orjson.dumps({"query": query, "operationName": "PayAll", "variables": variables})


def _payment(due: OpenDue) -> dict[str, str]:
    return {
        "dueId": f"Due:{due.id}",
        "amount": due.money,
        "channel": "BANK_COUNTER",
        "bankReference": f"B{next(_references):015}",
        "paidAt": PAID_AT,
    }


def write_bodies(path: Path, bodies: Iterable[bytes]) -> str:
    """Write request bodies as the load client reads them."""
    with path.open("wb") as file:
        for body in bodies:
            file.write(body + b"\n")
    return str(path)


async def send(instructions: Instructions) -> Report:
    """Run the load client.

    Raises:
        BenchmarkFailure: it failed, or requests were refused.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.client"),
        cwd=HOUSE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(CLIENT_SECONDS):
            output, _ = await process.communicate(orjson.dumps(asdict(instructions)))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise BenchmarkFailure(f"the load client ended with status {process.returncode}")
    return Report(**orjson.loads(output))


async def send_all_accepted(instructions: Instructions) -> Report:
    """Run the load client where every request has to be accepted.

    Raises:
        BenchmarkFailure: one was refused, or there were not enough requests for the time.
    """
    report = await send(instructions)
    if report.refused:
        raise BenchmarkFailure(f"{report.refused} requests were refused: {report.first_refusal}")
    if instructions.seconds and report.used_up:
        raise BenchmarkFailure("the server was faster than requests had been prepared for")
    return report
