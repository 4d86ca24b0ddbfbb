"""Pages: sizes, cursors, and that walking them loses and repeats nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.builders import ADMIN, AUDITOR, Office
from tests.client import House
from tests.schema.reading_stage import City, city, pay

NAMES = ("payments", "dues", "payers", "clearingBatches")
FULL = "edges { cursor node { id } } nodes { id } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


@pytest.fixture
async def stage(office: Office) -> AsyncIterator[City]:
    async with city(office) as made:
        yield made


async def read(house: House, name: str, first: int, after: str | None = None) -> dict[str, Any]:
    text = f"query($first: Int!, $after: String) {{ {name}(first: $first, after: $after) {{ {FULL} }} }}"
    return dict((await house.data(AUDITOR, text, first=first, after=after))[name])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("first", [1, 2, 3, 7, 100])
async def test_walking_the_pages_meets_each_object_once_in_order_and_leaves_none_out(
    stage: City, name: str, first: int
) -> None:
    whole = await read(stage.house, name, 100)
    found: list[str] = []
    after: str | None = None

    while True:
        page = await read(stage.house, name, first, after)
        info = page["pageInfo"]
        found += [node["id"] for node in page["nodes"]]
        assert [edge["node"] for edge in page["edges"]] == page["nodes"]
        assert [info["startCursor"], info["endCursor"]] == [
            page["edges"][0]["cursor"],
            page["edges"][-1]["cursor"],
        ]
        assert (page["totalCount"], info["hasPreviousPage"]) == (whole["totalCount"], after is not None)
        assert len(found) <= whole["totalCount"]
        if not info["hasNextPage"]:
            break
        assert len(page["nodes"]) == first
        after = info["endCursor"]

    assert found == [node["id"] for node in whole["nodes"]]
    assert len(found) == len(set(found)) == whole["totalCount"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_page_that_ends_with_the_last_object_does_not_promise_another(stage: City, name: str) -> None:
    total = (await read(stage.house, name, 1))["totalCount"]

    exact = await read(stage.house, name, total)
    one_less = await read(stage.house, name, total - 1)
    behind = await read(stage.house, name, 1, exact["pageInfo"]["endCursor"])

    assert (exact["pageInfo"]["hasNextPage"], one_less["pageInfo"]["hasNextPage"]) == (False, True)
    assert (behind["nodes"], behind["pageInfo"]["hasNextPage"], behind["totalCount"]) == ([], False, total)
    assert (behind["pageInfo"]["startCursor"], behind["pageInfo"]["endCursor"]) == (None, None)


async def test_what_is_recorded_while_somebody_pages_is_neither_lost_nor_shown_twice(stage: City) -> None:
    first = await read(stage.house, "payments", 3)
    await pay(stage.house.office, "370215", "103")

    rest = await read(stage.house, "payments", 100, first["pageInfo"]["endCursor"])

    ids = [node["id"] for node in [*first["nodes"], *rest["nodes"]]]
    assert ids == [node["id"] for node in (await read(stage.house, "payments", 100))["nodes"]]
    assert len(ids) == len(set(ids)) == 9


CONNECTIONS = {
    **{name: f"{{ {name}(FIRST) {{ nodes {{ id }} }} }}" for name in NAMES},
    "Payer.payments": "{ payers(first: 1) { nodes { payments(FIRST) { nodes { id } } } } }",
    "ClearingBatch.payments": "{ clearingBatches(first: 1) { nodes { payments(FIRST) { nodes { id } } } } }",
}


@pytest.mark.parametrize("name", CONNECTIONS)
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("first: 0", "BAD_INPUT"),
        ("first: -1", "BAD_INPUT"),
        ("first: -2147483648", "BAD_INPUT"),
        ("first: 101", "LIMIT_EXCEEDED"),
        ("first: 2147483647", "LIMIT_EXCEEDED"),
        ("first: 2147483648", "BAD_REQUEST"),
        ("first: null", "BAD_REQUEST"),
        ('first: "10"', "BAD_REQUEST"),
        ('after: "00000000-0000-0000-0000-000000000007"', "BAD_REQUEST"),
        ('first: 1, after: "garbage"', "BAD_INPUT"),
        ('first: 1, after: ""', "BAD_INPUT"),
        ('first: 1, after: "\\u0000"', "BAD_INPUT"),
        ('first: 1, after: "1; DROP TABLE payments"', "BAD_INPUT"),
    ],
)
async def test_a_page_that_cannot_be_is_refused_and_shows_nothing(
    stage: City, name: str, arguments: str, code: str
) -> None:
    answer = await stage.house.ask(ADMIN, CONNECTIONS[name].replace("FIRST", arguments))

    assert answer.codes == [code]
    assert answer.data is None


async def test_more_than_100_ids_at_once_are_refused_and_none_is_read(stage: City) -> None:
    text = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    known = stage.payments["OPEN"]

    hundred = await stage.house.data(AUDITOR, text, ids=[known] * 100)
    more = await stage.house.ask(AUDITOR, text, ids=[known] * 101)
    none = await stage.house.data(AUDITOR, text, ids=[])

    assert hundred["nodes"] == [{"id": known}] * 100
    assert (more.codes, more.data) == (["LIMIT_EXCEEDED"], None)
    assert none["nodes"] == []
