from __future__ import annotations

import asyncio
import csv
import random
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.demonstration.city import make_city
from app.personal_data import PersonalDataKeys
from app.reference import tables
from app.rules.identity import check_character, parse_id_number
from app.services import roster_files, rosters
from app.services.roster_lines import SENTENCES, Column, Entry, LineCode, LineRefused, RosterFacts, judge
from app.services.rosters import ImportProgress, ImportSummary, RosterRefused, import_roster
from app.vocabulary import Scheme
from models.database import Session, reading, transaction

KEY_TEXT = f"lookup:{'ab' * 32},1:{'cd' * 32}"
KEYS = PersonalDataKeys.parse(KEY_TEXT)
HEADER = "id_number,name,phone,region_code,scheme,category_or_tier"
XIYUANZHUANG = "370215001201"
DAY = date(2019, 10, 8)


@pytest.fixture
async def registry(database: str) -> str:
    """A database with regions, banks and periods, and nobody registered; its URL."""
    await make_city(
        payers=1,
        seed=1,
        pace=1.0,
        keys=KEYS,
        carried_signing_key=None,
        carried_personal_data_keys=None,
        progress=lambda _made, _payers: None,
    )
    await clear()
    return database


async def clear() -> None:
    async with transaction() as session:
        for table in ("dues", "payers", "roster_imports"):
            await session.execute(f"DELETE FROM {table}")


def person(number: int, born: str = "19800101") -> str:
    """A valid id number that nobody has."""
    digits = f"999998{born}{number:03}"
    return digits + check_character(digits)


def line(number: int = 1, **changes: str) -> str:
    columns = {
        "id_number": person(number),
        "name": "王小明",
        "phone": "15400000001",
        "region_code": XIYUANZHUANG,
        "scheme": "MEDICAL",
        "category_or_tier": "ADULT_TIER_1",
    }
    return ",".join((columns | changes).values())


def write(path: Path, lines: Iterable[str], encoding: str = "utf-8", header: str = HEADER) -> Path:
    path.write_bytes("".join(f"{text}\n" for text in (header, *lines)).encode(encoding))
    return path


async def take(
    path: Path, chunk_size: int = 100, progress: Callable[[ImportProgress], None] = lambda _progress: None
) -> ImportSummary:
    return await import_roster(
        path, results_of(path), benefit_year=2020, keys=KEYS, chunk_size=chunk_size, progress=progress
    )


def results_of(path: Path) -> Path:
    return path.with_suffix(".result.csv")


def outcomes(path: Path) -> list[tuple[str, str, str]]:
    """(status, rule, code) of each line."""
    with results_of(path).open(encoding="utf-8") as file:
        return [(row["status"], row["rule"], row["code"]) for row in csv.DictReader(file)]


async def rows(sql: str, *values: Any) -> list[Any]:
    async with reading() as session:
        return [tuple(row) for row in await session.fetch(sql, *values)]


async def owed() -> list[Any]:
    """Everything that imports make, without ids and ciphertexts."""
    return await rows(
        "SELECT y.id_number_lookup, y.name, r.code, c.scheme, d.category, d.personal_amount, d.status FROM payers y"
        " JOIN regions r ON r.id = y.region_id LEFT JOIN dues d ON d.payer_id = y.id"
        " LEFT JOIN collection_periods c ON c.id = d.period_id ORDER BY y.id_number_lookup, c.scheme"
    )


ACCEPTED = ("ACCEPTED", "", "")


async def test_a_person_with_both_schemes_is_one_payer_with_two_dues_and_nothing_is_stored_in_the_open(
    registry: str, tmp_path: Path
) -> None:
    roster = write(tmp_path / "roster.csv", [line(1), line(1, scheme="PENSION", category_or_tier="300.00")])

    summary = await take(roster)

    [(id_number, phone, household, payer)] = await rows(
        "SELECT id_number, phone, household_id, id FROM payers"
    )
    lookup = KEYS.lookup_hash(person(1))
    assert registry
    assert outcomes(roster) == [ACCEPTED, ACCEPTED]
    assert summary == ImportSummary(lines=2, accepted=2, refused=0, lines_before=0, finished_before=False)
    assert await owed() == [
        (lookup, "王小明", XIYUANZHUANG, "MEDICAL", "ADULT_TIER_1", 46_200, "OPEN"),
        (lookup, "王小明", XIYUANZHUANG, "PENSION", "TIER_30000", 30_000, "OPEN"),
    ]
    assert (KEYS.open(id_number), KEYS.open(phone)) == (person(1), "15400000001")
    assert household == payer
    assert person(1).encode() not in bytes(id_number)


REFUSALS = [
    (line() + ",", "", "WRONG_COLUMNS"),
    (line().removesuffix(",ADULT_TIER_1"), "", "WRONG_COLUMNS"),
    ("", "", "WRONG_COLUMNS"),
    (line(id_number=person(1)[:-1] + "z"), "R01", "INVALID_ID_NUMBER"),
    (line(id_number="110105491231002"), "R01", "INVALID_ID_NUMBER"),
    (line(id_number=person(1, "20191009")), "R01", "INVALID_ID_NUMBER"),
    (line(name=""), "", "INVALID_NAME"),
    (line(name="   "), "", "INVALID_NAME"),
    (line(name="王" * 61), "", "INVALID_NAME"),
    (line(name="王\u202e明"), "", "INVALID_NAME"),
    (line(phone="12800000000"), "", "INVALID_PHONE"),
    (line(phone="1540000000"), "", "INVALID_PHONE"),
    (line(region_code="999999"), "R35", "UNKNOWN_REGION"),
    (line(region_code="370200"), "", "REGION_TOO_WIDE"),
    (line(scheme="HOUSING"), "", "UNKNOWN_SCHEME"),
    (line(category_or_tier="ADULT_TIER_3"), "R05", "UNKNOWN_CATEGORY"),
    (line(scheme="PENSION", category_or_tier="300.0"), "R04", "INVALID_AMOUNT"),
    (line(scheme="PENSION", category_or_tier="3e2"), "R04", "INVALID_AMOUNT"),
    (line(scheme="PENSION", category_or_tier="-300"), "R04", "INVALID_AMOUNT"),
    (line(scheme="PENSION", category_or_tier="301"), "R15", "TIER_NOT_ALLOWED"),
    (line(scheme="PENSION", category_or_tier="100"), "R15", "TIER_NOT_ALLOWED"),
    (
        line(id_number=person(1, "20040101"), scheme="PENSION", category_or_tier="300"),
        "R21",
        "AGE_NOT_ALLOWED",
    ),
    (
        line(id_number=person(1, "19591008"), scheme="PENSION", category_or_tier="300"),
        "R21",
        "AGE_NOT_ALLOWED",
    ),
    (line(name='"王小明'), "", "UNREADABLE_LINE"),
    (line(name="王\0明"), "", "UNREADABLE_LINE"),
    (line(name="王" * 5_000), "", "LINE_TOO_LONG"),
]


@pytest.mark.usefixtures("registry")
async def test_each_bad_line_is_refused_by_its_reason_and_leaves_nobody_while_its_neighbours_are_taken(
    tmp_path: Path,
) -> None:
    mixed = [text for number, (bad, _, _) in enumerate(REFUSALS) for text in (bad, line(number + 100))]
    roster = write(tmp_path / "roster.csv", mixed)

    summary = await take(roster)

    found = outcomes(roster)
    assert found[::2] == [("REFUSED", rule, code) for _, rule, code in REFUSALS]
    assert set(found[1::2]) == {ACCEPTED}
    assert summary.accepted == summary.refused == len(REFUSALS)
    assert len(await owed()) == len(REFUSALS)


@pytest.mark.usefixtures("registry")
async def test_the_ends_of_the_pension_age_and_a_former_region_code_are_taken(tmp_path: Path) -> None:
    roster = write(
        tmp_path / "roster.csv",
        [
            line(id_number=person(1, "20031008"), scheme="养老", category_or_tier="5000"),
            line(id_number=person(2, "19591009").lower(), scheme="养老", category_or_tier="5000"),
            line(3, region_code="370282"),
            line(4, region_code="370282001201", phone=""),
        ],
    )

    await take(roster)

    assert outcomes(roster) == [ACCEPTED] * 4
    assert {row[2] for row in await owed()} == {XIYUANZHUANG, "370215"}
    assert await rows("SELECT COUNT(*) FROM payers WHERE phone IS NULL") == [(1,)]


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("chunk_size", [1, 2, 100])
async def test_what_is_registered_already_is_never_overwritten(tmp_path: Path, chunk_size: int) -> None:
    lines = [
        line(1),
        line(1),
        line(1, category_or_tier="ADULT_TIER_2"),
        line(1, scheme="PENSION", category_or_tier="300", name="王大明"),
        line(1, scheme="PENSION", category_or_tier="300", region_code="370203"),
        line(1, scheme="PENSION", category_or_tier="500"),
    ]
    roster = write(tmp_path / "roster.csv", lines)

    await take(roster, chunk_size)

    assert outcomes(roster) == [
        ACCEPTED,
        ("REFUSED", "", "DUE_EXISTS"),
        ("REFUSED", "R06", "DUE_DIFFERS"),
        ("REFUSED", "", "NAME_DIFFERS"),
        ("ACCEPTED", "", "REGION_KEPT"),
        ("REFUSED", "", "DUE_DIFFERS"),
    ]
    assert [row[1:6] for row in await owed()] == [
        ("王小明", XIYUANZHUANG, "MEDICAL", "ADULT_TIER_1", 46_200),
        ("王小明", XIYUANZHUANG, "PENSION", "TIER_30000", 30_000),
    ]


CHINESE_HEADER = "类别或档次,险种,区划代码,手机号,姓名,证件号码"


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("encoding", "header", "ending"),
    [
        ("utf-8", "id number,name,phone,region code,scheme,category or tier", "\n"),
        ("utf-8-sig", "ID_Number, Name ,PHONE,Region Code,Scheme,Tier", "\r\n"),
        ("utf-8", CHINESE_HEADER, "\r\n"),
        ("gbk", CHINESE_HEADER, "\r\n"),
        ("gb18030", CHINESE_HEADER, "\n"),
    ],
)
async def test_headers_in_both_languages_any_order_and_both_encodings_mean_the_same(
    tmp_path: Path, encoding: str, header: str, ending: str
) -> None:
    fields = line(1).split(",")
    text = (
        ",".join(reversed(fields)) if header is CHINESE_HEADER else ",".join(f'"{field}"' for field in fields)
    )
    roster = tmp_path / "roster.csv"
    roster.write_bytes(f"{header}{ending}{text}".encode(encoding))  # no end of line at the end

    await take(roster)

    assert outcomes(roster) == [ACCEPTED]
    assert [row[1] for row in await owed()] == ["王小明"]


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "must name its columns"),
        (b"\n", "must name its columns"),
        (b"x" * 10_000_000, "must name its columns"),
        (line(1).encode(), "missing: id_number, name"),
        (HEADER.replace("phone,", "").encode(), "missing: phone$"),
        (f"{HEADER},note".encode(), "column 7 of the roster has a name that is not known"),
        (f"{HEADER},tier".encode(), "names a column twice"),
        (f"{HEADER}\n{line(1)}\n".encode("gbk"), "not UTF-8 \\(see line 2\\)"),
        (f"{HEADER}\n{line(1)}\n".encode("utf-16"), "not UTF-8"),
        (f"{HEADER}\n{line(1)}\n".encode() + b"\xff\n", "see line 3"),
        (f"{CHINESE_HEADER}\n".encode() + b"\xe5\xbc,\n", "see line 2"),
    ],
)
async def test_a_file_that_is_no_roster_is_refused_whole_with_one_sentence_and_leaves_nothing(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_bytes(content)

    with pytest.raises(RosterRefused, match=sentence) as refused:
        await take(roster)

    assert person(1) not in str(refused.value)
    assert "王" not in str(refused.value)
    assert not results_of(roster).exists()
    assert await rows("SELECT id FROM roster_imports") == []


@pytest.mark.usefixtures("registry")
async def test_a_missing_file_period_or_a_result_in_the_wrong_place_is_refused_before_anything(
    tmp_path: Path,
) -> None:
    roster = write(tmp_path / "roster.csv", [line(1)])
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Sir")

    async def refused(path: Path, result: Path, year: int, sentence: str) -> None:
        with pytest.raises(RosterRefused, match=sentence):
            await import_roster(path, result, benefit_year=year, keys=KEYS, progress=lambda _progress: None)

    await refused(tmp_path / "nowhere.csv", results_of(roster), 2020, "cannot be read")
    await refused(roster, results_of(roster), 2021, "no collection period of 2021 for PENSION and MEDICAL")
    await refused(roster, roster, 2020, "must not be the roster itself")
    await refused(roster, letter, 2020, "no result of an import")
    await refused(roster, tmp_path / "nowhere" / "result.csv", 2020, "cannot be written")

    assert letter.read_text() == "Dear Sir"
    assert roster.read_text().splitlines() == [HEADER, line(1)]
    assert not results_of(roster).exists()
    assert await owed() == []


@pytest.mark.usefixtures("registry")
async def test_a_finished_import_run_again_says_so_and_changes_nothing(tmp_path: Path) -> None:
    roster = write(
        tmp_path / "roster.csv", [line(number, phone="1" if number % 3 else "") for number in range(1, 251)]
    )
    first = await take(roster)
    before = (results_of(roster).read_bytes(), await owed(), await rows("SELECT * FROM roster_imports"))

    again = await take(roster)

    assert (first.accepted, first.refused, first.finished_before) == (83, 167, False)
    assert again == ImportSummary(lines=250, accepted=83, refused=167, lines_before=250, finished_before=True)
    assert (
        results_of(roster).read_bytes(),
        await owed(),
        await rows("SELECT * FROM roster_imports"),
    ) == before


@pytest.mark.usefixtures("registry")
async def test_an_empty_roster_is_finished_with_no_line(tmp_path: Path) -> None:
    roster = write(tmp_path / "roster.csv", [])

    summary = await take(roster)

    assert (summary.lines, summary.accepted, summary.refused) == (0, 0, 0)
    assert results_of(roster).read_text() == "line_number,status,rule,code,reason\n"
    assert await rows("SELECT finished FROM roster_imports") in ([(True,)], [(1,)])


@pytest.mark.usefixtures("registry")
async def test_an_interrupted_import_whose_result_file_is_gone_is_refused_and_not_begun_anew(
    tmp_path: Path,
) -> None:
    roster = write(tmp_path / "roster.csv", [line(number) for number in range(1, 251)])

    def interrupt(_progress: ImportProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await take(roster, progress=interrupt)
    hidden = results_of(roster).rename(tmp_path / "hidden.csv")

    with pytest.raises(RosterRefused, match="put it back"):
        await take(roster)
    results_of(roster).unlink()
    hidden.rename(results_of(roster))
    summary = await take(roster)

    assert (summary.lines, summary.accepted, summary.lines_before) == (250, 250, 100)
    assert len(await owed()) == 250


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
