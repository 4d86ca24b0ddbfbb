"""The executor: that leaving strawberry's wrapping out leaves nothing else out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from app.transport.execution import GraphQLExecutor, OperationRequest
from app.transport.faults import RequestRefused
from app.transport.limits import LIMITS

from . import toy

BULK = """mutation($input: RecordPaymentsInput!) { recordPayments(input: $input) {
    results { payment { id bankReference } userErrors { code } } acceptedCount } }"""


@pytest.fixture(scope="module")
def executor() -> GraphQLExecutor:
    return GraphQLExecutor(toy.make_schema())


def items(count: int) -> dict[str, Any]:
    item = {"dueId": "1", "amount": "395.00", "channel": "KIOSK", "bankReference": "r"}
    return {"input": {"payments": [item] * count}}


QUERIES: list[tuple[str, dict[str, Any] | None]] = [
    ("{ hello __typename channels }", None),
    (
        "{ payments(first: 3) { edges { cursor node { id amount __typename } } pageInfo { hasNextPage } } }",
        None,
    ),
    ("{ payments(first: 2) { nodes { due { title payment { amount status } } } } }", None),
    (
        'query($c: Channel, $m: Money) { person(idNumber: "x", channel: $c, amount: $m) }',
        {"c": "KIOSK", "m": "1.00"},
    ),
    ('query($c: Channel, $m: Money) { person(idNumber: "x", channel: $c, amount: $m) }', {"c": None}),
    ("query($a: Boolean!) { hello @skip(if: $a) b: hello @include(if: $a) }", {"a": True}),
    ("{ ...F } fragment F on Query { hello ... on Query { channels } }", None),
    ("{ nest(value: {child: {children: [{number: 1}, {}]}}) }", None),
    (
        "query($n: Nested!) { nest(value: $n) }",
        {"n": {"children": [{"child": {"number": 3}}], "number": None}},
    ),
    ("{ __schema { queryType { name fields { name args { name } } } } }", None),
    (BULK, items(250)),
]


@pytest.mark.parametrize(("query", "variables"), QUERIES)
async def test_the_answer_is_that_of_strawberry_and_no_other(
    executor: GraphQLExecutor, query: str, variables: dict[str, Any] | None
) -> None:
    ours = await executor.execute(OperationRequest(query, variables), toy.ToyContext())
    theirs = await toy.make_schema().execute(query, variables, context_value=toy.ToyContext())

    assert theirs.errors is None
    assert ours.errors == []
    assert ours.data == theirs.data


async def test_inputs_reach_the_resolver_as_their_classes_and_not_as_dictionaries() -> None:
    seen: list[toy.Nested] = []
    schema = toy.make_schema()
    executor = GraphQLExecutor(schema)
    field = schema._schema.query_type.fields["nest"]  # type: ignore[union-attr]
    original = field.resolve
    definition = schema.get_type_by_name("Query").fields  # type: ignore[union-attr]
    nest = next(each for each in definition if each.python_name == "nest")
    resolver = nest.base_resolver
    assert original is not None
    assert resolver is not None
    wrapped = resolver.wrapped_func

    def observe(self: object, value: toy.Nested) -> str:
        seen.append(value)
        return "seen"

    resolver.wrapped_func = observe
    try:
        variables = {"v": {"number": 1, "children": [{"number": 2}, {"child": {}}]}}
        await executor.execute(OperationRequest("query($v: Nested!) { nest(value: $v) }", variables), None)
    finally:
        resolver.wrapped_func = wrapped

    inner = [toy.Nested(number=2), toy.Nested(child=toy.Nested())]
    assert seen == [toy.Nested(number=1, children=inner)]


async def test_a_text_is_read_once_and_not_again(
    executor: GraphQLExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = GraphQLExecutor(toy.make_schema())
    read: list[str] = []
    original = fresh._read

    def observe(query: str) -> Any:
        read.append(query)
        return original(query)

    monkeypatch.setattr(fresh, "_read", observe)
    for _ in range(3):
        await fresh.execute(OperationRequest("{ hello }"), None)

    assert read == ["{ hello }"]


async def test_the_errors_of_one_request_do_not_reach_another(executor: GraphQLExecutor) -> None:
    first, second = await asyncio.gather(
        executor.execute(OperationRequest('{ fault(name: "bad") }'), None),
        executor.execute(OperationRequest('{ fault(name: "forbidden") }'), None),
    )

    assert first.errors[0]["extensions"]["code"] == "BAD_INPUT"
    assert second.errors[0]["extensions"]["code"] == "FORBIDDEN"
    assert (len(first.errors), len(second.errors)) == (1, 1)


@pytest.mark.parametrize(
    ("name", "answered"), [("A", {"hello": "hello"}), ("B", {"channels": ["COUNTER", "KIOSK"]})]
)
async def test_the_named_operation_is_executed_and_not_the_other(
    executor: GraphQLExecutor, name: str, answered: dict[str, Any]
) -> None:
    answer = await executor.execute(
        OperationRequest("query A { hello } query B { channels }", None, name), None
    )

    assert answer.data == answered


@pytest.mark.parametrize("name", [None, "C"])
async def test_without_a_known_name_none_of_several_operations_is_executed(
    executor: GraphQLExecutor, name: str | None
) -> None:
    with pytest.raises(RequestRefused):
        await executor.execute(OperationRequest("query A { hello } query B { channels }", None, name), None)


async def test_mutations_run_one_after_the_other_and_not_at_once(executor: GraphQLExecutor) -> None:
    given = '{dueId: "%d", amount: "1.00", channel: KIOSK, bankReference: "r"}'
    one = f"recordPayment(input: {given}) {{ payment {{ id }} }}"
    query = f"mutation {{ a: {one % 1} b: {one % 2} }}"

    answer = await executor.execute(OperationRequest(query), None)

    assert answer.data == {"a": {"payment": {"id": "1"}}, "b": {"payment": {"id": "2"}}}


async def test_a_long_list_gives_others_their_turn_and_does_not_hold_the_loop(
    executor: GraphQLExecutor,
) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    prepared = executor.prepare(OperationRequest(BULK, items(1_000)))
    meanwhile = asyncio.create_task(others())
    answer = await executor.run(prepared, None)
    meanwhile.cancel()

    assert turns >= 10
    assert [result["payment"]["id"] for result in (answer.data or {})["recordPayments"]["results"]] == [
        str(number) for number in range(1_000)
    ]


async def test_an_error_in_a_long_list_has_its_index_and_does_not_lose_its_neighbours() -> None:
    executor = GraphQLExecutor(toy.make_schema(), limits=replace(LIMITS, slice_items=3))
    query = "{ many(count: 8) { id due { title } } }"

    answer = await executor.execute(OperationRequest(query), None)

    assert answer.errors == []
    assert [item["id"] for item in (answer.data or {})["many"]] == [str(number) for number in range(8)]


# ---------------------------------------------------------------- subscriptions


async def test_a_subscription_yields_its_events_and_is_closed_and_not_left_open(
    executor: GraphQLExecutor,
) -> None:
    query = 'subscription { count(until: 100, name: "executor") }'
    events: AsyncIterator[Any] = await executor.subscribe(OperationRequest(query), None)

    first = await anext(events)
    assert toy.live_streams == {"executor"}
    await events.aclose()  # type: ignore[attr-defined]

    assert first.data == {"count": 0}
    assert toy.live_streams == set()


async def test_a_subscription_that_is_cancelled_is_closed_and_not_left_open(
    executor: GraphQLExecutor,
) -> None:
    query = 'subscription { count(until: 100, name: "cancelled", pause: 5) }'

    async def consume() -> None:
        async for _ in await executor.subscribe(OperationRequest(query), None):
            pass

    task = asyncio.create_task(consume())
    await asyncio.sleep(0.05)
    assert toy.live_streams == {"cancelled"}
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)

    assert toy.live_streams == set()


async def test_a_subscription_may_select_one_field_and_not_two(executor: GraphQLExecutor) -> None:
    with pytest.raises(RequestRefused):
        await executor.subscribe(OperationRequest("subscription { guarded breaks }"), toy.ToyContext())


async def test_a_query_has_no_events_and_a_subscription_no_single_answer(executor: GraphQLExecutor) -> None:
    with pytest.raises(RequestRefused):
        await executor.subscribe(OperationRequest("{ hello }"), None)
    with pytest.raises(RequestRefused):
        await executor.execute(OperationRequest("subscription { guarded }"), None)

    assert toy.live_streams == set()
