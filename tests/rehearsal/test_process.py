"""Commands end in time, and a server that was started is stopped, however stubborn."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from app.rehearsal import process
from app.rehearsal.process import Commands, Server
from app.rehearsal.setbacks import StageFailure

STUBBORN_SERVER = """
import os, pathlib, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(os.environ["PID_FILE"]).write_text(str(os.getpid()))
HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Ready).serve_forever()
"""


def pretend(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Let a small program stand in for premia."""
    monkeypatch.setattr(process, "premia_command", lambda: [sys.executable, "-c", program])


async def test_a_failed_command_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "import sys; sys.exit('first\\nthe database already holds payers')")

    with pytest.raises(StageFailure) as failure:
        await Commands({}).must("demo")

    assert str(failure.value) == "premia demo failed with status 1: the database already holds payers"


async def test_a_command_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    write_id = f"import os, pathlib; pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))"
    pretend(monkeypatch, f"{write_id}; import time; time.sleep(60)")

    with pytest.raises(StageFailure, match="did not end within 1 s"):
        await Commands({}).must("verify", seconds=1.0)

    assert not is_running(pid_file)


async def test_a_command_gets_the_database_and_gives_its_output(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "import os; print(os.environ['DATABASE_URL'])")

    assert await Commands({"DATABASE_URL": "sqlite:///x.db"}).must("token") == "sqlite:///x.db"


async def test_a_server_that_ends_at_once_is_no_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pretend(monkeypatch, "import sys; sys.exit('PREMIA_SIGNING_KEY is wrong')")

    with pytest.raises(StageFailure, match="the server did not start: PREMIA_SIGNING_KEY is wrong"):
        async with Server(Commands({}), tmp_path / "server.log", workers=1):
            pytest.fail("it started")


async def test_a_server_that_does_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    pretend(monkeypatch, STUBBORN_SERVER)
    monkeypatch.setattr(process, "STOP_SECONDS", 0.5)
    server = Server(Commands({"PID_FILE": str(pid_file)}), tmp_path / "server.log", workers=1)

    async with server:
        assert is_running(pid_file)

    assert server.exit_status == -9
    assert not is_running(pid_file)


def is_running(pid_file: Path) -> bool:
    """Whether the process that wrote its id there still runs."""
    time.sleep(0.05)
    try:
        os.kill(int(pid_file.read_text()), 0)
    except (ProcessLookupError, FileNotFoundError):
        return False
    return True
