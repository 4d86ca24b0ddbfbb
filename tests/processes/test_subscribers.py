"""Subscribers at the edge: wrong tokens, tokens that end, lines that break, readers that do not read."""

from __future__ import annotations

import pytest
from websockets.exceptions import ConnectionClosed

from app.principal import Principal, Role
from app.tokens import issue
from models import database
from tests.processes.audience import (
    BATCH_UPDATES,
    FROM_THE_BEGINNING,
    PAYMENT_UPDATES,
    code_of_close,
    connected,
    following,
    hear,
    subscribe,
)
from tests.processes.callers import Book, Till, calling, spread
from tests.processes.city import City
from tests.processes.premia import serving

FORBIDDEN = 4403


async def code_of(url: str, token: str) -> int | None:
    """With which code a connection with this token is closed."""
    with pytest.raises(ConnectionClosed) as closing:
        async with connected(url, token):
            pass
    return closing.value.rcvd.code if closing.value.rcvd else None


async def test_forged_and_expired_tokens_are_turned_away_and_leave_nobody_listening(city: City) -> None:
    good = await city.bank("103")
    brief = await city.premia.token("auditor", "--seconds", "1")
    async with serving(city.premia) as server:
        forged = good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB")

        assert await code_of(server.websocket_url, forged) == FORBIDDEN
        assert await code_of(server.websocket_url, brief) == FORBIDDEN
        await server.comes_to(subscribers=0, sockets=0)


async def test_without_a_token_nothing_is_told_and_nobody_is_left_listening(city: City) -> None:
    async with serving(city.premia) as server, connected(server.websocket_url, "") as line:
        for query in (PAYMENT_UPDATES, BATCH_UPDATES):
            await subscribe(line, query, FROM_THE_BEGINNING)
            answer = await hear(line)

            assert answer["type"] == "error"
            assert [error["extensions"]["code"] for error in answer["payload"]] == ["UNAUTHENTICATED"]
        await server.comes_to(subscribers=0, sockets=1)


async def test_a_token_that_ends_closes_the_line_and_the_subscription_does_not_live_on(city: City) -> None:
    async with serving(city.premia) as server:
        brief = await city.premia.token("auditor", "--seconds", "4")
        async with connected(server.websocket_url, brief) as line:
            await subscribe(line, PAYMENT_UPDATES)
            await server.comes_to(subscribers=1)

            assert await code_of_close(line) == FORBIDDEN
        await server.comes_to(subscribers=0, sockets=0)


async def test_a_payer_is_refused_the_batches_and_their_other_subscriptions_do_not_end(city: City) -> None:
    async with serving(city.premia) as server:
        await database.connect(city.premia.environment["DATABASE_URL"])
        async with database.reading() as session:
            person = await session.fetch_one("SELECT id FROM payers LIMIT 1")
            key = await session.fetch_one("SELECT signing_key FROM demonstration")
        await database.disconnect()
        assert person is not None
        assert key is not None
        payer = issue(
            Principal(Role.PAYER, "payer", payer_id=database.as_id(person["id"])), key["signing_key"]
        )
        async with connected(server.websocket_url, payer) as line:
            await subscribe(line, PAYMENT_UPDATES, identifier="own")
            await server.comes_to(subscribers=1)
            await subscribe(line, BATCH_UPDATES, identifier="batches")
            answer = await hear(line)

            assert (answer["id"], answer["type"]) == ("batches", "error")
            assert [error["extensions"]["code"] for error in answer["payload"]] == ["FORBIDDEN"]
            await server.comes_to(subscribers=1, sockets=1)


async def test_a_malformed_cursor_is_answered_with_an_error_and_leaves_nobody_listening(city: City) -> None:
    token = await city.bank("103")
    async with serving(city.premia) as server, connected(server.websocket_url, token) as line:
        await subscribe(line, PAYMENT_UPDATES, after="1e3")
        answer = await hear(line)

        assert answer["type"] == "error"
        assert [error["extensions"]["code"] for error in answer["payload"]] == ["BAD_INPUT"]
        await server.comes_to(subscribers=0, sockets=1)


async def test_killed_subscribers_leave_no_live_subscription_and_do_not_disturb_the_others(
    city: City,
) -> None:
    token = await city.bank("103")
    async with (
        serving(city.premia) as server,
        calling(server.url, token) as caller,
        following(server.websocket_url, token, PAYMENT_UPDATES) as steady,
    ):
        await server.comes_to(subscribers=1)
        for query in (PAYMENT_UPDATES, BATCH_UPDATES):
            lines = []
            for _ in range(10):
                context = connected(server.websocket_url, token)
                line = await context.__aenter__()
                await subscribe(line, query)
                lines.append((context, line))
            await server.comes_to(subscribers=11, sockets=11)
            for _, line in lines:
                line.transport.abort()
            await server.comes_to(subscribers=1, sockets=1)
            for context, _ in lines:
                await context.__aexit__(None, None, None)
        await spread(city.payments(20), Till(caller, Book()).pay, 4)
        await steady.has_heard(lambda updates: len(updates) >= 20)

        assert steady.connections == 1
        await server.comes_to(subscribers=1, sockets=1)


async def test_a_reader_that_does_not_read_is_cut_off_and_the_others_are_not_held_up(
    large_city: City,
) -> None:
    token = await large_city.bank("103")
    payments = large_city.payments(1_500)
    book = Book()
    async with (
        serving(large_city.premia) as server,
        calling(server.url, token) as caller,
        following(server.websocket_url, token, PAYMENT_UPDATES) as steady,
        connected(server.websocket_url, token, max_queue=1, ping_interval=None) as slow,
    ):
        for number in range(32):
            await subscribe(slow, PAYMENT_UPDATES, FROM_THE_BEGINNING, identifier=str(number))
        await server.comes_to(subscribers=33, sockets=2)
        slow.transport.pause_reading()
        till = Till(caller, book)
        await spread([payments[start : start + 100] for start in range(0, 1_500, 100)], till.pay_list, 2)
        await steady.has_heard(lambda updates: len(updates) >= 1_500)
        await server.comes_to(sockets=1)

        slow.transport.abort()
        assert (len(book.acknowledged), book.faults) == (1_500, [])
        assert len(steady.references()) == len(set(steady.references())) == 1_500
        assert steady.connections == 1
        await server.comes_to(subscribers=1, sockets=1)
