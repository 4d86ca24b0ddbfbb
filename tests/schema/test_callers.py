"""The matrix: every kind of caller at every operation of the contract, with the outcome as data."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import orjson
import pytest

from app.faults import Fault
from app.principal import Principal, Role
from app.tokens import TokenReader
from app.transport.execution import GraphQLExecutor, OperationRequest
from app.transport.faults import RequestRefused
from schema.context import Context
from schema.context import House as Parts
from tests.builders import SIGNING_KEY
from tests.client import SCHEMA, House
from tests.models.stock import snapshot
from tests.schema.callers import Caller, Scene, make_scene
from tests.schema.operations import (
    DONE,
    MUTATIONS,
    NOBODY,
    NOTHING,
    QUERIES,
    SEES,
    SUBSCRIPTIONS,
    Operation,
    Subscription,
)


@pytest.fixture
async def scene(house: House) -> Scene:
    return await make_scene(house)


def outcome_of(body: dict[str, Any], operation: Operation, scene: Scene) -> str:
    """The answer in one word."""
    codes = {error["extensions"]["code"] for error in body.get("errors", [])}
    if codes:
        [code] = codes
        return str(code)
    refusals = _refusals(body["data"])
    if refusals:
        [code] = refusals
        return str(code)
    if operation.writes:
        return DONE
    return SEES if operation.found(body["data"], scene) else NOTHING


def _refusals(data: dict[str, Any]) -> list[str]:
    [payload] = data.values()
    if not isinstance(payload, dict):
        return []
    items = [payload, *payload.get("results", [])]
    return [error["code"] for item in items for error in item.get("userErrors", [])]


@pytest.mark.parametrize("operation", [*QUERIES, *MUTATIONS], ids=lambda operation: operation.name)
async def test_each_caller_gets_the_outcome_of_their_row_and_writes_nothing_they_may_not(
    scene: Scene, operation: Operation
) -> None:
    outcomes: dict[Caller, str] = {}
    unchanged: list[Caller] = []

    for caller in Caller:
        variables = await operation.ask(scene)
        before = await snapshot()
        answer = await scene.house.send(await scene.token(caller), operation.text, **variables)
        outcomes[caller] = outcome_of(answer.json(), operation, scene)
        if await snapshot() == before:
            unchanged.append(caller)

    assert outcomes == operation.outcomes
    assert unchanged == [caller for caller in Caller if outcomes[caller] != DONE]


@pytest.mark.parametrize(
    "operation",
    [each for each in [*QUERIES, *MUTATIONS] if each.absent],
    ids=lambda operation: operation.name,
)
async def test_what_is_not_yours_cannot_be_told_from_what_does_not_exist(
    scene: Scene, operation: Operation
) -> None:
    assert operation.absent is not None
    hidden = [caller for caller in Caller if operation.outcomes[caller] not in {SEES, DONE}]
    assert hidden

    for caller in hidden:
        token = await scene.token(caller)
        variables = await operation.ask(scene)
        foreign = await scene.house.send(token, operation.text, **variables)
        absent = await scene.house.send(token, operation.text, **operation.absent(scene, variables))

        assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content), caller
        assert foreign.headers.items() == absent.headers.items(), caller


@pytest.mark.parametrize("subscription", SUBSCRIPTIONS, ids=lambda subscription: subscription.name)
async def test_each_subscriber_is_told_what_their_row_says_and_nothing_else(
    scene: Scene, subscription: Subscription
) -> None:
    outcomes = {caller: await _first_news(scene, caller, subscription) for caller in Caller}

    assert outcomes == subscription.outcomes


async def _first_news(scene: Scene, caller: Caller, subscription: Subscription) -> str:
    """Whether the subject is the first that the caller is told of; who does not see it sees the one behind it."""
    house = scene.house
    token = await scene.token(caller)
    reader = TokenReader(SIGNING_KEY).read_header(f"Bearer {token}" if token is not None else None)
    context = Context(Parts(house.intake, house.feed, house.office.keys), reader, "en")
    try:
        executor = GraphQLExecutor(SCHEMA)
        events = await executor.stream(executor.prepare(OperationRequest(subscription.text)), context)
        async with aclosing(events):
            answer = orjson.loads((await anext(events)).to_json())
    except RequestRefused as refused:
        [error] = refused.errors
        return str(error["extensions"]["code"])
    except Fault as fault:
        return fault.code
    assert "errors" not in answer
    return SEES if subscription.shown(answer["data"]) == subscription.subject(scene) else NOTHING


async def test_every_operation_of_the_schema_stands_in_the_matrix_and_none_is_forgotten() -> None:
    root = SCHEMA._schema
    asked = [each.name for each in (*QUERIES, *MUTATIONS)] + [each.name for each in SUBSCRIPTIONS]
    names = {name.split(" ")[0] for name in asked}
    kinds = (root.query_type, root.mutation_type, root.subscription_type)

    assert names == {name for kind in kinds if kind is not None for name in kind.fields}


@pytest.mark.parametrize(
    "type_name", ["Payer", "Due", "Payment", "ClearingBatch", "Bank", "Region", "Agreement"]
)
async def test_no_text_that_is_no_id_tells_more_than_an_id_of_nothing(scene: Scene, type_name: str) -> None:
    text = "query($id: ID!) { node(id: $id) { id } }"
    token = await scene.token(Caller.AUDITOR)
    garbage = [
        "",
        ":",
        type_name,
        f"{type_name}:",
        f"{type_name}:7",
        f"{type_name}:{scene.paid.id}x",
        "\x00",
        "Nobody:1",
    ]
    garbage += [
        f"{type_name}:{str(scene.paid.id).upper()}",
        f" {type_name}:{scene.paid.id}",
        f"{type_name}:\x00" * 9,
    ]

    absent = await scene.house.send(token, text, id=f"{type_name}:00000000-0000-0000-0000-000000000007")

    for value in garbage:
        answer = await scene.house.send(token, text, id=value)
        assert (answer.status_code, answer.content) == (absent.status_code, absent.content), value


async def test_a_token_for_a_bank_or_payer_that_is_not_there_opens_nothing(scene: Scene) -> None:
    unknown = [
        Principal(Role.BANK, "bank-999", bank_code="999"),
        Principal(Role.BANK, "bank"),
        Principal(Role.PAYER, "payer", payer_id=NOBODY),
        Principal(Role.PAYER, "payer"),
    ]

    for principal in unknown:
        answer = await scene.house.ask(principal, "{ payments(first: 1) { nodes { id } } }")
        assert (answer.codes, answer.data) == (["UNAUTHENTICATED"], None)
    lost = await scene.house.ask(
        Principal(Role.OFFICER, "officer"), "{ payments(first: 1) { nodes { id } } }"
    )
    assert lost.data == {"payments": {"nodes": []}}
