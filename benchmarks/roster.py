"""Importing a roster: lines per second, and the memory it takes."""

from __future__ import annotations

import csv
import re
from datetime import date, timedelta
from pathlib import Path

from app.rules.identity import check_character
from benchmarks.measures import Measure
from benchmarks.processes import BenchmarkFailure
from benchmarks.stage import Stage, connected

HEADER = ("id_number", "name", "phone", "region_code", "scheme", "category_or_tier")
FIRST_BIRTHDAY = date(1962, 1, 1)


async def run(stage: Stage) -> list[Measure]:
    """Measure `premia import` of people who are not known yet, into a small city."""
    lines = stage.size(200_000, 5_000)
    async with stage.copy_of_city(stage.size(110_000, 2_000)) as url:
        async with connected(url) as connection:
            rows = await connection.fetch("SELECT code FROM regions WHERE level = 'VILLAGE' ORDER BY code")
        path = stage.folder / "roster.csv"
        _write_roster(path, lines, [row["code"] for row in rows])
        stage.say(f"importing a roster of {lines:,} lines")
        ran = await stage.premia(url, "import", str(path))
    accepted = re.search(r"([0-9,]+) accepted", ran.output)
    if accepted is None or accepted[1] != f"{lines:,}":
        raise BenchmarkFailure(f"not every line was accepted: {ran.output}")
    peak = ran.peak_bytes / 2**20
    details = {"seconds": round(ran.seconds, 2), "peak_megabytes": round(peak, 1)}
    name = f"premia import, {lines:,} lines"
    return [
        Measure("roster", name, lines / ran.seconds, "lines/s", None, None, details),
        Measure("roster", f"{name}: most memory", peak, "MB"),
    ]


def _write_roster(path: Path, lines: int, regions: list[str]) -> None:
    """Adults of working age with valid, plainly synthetic id numbers; each third line is a pension."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(lines):
            person = number // 3 * 2 + min(number % 3, 1)
            born = FIRST_BIRTHDAY + timedelta(days=person // 1000)
            first = f"999998{born:%Y%m%d}{person % 1000:03}"
            owes = ("PENSION", "300.00") if number % 3 == 2 else ("MEDICAL", "ADULT_TIER_2")
            phone = f"154{person:08}"
            writer.writerow(
                (first + check_character(first), "于小满", phone, regions[person % len(regions)], *owes)
            )
