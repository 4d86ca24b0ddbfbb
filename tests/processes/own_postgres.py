"""A PostgreSQL server of the test's own, which it may stop as it likes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from tests.processes.premia import HOST, free_port

OWNER = "postgres"


def _folder_of_programs() -> Path | None:
    """Where initdb and pg_ctl are, if they are here."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if asked := shutil.which("pg_config"):
        answer = subprocess.run(
            [asked, "--bindir"], capture_output=True, text=True, check=False
        ).stdout.strip()
        folders.append(Path(answer))
    if found := shutil.which("pg_ctl"):
        folders.append(Path(found).resolve().parent)
    return next((each for each in folders if (each / "initdb").exists() and (each / "pg_ctl").exists()), None)


PROGRAMS = _folder_of_programs()


class OwnPostgres:
    """Its data lies in `folder`; it listens on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"postgres://{OWNER}@{HOST}:{self.port}/postgres"
        self._folder = folder
        self._data = folder / "data"

    async def make(self) -> None:
        """Make the data folder and start."""
        await self._run("initdb", "--auth=trust", f"--username={OWNER}", "--no-sync", "-D", str(self._data))
        await self.start()

    async def start(self) -> None:
        """Start, and wait until it answers."""
        options = f"-p {self.port} -h {HOST} -k {self._folder} -c fsync=off -c max_connections=60"
        log = str(self._folder / "postgres.log")
        await self._run("pg_ctl", "start", "-w", "-D", str(self._data), "-o", options, "-l", log)

    async def stop(self, mode: str) -> None:
        """Stop: `fast` says goodbye to its clients, `immediate` does not."""
        await self._run("pg_ctl", "stop", "-w", "-D", str(self._data), "-m", mode)

    async def _run(self, program: str, *arguments: str) -> None:
        assert PROGRAMS is not None
        command = [str(PROGRAMS / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", OWNER, "--", *command]
        process = await asyncio.create_subprocess_exec(
            *command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        status = await process.wait()
        assert status == 0, f"{program} ended with {status}"


@contextlib.asynccontextmanager
async def own_postgres() -> AsyncIterator[OwnPostgres]:
    """A server that is stopped, and whose data is removed, at the end."""
    folder = Path(tempfile.mkdtemp(prefix="premia-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, OWNER)
        server = OwnPostgres(folder)
        await server.make()
        try:
            yield server
        finally:
            with contextlib.suppress(AssertionError):
                await server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
