"""Premia as processes: its commands, and the server that a rehearsal starts and stops."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import httpx

from app.rehearsal.cast import Address
from app.rehearsal.setbacks import StageFailure

HOST = "127.0.0.1"
COMMAND_SECONDS = 300.0
START_SECONDS = 30.0
STOP_SECONDS = 20.0
STARTS_AT_MOST = 3
HOUSE = Path(__file__).parents[2]


def premia_command() -> list[str]:
    """Give the words that start a premia command with this very interpreter."""
    script = Path(sys.executable).parent / "premia"
    return [str(script)] if script.exists() else [sys.executable, "-m", "app.cli"]


class Commands:
    """Runs premia's commands against one database."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        inherited = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(HOUSE), os.environ.get("PYTHONPATH", "")])
        }
        self.environment = inherited | dict(environment)

    async def run(self, *arguments: str, seconds: float = COMMAND_SECONDS) -> tuple[int, str, str]:
        """Run one command to its end: exit status, output, complaints.

        Raises:
            StageFailure: it did not end in time.
        """
        process = await asyncio.create_subprocess_exec(
            *premia_command(),
            *arguments,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(seconds):
                output, complaints = await process.communicate()
        except TimeoutError as overdue:
            raise StageFailure(f"premia {arguments[0]} did not end within {seconds:.0f} s") from overdue
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, output.decode(errors="replace"), complaints.decode(errors="replace")

    async def must(self, *arguments: str, seconds: float = COMMAND_SECONDS) -> str:
        """Run one command that has to succeed; its output.

        Raises:
            StageFailure: it failed.
        """
        status, output, complaints = await self.run(*arguments, seconds=seconds)
        if status != 0:
            raise StageFailure(
                f"premia {arguments[0]} failed with status {status}: {last_line(complaints or output)}"
            )
        return output.strip()


class Server:
    """`premia serve` as a process of its own, from entering the context to leaving it.

    Attributes:
        address: where it listens.
        exit_status: how it ended; None while it runs, negative where a signal ended it.
    """

    def __init__(self, commands: Commands, log: Path, workers: int) -> None:
        self.address = Address(HOST, 0)
        self.exit_status: int | None = None
        self._commands = commands
        self._log = log
        self._workers = workers
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        for _ in range(STARTS_AT_MOST):
            self.address = Address(HOST, _free_port())
            await self._start()
            try:
                if await self._is_ready():
                    return self
            except BaseException:
                await self._stop()
                raise
            await self._stop()
        raise StageFailure(f"the server did not start: {last_line(self._log.read_text(errors='replace'))}")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def ended(self) -> int:
        """Wait until the process ends, which it should not do by itself; its exit status."""
        if self._process is None:
            return 0
        return await self._process.wait()

    async def _start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await self._spawn(log)

    async def _spawn(self, log: BinaryIO) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *premia_command(),
            "serve",
            *("--host", self.address.host, "--port", str(self.address.port), "--workers", str(self._workers)),
            env=self._commands.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop the server in order
        )

    async def _is_ready(self) -> bool:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
            while asyncio.get_running_loop().time() < deadline:
                if self._process is None or self._process.returncode is not None:
                    return False
                with suppress(httpx.TransportError):
                    if (await http.get(self.address.ready)).status_code == 200:
                        return True
                await asyncio.sleep(0.1)
        return False

    async def _stop(self) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                await self._process.wait()
        self.exit_status = self._process.returncode


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def last_line(text: str) -> str:
    """Give the last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"
