"""Imports that are killed, met by others, or fed with garbage."""

import asyncio
import random
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reference import tables
from app.rules.identity import parse_id_number
from app.services import roster_files, rosters
from app.services.roster_lines import SENTENCES, Column, Entry, LineCode, LineRefused, RosterFacts, judge
from app.services.rosters import RosterRefused
from app.vocabulary import Scheme
from models.database import Session
from tests.services.rosters import (
    ACCEPTED,
    DAY,
    HEADER,
    KEY_TEXT,
    REFUSALS,
    clear,
    line,
    outcomes,
    owed,
    person,
    results_of,
    rows,
    take,
    write,
)

CHILD = """
import asyncio, sys, time
from datetime import datetime
from pathlib import Path
from app import clock
from app.clock import OFFICE, Clock
from app.personal_data import PersonalDataKeys
from app.services.rosters import import_roster
from models import database

async def main(url, roster, result, keys):
    clock.set_clock(Clock(datetime(2019, 10, 8, 10, tzinfo=OFFICE), datetime.now(OFFICE)))
    await database.connect(url)
    await import_roster(
        Path(roster), Path(result), benefit_year=2020, keys=PersonalDataKeys.parse(keys), chunk_size=40,
        progress=lambda _progress: time.sleep(0.01),
    )
    await database.disconnect()

asyncio.run(main(*sys.argv[1:]))
"""


def _mixed_lines(count: int) -> list[str]:
    chance = random.Random(5)  # noqa: S311 - a test's choices
    lines = []
    for _ in range(count):
        number = chance.randrange(1, 800)
        changes = [
            {},
            {"scheme": "PENSION", "category_or_tier": "500"},
            {"phone": "1"},
            {"name": "李四"},
            {"scheme": ""},
        ]
        lines.append(line(number, **chance.choices(changes, (6, 4, 1, 1, 1))[0]))
    return lines


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _run_and_kill(arguments: list[str], result: Path, grown: int, later: float) -> bool:
    """Start an import and kill it some seconds after its result has grown to so many bytes; whether it ran still."""
    with subprocess.Popen(arguments) as process:
        while process.poll() is None and _size(result) < grown:
            time.sleep(0.001)
        time.sleep(later)
        running = process.poll() is None
        process.kill()
    return running


async def test_an_import_killed_again_and_again_ends_as_an_undisturbed_one_and_nothing_is_done_twice(
    registry: str, tmp_path: Path
) -> None:
    roster = write(tmp_path / "roster.csv", _mixed_lines(3_000))
    arguments = [sys.executable, "-c", CHILD, registry, str(roster), str(results_of(roster)), KEY_TEXT]
    chance = random.Random(11)  # noqa: S311 - a test's choices
    kills = 0

    for _ in range(6):
        grown = _size(results_of(roster)) + chance.randrange(1, 12_000)
        kills += await asyncio.to_thread(
            _run_and_kill, arguments, results_of(roster), grown, chance.random() * 0.02
        )
    finished = await asyncio.to_thread(subprocess.run, arguments, check=False)
    assert finished.returncode == 0
    disturbed = (results_of(roster).read_bytes(), await owed())
    [counts] = await rows("SELECT lines_done, accepted_count, refused_count FROM roster_imports")
    await clear()
    results_of(roster).unlink()
    undisturbed = await take(roster, chunk_size=500)

    assert kills >= 4
    assert disturbed == (results_of(roster).read_bytes(), await owed())
    assert counts == (undisturbed.lines, undisturbed.accepted, undisturbed.refused)
    assert counts[0] == counts[1] + counts[2] == len(outcomes(roster)) == 3_000
    assert undisturbed.accepted == len([row for row in await owed() if row[3]])
    assert not [row for row in await owed() if row[1] == "李四" and row[3] is None]


@pytest.mark.usefixtures("registry")
async def test_two_rosters_with_the_same_people_at_once_make_each_person_and_due_once(tmp_path: Path) -> None:
    lines = [line(number) for number in range(1, 401)]
    forward = write(tmp_path / "forward.csv", lines)
    backward = write(tmp_path / "backward.csv", reversed(lines))

    first, second = await asyncio.gather(take(forward, 50), take(backward, 50))

    assert first.accepted + second.accepted == first.refused + second.refused == 400
    assert {code for _, _, code in outcomes(forward) + outcomes(backward)} == {"", "DUE_EXISTS"}
    assert len(await owed()) == 400


@pytest.mark.usefixtures("registry")
async def test_one_roster_begun_twice_at_once_is_imported_once_and_the_second_is_told(tmp_path: Path) -> None:
    roster = write(tmp_path / "roster.csv", [line(number) for number in range(1, 401)])

    told = await asyncio.gather(take(roster, 50), take(roster, 50), return_exceptions=True)

    assert sorted(type(answer).__name__ for answer in told) == ["ImportSummary", "RosterRefused"]
    assert outcomes(roster) == [ACCEPTED] * 400
    assert len(await owed()) == 400


@pytest.mark.usefixtures("registry")
async def test_a_chunk_takes_the_same_few_statements_whatever_its_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = 0

    def counted(name: str) -> None:
        original = getattr(Session, name)

        async def call(*arguments: Any) -> Any:
            nonlocal statements
            statements += 1
            return await original(*arguments)

        monkeypatch.setattr(Session, name, call)

    for name in ("fetch", "execute", "write", "insert_missing", "copy_rows"):
        counted(name)
    needed = []
    for count, first in ((10, 1), (400, 11)):
        statements = 0
        await take(
            write(tmp_path / f"{count}.csv", [line(first + n) for n in range(count)]), chunk_size=1_000
        )
        needed.append(statements)

    assert needed[0] == needed[1] <= 12


@pytest.mark.usefixtures("registry")
async def test_nothing_personal_stands_in_the_result_file(tmp_path: Path) -> None:
    wrong = [bad for bad, _, code in REFUSALS if code != "LINE_TOO_LONG"]
    roster = write(
        tmp_path / "roster.csv",
        [*wrong, line(7), line(7), line(7, name="张三"), line(7, region_code="370203")],
    )

    await take(roster)

    written = results_of(roster).read_text(encoding="utf-8")
    for text in ("999998", "15400000001", "12800000000", "110105491231002", "王", "张三"):
        assert text not in written


def test_a_line_of_ten_megabytes_is_refused_without_being_held_in_memory(tmp_path: Path) -> None:
    roster = write(tmp_path / "roster.csv", [line(1), "x" * 10_000_000, line(2), "y" * 10_000_000])
    surveyed = roster_files.survey(roster, 2020)

    tracemalloc.start()
    file = roster_files.RosterFile(roster, surveyed, lines_done=0, source_bytes=0)
    lines = file.read(100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    file.close()

    expected = [line(1).split(","), LineCode.LINE_TOO_LONG, line(2).split(","), LineCode.LINE_TOO_LONG]
    assert lines == expected
    assert peak < 4_000_000


FACTS = RosterFacts(
    benefit_year=2020,
    today=DAY,
    present_codes={"370200": "370200", "370215": "370215", "370282": "370215"},
    region_ids={"370215": UUID(int=1)},
    rates=tables.medical_rates(),
    restricted={fen: tier.restricted for fen, tier in tables.pension_tiers().items()},
)
COLUMNS = tuple(Column)


def _lines() -> st.SearchStrategy[Sequence[str]]:
    good = st.tuples(
        st.builds(
            person,
            st.integers(0, 999),
            st.dates(date(1930, 1, 1), date(2025, 1, 1)).map(lambda d: f"{d:%Y%m%d}"),
        ),
        st.sampled_from(["王小明", " 李 ", ""]),
        st.sampled_from(["", "15400000001", "154"]),
        st.sampled_from(["370215", "370282", "370200", "370203"]),
        st.sampled_from(["PENSION", "medical", "养老", "?"]),
        st.sampled_from(["300", "300.00", "100", "adult_tier_1", "CHILD", "", "٣٠٠"]),
    )
    spoiled = st.tuples(good, st.integers(0, 5), st.text(max_size=80)).map(
        lambda drawn: (*drawn[0][: drawn[1]], drawn[2], *drawn[0][drawn[1] + 1 :])
    )
    return st.one_of(good, spoiled, st.lists(st.text(max_size=20), max_size=8))


@given(_lines())
def test_any_line_is_judged_and_none_becomes_an_entry_that_breaks_a_rule(fields: Sequence[str]) -> None:
    judged = judge(fields, COLUMNS, FACTS)

    if isinstance(judged, LineRefused):
        assert SENTENCES[judged.code]
        return
    assert isinstance(judged, Entry)
    assert parse_id_number(judged.id_number) == judged.id_number
    assert 1 <= len(judged.name) <= 60
    assert judged.phone is None or judged.phone == fields[2].strip()
    assert judged.region_id == UUID(int=1)
    if judged.scheme is Scheme.MEDICAL:
        assert judged.amount == FACTS.rates[2020, judged.category]
    else:
        assert FACTS.restricted[judged.amount] is False
        assert judged.category == f"TIER_{judged.amount}"
        assert 1959 <= int(judged.id_number[6:10]) <= 2003


@given(content=st.binary(max_size=400))
def test_any_bytes_below_the_header_are_read_line_by_line_and_none_is_lost(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(f"{HEADER}\n".encode() + content)
    try:
        surveyed = roster_files.survey(path, 2020)
    except RosterRefused:
        with pytest.raises(UnicodeDecodeError):
            content.decode()
        return

    file = roster_files.RosterFile(path, surveyed, lines_done=0, source_bytes=0)
    pieces = list(_all(file))
    file.close()

    assert len(pieces) == content.count(b"\n") + (not content.endswith(b"\n") and bool(content))


def _all(file: roster_files.RosterFile) -> Iterator[list[str] | LineCode]:
    while lines := file.read(3):
        yield from lines


async def test_a_chunk_size_out_of_bounds_is_refused_before_the_file_is_touched(tmp_path: Path) -> None:
    for size in (0, rosters.LARGEST_CHUNK + 1):
        with pytest.raises(ValueError, match="a chunk has"):
            await take(tmp_path / "nowhere.csv", chunk_size=size)

    assert not results_of(tmp_path / "nowhere.csv").exists()
