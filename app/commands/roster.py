"""`premia import`."""

from __future__ import annotations

import sys
from pathlib import Path

from app.services.rosters import ImportProgress, ImportSummary, RosterRefused, import_roster
from app.settings import Settings
from app.startup import opened


class FileRefused(Exception):
    """The whole file was refused; nothing of it was recorded."""


async def run(settings: Settings, roster: Path, result: Path, benefit_year: int) -> str:
    """Import the roster; the closing line.

    Raises:
        FileRefused: it cannot be read as a roster at all.
    """
    async with opened(settings) as house:
        try:
            summary = await import_roster(
                roster, result, benefit_year=benefit_year, keys=house.keys(), progress=_show
            )
        except RosterRefused as trouble:
            raise FileRefused(str(trouble)) from trouble
    return _closing_line(summary, result)


def _closing_line(summary: ImportSummary, result: Path) -> str:
    figures = f"{summary.lines:,} lines: {summary.accepted:,} accepted, {summary.refused:,} refused"
    if summary.finished_before:
        return f"This file was imported before, nothing was changed. {figures}."
    resumed = f" ({summary.lines_before:,} of them by an earlier run)" if summary.lines_before else ""
    return f"{figures}{resumed}. Each line's outcome is in {result}."


def _show(progress: ImportProgress) -> None:
    if sys.stderr.isatty():
        percent = 100 * progress.bytes_done // max(1, progress.total_bytes)
        print(f"\r{progress.lines:,} lines, {percent} %", end="", file=sys.stderr, flush=True)
