"""The server is killed without a word, at any moment."""

from __future__ import annotations

import asyncio
import random

from models import database
from models.database import Session
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
    chance = random.Random(20)  # noqa: S311 - chance, not a secret
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

    sent = KILLS * (SINGLES + LISTS * LIST_LENGTH)
    assert (len(book.acknowledged), book.unheard, book.refusals, book.faults) == (sent, {}, {}, [])
    assert {payment["bankReference"]: payment["id"] for payment in recorded} == book.acknowledged
    assert len(recorded) == sent
    await large_city.premia.assert_all_holds()


async def paid(session: Session) -> int:
    row = await session.fetch_one("SELECT COUNT(*) AS n FROM payments")
    return int(row["n"]) if row else 0


async def test_a_kill_between_the_commit_and_the_answer_is_healed_by_the_repeat_and_pays_nothing_twice(
    city: City, database_url: str
) -> None:
    lists = [city.payments(100) for _ in range(4)]
    token = await city.bank("104")
    book = Book()
    await database.connect(database_url)

    async with serving(city.premia) as server, calling(server.url, token) as caller:
        till = Till(caller, book)
        for payments in lists:
            async with database.reading() as session:
                before = await paid(session)
                sending = asyncio.create_task(till.pay_list(payments))
                while await paid(session) == before and not sending.done():
                    pass
            server.kill()
            await sending
            await server.start()
            await till.pay_list(payments)
    await database.disconnect()

    assert (len(book.acknowledged), book.unheard, book.refusals, book.faults) == (400, {}, {}, [])
    await city.premia.assert_all_holds()
