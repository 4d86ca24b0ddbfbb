from __future__ import annotations

from pathlib import Path

import pytest

from app.services.rosters import ImportProgress, ImportSummary, RosterRefused, import_roster
from tests.services.rosters import (
    ACCEPTED,
    HEADER,
    KEYS,
    REFUSALS,
    XIYUANZHUANG,
    line,
    outcomes,
    owed,
    person,
    results_of,
    rows,
    take,
    write,
)


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
