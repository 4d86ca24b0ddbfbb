"""The database goes away for five seconds under load, in every way that it can."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.processes.audience import PAYMENT_UPDATES, following
from tests.processes.callers import Book, Till, calling
from tests.processes.city import City, make_city
from tests.processes.own_postgres import PROGRAMS, own_postgres
from tests.processes.premia import HOST, Server, serving
from tests.processes.proxy import Wire, wired

LOST_SECONDS = 5.0
CLIENTS = 12
Lose = Callable[[], Awaitable[None]]


async def lose_under_load(server: Server, city: City, lose: Lose, must_fail: bool = True) -> None:
    """Pay before, while and after the database is lost, by clients that repeat what they heard nothing of."""
    token = await city.bank("103")
    payments = iter(city.payments(360))
    book = Book()
    lost = asyncio.Event()
    async with (
        calling(server.url, token) as caller,
        following(server.websocket_url, token, PAYMENT_UPDATES) as audience,
    ):
        till = Till(caller, book)

        async def client() -> None:
            for payment in payments:
                await till.pay_until_heard(payment)
                await asyncio.sleep(0.05)

        clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
        await audience.has_heard(lambda updates: len(updates) >= 30)
        await lose()
        lost.set()
        await asyncio.gather(*clients)
        await audience.has_heard(lambda updates: len(updates) >= 360)
        recorded = await caller.all_payments()
        await server.comes_to(status="ok")

    assert bool(book.faults) or not must_fail
    assert {code for fault in book.faults for code in fault.codes} <= {"UNAVAILABLE"}, server.said()
    assert all(fault.retryable and fault.status < 500 for fault in book.faults)
    assert {payment["bankReference"]: payment["id"] for payment in recorded} == book.acknowledged
    assert (len(recorded), book.unheard, book.refusals) == (360, {}, {})
    assert len(audience.references()) == len(set(audience.references())) == 360
    assert "Traceback" not in server.said()
    await city.premia.assert_all_holds()


@pytest.mark.skipif(PROGRAMS is None, reason="initdb and pg_ctl are not on this machine")
@pytest.mark.parametrize("mode", ["immediate", "fast"])
async def test_a_postgresql_that_is_stopped_under_load_costs_five_seconds_and_no_payment(
    database_url: str, tmp_path: Path, mode: str
) -> None:
    async with own_postgres() as postgres:
        city = await make_city(postgres.url, tmp_path)
        async with serving(city.premia) as server:

            async def stop_for_a_while() -> None:
                await postgres.stop(mode)
                await asyncio.sleep(LOST_SECONDS)
                assert await server.readiness() is None
                await postgres.start()

            await lose_under_load(server, city, stop_for_a_while)


async def wired_city(city: City, wire: Wire) -> City:
    """The same city, reached through the wire."""
    parts = urlsplit(city.premia.environment["DATABASE_URL"])
    url = parts._replace(netloc=f"{parts.username}@{HOST}:{wire.port}").geturl()
    return City(city.premia.but(DATABASE_URL=url), city.dues)


@pytest.mark.parametrize("way", ["refused", "hanging, then going on", "hanging, then broken"])
async def test_a_wire_that_is_lost_under_load_costs_five_seconds_and_no_payment(city: City, way: str) -> None:
    parts = urlsplit(city.premia.environment["DATABASE_URL"])
    async with wired(parts.hostname or HOST, parts.port or 5432) as wire:
        reached = await wired_city(city, wire)
        async with serving(reached.premia) as server:

            async def lose() -> None:
                if way == "refused":
                    await wire.cut()
                else:
                    wire.hang()
                await asyncio.sleep(LOST_SECONDS)
                if way == "refused":
                    await wire.listen()
                elif way == "hanging, then broken":
                    wire.break_lines()
                wire.go_on()

            await lose_under_load(server, reached, lose, must_fail=way == "refused")


async def test_a_wire_that_hangs_for_longer_is_answered_in_bounded_time_and_the_server_does_not_stay_down(
    city: City,
) -> None:
    parts = urlsplit(city.premia.environment["DATABASE_URL"])
    async with wired(parts.hostname or HOST, parts.port or 5432) as wire:
        reached = await wired_city(city, wire)
        async with serving(reached.premia) as server:

            async def lose() -> None:
                wire.hang()
                await asyncio.sleep(25)
                wire.go_on()

            await lose_under_load(server, reached, lose)


async def test_connections_that_hang_for_ever_are_given_up_and_do_not_keep_the_server_down(
    city: City,
) -> None:
    parts = urlsplit(city.premia.environment["DATABASE_URL"])
    async with wired(parts.hostname or HOST, parts.port or 5432) as wire:
        reached = await wired_city(city, wire)
        async with serving(reached.premia) as server:

            async def lose() -> None:
                wire.hang()
                await asyncio.sleep(LOST_SECONDS)
                wire.forget()

            await lose_under_load(server, reached, lose)
