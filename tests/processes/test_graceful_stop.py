"""The order to stop, under load: everything that was handed in is written, and everybody is told how to go on."""

from __future__ import annotations

import asyncio

import pytest

from tests.engines import ENGINE
from tests.processes.audience import PAYMENT_UPDATES, following
from tests.processes.callers import Book, Till, calling, spread
from tests.processes.city import City
from tests.processes.premia import serving

SERVICE_RESTART = 1012


@pytest.mark.parametrize("workers", [1, 2] if ENGINE == "postgres" else [1])
async def test_a_stop_under_load_loses_nothing_and_a_subscriber_resumes_and_misses_nothing(
    city: City, workers: int
) -> None:
    token = await city.bank("103")
    payments, later = city.payments(300), city.payments(20)
    book = Book()
    async with (
        serving(city.premia, workers) as server,
        calling(server.url, token) as caller,
        following(server.websocket_url, token, PAYMENT_UPDATES) as audience,
    ):
        till = Till(caller, book)
        paying = asyncio.create_task(spread(payments, till.pay, 32))
        await audience.has_heard(lambda updates: len(updates) >= 20)
        server.order_to_stop()
        status = await server.ended()
        await paying
        acknowledged = set(book.acknowledged)
        codes = list(audience.codes)
        await server.start()
        await till.assert_nothing_acknowledged_is_missing(acknowledged)
        await till.repeat_unheard()
        await spread(later, till.pay, 4)
        await audience.has_heard(lambda updates: len(updates) >= 320)

    assert status == 0
    assert codes == [SERVICE_RESTART]
    assert all(fault.retryable and fault.codes == {"UNAVAILABLE"} for fault in book.faults)
    assert len(audience.references()) == len(set(audience.references())) == 320
    assert set(audience.references()) == set(book.acknowledged)
    assert (len(book.acknowledged), book.refusals) == (320, {})
    await city.premia.assert_all_holds()


async def test_a_list_that_is_being_written_when_the_order_comes_is_answered_and_not_dropped(
    city: City,
) -> None:
    token = await city.bank("104")
    payments = city.payments(200)
    book = Book()
    async with serving(city.premia) as server, calling(server.url, token) as caller:
        sending = asyncio.create_task(Till(caller, book).pay_list(payments))
        await asyncio.sleep(0.05)
        server.order_to_stop()
        status = await server.ended()
        answered = await sending

    assert (status, answered, book.faults) == (0, True, [])
    assert (len(book.acknowledged), book.unheard) == (200, {})
    await city.premia.assert_all_holds()


async def test_an_idle_server_with_idle_connections_stops_and_does_not_wait_for_them(city: City) -> None:
    token = await city.bank("104")
    async with serving(city.premia) as server, calling(server.url, token) as caller:
        await caller.all_payments()
        async with following(server.websocket_url, token, PAYMENT_UPDATES):
            await server.comes_to(subscribers=1, sockets=1)
            server.order_to_stop()

            assert await server.ended() == 0
    assert "Traceback" not in server.said()
