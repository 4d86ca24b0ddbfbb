"""Every MUST of `graphql-transport-ws`, one test each."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.asyncio.client import connect

from .service import Running
from .socket_client import Client, connected, eventually, initialised

COUNT = "subscription($until: Int!, $name: String!) { count(until: $until, name: $name, pause: 0.01) }"
FOREVER = 'subscription { count(until: 1000000, name: "%s", pause: 0.05) }'


# ---------------------------------------------------------------- subprotocol


async def test_the_subprotocol_is_selected_and_no_other(server: Running) -> None:
    async with connected(server, "graphql-ws", "graphql-transport-ws") as client:
        assert client.connection.subprotocol == "graphql-transport-ws"


@pytest.mark.parametrize("offered", ["graphql-ws", "mqtt"])
async def test_another_subprotocol_is_closed_with_4406_and_not_selected(
    server: Running, offered: str
) -> None:
    async with connected(server, offered) as client:
        assert client.connection.subprotocol is None
        assert await client.closed() == (4406, "Subprotocol not acceptable")


async def test_no_subprotocol_is_closed_with_4406_and_not_served(server: Running) -> None:
    async with connect(server.websocket_url, proxy=None) as connection:
        assert (await Client(connection).closed())[0] == 4406


# ---------------------------------------------------------------- connection_init


async def test_init_is_acknowledged_and_nothing_else_is_sent(server: Running) -> None:
    async with initialised(server) as client:
        assert await client.is_quiet()


async def test_init_with_null_payload_is_acknowledged_and_not_refused(server: Running) -> None:
    async with connected(server) as client:
        await client.send({"type": "connection_init", "payload": None})
        assert await client.receive() == {"type": "connection_ack"}


async def test_without_init_in_time_it_is_closed_with_4408_and_not_kept(server: Running) -> None:
    async with connected(server) as client:
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_pings_before_init_do_not_prolong_its_time(server: Running) -> None:
    async with connected(server) as client:
        assert await client.is_alive()
        assert (await client.closed())[0] == 4408


async def test_a_second_init_is_closed_with_4429_and_not_acknowledged(server: Running) -> None:
    async with initialised(server) as client:
        await client.send({"type": "connection_init"})
        assert await client.closed() == (4429, "Too many initialisation requests")


async def test_a_second_init_at_once_is_closed_with_4429_and_not_acknowledged(server: Running) -> None:
    async with connected(server) as client:
        await client.send({"type": "connection_init"})
        await client.send({"type": "connection_init"})
        assert (await client.closed())[0] == 4429


@pytest.mark.parametrize("payload", [1, "x", [], True])
async def test_an_init_payload_of_another_type_is_closed_with_4400_and_not_acknowledged(
    server: Running, payload: object
) -> None:
    async with connected(server) as client:
        await client.send({"type": "connection_init", "payload": payload})
        assert (await client.closed())[0] == 4400


# ---------------------------------------------------------------- token


@pytest.mark.parametrize(
    "payload",
    [
        {"authorization": "Bearer good"},
        {"Authorization": "bearer good"},
        {"AUTHORIZATION": "good"},
        {"token": "good"},
        {"Token": "Bearer good"},
    ],
)
async def test_a_token_in_any_spelling_is_understood_and_not_refused(
    server: Running, payload: dict[str, Any]
) -> None:
    async with initialised(server, payload) as client:
        await client.subscribe("1", "{ viewer }")
        assert (await client.receive())["payload"] == {"data": {"viewer": "bank-105"}}


@pytest.mark.parametrize("payload", [{"authorization": "Bearer forged"}, {"token": "forged"}])
async def test_a_bad_token_is_closed_with_4403_and_not_acknowledged(
    server: Running, payload: dict[str, Any]
) -> None:
    async with connected(server) as client:
        await client.send({"type": "connection_init", "payload": payload})
        assert await client.closed() == (4403, "Forbidden")


@pytest.mark.parametrize("value", [1, {"a": 1}, ["good"], True])
async def test_a_token_that_is_no_string_is_closed_with_4400_and_not_acknowledged(
    server: Running, value: object
) -> None:
    async with connected(server) as client:
        await client.send({"type": "connection_init", "payload": {"token": value}})
        assert (await client.closed())[0] == 4400


async def test_without_token_resolvers_refuse_and_the_socket_is_not_closed(server: Running) -> None:
    async with initialised(server) as client:
        await client.subscribe("1", "subscription { guarded }")
        message = await client.receive()
        assert (message["type"], message["id"]) == ("error", "1")
        assert message["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert await client.is_alive()


async def test_when_the_token_ends_it_is_closed_with_4403_and_not_kept(server: Running) -> None:
    async with initialised(server, {"token": "short"}) as client:
        await client.subscribe("1", FOREVER % "short")
        assert await client.closed() == (4403, "token expired")
    assert await eventually(server, streams=[], subscribers=0)


async def test_the_language_of_init_is_used_and_not_that_of_the_headers(server: Running) -> None:
    async with initialised(server, {"acceptLanguage": "en-GB, zh;q=0.3"}) as client:
        await client.subscribe("1", "{ language }")
        assert (await client.receive())["payload"] == {"data": {"language": "en"}}


async def test_without_a_language_in_init_that_of_the_headers_is_not_lost(server: Running) -> None:
    async with connected(server, additional_headers={"accept-language": "en"}) as client:
        await client.init()
        await client.subscribe("1", "{ language }")
        assert (await client.receive())["payload"] == {"data": {"language": "en"}}


# ---------------------------------------------------------------- ping and pong


async def test_a_ping_is_answered_and_its_payload_is_not_lost(server: Running) -> None:
    async with initialised(server) as client:
        await client.send({"type": "ping", "payload": {"n": 1}})
        assert await client.receive() == {"type": "pong", "payload": {"n": 1}}


async def test_a_ping_before_init_is_answered_and_not_refused(server: Running) -> None:
    async with connected(server) as client:
        assert await client.is_alive()


async def test_a_pong_is_accepted_at_any_time_and_not_answered(server: Running) -> None:
    async with initialised(server) as client:
        await client.send({"type": "pong"})
        await client.send({"type": "pong", "payload": {"n": 1}})
        assert await client.is_quiet()


@pytest.mark.parametrize("kind", ["ping", "pong"])
@pytest.mark.parametrize("payload", [1, "x", []])
async def test_a_ping_payload_of_another_type_is_closed_with_4400_and_not_answered(
    server: Running, kind: str, payload: object
) -> None:
    async with initialised(server) as client:
        await client.send({"type": kind, "payload": payload})
        assert (await client.closed())[0] == 4400


# ---------------------------------------------------------------- malformed messages

MALFORMED: list[Any] = [
    "",
    "{",
    "null",
    "1",
    '"x"',
    "[]",
    '[{"type": "ping"}]',
    "{}",
    '{"type": null}',
    '{"type": 1}',
    '{"type": ["ping"]}',
    '{"type": "start"}',
    '{"type": "next", "id": "1", "payload": {}}',
    '{"type": "error", "id": "1", "payload": []}',
    '{"type": "connection_ack"}',
    '{"type": "subscribe"}',
    '{"type": "subscribe", "id": "1"}',
    '{"type": "subscribe", "id": "1", "payload": null}',
    '{"type": "subscribe", "payload": {"query": "{ hello }"}}',
    '{"type": "complete"}',
    '{"type": "complete", "id": null}',
    '{"type": "complete", "id": 1}',
    "[" * 50_000,
    '{"type": "ping", "payload": {"n": NaN}}',
    b"{}",
    b'{"type": "ping"}',
]


@pytest.mark.parametrize("message", MALFORMED, ids=lambda message: str(message[:60]))
async def test_a_malformed_message_is_closed_with_4400_and_not_ignored(
    server: Running, message: str | bytes
) -> None:
    async with initialised(server) as client:
        await client.send(message)
        assert (await client.closed())[0] == 4400


@pytest.mark.parametrize("identifier", [1, None, "", True, {}, []])
async def test_an_id_of_another_type_is_closed_with_4400_and_not_used(
    server: Running, identifier: object
) -> None:
    async with initialised(server) as client:
        await client.send({"type": "subscribe", "id": identifier, "payload": {"query": "{ hello }"}})
        assert (await client.closed())[0] == 4400


@pytest.mark.parametrize(
    "payload",
    [
        1,
        "x",
        [],
        {},
        {"query": None},
        {"query": 1},
        {"query": {}},
        {"query": "{ hello }", "variables": 1},
        {"query": "{ hello }", "variables": "{}"},
        {"query": "{ hello }", "variables": []},
        {"query": "{ hello }", "extensions": 1},
        {"query": "{ hello }", "extensions": []},
        {"query": "{ hello }", "operationName": 1},
        {"query": "{ hello }", "operationName": {}},
    ],
    ids=str,
)
async def test_a_subscribe_payload_of_wrong_types_is_closed_with_4400_and_not_executed(
    server: Running, payload: object
) -> None:
    async with initialised(server) as client:
        await client.send({"type": "subscribe", "id": "1", "payload": payload})
        assert (await client.closed())[0] == 4400


async def test_null_for_every_optional_part_is_accepted_and_not_malformed(server: Running) -> None:
    async with initialised(server) as client:
        await client.subscribe("1", "{ hello }", variables=None, extensions=None, operationName=None)
        assert (await client.receive())["type"] == "next"


async def test_a_message_larger_than_the_limit_is_closed_and_not_read(server: Running) -> None:
    async with initialised(server) as client:
        await client.send({"type": "ping", "payload": {"text": "x" * 300_000}})
        assert (await client.closed())[0] == 1009
