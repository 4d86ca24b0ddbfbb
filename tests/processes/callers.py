"""Callers over HTTP: one that asks, and a till that remembers what it has heard back of."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from tests.processes.premia import NO_AUTHORITIES

PATIENCE = 40.0
"""Within which the server answers whatever happens."""
PERSEVERANCE = 100.0
"""Within which a payment that is repeated is settled."""
_PAYMENT = "payment { id bankReference clearingBatch { id } } alreadyRecorded userErrors { code }"
RECORD = f"mutation ($input: RecordPaymentInput!) {{ recordPayment(input: $input) {{ {_PAYMENT} }} }}"
RECORD_MANY = f"mutation ($input: RecordPaymentsInput!) {{ recordPayments(input: $input) {{ results {{ {_PAYMENT} }} }} }}"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Payment { bankReference } } }"
PAGE = (
    "query ($after: String) { payments(first: 100, after: $after) "
    "{ nodes { id bankReference status clearingBatch { id } } pageInfo { hasNextPage endCursor } } }"
)
OPEN_BATCHES = (
    "query ($bank: String) { clearingBatches(first: 100, filter: {clearingBankCode: $bank, status: OPEN}) "
    "{ nodes { id scheme clearingBank { code } } } }"
)
_STEP = "{ batch { id status paymentCount totalAmount } userErrors { code } }"
CUT = f"mutation ($input: ClearingBatchInput!) {{ cutClearingBatch(input: $input) {_STEP} }}"

Json = dict[str, Any]
Input = Mapping[str, object]


@dataclass(frozen=True)
class Answer:
    """An answer of the server."""

    status: int
    data: Json | None
    errors: list[Json]

    @property
    def codes(self) -> set[str]:
        """The codes of its errors."""
        return {error["extensions"]["code"] for error in self.errors}

    @property
    def retryable(self) -> bool:
        """Whether it asks for a repeat."""
        return bool(self.errors) and all(error["extensions"]["retryable"] for error in self.errors)

    def field(self, name: str) -> Any:
        """A root field of an answer that must have come without errors."""
        assert not self.errors, self.errors
        assert self.data is not None
        return self.data[name]


class Caller:
    """One holder of a token, at one or several addresses of the service."""

    def __init__(self, http: httpx.AsyncClient, urls: Sequence[str], token: str) -> None:
        self._http = http
        self._urls = urls
        self._turn = 0
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    async def ask(self, query: str, **variables: object) -> Answer:
        """Send one operation, in turn to each address; a lost connection raises httpx.TransportError."""
        self._turn += 1
        url = self._urls[self._turn % len(self._urls)]
        body = orjson.dumps({"query": query, "variables": variables})
        async with asyncio.timeout(PATIENCE):
            response = await self._http.post(url, content=body, headers=self._headers)
        read = orjson.loads(response.content)
        return Answer(response.status_code, read.get("data"), read.get("errors", []))

    async def all_payments(self) -> list[Json]:
        """Every payment in sight, page by page."""
        found: list[Json] = []
        after: str | None = None
        while True:
            page = (await self.ask(PAGE, after=after)).field("payments")
            found += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]


@contextlib.asynccontextmanager
async def calling(urls: Sequence[str] | str, token: str) -> AsyncIterator[Caller]:
    """A caller with connections of its own."""
    limits = httpx.Limits(max_connections=80, max_keepalive_connections=80)
    async with httpx.AsyncClient(
        trust_env=False, verify=NO_AUTHORITIES, limits=limits, timeout=2 * PATIENCE
    ) as http:
        yield Caller(http, [urls] if isinstance(urls, str) else urls, token)


def reference_of(payment: Input) -> str:
    """The bank's own number of an input."""
    return str(payment["bankReference"])


@dataclass
class Book:
    """What a bank has heard back of its payments, by its own references."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    unheard: dict[str, Input] = field(default_factory=dict)
    faults: list[Answer] = field(default_factory=list)
    refusals: dict[str, list[str]] = field(default_factory=dict)
    repeats: int = 0

    def write(self, payment: Input, result: Json) -> None:
        """Enter one result."""
        reference = reference_of(payment)
        self.unheard.pop(reference, None)
        if result["userErrors"]:
            self.refusals[reference] = [error["code"] for error in result["userErrors"]]
            return
        assert result["payment"]["bankReference"] == reference
        known = self.acknowledged.setdefault(reference, result["payment"]["id"])
        assert known == result["payment"]["id"], f"{reference} was answered with two payments"
        self.repeats += result["alreadyRecorded"]


class Till:
    """A bank that sends payments and keeps its book."""

    def __init__(self, caller: Caller, book: Book) -> None:
        self.caller = caller
        self.book = book

    async def pay(self, payment: Input) -> bool:
        """Send one payment once; whether there was an answer that settles it."""
        self.book.unheard[reference_of(payment)] = payment
        try:
            answer = await self.caller.ask(RECORD, input=payment)
        except httpx.TransportError:
            return False
        if answer.errors:
            self.book.faults.append(answer)
            return False
        self.book.write(payment, answer.field("recordPayment"))
        return True

    async def pay_list(self, payments: Sequence[Input]) -> bool:
        """Send a list once; whether there was an answer."""
        self.book.unheard |= {reference_of(payment): payment for payment in payments}
        try:
            answer = await self.caller.ask(RECORD_MANY, input={"payments": payments})
        except httpx.TransportError:
            return False
        if answer.errors:
            self.book.faults.append(answer)
            return False
        results = answer.field("recordPayments")["results"]
        for payment, result in zip(payments, results, strict=True):
            self.book.write(payment, result)
        return True

    async def pay_until_heard(self, payment: Input) -> None:
        """Repeat one payment until it is settled, as a real bank does."""
        async with asyncio.timeout(PERSEVERANCE):
            while not await self.pay(payment):  # noqa: ASYNC110 - a bank has no event to wait for
                await asyncio.sleep(0.1)

    async def repeat_unheard(self) -> None:
        """Send again what there was no answer to, until there is."""
        await asyncio.gather(*(self.pay_until_heard(payment) for payment in list(self.book.unheard.values())))

    async def assert_nothing_acknowledged_is_missing(self, references: Iterable[str]) -> None:
        """Each acknowledged payment is there, as it was acknowledged."""
        expected = [(self.book.acknowledged[reference], reference) for reference in references]
        for start in range(0, len(expected), 100):
            part = expected[start : start + 100]
            found = (await self.caller.ask(NODES, ids=[identifier for identifier, _ in part])).field("nodes")
            assert [(node["id"], node["bankReference"]) for node in found if node] == part


async def spread(work: Iterable[Any], sender: Any, clients: int) -> None:
    """Let `clients` concurrent senders work through `work`."""
    remaining = iter(work)

    async def one() -> None:
        for piece in remaining:
            await sender(piece)

    await asyncio.gather(*(one() for _ in range(clients)))
