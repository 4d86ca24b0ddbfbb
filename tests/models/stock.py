"""A database with at least one row in every table, and how to write one more row that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from uuid_utils.compat import uuid7

from app.services import clearing
from app.services.payments import Recorded, record_payments
from models import database
from models.demonstration import Demonstration
from models.roster_imports import RosterImport
from tests.builders import NOW, Office, officer
from tests.models import catalogue

Table = list[tuple[tuple[str, str], ...]]


async def stock(office: Office) -> None:
    """Write through the services where there is one: a payment in a cut batch and one in an open batch."""
    [first] = await record_payments([office.command(await office.due())])
    assert isinstance(first, Recorded)
    await clearing.cut(first.payment.clearing_batch_id, officer())
    [second] = await record_payments([office.command(await office.due())])
    assert isinstance(second, Recorded)
    await Demonstration.create(id=1, seed=1, payers=2, starts_at=NOW, made_at=datetime.now(UTC), pace="1.0")
    await RosterImport.create(id=uuid7(), content_hash="a" * 64, benefit_year=2020, started_at=NOW)


async def snapshot() -> dict[str, Table]:
    """Every row of every table, as text."""
    async with database.reading() as session:
        return {
            table: sorted(
                tuple((name, str(row[name])) for name in row.keys())  # noqa: SIM118 - sqlite3.Row is no mapping
                for row in await session.fetch(f"SELECT * FROM {table}")
            )
            for table in await catalogue.tables(session)
        }


async def insert_like(table: str, changes: Mapping[str, Any], where: str = "1 = 1") -> None:
    """Insert a copy of the table's newest row with `changes`; raises what the database raises."""
    async with database.transaction() as session:
        order = "sequence" if table == "outbox_events" else "id"
        row = await session.fetch_one(f"SELECT * FROM {table} WHERE {where} ORDER BY {order} DESC LIMIT 1")
        assert row is not None, f"{table} has no row to copy"
        values = {name: row[name] for name in row.keys()} | dict(changes)  # noqa: SIM118
        names = ", ".join(values)
        marks = ", ".join(f"${n}" for n in range(1, len(values) + 1))
        await session.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", *values.values())
