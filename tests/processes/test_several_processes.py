"""Several server processes on one PostgreSQL: what one process decides, every other one keeps to."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from tests.processes.audience import BATCH_UPDATES, PAYMENT_UPDATES, following
from tests.processes.callers import (
    CUT,
    OPEN_BATCHES,
    RECORD,
    Book,
    Caller,
    Json,
    Till,
    calling,
    spread,
)
from tests.processes.city import City
from tests.processes.premia import Server, serving, until

SHAPES = ["two servers", "two workers"]


@contextlib.asynccontextmanager
async def service(city: City, shape: str) -> AsyncIterator[list[Server]]:
    """Two processes: behind two addresses, or behind one."""
    async with contextlib.AsyncExitStack() as stack:
        if shape == "two workers":
            yield [await stack.enter_async_context(serving(city.premia, workers=2))]
        else:
            yield [await stack.enter_async_context(serving(city.premia)) for _ in range(2)]


def urls(servers: list[Server]) -> list[str]:
    return [server.url for server in servers]


async def record(caller: Caller, payment: dict[str, object]) -> Json:
    result: Json = (await caller.ask(RECORD, input=payment)).field("recordPayment")
    return result


@pytest.mark.parametrize("shape", SHAPES)
async def test_of_64_recordings_of_one_due_by_two_banks_through_both_one_is_accepted_and_63_are_not(
    city: City, shape: str
) -> None:
    tokens = [await city.bank(code) for code in ("103", "104")]
    [due, *_] = city.take(1)
    async with contextlib.AsyncExitStack() as stack:
        servers = await stack.enter_async_context(service(city, shape))
        callers = [await stack.enter_async_context(calling(urls(servers), token)) for token in tokens]

        results = await asyncio.gather(*(record(callers[n // 2 % 2], city.payment(due)) for n in range(64)))

    codes = Counter(error["code"] for result in results for error in result["userErrors"])
    assert codes == {"DUE_ALREADY_PAID": 63}
    assert sum(result["payment"] is not None for result in results) == 1
    await city.premia.assert_all_holds()


@pytest.mark.parametrize("shape", SHAPES)
async def test_of_64_equal_recordings_through_both_one_is_a_payment_and_63_record_nothing(
    city: City, shape: str
) -> None:
    token = await city.bank("103")
    [payment] = city.payments(1)
    async with service(city, shape) as servers, calling(urls(servers), token) as caller:
        results = await asyncio.gather(*(record(caller, payment) for _ in range(64)))
        recorded = await caller.all_payments()

    assert Counter(result["alreadyRecorded"] for result in results) == {True: 63, False: 1}
    assert {result["payment"]["id"] for result in results} == {recorded[0]["id"]}
    assert len(recorded) == 1


async def test_one_reference_for_different_dues_through_both_is_one_payment_and_the_rest_conflict_but_fail_not(
    city: City,
) -> None:
    token = await city.bank("103")
    payments = [{**payment, "bankReference": "the same"} for payment in city.payments(32)]
    async with service(city, "two servers") as servers, calling(urls(servers), token) as caller:
        results = await asyncio.gather(*(record(caller, payment) for payment in payments))

    codes = Counter(error["code"] for result in results for error in result["userErrors"])
    assert codes == {"REFERENCE_CONFLICT": 31}
    await city.premia.assert_all_holds()


async def test_a_subscriber_of_one_process_is_told_what_the_other_records_once_and_in_order_and_misses_nothing(
    city: City,
) -> None:
    token = await city.bank("103")
    payments = city.payments(120)
    async with service(city, "two servers") as [one, other], calling(one.url, token) as caller:
        async with (
            following(other.websocket_url, token, PAYMENT_UPDATES) as steady,
            following(other.websocket_url, token, PAYMENT_UPDATES) as often_lost,
        ):
            till = Till(caller, Book())

            async def pay_and_disturb(payment: dict[str, object]) -> None:
                await till.pay(payment)
                if len(till.book.acknowledged) % 30 == 0:
                    often_lost.lose_connection()

            await spread(payments, pay_and_disturb, 8)
            for audience in (steady, often_lost):
                await audience.has_heard(lambda updates: len(updates) >= 120)
        recorded = [payment["bankReference"] for payment in await caller.all_payments()]

    assert sorted(steady.references()) == sorted(recorded)
    assert often_lost.references() == steady.references()
    assert len(steady.updates) == len(often_lost.updates) == 120
    assert often_lost.connections > 1


async def open_batches(officer: Caller) -> list[Json]:
    found: list[Json] = (await officer.ask(OPEN_BATCHES, bank="314")).field("clearingBatches")["nodes"]
    return found


async def cut_again_and_again(officer: Caller, paying: asyncio.Task[None]) -> set[str]:
    """Cut while others pay; at every look each scheme has exactly one open batch."""
    cut: set[str] = set()
    while not paying.done():
        looked = await open_batches(officer)
        assert sorted(batch["scheme"] for batch in looked) == ["MEDICAL", "PENSION"]
        for batch in looked:
            result = (await officer.ask(CUT, input={"batchId": batch["id"]})).field("cutClearingBatch")
            assert result["userErrors"] == []
            assert result["batch"]["id"] not in cut
            cut.add(result["batch"]["id"])
    return cut


@pytest.mark.parametrize("shape", SHAPES)
async def test_cutting_while_32_clients_pay_through_both_loses_doubles_and_misplaces_no_payment(
    city: City, shape: str
) -> None:
    bank, officer_token = await city.bank("103"), await city.officer()
    payments = city.payments(380)
    book = Book()
    async with contextlib.AsyncExitStack() as stack:
        servers = await stack.enter_async_context(service(city, shape))
        caller = await stack.enter_async_context(calling(urls(servers), bank))
        officer = await stack.enter_async_context(calling(urls(servers), officer_token))
        audience = await stack.enter_async_context(
            following(servers[0].websocket_url, officer_token, BATCH_UPDATES)
        )

        paying = asyncio.create_task(spread(payments, Till(caller, book).pay_until_heard, 32))
        cut = await cut_again_and_again(officer, paying)
        await paying
        recorded = await caller.all_payments()
        await audience.has_heard(
            lambda updates: cut <= {u["batch"]["id"] for u in updates if u["status"] == "CUT"}
        )

    assert (len(book.acknowledged), book.refusals) == (380, {})
    assert {payment["bankReference"]: payment["id"] for payment in recorded} == book.acknowledged
    assert len(recorded) == 380
    told = Counter(update["batch"]["id"] for update in audience.updates if update["status"] == "CUT")
    assert told == dict.fromkeys(cut, 1)
    await city.premia.assert_all_holds()


async def test_a_killed_worker_is_replaced_under_load_and_no_acknowledged_payment_is_missing(
    city: City,
) -> None:
    token = await city.bank("103")
    payments = city.payments(300)
    book = Book()
    async with serving(city.premia, workers=2) as server, calling(server.url, token) as caller:
        till = Till(caller, book)
        await until(lambda: len(server.worker_processes()) == 2)
        before = server.worker_processes()
        paying = asyncio.create_task(spread(payments, till.pay_until_heard, 16))
        await asyncio.sleep(0.2)
        os.kill(min(before), signal.SIGKILL)
        await paying
        await until(lambda: len(server.worker_processes()) == 2)
        after = server.worker_processes()
        await till.assert_nothing_acknowledged_is_missing(book.acknowledged)

    assert len(before & after) == 1
    assert (len(book.acknowledged), book.unheard, book.refusals) == (300, {}, {})
    await city.premia.assert_all_holds()
