"""Attacks on the event loop: refused or answered within the limits, before the work that would explode."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace
from typing import Any

import pytest
from graphql import Visitor, visit

from app.transport import execution, validation
from app.transport.execution import GraphQLExecutor, OperationRequest
from app.transport.faults import RequestRefused
from app.transport.limits import LIMITS, Limits

from .attacks import all_attacks
from .toy import ToyContext, make_schema

KNOWN_CODES = {"LIMIT_EXCEEDED", "BAD_REQUEST"}


@pytest.fixture(scope="module")
def executor() -> GraphQLExecutor:
    return GraphQLExecutor(make_schema())


def refusal(executor: GraphQLExecutor, query: str, variables: dict[str, Any] | None = None) -> str:
    """The code of the refusal; empty where there is none."""
    try:
        executor.prepare(OperationRequest(query, variables))
    except RequestRefused as refused:
        code: str = refused.errors[0]["extensions"]["code"]
        return code
    return ""


@pytest.mark.parametrize("name", all_attacks())
async def test_an_attack_is_refused_or_answered_and_is_not_an_incident(
    executor: GraphQLExecutor, name: str
) -> None:
    try:
        errors = (await executor.execute(OperationRequest(all_attacks()[name]), ToyContext())).errors
    except RequestRefused as refused:
        errors = refused.errors

    assert {error["extensions"]["code"] for error in errors} <= KNOWN_CODES
    assert len(errors) <= LIMITS.validation_errors + 1


@pytest.mark.parametrize(
    "name",
    [
        "fragments that double on 12 levels",
        "fragments that double on 25 levels",
        "fragments that spread twice on 90 levels",
        "fragments that each spread the next ten",
        "megabytes of comments",
        "comments within the characters",
        "1000 times the same field",
        "1000 directives on one field",
        "1000 aliases",
        "objects 150 deep",
        "lists 150 deep",
        "a default 150 deep",
        "selections 150 deep",
        "a page that is too large",
        "pages in pages",
        "pages beside pages",
        "whole schemas by alias",
    ],
)
def test_what_would_explode_is_refused_as_a_limit_and_not_by_chance(
    executor: GraphQLExecutor, name: str
) -> None:
    assert refusal(executor, all_attacks()[name]) == "LIMIT_EXCEEDED"


def test_a_document_beyond_the_limits_does_not_reach_the_rules_of_the_library(
    executor: GraphQLExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[int] = []

    def count_nodes(_schema: object, document: Any, *_rest: object, **_options: object) -> list[Any]:
        reached.append(len(all_selections(document)))
        return []

    monkeypatch.setattr(execution, "validate", count_nodes)
    for query in all_attacks().values():
        refusal(executor, query)

    assert reached
    assert max(reached) <= LIMITS.selections


def all_selections(document: Any) -> list[Any]:
    found: list[Any] = []

    class Collector(Visitor):
        def enter_field(self, node: Any, *_rest: object) -> None:
            found.append(node)

    visit(document, Collector())
    return found


@pytest.mark.parametrize("levels", [5, 20, 40])
def test_each_fragment_is_read_once_and_not_once_per_spread(
    executor: GraphQLExecutor, levels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[object] = []
    original = validation._read

    def observe(node: Any, limits: Limits) -> Any:
        reads.append(node)
        return original(node, limits)

    monkeypatch.setattr(validation, "_read", observe)
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels))

    refusal(executor, f"{{ ...F0 }} {chain} fragment F{levels} on Query {{ hello }}")

    assert len(reads) == levels + 2


# ---------------------------------------------------------------- variables


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"child": value}
    return value


@pytest.mark.parametrize(
    "value",
    [
        nested(40),
        nested(5_000),
        {"children": [{}] * 1_001},
        {"children": [{"children": [{"number": 1}] * 200}] * 200},
        {f"key{number}": number for number in range(30_000)},
    ],
    ids=["40 deep", "5,000 deep", "1,001 items", "40,000 values", "30,000 keys"],
)
def test_variables_beyond_the_limits_are_refused_and_not_coerced(
    executor: GraphQLExecutor, value: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    coerced: list[object] = []
    monkeypatch.setattr(execution, "get_variable_values", lambda *given, **_: coerced.append(given))

    assert refusal(executor, "query($v: Nested!) { nest(value: $v) }", {"v": value}) == "LIMIT_EXCEEDED"
    assert coerced == []


def test_variables_that_nobody_asked_for_are_limited_too_and_not_ignored(executor: GraphQLExecutor) -> None:
    assert refusal(executor, "{ hello }", {"x": [1] * 1_001}) == "LIMIT_EXCEEDED"


def test_a_long_string_is_refused_and_not_matched(executor: GraphQLExecutor) -> None:
    variables = {"n": "1" * 10_001}

    assert refusal(executor, "query($n: String!) { person(idNumber: $n) }", variables) == "LIMIT_EXCEEDED"


# ---------------------------------------------------------------- price


PAGES = (
    "query($n: Int!) { payments(first: $n) { nodes { payments(first: 10) { nodes { id amount status } } } } }"
)


@pytest.mark.parametrize(
    ("first", "code"), [(1, ""), (20, ""), (100, ""), (101, "LIMIT_EXCEEDED"), (10**9, "LIMIT_EXCEEDED")]
)
def test_a_page_size_in_a_variable_counts_and_is_not_overlooked(
    executor: GraphQLExecutor, first: int, code: str
) -> None:
    assert refusal(executor, PAGES, {"n": first}) == code


def test_the_default_of_a_variable_counts_and_is_not_overlooked(executor: GraphQLExecutor) -> None:
    query = "query($n: Int! = 5000) { payments(first: $n) { nodes { id } } }"

    assert refusal(executor, query) == "LIMIT_EXCEEDED"
    assert refusal(executor, query, {"n": 5}) == ""


def test_the_price_grows_with_the_page_and_not_with_the_text(executor: GraphQLExecutor) -> None:
    prices = [executor.prepare(OperationRequest(PAGES, {"n": first})).price.fields for first in (1, 10, 100)]

    assert prices == [34, 322, 3202]


def test_a_list_without_first_counts_ten_times_and_not_once(executor: GraphQLExecutor) -> None:
    assert executor.prepare(OperationRequest("{ many(count: 3) { id } }")).price.fields == 11


def test_a_list_asked_for_by_ids_counts_each_and_not_ten(executor: GraphQLExecutor) -> None:
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    assert executor.prepare(OperationRequest(query, {"ids": ["1"] * 300})).price.fields == 301


def test_a_bulk_mutation_of_1000_items_is_priced_per_item_and_not_refused(executor: GraphQLExecutor) -> None:
    item = {"dueId": "1", "amount": "395.00", "channel": "KIOSK", "bankReference": "r"}
    query = """mutation($input: RecordPaymentsInput!) { recordPayments(input: $input) {
        results { payment { id amount status } alreadyRecorded userErrors { code message } }
        acceptedCount } }"""

    price = executor.prepare(OperationRequest(query, {"input": {"payments": [item] * 1_000}})).price

    assert price.fields == 11_000
    assert price.slice_items == 100


def test_a_bulk_mutation_with_a_page_per_item_is_refused_and_not_answered(
    executor: GraphQLExecutor,
) -> None:
    item = {"dueId": "1", "amount": "395.00", "channel": "KIOSK", "bankReference": "r"}
    query = """mutation($input: RecordPaymentsInput!) { recordPayments(input: $input) {
        results { payment { payments(first: 100) { nodes { id } } } } } }"""

    assert refusal(executor, query, {"input": {"payments": [item] * 1_000}}) == "LIMIT_EXCEEDED"


def test_introspection_as_tools_ask_it_is_within_the_limits_and_not_refused(
    executor: GraphQLExecutor,
) -> None:
    assert refusal(executor, all_attacks()["introspection as tools ask it"]) == ""


@pytest.mark.parametrize(
    "query",
    ["{ __schema { types { name } } }", '{ ...F } fragment F on Query { a: __type(name: "X") { name } }'],
)
def test_introspection_that_is_switched_off_is_refused_and_says_so(query: str) -> None:
    executor = GraphQLExecutor(make_schema(), introspection=False)

    with pytest.raises(RequestRefused) as refused:
        executor.prepare(OperationRequest(query))

    assert refused.value.errors[0]["message"] == "introspection is switched off on this server"
    assert refused.value.status == 403
    assert refusal(executor, "{ __typename hello }") == ""


# ---------------------------------------------------------------- the limits themselves


def test_the_cache_of_documents_is_bounded_and_does_not_grow(executor: GraphQLExecutor) -> None:
    small = GraphQLExecutor(make_schema(), limits=replace(LIMITS, cached_query_characters=500))
    for number in range(200):
        small.prepare(OperationRequest(f"{{ a{number}: hello }}"))

    assert sum(len(text) for text in small._documents) == small._cached_characters <= 500


def test_a_refused_document_is_not_cached(executor: GraphQLExecutor) -> None:
    fresh = GraphQLExecutor(make_schema())
    for query in ("{ nothing }", "{", "{ " + "hello " * 100 + "}"):
        refusal(fresh, query)

    assert fresh._documents == {}


def test_every_limit_is_positive_and_none_is_unlimited() -> None:
    assert all(getattr(LIMITS, each.name) > 0 for each in fields(Limits))


def test_combinations_of_small_documents_stay_small_and_do_not_add_up(executor: GraphQLExecutor) -> None:
    parts = ["hello", "...F", "... on Query { hello }", "a: hello", "payments(first: 2) { nodes { id } }"]
    for left, right in itertools.product(parts, parts):
        query = f"{{ {left} {right} hello ...F }} fragment F on Query {{ hello {left.replace('...F', '')} }}"
        assert refusal(executor, query) == ""
