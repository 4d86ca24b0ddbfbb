"""Bare asyncpg: the rows that a list of payments leaves behind, written without GraphQL, rules or answers.

One transaction for each list, the fastest way in for each table. What Premia has to know before it writes (whether
the due is open, which batch is) is given, not asked for.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from benchmarks.stage import BANKS, OpenDue, connected

PAYMENTS = (
    "id", "due_id", "amount", "channel", "status", "handling_bank_id", "clearing_batch_id",
    "bank_reference", "collection_point_code", "paid_at", "accepted_at", "receipt_number",
)  # fmt: skip
STATE_CHANGES = (
    "id", "object_type", "object_id", "from_state", "to_state", "occurred_at", "actor", "reason",
)  # fmt: skip
TRANSFERS = ("id", "debit_account", "credit_account", "amount", "kind", "cause_id", "occurred_at")
EVENTS = ("kind", "subject_id", "occurred_at", "payload")
_numbers = itertools.count(1)
AT = datetime(2019, 10, 8, 2, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Caller:
    """One bank's connection, and the open batch that its payments go into."""

    connection: Any
    bank_id: UUID
    bank_code: str
    batch: dict[str, Any]


async def write_lists(url: str, lists: Sequence[Sequence[OpenDue]]) -> float:
    """Write each list in one transaction, as many callers at once as there are banks; the seconds it took."""
    async with AsyncExitStack() as stack:
        callers = [await _caller(await stack.enter_async_context(connected(url)), bank) for bank in BANKS]
        waiting = list(lists)
        started = time.perf_counter()
        await asyncio.gather(*(_work(caller, waiting) for caller in callers))
        return time.perf_counter() - started


async def _caller(connection: Any, code: str) -> Caller:
    bank_id = await connection.fetchval("SELECT id FROM banks WHERE code = $1", code)
    batch = await connection.fetchrow(
        "SELECT b.* FROM clearing_batches b JOIN banks c ON c.id = b.clearing_bank_id LEFT JOIN clearing_routes r"
        " ON r.clearing_bank_id = c.id AND r.handling_bank_id = $1"
        " WHERE b.status = 'OPEN' AND b.scheme = 'MEDICAL' AND (c.id = $1 OR r.id IS NOT NULL)",
        bank_id,
    )
    return Caller(connection, bank_id, code, dict(batch))


async def _work(caller: Caller, waiting: list[Sequence[OpenDue]]) -> None:
    while waiting:
        dues = waiting.pop()
        async with caller.connection.transaction():
            await _write(caller, next(_numbers), dues)


async def _write(caller: Caller, number: int, dues: Sequence[OpenDue]) -> None:
    connection, batch = caller.connection, caller.batch
    payments = [
        (
            uuid7(), UUID(due.id), due.amount, "BANK_COUNTER", "ACCEPTED", caller.bank_id, batch["id"],
            f"R{number}-{place}", None, AT, AT, f"{caller.bank_code}{number:012}{place:05}",
        )
        for place, due in enumerate(dues)
    ]  # fmt: skip
    await connection.copy_records_to_table("payments", records=payments, columns=PAYMENTS)
    await connection.execute(
        "UPDATE dues SET status = 'PAID', held_by = NULL, held_until = NULL WHERE id = ANY($1::uuid[])",
        [row[1] for row in payments],
    )
    moves = [(uuid7(), "due", row[1], "OPEN", "PAID", AT, "bank", f"payment {row[11]}") for row in payments]
    await connection.copy_records_to_table("state_changes", records=moves, columns=STATE_CHANGES)
    debit = f"bank:{caller.bank_code}"
    transfers = [(uuid7(), debit, "payers:MEDICAL", row[2], "PAYMENT", row[0], AT) for row in payments]
    await connection.copy_records_to_table("transfers", records=transfers, columns=TRANSFERS)
    await _add_totals(caller, len(payments), sum(row[2] for row in payments))
    events = [
        ("PAYMENT_ACCEPTED", row[0], AT, _json(dict(zip(PAYMENTS, row, strict=True)))) for row in payments
    ]
    events.append(("BATCH_TOTALS", batch["id"], AT, _json(batch)))
    await connection.copy_records_to_table("outbox_events", records=events, columns=EVENTS)


async def _add_totals(caller: Caller, count: int, amount: int) -> None:
    await caller.connection.execute(
        "UPDATE clearing_batches SET payment_count = payment_count + $2, total_amount = total_amount + $3,"
        " receipts_issued = receipts_issued + $2 WHERE id = $1",
        caller.batch["id"],
        count,
        amount,
    )
    await caller.connection.execute(
        "INSERT INTO handling_bank_totals (id, clearing_batch_id, handling_bank_id, payment_count, total_amount)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (clearing_batch_id, handling_bank_id) DO UPDATE"
        " SET payment_count = handling_bank_totals.payment_count + excluded.payment_count,"
        " total_amount = handling_bank_totals.total_amount + excluded.total_amount",
        uuid7(),
        caller.batch["id"],
        caller.bank_id,
        count,
        amount,
    )


def _json(values: dict[str, Any]) -> str:
    return orjson.dumps(values, default=str).decode()
