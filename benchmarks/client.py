"""The load client: a process of its own that costs far less than the server that it asks.

It speaks just enough HTTP/1.1, over kept connections, with requests that are built before the clock starts. Run as
`python -m benchmarks.client`: instructions as JSON on standard input, the report as JSON on standard output.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

import orjson
import uvloop

_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Instructions:
    """What to send where, and for how long.

    Attributes:
        tokens: dealt out to the connections in turn.
        bodies: a file with one request body on each line.
        expect: what a good answer contains.
        seconds: how long answers are counted, after `warm_up` seconds; 0: until the bodies are used up.
        rate: requests offered per second whatever comes back; 0: each connection asks as soon as it is answered.
    """

    host: str
    port: int
    tokens: list[str]
    bodies: str
    expect: str
    connections: int
    seconds: float
    warm_up: float = 0.0
    rate: float = 0.0


@dataclass(slots=True)
class Report:
    """What came back. Latencies in milliseconds; those of offered requests count from the instant intended."""

    answered: int = 0
    seconds: float = 0.0
    refused: int = 0
    first_refusal: str = ""
    used_up: bool = False
    p50: float = 0.0
    p99: float = 0.0
    longest: float = 0.0
    processor_seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    def sum_up(self) -> None:
        """Make quantiles of the latencies."""
        ordered = sorted(self.latencies)
        if ordered:
            self.p50 = 1000 * ordered[len(ordered) // 2]
            self.p99 = 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
            self.longest = 1000 * ordered[-1]
        self.latencies = []


class Connection(asyncio.Protocol):
    """One kept connection with at most one request under way."""

    def __init__(self, head: bytes, done: Callable[[Connection, bytes], None]) -> None:
        self._head = head
        self._done = done
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what can be written to. uvloop's transports are not of asyncio's classes."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def ask(self, body: bytes, at: float) -> None:
        """Send one request; `at` is the instant that its latency counts from."""
        self.sent_at = at
        if self._transport is not None:
            self._transport.write(b"%s%d\r\n\r\n%s" % (self._head, len(body), body))

    def data_received(self, data: bytes) -> None:
        """Hand on a whole answer."""
        self._received = self._received + data if self._received else data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._received, 0, end)
        if length is not None and len(self._received) >= end + 4 + int(length[1]):
            answer, self._received = self._received, b""
            self._done(self, answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection that is cut off with a request under way has been refused."""
        self._done(self, b"")


class Client:
    """Sends the bodies and counts the answers."""

    def __init__(self, instructions: Instructions) -> None:
        self._told = instructions
        self._bodies = deque(Path(instructions.bodies).read_bytes().splitlines())
        self._expect = instructions.expect.encode()
        self._report = Report()
        self._count_from = 0.0
        self._ends_at = 0.0
        self._under_way = 0
        # Used in turn, so that none idles long enough to be closed by the server.
        self._idle: deque[Connection] = deque()
        self._waiting: deque[float] = deque()
        self._finished = asyncio.Event()

    async def run(self) -> Report:
        """Send everything and wait for the answers."""
        told = self._told
        loop = asyncio.get_running_loop()
        for number in range(told.connections):
            head = _head(told.tokens[number % len(told.tokens)])
            _, connection = await loop.create_connection(
                lambda head=head: Connection(head, self._done),  # type: ignore[misc]
                told.host,
                told.port,
            )
            self._idle.append(connection)
        used_before = time.process_time()
        began = time.perf_counter()
        self._count_from = began + told.warm_up
        self._ends_at = self._count_from + told.seconds if told.seconds and not told.rate else float("inf")
        if told.rate:
            await self._offer(began)
        else:
            for connection in tuple(self._idle):
                self._next(connection)
        await self._finished.wait()
        self._report.processor_seconds = time.process_time() - used_before
        ended = min(time.perf_counter(), self._ends_at)
        self._report.seconds = ended - self._count_from
        self._report.sum_up()
        return self._report

    async def _offer(self, began: float) -> None:
        """Offer requests at their instants, whether or not earlier ones are answered."""
        count = int(self._told.rate * (self._told.warm_up + self._told.seconds))
        for number in range(min(count, len(self._bodies))):
            intended = began + number / self._told.rate
            if (early := intended - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            if self._idle:
                self._send(self._idle.popleft(), intended)
            else:
                self._waiting.append(intended)
        self._ends_at = time.perf_counter()
        if not self._under_way:
            self._finished.set()

    def _send(self, connection: Connection, at: float) -> None:
        self._under_way += 1
        connection.ask(self._bodies.popleft(), at)

    def _next(self, connection: Connection) -> None:
        now = time.perf_counter()
        if now < self._ends_at and self._bodies:
            self._send(connection, now)
        elif not self._under_way:
            self._report.used_up = now < self._ends_at
            self._finished.set()

    def _done(self, connection: Connection, answer: bytes) -> None:
        if not connection.sent_at:  # closed while idle
            with suppress(ValueError):
                self._idle.remove(connection)
            return
        now, sent_at, connection.sent_at = time.perf_counter(), connection.sent_at, 0.0
        self._under_way -= 1
        self._count(answer, sent_at, now)
        if not answer:
            self._finish_when_idle()
        elif not self._told.rate:
            self._next(connection)
        elif self._waiting:
            self._send(connection, self._waiting.popleft())
        else:
            self._idle.append(connection)
            if self._ends_at < now:
                self._finish_when_idle()

    def _finish_when_idle(self) -> None:
        if not self._under_way:
            self._finished.set()

    def _count(self, answer: bytes, sent_at: float, now: float) -> None:
        if self._expect not in answer:
            self._report.refused += 1
            self._report.first_refusal = self._report.first_refusal or answer[:600].decode(errors="replace")
        elif self._told.rate:
            if sent_at >= self._count_from:
                self._report.answered += 1
                self._report.latencies.append(now - sent_at)
        elif self._count_from <= now <= self._ends_at:
            self._report.answered += 1
            self._report.latencies.append(now - sent_at)


def _head(token: str) -> bytes:
    lines = (
        "POST /graphql HTTP/1.1",
        "host: premia",
        "content-type: application/json",
        f"authorization: Bearer {token}",
        "content-length: ",
    )
    return "\r\n".join(lines).encode()


def main() -> None:
    """Do as standard input says."""
    client_instructions = Instructions(**orjson.loads(sys.stdin.buffer.read()))

    async def work() -> Report:
        return await Client(client_instructions).run()

    report = uvloop.run(work())
    sys.stdout.buffer.write(orjson.dumps(asdict(report)))


if __name__ == "__main__":
    main()
