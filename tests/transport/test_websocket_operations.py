"""Operations over the websocket: what is sent for each, and how each ends."""

from __future__ import annotations

import asyncio

import pytest

from .service import Running
from .socket_client import connected, eventually, initialised

COUNT = "subscription($until: Int!, $name: String!) { count(until: $until, name: $name, pause: 0.01) }"
FOREVER = 'subscription { count(until: 1000000, name: "%s", pause: 0.05) }'


# ---------------------------------------------------------------- subscribe


async def test_subscribe_before_the_acknowledgement_is_closed_with_4401_and_not_executed(
    server: Running,
) -> None:
    async with connected(server) as client:
        await client.subscribe("1", "{ hello }")
        assert await client.closed() == (4401, "Unauthorized")


async def test_a_query_is_answered_by_next_and_complete_and_nothing_else(server: Running) -> None:
    async with initialised(server) as client:
        await client.subscribe("q", "{ hello }")
        assert await client.receive() == {"type": "next", "id": "q", "payload": {"data": {"hello": "hello"}}}
        assert await client.receive() == {"type": "complete", "id": "q"}
        assert await client.is_quiet()


async def test_a_mutation_is_answered_by_next_and_complete_and_nothing_else(server: Running) -> None:
    async with initialised(server) as client:
        document = (
            "mutation($input: RecordPaymentInput!) { recordPayment(input: $input) { payment { amount } } }"
        )
        given = {"dueId": "1", "amount": "395.00", "channel": "KIOSK", "bankReference": "r"}
        await client.subscribe("m", document, variables={"input": given})
        payment = {"recordPayment": {"payment": {"amount": "395.00"}}}
        assert await client.receive() == {"type": "next", "id": "m", "payload": {"data": payment}}
        assert await client.receive() == {"type": "complete", "id": "m"}
        assert await client.is_quiet()


async def test_a_subscription_sends_each_event_in_order_then_complete_and_nothing_else(
    server: Running,
) -> None:
    async with initialised(server) as client:
        await client.subscribe("s", COUNT, variables={"until": 3, "name": "order"})
        for number in range(3):
            message = await client.receive()
            assert message == {"type": "next", "id": "s", "payload": {"data": {"count": number}}}
        assert await client.receive() == {"type": "complete", "id": "s"}
        assert await client.is_quiet()


async def test_an_id_in_use_is_closed_with_4409_and_not_shared(server: Running) -> None:
    async with initialised(server) as client:
        await client.subscribe("x", FOREVER % "twice")
        await client.subscribe("x", "{ hello }")
        assert await client.closed() == (4409, "Subscriber for x already exists")
    assert await eventually(server, streams=[], subscribers=0)


async def test_an_id_is_free_after_complete_and_not_refused(server: Running) -> None:
    async with initialised(server) as client:
        for _ in range(3):
            await client.subscribe("x", "{ hello }")
            assert (await client.receive())["type"] == "next"
            assert (await client.receive())["type"] == "complete"


async def test_an_id_is_free_after_an_error_and_not_refused(server: Running) -> None:
    async with initialised(server) as client:
        for _ in range(3):
            await client.subscribe("x", "{ nothing }")
            assert (await client.receive())["type"] == "error"


async def test_the_same_id_on_two_connections_is_not_a_conflict(server: Running) -> None:
    async with initialised(server) as one, initialised(server) as two:
        await one.subscribe("x", FOREVER % "one")
        await two.subscribe("x", FOREVER % "two")
        assert (await one.receive())["type"] == (await two.receive())["type"] == "next"


async def test_operations_run_side_by_side_and_do_not_wait_for_each_other(server: Running) -> None:
    async with initialised(server) as client:
        await client.subscribe("slow", "{ slow(seconds: 0.5) }")
        await client.subscribe("fast", "{ hello }")
        assert (await client.receive())["id"] == "fast"


async def test_the_named_operation_is_executed_and_no_other(server: Running) -> None:
    async with initialised(server) as client:
        await client.subscribe("1", "query A { hello } query B { channels }", operationName="B")
        assert (await client.receive())["payload"] == {"data": {"channels": ["COUNTER", "KIOSK"]}}


# ---------------------------------------------------------------- complete by the client


async def test_complete_ends_the_stream_and_closes_its_source_and_nothing_more_is_sent(
    server: Running,
) -> None:
    async with initialised(server) as client:
        await client.subscribe("s", FOREVER % "completed")
        await client.receive()
        await client.send({"type": "complete", "id": "s"})
        assert await eventually(server, streams=[], subscribers=0)
        await client.send({"type": "ping"})
        late = [await client.receive()]
        while late[-1]["type"] != "pong":
            late.append(await client.receive())
        assert "complete" not in [message["type"] for message in late]
        assert await client.is_quiet()


async def test_after_complete_the_id_is_free_at_once_and_the_old_stream_is_not_heard(server: Running) -> None:
    async with initialised(server) as client:
        await client.subscribe("s", FOREVER % "replaced")
        await client.receive()
        await client.send({"type": "complete", "id": "s"})
        await client.subscribe("s", "{ hello }")
        messages = [await client.receive()]
        while messages[-1]["type"] != "complete":
            messages.append(await client.receive())
        assert messages[-2]["payload"] == {"data": {"hello": "hello"}}
        assert await client.is_quiet()


async def test_complete_cancels_a_query_and_it_is_not_answered(server: Running) -> None:
    async with initialised(server) as client:
        await client.subscribe("q", "{ slow(seconds: 0.3) }")
        await client.send({"type": "complete", "id": "q"})
        assert await client.is_quiet(0.5)


async def test_complete_for_an_unknown_id_is_ignored_and_not_an_error(server: Running) -> None:
    async with initialised(server) as client:
        await client.send({"type": "complete", "id": "nobody"})
        assert await client.is_alive()


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "{ nothing }",
        "subscription { nothing }",
        "",
        "{ hello } { hello }",
        "fragment F on Query { hello }",
    ],
)
async def test_an_invalid_operation_is_an_error_of_its_own_and_its_sisters_are_not_ended(
    server: Running, query: str
) -> None:
    async with initialised(server) as client:
        await client.subscribe("sister", FOREVER % "sister")
        await client.receive()
        await client.subscribe("bad", query)
        messages = [await client.receive() for _ in range(4)]
        [error] = [message for message in messages if message["id"] == "bad"]
        assert error["type"] == "error"
        assert error["payload"][0]["extensions"]["code"] == "BAD_REQUEST"
        assert (await client.receive())["id"] == "sister"


async def test_variables_that_cannot_be_read_are_an_error_and_not_next(server: Running) -> None:
    async with initialised(server) as client:
        await client.subscribe("1", COUNT, variables={"until": "x", "name": "y"})
        message = await client.receive()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "BAD_REQUEST")
        assert await client.is_quiet()


async def test_a_fault_of_a_resolver_is_in_next_and_the_operation_is_not_an_error(server: Running) -> None:
    async with initialised(server) as client:
        await client.subscribe("1", '{ fault(name: "forbidden") }')
        message = await client.receive()
        assert message["type"] == "next"
        assert message["payload"]["data"] == {"fault": None}
        assert message["payload"]["errors"][0]["extensions"] == {"code": "FORBIDDEN", "retryable": False}
        assert (await client.receive())["type"] == "complete"


async def test_a_stream_that_breaks_is_an_error_and_is_not_completed(server: Running) -> None:
    async with initialised(server) as client:
        await client.subscribe("1", "subscription { breaks }")
        assert (await client.receive())["type"] == "next"
        message = await client.receive()
        assert (message["type"], message["payload"][0]["message"]) == ("error", "internal error")
        assert await client.is_quiet()
        assert await client.is_alive()


async def test_a_slow_reader_is_closed_with_1013_and_told_to_resume_and_not_left_in_the_dark(
    server: Running,
) -> None:
    async with initialised(server) as client:
        await client.subscribe("1", "subscription { slowReader }")
        code, reason = await client.closed()
        assert code == 1013
        assert "resume with `after`" in (reason or "")


# ---------------------------------------------------------------- bounds and ends


async def test_one_operation_too_many_is_an_error_and_the_socket_is_not_closed(server: Running) -> None:
    async with initialised(server) as client:
        for number in range(4):
            await client.subscribe(f"s{number}", FOREVER % f"bound{number}")
        await client.subscribe("s4", "{ hello }")
        message = await client.receive()
        while message["type"] == "next":
            message = await client.receive()
        assert (message["id"], message["payload"][0]["extensions"]["code"]) == ("s4", "LIMIT_EXCEEDED")
        assert (await client.receive())["type"] == "next"
    assert await eventually(server, streams=[], subscribers=0)


async def test_a_client_that_closes_leaves_no_stream_behind(server: Running) -> None:
    async with initialised(server) as client:
        await client.subscribe("1", FOREVER % "left")
        await client.receive()
    assert await eventually(server, streams=[], subscribers=0, sockets=0)


async def test_a_client_that_is_killed_leaves_no_stream_behind(server: Running) -> None:
    async with initialised(server) as client:
        await client.subscribe("1", FOREVER % "killed")
        await client.receive()
        assert await eventually(server, streams=["killed"], subscribers=1)
        client.connection.transport.abort()
        assert await eventually(server, streams=[], subscribers=0, sockets=0)


async def test_a_client_that_does_not_read_is_cut_off_and_its_stream_is_not_kept(server: Running) -> None:
    async with connected(server, max_queue=1, ping_interval=None) as client:
        await client.init()
        await client.subscribe("1", "subscription { floods(size: 60000) }")
        client.connection.transport.pause_reading()
        assert await eventually(server, subscribers=1)
        await asyncio.sleep(0.3)
        assert await eventually(server, streams=[], subscribers=0, sockets=0)
        client.connection.transport.abort()


async def test_a_client_that_pings_and_does_not_read_is_cut_off_and_its_pongs_are_not_kept(
    server: Running,
) -> None:
    async with connected(server, ping_interval=None) as client:
        await client.init()
        client.connection.transport.pause_reading()
        pings = b"".join(b"\x89\xfd\x00\x00\x00\x00" + b"x" * 125 for _ in range(500))
        for _ in range(2_000):
            client.connection.transport.write(pings)
            await asyncio.sleep(0)
            if client.connection.transport.is_closing():
                break
        assert await eventually(server, sockets=0)
        client.connection.transport.abort()
