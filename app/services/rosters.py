"""Rosters: who is registered and owes what, as agencies hand it in, one file at a time.

A chunk of lines is committed together with its effect and with the place that the import has come to; its
result lines are on disk before. So a run that was killed goes on where it stopped, and nothing is done twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from app import clock
from app.ahead import one_ahead
from app.personal_data import PersonalDataKeys
from app.reference import tables
from app.rules.regions import present_codes
from app.services import roster_files, roster_recording
from app.services.roster_files import RosterFile, RosterRefused, Survey
from app.services.roster_lines import Entry, LineCode, LineRefused, RosterFacts, judge
from app.services.roster_results import ResultFile
from app.services.transactions import transaction
from app.vocabulary import RegionLevel, Scheme
from models import collection_periods, regions, roster_imports
from models.database import Session
from models.failures import ConstraintViolated
from models.roster_imports import ImportRow

__all__ = ["ImportProgress", "ImportSummary", "RosterRefused", "import_roster"]

LARGEST_CHUNK = 20_000
COLLISIONS_BORNE = 5


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import has come, in data lines and in bytes of the roster."""

    lines: int
    accepted: int
    refused: int
    bytes_done: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What became of a roster: accepted and refused add up to lines.

    Attributes:
        lines_before: how many of the lines an earlier run had done.
        finished_before: whether it had done all; then nothing was changed now.
    """

    lines: int
    accepted: int
    refused: int
    lines_before: int
    finished_before: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some judged lines; `ends_at` is the byte behind the last."""

    first_line: int
    lines: Sequence[Entry | LineRefused]
    ends_at: int


async def import_roster(
    path: Path,
    result_path: Path,
    *,
    benefit_year: int,
    keys: PersonalDataKeys,
    chunk_size: int = 5_000,
    progress: Callable[[ImportProgress], None],
) -> ImportSummary:
    """Import a roster file for a benefit year; what became of each line is written to `result_path`.

    The same file for the same year is one import, however often it is begun: it goes on where it stopped.
    Each chunk of `chunk_size` lines takes a constant number of statements in a transaction of its own.

    Raises:
        RosterRefused: the file, its result file or the database's data do not allow it.
        Unavailable: the database did not answer. What was committed stays; begin again to go on.
        ValueError: `chunk_size` is not between 1 and LARGEST_CHUNK.
    """
    if not 1 <= chunk_size <= LARGEST_CHUNK:
        raise ValueError(f"a chunk has 1 to {LARGEST_CHUNK:,} lines")
    surveyed = await asyncio.to_thread(_survey, path, result_path, benefit_year)
    async with transaction() as session:
        facts, periods = await _facts(session, benefit_year)
        row = await roster_imports.begin(session, surveyed.content_hash, benefit_year, clock.now())
    if row.finished:
        return _summary(row, row)
    with ResultFile(result_path, row.result_bytes) as result:
        writer = _Writer(row, periods, keys, result)
        chunks = _chunks(path, surveyed, row, facts, chunk_size)
        async with aclosing(one_ahead(chunks)) as ahead:
            async for chunk in ahead:
                await writer.commit(chunk)
                progress(_progress(writer.row, surveyed))
        await asyncio.to_thread(surveyed.check_unchanged, path)
        await writer.finish()
    return _summary(row, writer.row)


def _summary(before: ImportRow, after: ImportRow) -> ImportSummary:
    return ImportSummary(
        lines=after.lines_done,
        accepted=after.accepted_count,
        refused=after.refused_count,
        lines_before=before.lines_done,
        finished_before=before.finished,
    )


def _progress(row: ImportRow, surveyed: Survey) -> ImportProgress:
    return ImportProgress(
        row.lines_done, row.accepted_count, row.refused_count, row.source_bytes, surveyed.total_bytes
    )


def _survey(path: Path, result_path: Path, benefit_year: int) -> Survey:
    surveyed = roster_files.survey(path, benefit_year)
    if result_path.exists() and result_path.samefile(path):
        raise RosterRefused("the result file must not be the roster itself")
    return surveyed


async def _facts(session: Session, benefit_year: int) -> tuple[RosterFacts, dict[Scheme, UUID]]:
    periods = {
        period.scheme: period.id
        for period in await collection_periods.all_periods(session)
        if period.benefit_year == benefit_year
    }
    missing = [scheme.value for scheme in Scheme if scheme not in periods]
    if missing:
        raise RosterRefused(f"there is no collection period of {benefit_year} for {' and '.join(missing)}")
    tree = await regions.all_regions(session)
    facts = RosterFacts(
        benefit_year=benefit_year,
        today=clock.today(),
        present_codes=present_codes(tree),
        region_ids={region.code: region.id for region in tree if region.level is not RegionLevel.CITY},
        rates=tables.medical_rates(),
        restricted={fen: tier.restricted for fen, tier in tables.pension_tiers().items()},
    )
    return facts, periods


def _chunks(
    path: Path, surveyed: Survey, row: ImportRow, facts: RosterFacts, chunk_size: int
) -> Generator[Chunk, None, None]:
    """The lines that are not done yet, judged."""
    with closing(RosterFile(path, surveyed, row.lines_done, row.source_bytes)) as roster:
        first_line = roster.line_number
        while lines := roster.read(chunk_size):
            judged = [
                LineRefused(line) if isinstance(line, LineCode) else judge(line, surveyed.columns, facts)
                for line in lines
            ]
            yield Chunk(first_line, judged, roster.position)
            first_line = roster.line_number


class _Writer:
    """Commits chunk after chunk; `row` is the import as it was last committed."""

    def __init__(
        self, row: ImportRow, periods: Mapping[Scheme, UUID], keys: PersonalDataKeys, result: ResultFile
    ) -> None:
        self.row = row
        self._periods = periods
        self._keys = keys
        self._result = result

    async def commit(self, chunk: Chunk) -> None:
        """Commit one chunk. A meeting with another import undoes it; then it is done again."""
        for attempt in range(COLLISIONS_BORNE + 1):
            try:
                async with transaction() as session:
                    row = await self._record(session, chunk)
                self.row = row
                return
            except ConstraintViolated:
                if attempt == COLLISIONS_BORNE:
                    raise

    async def _record(self, session: Session, chunk: Chunk) -> ImportRow:
        await self._lock(session)
        outcomes = await roster_recording.record(
            session, chunk.first_line, chunk.lines, self._periods, self._keys
        )
        written = await asyncio.to_thread(self._result.write, self.row.result_bytes, outcomes)
        accepted = sum(outcome.accepted for outcome in outcomes)
        row = replace(
            self.row,
            lines_done=self.row.lines_done + len(outcomes),
            accepted_count=self.row.accepted_count + accepted,
            refused_count=self.row.refused_count + len(outcomes) - accepted,
            source_bytes=chunk.ends_at,
            result_bytes=written,
        )
        await roster_imports.advance(session, row)
        return row

    async def finish(self) -> None:
        """Say that all is done; the result file ends where it was committed to."""
        async with transaction() as session:
            await self._lock(session)
            written = await asyncio.to_thread(self._result.write, self.row.result_bytes, [])
            row = replace(self.row, result_bytes=written, finished=True)
            await roster_imports.advance(session, row)
        self.row = row

    async def _lock(self, session: Session) -> None:
        if await roster_imports.lock(session, self.row.id) != self.row:
            raise RosterRefused("another process is importing the same roster")
