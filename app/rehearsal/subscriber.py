"""A dashboard over graphql-transport-ws that loses its connection at random and resumes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from app.rehearsal.findings import Check, Findings
from app.rehearsal.instructions import Json
from app.rehearsal.operations import Operation
from app.rehearsal.setbacks import NotServed

PROTOCOL = Subprotocol("graphql-transport-ws")
HANDSHAKE_SECONDS = 10.0
CONNECTION_SECONDS = (0.2, 2.5)
TICK_SECONDS = 0.25
FAILURES_AT_MOST = 12
OPERATION_ID = "1"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one subscriber asks for."""

    name: str
    token: str
    operation: Operation
    variables: Json
    check: Check

    @property
    def root(self) -> str:
        """The root field of its operation."""
        return self.operation.name[0].lower() + self.operation.name[1:]


class Subscriber:
    """Follows one subscription across as many connections as it takes, from cursor to cursor.

    Attributes:
        updates: how many updates were taken.
        connections: how many connections were made.
        awake: set once a first update has come, and with it a cursor to resume from.
    """

    def __init__(
        self,
        url: str,
        subscription: Subscription,
        take: Callable[[Json], None],
        findings: Findings,
        seed: int,
    ) -> None:
        self.subscription = subscription
        self.updates = 0
        self.connections = 0
        self.awake = asyncio.Event()
        self._url = url
        self._take = take
        self._findings = findings
        self._cursor: str | None = None
        self._hostile = False
        self._failures = 0
        self._random = random.Random(f"{seed}-{subscription.name}")  # noqa: S311 - chance, not a secret

    def harass(self) -> None:
        """Begin to lose connections; needs a first cursor."""
        self._hostile = True

    def calm(self) -> None:
        """Lose no further connection."""
        self._hostile = False

    async def follow(self) -> None:
        """Take updates until cancelled; bounded failures in a row end it with a finding."""
        while self._failures < FAILURES_AT_MOST:
            before = self.updates
            try:
                await self._one_connection()
                self._failures = 0
            except (OSError, WebSocketException, TimeoutError, NotServed) as trouble:
                self._failures = 1 if self.updates > before else self._failures + 1
                last = f"{type(trouble).__name__}: {trouble}"
                if self._failures >= FAILURES_AT_MOST:
                    detail = f"{self.subscription.name}: gave up after {FAILURES_AT_MOST} failures, {last}"
                    self._findings.add(self.subscription.check, detail)
            await asyncio.sleep(self._random.uniform(0.01, 0.05) * 2 ** min(self._failures, 5))

    async def _one_connection(self) -> None:
        async with connect(
            self._url,
            subprotocols=[PROTOCOL],
            proxy=None,
            compression=None,
            open_timeout=HANDSHAKE_SECONDS,
            close_timeout=2.0,
        ) as connection:
            self.connections += 1
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                await self._begin(connection)
            if await self._listen(connection):
                raise ConnectionResetError("the server ended the connection")
            await self._hang_up(connection)

    async def _begin(self, connection: ClientConnection) -> None:
        authorization = {"authorization": f"Bearer {self.subscription.token}"}
        await _send(connection, {"type": "connection_init", "payload": authorization})
        answer = orjson.loads(await connection.recv())
        if answer.get("type") != "connection_ack":
            raise NotServed(f"{answer.get('type')} instead of connection_ack")
        variables = {**self.subscription.variables, "after": self._cursor}
        payload = {
            "query": self.subscription.operation.text,
            "operationName": self.subscription.operation.name,
            "variables": variables,
        }
        await _send(connection, {"id": OPERATION_ID, "type": "subscribe", "payload": payload})

    async def _listen(self, connection: ClientConnection) -> bool:
        """Take messages; true where the server ended it, false where our patience did."""
        now = asyncio.get_running_loop().time
        ends_at: float | None = None
        while ends_at is None or now() < ends_at:
            if self._hostile and ends_at is None:
                ends_at = now() + self._random.uniform(*CONNECTION_SECONDS)
            try:
                async with asyncio.timeout(TICK_SECONDS):
                    message = await connection.recv()
            except TimeoutError:
                continue
            if await self._understand(connection, orjson.loads(message)):
                return True
        return False

    async def _understand(self, connection: ClientConnection, message: Json) -> bool:
        match message.get("type"):
            case "next":
                self._accept(message["payload"])
            case "ping":
                await _send(connection, {"type": "pong"})
            case "complete":
                return True
            case "error":
                raise NotServed(f"error: {_codes(message['payload'])}")
            case _:
                pass
        return False

    def _accept(self, payload: Json) -> None:
        if payload.get("errors") or not payload.get("data"):
            detail = f"{self.subscription.name}: an update with errors: {_codes(payload.get('errors') or [])}"
            self._findings.add(self.subscription.check, detail)
            return
        update: Json = payload["data"][self.subscription.root]
        self._take(update)
        self._cursor = update["cursor"]
        self.updates += 1
        self.awake.set()

    async def _hang_up(self, connection: ClientConnection) -> None:
        """Lose the connection: cut the line without a word, say goodbye, or just close."""
        match self._random.randrange(3):
            case 0:
                await _send(connection, {"id": OPERATION_ID, "type": "complete"})
            case 1:
                await connection.close()
            case _:
                connection.transport.abort()


async def _send(connection: ClientConnection, message: Json) -> None:
    await connection.send(orjson.dumps(message).decode())


def _codes(errors: list[Json]) -> str:
    return ", ".join(str((error.get("extensions") or {}).get("code", "NO_CODE")) for error in errors)
