"""How exceptions become errors: every fault is known, and no value of a request comes out again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

import app.faults
from app.faults import Fault, Overloaded
from app.transport.execution import GraphQLExecutor, OperationRequest
from app.transport.faults import HTTP_STATUS, RequestRefused, describe_exception, describe_fault, http_status
from app.transport.masking import mask_message

from . import toy

ID_NUMBER = toy.ID_NUMBER
NAME = "王小明"
LATIN = "Zhang Wei"


@pytest.fixture(scope="module")
def executor() -> GraphQLExecutor:
    return GraphQLExecutor(toy.make_schema())


async def errors_of(
    executor: GraphQLExecutor, query: str, variables: dict[str, Any] | None = None, name: str | None = None
) -> list[dict[str, Any]]:
    try:
        return (await executor.execute(OperationRequest(query, variables, name), toy.ToyContext())).errors
    except RequestRefused as refused:
        return refused.errors


def kinds_of_fault(base: type[Fault] = Fault) -> Iterator[type[Fault]]:
    for kind in base.__subclasses__():
        if kind.__module__ == app.faults.__name__:
            yield kind
        yield from kinds_of_fault(kind)


# ---------------------------------------------------------------- the table


def test_every_fault_has_its_status_and_none_is_forgotten() -> None:
    assert set(HTTP_STATUS) == set(kinds_of_fault())


@pytest.mark.parametrize("kind", list(kinds_of_fault()))
def test_every_fault_is_described_by_its_code_and_is_not_an_incident(kind: type[Fault]) -> None:
    with capture_logs() as logs:
        described = describe_exception(kind("what happened"), "anywhere")

    assert described["message"] == "what happened"
    assert described["extensions"]["code"] == kind.code
    assert described["extensions"]["retryable"] is kind.retryable
    assert logs == []


@pytest.mark.parametrize("kind", list(kinds_of_fault()))
def test_no_fault_is_answered_with_a_5xx(kind: type[Fault]) -> None:
    assert 400 <= http_status(kind("x")) < 500


def test_a_new_kind_of_fault_takes_the_status_of_its_parent_and_is_not_a_5xx() -> None:
    class Newer(Overloaded):
        pass

    class Unheard(Fault):
        code = "UNHEARD"

    assert (http_status(Newer("x")), http_status(Unheard("x"))) == (429, 400)


def test_overloaded_tells_when_to_come_again_and_others_do_not() -> None:
    assert describe_fault(Overloaded("x", retry_after=0.5))["extensions"]["retryAfter"] == 0.5
    assert "retryAfter" not in describe_fault(app.faults.Unavailable("x"))["extensions"]


# ---------------------------------------------------------------- incidents


@pytest.mark.parametrize("name", ["crash", "graphql"])
async def test_anything_else_is_internal_with_an_incident_and_its_message_is_not_told(
    executor: GraphQLExecutor, name: str
) -> None:
    with capture_logs() as logs:
        [error] = await errors_of(executor, f'{{ fault(name: "{name}") }}')

    assert error["message"] == "internal error"
    assert error["extensions"]["code"] == "INTERNAL"
    assert [log["incident"] for log in logs] == [error["extensions"]["incident"]]
    assert ID_NUMBER not in str(error)


async def test_the_log_has_type_and_frames_and_no_value(executor: GraphQLExecutor) -> None:
    with capture_logs() as logs:
        await errors_of(executor, '{ fault(name: "crash") }')

    [log] = logs
    assert log["exceptions"][0].startswith("builtins.ValueError at ")
    assert "toy.py" in log["exceptions"][0]
    assert log["where"] == "fault"
    assert ID_NUMBER not in str(log)


async def test_an_alias_is_the_callers_text_and_is_not_logged(executor: GraphQLExecutor) -> None:
    with capture_logs() as logs:
        await errors_of(executor, f'{{ a{ID_NUMBER}: fault(name: "crash") }}')

    assert ID_NUMBER not in str(logs)


async def test_a_chain_of_exceptions_is_logged_by_types_and_not_by_messages() -> None:
    def fail() -> None:
        try:
            raise KeyError(ID_NUMBER)
        except KeyError as error:
            raise RuntimeError(f"no {ID_NUMBER}") from error

    with capture_logs() as logs, pytest.raises(RuntimeError) as raised:
        fail()
    with capture_logs() as logs:
        describe_exception(raised.value, "test")

    assert [text.split(" at ")[0] for text in logs[0]["exceptions"]] == [
        "builtins.RuntimeError",
        "builtins.KeyError",
    ]
    assert ID_NUMBER not in str(logs)


async def test_a_null_where_none_may_be_is_internal_and_the_field_is_not_told_as_the_callers_fault(
    executor: GraphQLExecutor,
) -> None:
    [error] = await errors_of(executor, "{ impossible }")

    assert error["extensions"]["code"] == "INTERNAL"


async def test_the_path_and_place_of_an_error_are_told_and_not_lost(executor: GraphQLExecutor) -> None:
    [error] = await errors_of(executor, '{ here: fault(name: "forbidden") }')

    assert (error["path"], error["locations"]) == (["here"], [{"line": 1, "column": 3}])


# ---------------------------------------------------------------- masking

LITERALS = [
    f'"{ID_NUMBER}"',
    ID_NUMBER,
    f"{ID_NUMBER}.5",
    f"{ID_NUMBER}X",
    f"A{ID_NUMBER}",
    f"${ID_NUMBER}",
    f"$v{ID_NUMBER}",
    f'"{NAME}"',
    NAME,
    f'"{LATIN}"',
    f'["{ID_NUMBER}"]',
    f'[["{LATIN}"]]',
    f'{{a: "{ID_NUMBER}"}}',
    f'{{number: "{LATIN}"}}',
    f'{{children: [{{number: "{ID_NUMBER}"}}]}}',
    f'"""{ID_NUMBER}"""',
    f'"{ID_NUMBER}',
    f'"{ID_NUMBER}\\q"',
    f"'{ID_NUMBER}'",
    f"#{ID_NUMBER}\n",
]
PLACES = [
    "{ person(idNumber: %s) }",
    '{ person(idNumber: "x", channel: %s) }',
    '{ person(idNumber: "x", amount: %s) }',
    "{ years(year: %s) }",
    "{ years(year: 1, ratio: %s) }",
    "{ years(year: 1, flag: %s) }",
    "{ years(year: 1, boom: %s) }",
    "{ nest(value: %s) }",
    "{ nodes(ids: %s) { id } }",
    "{ payments(first: %s) { nodes { id } } }",
    "{ hello @skip(if: %s) }",
    "{ hello @include(%s: true) }",
    "query($v: Int = %s) { years(year: $v) }",
    "query($v: %s) { years(year: $v) }",
    "query %s { hello }",
    "mutation { recordPayment(input: %s) { alreadyRecorded } }",
    "{ hello(%s: 1) }",
    "{ hello { %s } }",
    "{ %s }",
    "{ ...%s }",
    "%s",
]
VALUES: list[Any] = [
    ID_NUMBER,
    int(ID_NUMBER),
    NAME,
    LATIN,
    [ID_NUMBER],
    [[LATIN]],
    {"a": ID_NUMBER},
    {ID_NUMBER: 1},
    {"number": {LATIN: ID_NUMBER}},
    {"number": LATIN},
    {"children": [{"number": ID_NUMBER}]},
    {"dueId": ID_NUMBER, "amount": LATIN, "channel": NAME, "bankReference": ID_NUMBER},
    float(ID_NUMBER),
]
USES = [
    ("String!", "person(idNumber: $v)"),
    ("Channel", 'person(idNumber: "x", channel: $v)'),
    ("Money", 'person(idNumber: "x", amount: $v)'),
    ("Int!", "years(year: $v)"),
    ("Float!", "years(year: 1, ratio: $v)"),
    ("Boolean!", "years(year: 1, flag: $v)"),
    ("Boom", "years(year: 1, boom: $v)"),
    ("Nested!", "nest(value: $v)"),
    ("[ID!]!", "nodes(ids: $v) { id }"),
]


def assert_nothing_told(errors: list[dict[str, Any]], logs: list[EventDict]) -> None:
    for error in errors:
        told = error["message"] + str(error["extensions"])
        assert not any(secret in told for secret in (ID_NUMBER, ID_NUMBER[:8], NAME, LATIN)), error
        assert error["extensions"]["code"] != "INTERNAL", error
    assert logs == []


@pytest.mark.parametrize("place", PLACES)
async def test_a_literal_that_cannot_be_read_is_refused_and_not_repeated(
    executor: GraphQLExecutor, place: str
) -> None:
    with capture_logs() as logs:
        for literal in LITERALS:
            assert_nothing_told(await errors_of(executor, place % literal), logs)


@pytest.mark.parametrize(("kind", "use"), USES)
async def test_a_variable_that_cannot_be_read_is_refused_and_not_repeated(
    executor: GraphQLExecutor, kind: str, use: str
) -> None:
    with capture_logs() as logs:
        for value in VALUES:
            assert_nothing_told(
                await errors_of(executor, f"query($v: {kind}) {{ {use} }}", {"v": value}), logs
            )


async def test_the_fields_of_an_input_are_refused_by_name_and_their_values_not_repeated(
    executor: GraphQLExecutor,
) -> None:
    query = "mutation($v: RecordPaymentInput!) { recordPayment(input: $v) { alreadyRecorded } }"
    given = {"dueId": "1", "amount": 395, "channel": NAME, "bankReference": [ID_NUMBER]}

    errors = await errors_of(executor, query, {"v": given})

    assert_nothing_told(errors, [])
    assert [error["message"] for error in errors] == [
        "Variable '$v' has invalid value at .amount: Expected value of type 'Money'."
        " Money is a string with exactly two decimals",
        "Variable '$v' has invalid value at .channel: The value does not exist in 'Channel' enum.",
        "Variable '$v' has invalid value at .bankReference: String cannot represent a non string value.",
    ]
    assert [error["extensions"]["code"] for error in errors] == ["BAD_INPUT", "BAD_REQUEST", "BAD_REQUEST"]


async def test_an_unknown_operation_name_is_refused_and_not_repeated(executor: GraphQLExecutor) -> None:
    assert_nothing_told(await errors_of(executor, "query A { hello }", None, ID_NUMBER), [])


@pytest.mark.parametrize(
    ("message", "masked"),
    [
        ("Cannot query field 'nothing' on type 'Query'.", "Cannot query field 'nothing' on type 'Query'."),
        ("Unknown argument 'x' on field 'Query.hello'.", "Unknown argument 'x' on field 'Query.hello'."),
        (
            "Syntax Error: Expected Name, found String '370212'.",
            "Syntax Error: Expected Name, found String ….",
        ),
        ("Syntax Error: Expected Name, found '}'.", "Syntax Error: Expected Name, found '}'."),
        ("Int cannot represent non-integer value: '370212'", "Int cannot represent non-integer value."),
        ("Anything at all 370212199001011234", "Anything at all …"),
    ],
)
def test_names_are_kept_and_values_are_not(message: str, masked: str) -> None:
    assert mask_message(message) == masked


async def test_a_null_for_a_required_argument_is_the_callers_fault_and_not_an_incident(
    executor: GraphQLExecutor,
) -> None:
    with capture_logs() as logs:
        [error] = await errors_of(executor, "query($y: Int = 1) { years(year: $y) }", {"y": None})

    assert (error["extensions"]["code"], error["path"]) == ("BAD_REQUEST", ["years"])
    assert logs == []
