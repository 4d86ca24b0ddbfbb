"""A wire between server and database that a test can cut, or let hang."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.processes.premia import HOST, free_port


class Wire:
    """Forwards connections of one port to the database."""

    def __init__(self, host: str, port: int) -> None:
        self.port = free_port()
        self._target = (host, port)
        self._gate = asyncio.Event()
        self._gate.set()
        self._lines: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    async def listen(self) -> None:
        """Take connections."""
        self._listener = await asyncio.start_server(self._connected, HOST, self.port)

    async def cut(self) -> None:
        """Break every connection and refuse new ones."""
        if self._listener is not None:
            self._listener.close()
        self._listener = None
        self.break_lines()

    def break_lines(self) -> None:
        """Break every connection."""
        for line in self._lines:
            line.transport.abort()

    def hang(self) -> None:
        """Keep every connection, take new ones, and let nothing through."""
        self._gate.clear()

    def go_on(self) -> None:
        """Let through what has been waiting."""
        self._gate.set()

    def forget(self) -> None:
        """Let new connections through; those that hang do so for ever, and nobody says so."""
        self._gate = asyncio.Event()
        self._gate.set()

    async def close(self) -> None:
        """Leave nothing behind."""
        await self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._lines.add(writer)
        database: asyncio.StreamWriter | None = None
        try:
            gate = self._gate
            await gate.wait()
            answers, database = await asyncio.open_connection(*self._target)
            self._lines.add(database)
            await asyncio.gather(self._forward(reader, database, gate), self._forward(answers, writer, gate))
        except OSError:
            pass
        finally:
            for line in (writer, database):
                if line is not None:
                    self._lines.discard(line)
                    line.transport.abort()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event
    ) -> None:
        while data := await reader.read(65_536):
            await gate.wait()
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError("the other end is gone")


@contextlib.asynccontextmanager
async def wired(host: str, port: int) -> AsyncIterator[Wire]:
    """A wire to the database that is gone at the end."""
    wire = Wire(host, port)
    await wire.listen()
    try:
        yield wire
    finally:
        await wire.close()
