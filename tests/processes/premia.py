"""Premia as processes: its commands, and servers that a test starts, kills and starts again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

HOST = "127.0.0.1"
PREMIA = str(Path(sys.executable).parent / "premia")
COMMAND_SECONDS = 60.0
START_SECONDS = 30.0
STOP_SECONDS = 40.0
NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Reading the authorities of the machine for each client would cost seconds: nothing here speaks TLS."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    output: str
    complaints: str


async def until(condition: Callable[[], bool], seconds: float = START_SECONDS) -> None:
    """Wait until something is so; fail when it stays otherwise."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it does not come true")


class Premia:
    """Premia's commands with one environment: of this process only what a program needs to run."""

    def __init__(self, folder: Path, **environment: str) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.folder = folder
        self.environment = {**kept, "PREMIA_DATA_FOLDER": str(folder), **environment}

    def but(self, **environment: str) -> Premia:
        """The same with some variables changed."""
        return Premia(self.folder, **{**self.environment, **environment})

    async def run(self, *arguments: str) -> Ended:
        """Run one command to its end."""
        process = await asyncio.create_subprocess_exec(
            PREMIA,
            *arguments,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                output, complaints = await process.communicate()
        finally:
            if process.returncode is None:
                kill_group(process.pid, signal.SIGKILL)
                await process.wait()
        return Ended(process.returncode or 0, output.decode(), complaints.decode())

    async def must(self, *arguments: str) -> str:
        """Run one command that has to succeed; its output."""
        ended = await self.run(*arguments)
        assert ended.status == 0, f"premia {arguments[0]}: {ended.output[-1_500:]}{ended.complaints[-1_500:]}"
        return ended.output.strip()

    async def token(self, role: str, *arguments: str) -> str:
        """A token."""
        return await self.must("token", "--role", role, *arguments)

    async def assert_all_holds(self) -> None:
        """`premia verify` finds nothing broken."""
        closing = (await self.must("verify")).splitlines()[-1]
        assert closing.endswith("invariants hold")


def kill_group(process: int, number: signal.Signals) -> None:
    """Signal a process and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, number)


class Server:
    """`premia serve`: started as often as a test likes, on one port."""

    def __init__(self, premia: Premia, workers: int = 1) -> None:
        self.premia = premia
        self.workers = workers
        self.port = free_port()
        self.address = f"http://{HOST}:{self.port}"
        self.url = f"{self.address}/graphql"
        self.websocket_url = f"ws://{HOST}:{self.port}/graphql"
        self.log = premia.folder / f"server-{self.port}.log"
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220 - it is started, not waited for
                [PREMIA, "serve", "--host", HOST, "--port", str(self.port), "--workers", str(self.workers)],
                env=self.premia.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        async with asyncio.timeout(START_SECONDS):
            while await self.readiness() is None:
                assert self.process.poll() is None, self.said()
                await asyncio.sleep(0.05)

    async def readiness(self) -> dict[str, object] | None:
        """What /readyz says, or None while it is not ready."""
        async with httpx.AsyncClient(trust_env=False, timeout=10, verify=NO_AUTHORITIES) as http:
            try:
                answer = await http.get(f"{self.address}/readyz")
            except httpx.TransportError:
                return None
        state: dict[str, object] | None = answer.json() if answer.status_code == 200 else None
        return state

    async def comes_to(self, **expected: object) -> None:
        """Wait until /readyz shows these counts."""
        state: dict[str, object] | None = None
        for _ in range(600):
            state = await self.readiness()
            if state is not None and all(state[key] == value for key, value in expected.items()):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"the server stays at {state}, not {expected}")

    def kill(self) -> None:
        """End it without a word, as a failing machine would."""
        assert self.process is not None
        kill_group(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def worker_processes(self) -> set[int]:
        """The process ids of its workers."""
        assert self.process is not None
        children = psutil.Process(self.process.pid).children()
        return {child.pid for child in children if any("spawn_main" in word for word in child.cmdline())}

    def order_to_stop(self) -> None:
        """Send the order that an operator sends."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Wait until it has ended; the exit status."""
        assert self.process is not None
        await until(lambda: self.process is not None and self.process.poll() is not None, STOP_SECONDS)
        return self.process.wait()

    def said(self) -> str:
        """What it wrote last."""
        return self.log.read_text(errors="replace")[-3_000:]


@contextlib.asynccontextmanager
async def serving(premia: Premia, workers: int = 1) -> AsyncIterator[Server]:
    """A ready server, which is gone at the end whatever a test does."""
    server = Server(premia, workers)
    try:
        await server.start()
        yield server
    finally:
        if server.process is not None:
            kill_group(server.process.pid, signal.SIGKILL)
            server.process.wait()
