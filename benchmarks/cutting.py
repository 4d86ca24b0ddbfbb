"""Cutting a batch of a million payments beside cutting one of a thousand."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import orjson

from benchmarks.measures import Bound, Limit, Measure
from benchmarks.processes import HOST, BenchmarkFailure, Server, ask
from benchmarks.stage import Stage, connected

# Set-based: a million rows that keep every constraint. What the dues are for makes no difference to a cut.
FILL = """
INSERT INTO payments (id, due_id, amount, channel, status, handling_bank_id, clearing_batch_id, bank_reference,
                      paid_at, accepted_at, receipt_number)
SELECT (lpad(to_hex($4 + n), 12, '0') || '7000a000000000000000')::uuid, id, personal_amount, 'BANK_COUNTER',
       'ACCEPTED', $1, $2, 'B' || $4 + n, opened_at, opened_at, number || lpad(n::text, 7, '0')
FROM (SELECT d.id, d.personal_amount, b.opened_at, b.number, row_number() OVER (ORDER BY d.id) AS n
      FROM (SELECT id, personal_amount FROM dues WHERE status = 'OPEN' AND personal_amount > 0
            ORDER BY id OFFSET $4 LIMIT $3) d CROSS JOIN clearing_batches b WHERE b.id = $2) AS numbered
"""
TOTALS = (
    "UPDATE clearing_batches b SET payment_count = s.n, receipts_issued = s.n, total_amount = s.amount FROM"
    " (SELECT COUNT(*) AS n, SUM(amount) AS amount FROM payments WHERE clearing_batch_id = $1) s WHERE b.id = $1",
    "INSERT INTO handling_bank_totals (id, clearing_batch_id, handling_bank_id, payment_count, total_amount)"
    " SELECT gen_random_uuid(), clearing_batch_id, handling_bank_id, COUNT(*), SUM(amount) FROM payments"
    " WHERE clearing_batch_id = $1 GROUP BY clearing_batch_id, handling_bank_id",
)
SMALL = 1_000


async def run(stage: Stage) -> list[Measure]:
    """Measure. A cut is taken back between two measurements: the batch is as full as it was."""
    large = stage.size(1_000_000, 20_000)
    times: dict[int, list[float]] = {SMALL: [], large: []}
    async with stage.copy_of_city(stage.size(1_000_000, 25_000)) as url:
        stage.say(f"filling a batch with {large:,} payments")
        async with connected(url) as connection:
            batches = await _fill(connection, {SMALL: "105", large: "314"})
        async with stage.serve(url) as server, connected(url) as connection:
            for number in range(stage.size(31, 5)):
                stage.say(f"cut {number + 1}")
                for size, batch_id in batches.items():
                    milliseconds = await _cut(server, stage.officer_token(), str(batch_id))
                    if number:  # the first one of each warms up
                        times[size].append(milliseconds)
                    await _take_back(connection, batch_id)
    return [
        Measure(
            "cut", f"cutting a batch of {large:,}", median(times[large]), "ms",
            (f"one of {SMALL:,}", median(times[SMALL])), Limit(Bound.AT_MOST, 2),
            {str(size): [round(each, 2) for each in taken] for size, taken in times.items()},
        )
    ]  # fmt: skip


async def _fill(connection: Any, wanted: dict[int, str]) -> dict[int, Any]:
    """Fill the open medical batch of each bank with that many payments; the batches by size."""
    batches: dict[int, Any] = {}
    used = 0
    for size, bank in wanted.items():
        bank_id = await connection.fetchval("SELECT id FROM banks WHERE code = $1", bank)
        batch_id = await connection.fetchval(
            "SELECT id FROM clearing_batches WHERE clearing_bank_id = $1 AND scheme = 'MEDICAL'", bank_id
        )
        await connection.execute(FILL, bank_id, batch_id, size, used, timeout=600)
        for statement in TOTALS:
            await connection.execute(statement, batch_id, timeout=120)
        if size != await connection.fetchval(
            "SELECT payment_count FROM clearing_batches WHERE id = $1", batch_id
        ):
            raise BenchmarkFailure(f"the city has too few open dues for a batch of {size:,}")
        batches[size] = batch_id
        used += size
    await connection.execute("VACUUM ANALYZE payments")
    await connection.execute("CHECKPOINT")
    return batches


async def _cut(server: Server, token: str, batch_id: str) -> float:
    """Milliseconds from the request to the answer."""
    query = "mutation Cut($input: ClearingBatchInput!) { cutClearingBatch(input: $input) { batch { status paymentCount } } }"
    variables = {"input": {"batchId": f"ClearingBatch:{batch_id}"}}
    body = orjson.dumps({"query": query, "variables": variables})
    head = (
        f"POST /graphql HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {token}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    started = time.perf_counter()
    answer = await ask(server.port, head.encode() + body)
    milliseconds = 1000 * (time.perf_counter() - started)
    if b'"status":"CUT"' not in answer:
        raise BenchmarkFailure(f"the cut was refused: {answer[-300:].decode(errors='replace')}")
    return milliseconds


async def _take_back(connection: Any, batch_id: Any) -> None:
    """Remove the batch that the cut opened, and open the one that it cut."""
    async with connection.transaction():
        await connection.execute(
            "DELETE FROM clearing_batches n USING clearing_batches b WHERE b.id = $1 AND n.status = 'OPEN'"
            " AND n.clearing_bank_id = b.clearing_bank_id AND n.scheme = b.scheme AND n.id <> b.id",
            batch_id,
        )
        await connection.execute(
            "UPDATE clearing_batches SET status = 'OPEN', cut_at = NULL WHERE id = $1", batch_id
        )
