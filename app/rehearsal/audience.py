"""All subscribers of a season, and whether each saw everything once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from app.rehearsal.book import Book
from app.rehearsal.cast import AUDITOR, CLEARING_BANKS, WATCHING_BANKS, Address
from app.rehearsal.census import Census
from app.rehearsal.findings import Check, Findings
from app.rehearsal.operations import PAYMENT_UPDATES, SETTLEMENT_UPDATES
from app.rehearsal.order import BATCH_PATH, PAYMENT_PATH, REVERSED_PATH
from app.rehearsal.subscriber import Subscriber, Subscription
from app.rehearsal.watch import PaymentWatch, SettlementWatch, Totals

Paths = dict[str, Sequence[str]]
IDLE_SECONDS = 10.0
SECONDS_AT_MOST = 180.0


class Audience:
    """Settlement subscribers of each clearing bank, payment subscribers of a few banks and the auditor.

    Attributes:
        known_before: ids of payments and batches older than the subscriptions.
    """

    def __init__(self, address: Address, tokens: Mapping[str, str], findings: Findings, seed: int) -> None:
        self.known_before: set[str] = set()
        self.subscribers: list[Subscriber] = []
        self._settlements = {code: SettlementWatch(code) for code in CLEARING_BANKS}
        self._payments = {name: PaymentWatch(name) for name in WATCHING_BANKS} | {AUDITOR: PaymentWatch(None)}
        self._findings = findings
        self._tasks: list[asyncio.Task[None]] = []
        for code, settlement in self._settlements.items():
            news = Subscription(
                f"settlement-{code}",
                tokens[code],
                SETTLEMENT_UPDATES,
                {"clearingBankCode": code},
                Check.SETTLEMENT_NEWS,
            )
            self.subscribers.append(Subscriber(address.websocket, news, settlement.take, findings, seed))
        for name, payment in self._payments.items():
            news = Subscription(f"payments-{name}", tokens[name], PAYMENT_UPDATES, {}, Check.PAYMENT_NEWS)
            self.subscribers.append(Subscriber(address.websocket, news, payment.take, findings, seed))

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(each.follow()) for each in self.subscribers]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def updates(self) -> int:
        """How many updates all subscribers have taken."""
        return sum(each.updates for each in self.subscribers)

    @property
    def reconnects(self) -> int:
        """How many connections were made after the first one of each."""
        return sum(max(0, each.connections - 1) for each in self.subscribers)

    async def is_awake(self, seconds: float) -> bool:
        """Wait until every subscriber has seen something, no longer than `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(each.awake.wait() for each in self.subscribers))
        except TimeoutError:
            return False
        return True

    def asleep(self) -> list[str]:
        """Name the subscribers that have seen nothing yet."""
        return [each.subscription.name for each in self.subscribers if not each.awake.is_set()]

    def harass(self) -> None:
        """Begin to cut connections."""
        for each in self.subscribers:
            each.harass()

    async def hear_all(self, book: Book, census: Census) -> None:
        """Cut no more connections, and wait for the last news while any still comes."""
        for each in self.subscribers:
            each.calm()
        now = asyncio.get_running_loop().time
        began = newest = now()
        heard = self.updates
        while self._waits(book, census) and now() - newest < IDLE_SECONDS and now() - began < SECONDS_AT_MOST:
            await asyncio.sleep(0.25)
            if self.updates > heard:
                heard, newest = self.updates, now()

    def check(self, book: Book, census: Census) -> None:
        """Hold what each subscriber saw against what the API says at the end."""
        for code, settlement in self._settlements.items():
            paths, totals = _batch_paths(census, code)
            faults = settlement.faults(paths, totals, self.known_before)
            self._findings.extend(Check.SETTLEMENT_NEWS, [f"settlement-{code}: {fault}" for fault in faults])
        for name, payment in self._payments.items():
            faults = payment.faults(_payment_paths(book, payment.bank_code), self.known_before)
            self._findings.extend(Check.PAYMENT_NEWS, [f"payments-{name}: {fault}" for fault in faults])
        self._findings.performed_all(Check.SETTLEMENT_NEWS, Check.PAYMENT_NEWS)

    def _waits(self, book: Book, census: Census) -> bool:
        settlement = any(
            watch.waits_for(*_batch_paths(census, code)) for code, watch in self._settlements.items()
        )
        return settlement or any(
            watch.waits_for(_payment_paths(book, watch.bank_code)) for watch in self._payments.values()
        )


def _batch_paths(census: Census, code: str) -> tuple[Paths, dict[str, Totals]]:
    batches = [batch for batch in census.batches if batch["clearingBank"]["code"] == code]
    paths: Paths = {
        batch["id"]: BATCH_PATH[: BATCH_PATH.index(batch["status"]) + 1]
        for batch in batches
        if batch["status"] in BATCH_PATH
    }
    return paths, {batch["id"]: (batch["paymentCount"], batch["totalAmount"]) for batch in batches}


def _payment_paths(book: Book, bank_code: str | None) -> Paths:
    return {
        payment.payment_id: REVERSED_PATH if payment.reversed else PAYMENT_PATH
        for payment in book.payments.values()
        if bank_code in {None, payment.bank_code}
    }
