"""A subscriber that survives lost connections: it resumes with its last cursor and keeps all that it was told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from tests.processes.callers import PATIENCE, PERSEVERANCE

PAYMENT_UPDATES = (
    "subscription ($after: String) { paymentUpdates(after: $after) "
    "{ cursor status payment { id bankReference clearingBatch { id } } } }"
)
BATCH_UPDATES = (
    "subscription ($after: String) { settlementUpdates(after: $after) "
    "{ cursor status paymentCount totalAmount batch { id } } }"
)
# The place before the first event, so that nothing is missed before the first update.
FROM_THE_BEGINNING = "0"

Json = dict[str, Any]


@contextlib.asynccontextmanager
async def connected(url: str, token: str | None, **options: Any) -> AsyncIterator[ClientConnection]:
    """A websocket that has been acknowledged."""
    protocols = [Subprotocol("graphql-transport-ws")]
    async with connect(
        url, subprotocols=protocols, proxy=None, compression=None, close_timeout=2, **options
    ) as line:
        await say(line, {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        async with asyncio.timeout(PATIENCE):
            answer = orjson.loads(await line.recv())
        assert answer["type"] == "connection_ack"
        yield line


async def say(line: ClientConnection, message: Json) -> None:
    """Send one message."""
    await line.send(orjson.dumps(message).decode())


async def subscribe(
    line: ClientConnection, query: str, after: str | None = None, identifier: str = "1"
) -> None:
    """Ask for a subscription."""
    payload = {"query": query, "variables": {"after": after}}
    await say(line, {"id": identifier, "type": "subscribe", "payload": payload})


async def hear(line: ClientConnection) -> Json:
    """The next message."""
    async with asyncio.timeout(PATIENCE):
        message: Json = orjson.loads(await line.recv())
    return message


async def code_of_close(line: ClientConnection) -> int | None:
    """Read until the server closes: its code."""
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                await line.recv()
    except ConnectionClosed as closing:
        return closing.rcvd.code if closing.rcvd else None


class Audience:
    """Follows one subscription over as many connections as it takes."""

    def __init__(self, url: Callable[[], str], token: str, query: str) -> None:
        self.updates: list[Json] = []
        self.codes: list[int | None] = []
        self.errors: list[Json] = []
        self.connections = 0
        self._url = url
        self._token = token
        self._query = query
        self._cursor = FROM_THE_BEGINNING
        self._news = asyncio.Event()
        self._line: ClientConnection | None = None

    async def follow(self) -> None:
        """Take updates until cancelled."""
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                await self._one_connection()
            await asyncio.sleep(0.1)

    async def _one_connection(self) -> None:
        async with connected(self._url(), self._token, open_timeout=5) as line:
            self.connections += 1
            self._line = line
            await subscribe(line, self._query, self._cursor)
            try:
                while self._takes(orjson.loads(await line.recv())):
                    pass
            except ConnectionClosed as closing:
                self.codes.append(closing.rcvd.code if closing.rcvd else None)
                raise

    def _takes(self, message: Json) -> bool:
        """Take a message; whether the subscription goes on."""
        if message["type"] != "next":
            self.errors += message.get("payload", [])
            return False
        assert not message["payload"].get("errors"), message
        [update] = message["payload"]["data"].values()
        self._cursor = update["cursor"]
        self.updates.append(update)
        self._news.set()
        return True

    def lose_connection(self) -> None:
        """Cut the line without a word."""
        if self._line is not None:
            self._line.transport.abort()

    async def has_heard(self, enough: Callable[[list[Json]], bool]) -> None:
        """Wait until enough has been heard."""
        try:
            async with asyncio.timeout(PERSEVERANCE):
                while not enough(self.updates):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"heard {len(self.updates)} updates only; {self.errors[-3:]}") from None

    def references(self, status: str = "ACCEPTED") -> list[str]:
        """The references of the payments that it was told of, in the order of telling."""
        return [each["payment"]["bankReference"] for each in self.updates if each["status"] == status]


@contextlib.asynccontextmanager
async def following(url: str | Callable[[], str], token: str, query: str) -> AsyncIterator[Audience]:
    """A subscriber that follows until the end of the block."""
    audience = Audience((lambda: url) if isinstance(url, str) else url, token, query)
    task = asyncio.create_task(audience.follow())
    try:
        yield audience
    finally:
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
        for result in results:
            if isinstance(result, AssertionError):
                raise result
