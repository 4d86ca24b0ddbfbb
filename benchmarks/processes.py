"""Premia's commands and servers as processes of their own, and what they use of the machine."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

HOST = "127.0.0.1"
HOUSE = Path(__file__).parent.parent
START_SECONDS = 30.0
STOP_SECONDS = 30.0
COMMAND_SECONDS = 600.0
SAMPLE_SECONDS = 0.1


class BenchmarkFailure(Exception):
    """A benchmark cannot run; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended well. `peak_bytes`: the most memory that it and its children held together."""

    output: str
    seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers."""

    port: int
    process: psutil.Process

    def processor_seconds(self) -> float:
        """Processor time that it has used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def resident_bytes(self) -> int:
        """Memory that it holds now."""
        return int(self.process.memory_info().rss)


def premia(*arguments: str) -> list[str]:
    """The words that start a premia command with this interpreter."""
    return [sys.executable, "-m", "app.cli", *arguments]


async def run(words: Sequence[str], environment: Mapping[str, str]) -> Ran:
    """Run a command to its end.

    Raises:
        BenchmarkFailure: it failed or took too long.
    """
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=HOUSE,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    watching = asyncio.create_task(_peak(process.pid))
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            output, complaints = await process.communicate()
    except TimeoutError:
        raise BenchmarkFailure(f"{' '.join(words[2:])} took more than {COMMAND_SECONDS:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        said = (complaints or output).decode(errors="replace").strip().splitlines()
        raise BenchmarkFailure(f"{' '.join(words[2:])} failed: {said[-1] if said else process.returncode}")
    return Ran(output.decode(errors="replace").strip(), seconds, await watching)


async def _peak(pid: int) -> int:
    peak = 0
    while True:
        try:
            main = psutil.Process(pid)
            family = [main, *main.children(recursive=True)]
            held = sum(each.memory_info().rss for each in family)
        except psutil.Error:
            return peak
        if held == 0:  # ended, and not yet waited for
            return peak
        peak = max(peak, held)
        await asyncio.sleep(SAMPLE_SECONDS)


@asynccontextmanager
async def serving(words: Sequence[str], environment: Mapping[str, str]) -> AsyncIterator[Server]:
    """A server process that answers, stopped at the end. `words` lack host and port.

    Raises:
        BenchmarkFailure: it did not start.
    """
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *words,
        *("--host", HOST, "--port", str(port)),
        cwd=HOUSE,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await _answers(port, process)
        yield Server(port, psutil.Process(process.pid))
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _answers(port: int, process: asyncio.subprocess.Process) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.returncode is not None:
            raise BenchmarkFailure(f"the server ended with status {process.returncode} instead of starting")
        if await listens(port):
            return
        await asyncio.sleep(0.05)
    raise BenchmarkFailure(f"the server did not answer within {START_SECONDS:.0f} s")


async def listens(port: int) -> bool:
    """Whether the server of `port` answers that it is ready."""
    request = b"GET /readyz HTTP/1.1\r\nhost: premia\r\nconnection: close\r\n\r\n"
    return (await ask(port, request)).startswith(b"HTTP/1.1 200")


async def ask(port: int, request: bytes) -> bytes:
    """Send one request on a connection of its own; nothing where nobody listens."""
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return b""
    try:
        writer.write(request)
        async with asyncio.timeout(10):
            return await reader.read()
    except (OSError, TimeoutError):
        return b""
    finally:
        writer.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def child_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: ours, without settings of a Premia that happens to be configured here."""
    foreign = ("PREMIA_", "DATABASE_URL", "REDIS_URL")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    path = os.pathsep.join(part for part in (str(HOUSE), os.environ.get("PYTHONPATH", "")) if part)
    return ours | {"PYTHONPATH": path} | dict(settings)
