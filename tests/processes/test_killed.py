"""The server is killed without a word, at any moment."""

from __future__ import annotations

import asyncio
import random

from tests.processes.callers import Book, Till, calling, spread
from tests.processes.city import City
from tests.processes.premia import Server, serving

KILLS = 20
SINGLES = 32
LISTS = 3
LIST_LENGTH = 8


async def load(till: Till, city: City) -> None:
    """Payments one by one and in lists, until they are through or the server is gone."""
    singles = city.payments(SINGLES)
    lists = [city.payments(LIST_LENGTH) for _ in range(LISTS)]
    await asyncio.gather(spread(singles, till.pay, 16), spread(lists, till.pay_list, 2))


async def kill_under_load(server: Server, till: Till, city: City, seconds: float) -> None:
    """Kill the server while payments are on their way."""
    loading = asyncio.create_task(load(till, city))
    await asyncio.sleep(seconds)
    server.kill()
    await loading


async def test_twenty_kills_under_load_lose_no_acknowledged_payment_and_double_none(large_city: City) -> None:
    chance = random.Random(20)
    token = await large_city.bank("103")
    book = Book()

    async with serving(large_city.premia) as server, calling(server.url, token) as caller:
        till = Till(caller, book)
        for _ in range(KILLS):
            before = set(book.acknowledged)
            await kill_under_load(server, till, large_city, chance.uniform(0.0, 0.25))
            await server.start()
            await till.assert_nothing_acknowledged_is_missing(set(book.acknowledged) - before)
            await till.repeat_unheard()
        recorded = await caller.all_payments()

    print("REPEATS", book.repeats)
    sent = KILLS * (SINGLES + LISTS * LIST_LENGTH)
    assert (len(book.acknowledged), book.unheard, book.refusals, book.faults) == (sent, {}, {}, [])
    assert {payment["bankReference"]: payment["id"] for payment in recorded} == book.acknowledged
    assert len(recorded) == sent
    await large_city.premia.assert_all_holds()


async def test_a_kill_at_the_moment_of_the_commit_is_seen_by_the_repeat_and_pays_nothing_twice(
    city: City,
) -> None:
    payments = city.payments(200)
    token = await city.bank("104")
    book = Book()

    async with serving(city.premia) as server, calling(server.url, token) as caller:
        till = Till(caller, book)
        for start in range(0, 200, 50):
            sending = asyncio.create_task(till.pay_list(payments[start : start + 50]))
            audited = await city.auditor()
            async with calling(server.url, audited) as auditor:
                while len(await auditor.all_payments()) <= start and not sending.done():
                    pass
            server.kill()
            await sending
            await server.start()
        await till.repeat_unheard()

    print("REPEATS", book.repeats)
    assert (len(book.acknowledged), book.refusals, book.faults) == (200, {}, [])
    await city.premia.assert_all_holds()
