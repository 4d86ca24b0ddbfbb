"""Roster imports: one row for each file, saying how far it has come, and what a chunk of lines writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model
from uuid_utils.compat import uuid7

from models import dues, payers
from models.database import Row, Session, as_id
from models.dues import Due
from models.payers import Payer


class RosterImport(Model):
    """An import of one file for one benefit year, known by the hash of both.

    `lines_done` lines, which end at byte `source_bytes` of the file, are committed together with their effect
    and stand in the result file up to `result_bytes`: a run that was killed goes on from there.
    """

    id = fields.UUIDField(primary_key=True)
    content_hash = fields.CharField(max_length=64, unique=True)
    benefit_year = fields.IntField()
    lines_done = fields.BigIntField(default=0)
    accepted_count = fields.BigIntField(default=0)
    refused_count = fields.BigIntField(default=0)
    source_bytes = fields.BigIntField(default=0)
    result_bytes = fields.BigIntField(default=0)
    finished = fields.BooleanField(default=False)
    started_at = fields.DatetimeField()

    class Meta:
        table = "roster_imports"


@dataclass(frozen=True, slots=True)
class ImportRow:
    """How far an import has come; `accepted_count` and `refused_count` add up to `lines_done`."""

    id: UUID
    lines_done: int
    accepted_count: int
    refused_count: int
    source_bytes: int
    result_bytes: int
    finished: bool


@dataclass(frozen=True, slots=True)
class KnownPayer:
    """What an import must know of a payer who is registered."""

    id: UUID
    name: str
    region_id: UUID


@dataclass(frozen=True, slots=True)
class KnownDue:
    """What an import must know of a due that is there; `amount` in fen, subsidy included."""

    id: UUID
    category: str
    amount: int


_SELECT = (
    "SELECT id, lines_done, accepted_count, refused_count, source_bytes, result_bytes, finished"
    " FROM roster_imports"
)


def _row(row: Row) -> ImportRow:
    return ImportRow(
        id=as_id(row["id"]),
        lines_done=row["lines_done"],
        accepted_count=row["accepted_count"],
        refused_count=row["refused_count"],
        source_bytes=row["source_bytes"],
        result_bytes=row["result_bytes"],
        finished=bool(row["finished"]),
    )


async def begin(session: Session, content_hash: str, benefit_year: int, at: datetime) -> ImportRow:
    """The import of this content, begun now if it was not before."""
    columns = (
        "id", "content_hash", "benefit_year", "lines_done", "accepted_count", "refused_count",
        "source_bytes", "result_bytes", "finished", "started_at",
    )  # fmt: skip
    fresh = (uuid7(), content_hash, benefit_year, 0, 0, 0, 0, 0, False, at)
    await session.insert_missing(RosterImport, columns, [fresh])
    [row] = await session.fetch(f"{_SELECT} WHERE content_hash = $1", content_hash)
    return _row(row)


async def lock(session: Session, import_id: UUID) -> ImportRow:
    """Lock one import: a second process that imports the same file waits here."""
    [row] = await session.fetch(f"{_SELECT} WHERE id = $1{session.for_update}", import_id)
    return _row(row)


async def advance(session: Session, row: ImportRow) -> None:
    """Write how far a locked import has come."""
    await session.execute(
        "UPDATE roster_imports SET lines_done = $2, accepted_count = $3, refused_count = $4,"
        " source_bytes = $5, result_bytes = $6, finished = $7 WHERE id = $1",
        *(row.id, row.lines_done, row.accepted_count, row.refused_count),
        *(row.source_bytes, row.result_bytes, row.finished),
    )


async def known_payers(session: Session, lookups: Sequence[bytes]) -> dict[bytes, KnownPayer]:
    """Who of these keyed hashes is registered. At most 30,000 at once (SQLite's limit of parameters)."""
    columns = "SELECT id, name, region_id, id_number_lookup FROM payers WHERE id_number_lookup"
    if session.postgres:
        rows = await session.fetch(f"{columns} = ANY($1::bytea[])", list(lookups))
    else:
        marks = ", ".join(f"${n}" for n in range(1, len(lookups) + 1))
        rows = await session.fetch(f"{columns} IN ({marks})", *lookups)
    return {
        bytes(row["id_number_lookup"]): KnownPayer(as_id(row["id"]), row["name"], as_id(row["region_id"]))
        for row in rows
    }


async def add_payers(session: Session, rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert those who are not registered yet, in the order of `models.payers.COLUMNS`; how many."""
    key = itemgetter(payers.COLUMNS.index("id_number_lookup"))
    return await session.insert_missing(Payer, payers.COLUMNS, sorted(rows, key=key))


async def add_dues(session: Session, rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert the dues that are not there yet, in the order of `models.dues.COLUMNS`; how many."""
    key = itemgetter(dues.COLUMNS.index("payer_id"), dues.COLUMNS.index("period_id"))
    return await session.insert_missing(Due, dues.COLUMNS, sorted(rows, key=key))


async def known_dues(
    session: Session, payer_ids: Sequence[UUID], period_ids: Sequence[UUID]
) -> dict[tuple[UUID, UUID], KnownDue]:
    """The dues of these payers in these periods, by (payer, period)."""
    rows = await session.fetch(
        "SELECT id, payer_id, period_id, category, personal_amount + subsidy_amount AS amount FROM dues"
        f" WHERE {session.members('payer_id', 1)} AND {session.members('period_id', 2)}",
        list(payer_ids),
        list(period_ids),
    )
    found = {}
    for row in rows:
        due = KnownDue(as_id(row["id"]), row["category"], row["amount"])
        found[as_id(row["payer_id"]), as_id(row["period_id"])] = due
    return found
