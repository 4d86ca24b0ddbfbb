"""Collection progress: the rows add up, whatever they are grouped by and whoever asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.principal import Principal
from app.rules.money import parse_money
from app.vocabulary import ProgressDimension
from tests.builders import ADMIN, AUDITOR, Office, officer
from tests.schema.reading_stage import City, city

TEXT = """query($by: ProgressDimension!, $code: String, $scheme: Scheme!, $year: Int!) {
    collectionProgress(scheme: $scheme, benefitYear: $year, by: $by, regionCode: $code) {
        key label dueCount paidCount dueAmount paidAmount } }"""
# Medical dues that are not cancelled, and those of them that are paid, by region.
EXPECTED = {
    "370200": (12, 6, 39_500 * 10 + 19_750, 39_500 * 6),
    "370203": (5, 0, 39_500 * 3 + 19_750, 0),
    "370215": (7, 6, 39_500 * 7, 39_500 * 6),
    "370215001": (1, 1, 39_500, 39_500),
}


@pytest.fixture
async def stage(office: Office) -> AsyncIterator[City]:
    async with city(office) as made:
        yield made


async def rows(
    stage: City,
    by: str,
    code: str | None = None,
    caller: Principal = AUDITOR,
    scheme: str = "MEDICAL",
    year: int = 2020,
) -> list[dict[str, Any]]:
    data = await stage.house.data(caller, TEXT, by=by, code=code, scheme=scheme, year=year)
    return list(data["collectionProgress"])


def total(found: list[dict[str, Any]]) -> tuple[int, ...]:
    """The sum of all rows: dues, paid ones, and both amounts in fen."""
    counts = [sum(row[name] for row in found) for name in ("dueCount", "paidCount")]
    amounts = [sum(int(str(parse_money(row[name]))) for row in found) for name in ("dueAmount", "paidAmount")]
    return (*counts, *amounts)


def keys(found: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    return {row["key"]: (row["dueCount"], row["paidCount"]) for row in found}


@pytest.mark.parametrize("by", ProgressDimension)
@pytest.mark.parametrize("code", [None, *EXPECTED, "370282", "370282001"])
async def test_the_rows_of_every_grouping_add_up_and_no_due_is_counted_twice(
    stage: City, by: ProgressDimension, code: str | None
) -> None:
    found = await rows(stage, by.value, code)

    present = (code or "370200").replace("370282", "370215")
    assert total(found) == EXPECTED[present]
    assert len({row["key"] for row in found}) == len(found)
    assert all(row["label"] for row in found)


@pytest.mark.parametrize("by", ProgressDimension)
@pytest.mark.parametrize("region", ["370200", "370203", "370215"])
async def test_an_officer_counts_the_region_in_sight_and_nothing_beyond_it(
    stage: City, by: ProgressDimension, region: str
) -> None:
    caller = officer("officer-1", region)
    own = await rows(stage, by.value, None, caller)
    whole_city = await rows(stage, by.value, "370200", caller)

    assert total(own) == total(whole_city) == EXPECTED[region]
    for code in {"370203", "370215"} - {region}:
        expected = EXPECTED[code] if region == "370200" else (0, 0, 0, 0)
        assert total(await rows(stage, by.value, code, caller)) == expected


async def test_regions_are_those_directly_below_and_none_deeper(stage: City) -> None:
    assert keys(await rows(stage, "REGION")) == {"370203": (5, 0), "370215": (7, 6)}
    assert keys(await rows(stage, "REGION", "370200")) == {"370203": (5, 0), "370215": (7, 6)}
    below = {"370215": (6, 5), "370215001": (1, 1)}
    assert keys(await rows(stage, "REGION", "370215")) == below
    assert keys(await rows(stage, "REGION", "370282")) == below
    assert keys(await rows(stage, "REGION", None, officer("officer-1", "370215"))) == below
    assert keys(await rows(stage, "REGION", "370215001")) == {"370215001": (1, 1)}


async def test_money_is_grouped_by_who_took_and_who_clears_it_and_the_unpaid_rest_is_not_hidden(
    stage: City,
) -> None:
    unpaid = {"UNPAID": (6, 0)}

    assert keys(await rows(stage, "CHANNEL")) == {"BANK_COUNTER": (1, 1), "KIOSK": (5, 5), **unpaid}
    assert keys(await rows(stage, "HANDLING_BANK")) == {"103": (6, 6), **unpaid}
    assert keys(await rows(stage, "CLEARING_BANK")) == {"314": (6, 6), **unpaid}
    assert keys(await rows(stage, "CLEARING_BANK", scheme="PENSION")) == {"105": (1, 1)}


async def test_what_is_unpaid_is_not_confused_with_a_bank_and_stands_last(stage: City) -> None:
    for by in ("CHANNEL", "HANDLING_BANK", "CLEARING_BANK"):
        found = await rows(stage, by)

        assert [row["key"] for row in found][-1] == "UNPAID"
        assert [row["key"] for row in found].count("UNPAID") == 1


@pytest.mark.parametrize("by", ProgressDimension)
async def test_a_year_or_region_that_is_not_there_has_no_rows(stage: City, by: ProgressDimension) -> None:
    assert await rows(stage, by.value, year=1999) == []
    assert await rows(stage, by.value, "999999") == []
    assert await rows(stage, by.value, "") == []


async def test_admin_and_auditor_count_the_same_and_neither_less(stage: City) -> None:
    for by in ProgressDimension:
        assert await rows(stage, by.value, caller=ADMIN) == await rows(stage, by.value)


async def test_labels_are_in_the_language_of_the_reader_and_no_other(stage: City) -> None:
    english = await stage.house.data(
        AUDITOR, TEXT, language="en", by="HANDLING_BANK", scheme="MEDICAL", year=2020
    )
    chinese = await stage.house.data(
        AUDITOR, TEXT, language="zh-CN", by="HANDLING_BANK", scheme="MEDICAL", year=2020
    )

    assert [row["label"] for row in english["collectionProgress"]] == ["Bank 103", "not paid"]
    assert [row["label"] for row in chinese["collectionProgress"]] == ["银行103", "未缴"]
