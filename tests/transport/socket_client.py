"""A client of `graphql-transport-ws` that hides nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from .service import Running

PATIENCE = 5.0


class Client:
    """One connection under test."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.connection.close()

    async def send(self, message: object) -> None:
        """Send JSON, or text as it is."""
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(PATIENCE):
            message: dict[str, Any] = json.loads(await self.connection.recv())
        return message

    async def init(self, payload: dict[str, Any] | None = None) -> None:
        """Initialise, and see it acknowledged."""
        message: dict[str, Any] = {"type": "connection_init"}
        await self.send(message if payload is None else {**message, "payload": payload})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, identifier: str, query: str, **payload: Any) -> None:
        """Ask for an operation."""
        await self.send({"id": identifier, "type": "subscribe", "payload": {"query": query, **payload}})

    async def closed(self) -> tuple[int | None, str | None]:
        """Read until the server closes: with which code and reason."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    await self.connection.recv()
        except ConnectionClosed as closing:
            received = closing.rcvd
            return (received.code, received.reason) if received else (None, None)

    async def is_quiet(self, seconds: float = 0.2) -> bool:
        """Whether nothing comes for a while."""
        try:
            async with asyncio.timeout(seconds):
                await self.connection.recv()
        except TimeoutError:
            return True
        return False

    async def is_alive(self) -> bool:
        """Whether the connection still answers."""
        await self.send({"type": "ping"})
        return await self.receive() == {"type": "pong"}


@asynccontextmanager
async def connected(server: Running, *subprotocols: str, **options: Any) -> AsyncIterator[Client]:
    """A connection that offers `graphql-transport-ws`, or what is given."""
    names = [Subprotocol(name) for name in subprotocols or ("graphql-transport-ws",)]
    async with connect(server.websocket_url, subprotocols=names, proxy=None, **options) as connection:
        yield Client(connection)


@asynccontextmanager
async def initialised(server: Running, payload: dict[str, Any] | None = None) -> AsyncIterator[Client]:
    """A connection that is ready for operations."""
    async with connected(server) as client:
        await client.init(payload)
        yield client


async def eventually(server: Running, **expected: object) -> bool:
    """Whether the server comes to a state within the patience of a test."""
    for _ in range(int(PATIENCE / 0.05)):
        state = await asyncio.to_thread(server.state)
        if all(state[key] == value for key, value in expected.items()):
            return True
        await asyncio.sleep(0.05)
    return False
