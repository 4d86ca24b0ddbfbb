"""The outbox: an event row is written in the transaction that it tells of.

`sequence` is the order of commits: on PostgreSQL a trigger takes one advisory lock before a transaction's rows
get their numbers and keeps it until the commit, on SQLite there is one writer at a time. So a reader that goes
by `sequence` never skips a row that commits late, and a position survives a dump and restore.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from tortoise import fields
from tortoise.models import Model

from app.vocabulary import EventKind
from models.database import Session, as_id, as_instant


class OutboxEvent(Model):
    """One event. `payload` is JSON and carries no personal data."""

    sequence = fields.BigIntField(primary_key=True, generated=True)
    kind = fields.CharEnumField(EventKind, max_length=20)
    subject_id = fields.UUIDField()
    occurred_at = fields.DatetimeField()
    payload = fields.TextField()

    class Meta:
        table = "outbox_events"


# The place before the first event.
START = 0
NO_END = 2**62
COLUMNS = ("kind", "subject_id", "occurred_at", "payload")


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to append."""

    kind: EventKind
    subject_id: UUID
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it was read; `payload` is still JSON."""

    sequence: int
    kind: EventKind
    subject_id: UUID
    occurred_at: datetime
    payload: str


def _json(payload: dict[str, Any]) -> str:
    # asyncpg's own UUID class is a stranger to orjson.
    return orjson.dumps(payload, default=str).decode()


async def append(session: Session, events: Iterable[NewEvent], at: datetime) -> None:
    """Write events, in one statement, as the last thing that the caller's transaction does.

    Last, because on PostgreSQL every other writer of events waits from here until the commit.
    """
    rows = [(e.kind, e.subject_id, at, _json(e.payload)) for e in events]
    await session.insert_rows(OutboxEvent, COLUMNS, rows)


async def read_after(session: Session, after: int, limit: int, until: int | None = None) -> list[StoredEvent]:
    """At most `limit` events behind `after` (and up to `until`), in the order of commits.

    Of every kind: with a second condition PostgreSQL leaves the order of the key and reads the whole table.
    """
    rows = await session.fetch(
        "SELECT sequence, kind, subject_id, occurred_at, payload FROM outbox_events"
        f" WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence LIMIT {int(limit)}",
        after,
        NO_END if until is None else until,
    )
    return [
        StoredEvent(
            sequence=row["sequence"],
            kind=EventKind(row["kind"]),
            subject_id=as_id(row["subject_id"]),
            occurred_at=as_instant(row["occurred_at"]),
            payload=row["payload"],
        )
        for row in rows
    ]


async def newest(session: Session) -> int:
    """The sequence of the newest event, or START."""
    row = await session.fetch_one("SELECT sequence FROM outbox_events ORDER BY sequence DESC LIMIT 1")
    return int(row["sequence"]) if row else START
