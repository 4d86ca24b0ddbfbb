"""The server process: bounded connections, slow clients, and a stop that loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from .service import Running, running
from .socket_client import connected, eventually, initialised

STREAM = 'subscription { count(until: 1000000, name: "served", pause: 0.05) }'


def connect(server: Running) -> socket.socket:
    raw = socket.create_connection(("127.0.0.1", server.port))
    raw.settimeout(5)
    return raw


def is_closed_within(raw: socket.socket, seconds: float) -> bool:
    raw.settimeout(seconds)
    try:
        while raw.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


# ---------------------------------------------------------------- slow clients


def test_sockets_that_trickle_their_headers_are_closed_and_not_kept(server: Running) -> None:
    sockets = [connect(server) for _ in range(20)]
    deadline = time.monotonic() + 3
    for raw in sockets:
        raw.sendall(b"POST /graphql HTTP/1.1\r\n")
    open_sockets = sockets
    while open_sockets and time.monotonic() < deadline:
        time.sleep(0.2)
        still_open = []
        for raw in open_sockets:
            with contextlib.suppress(OSError):
                raw.sendall(b"x-a: b\r\n")
            if not is_closed_within(raw, 0.001):
                still_open.append(raw)
        open_sockets = still_open
    for raw in sockets:
        raw.close()

    assert open_sockets == []


def test_a_socket_that_says_nothing_is_closed_and_not_kept(server: Running) -> None:
    with connect(server) as raw:
        assert is_closed_within(raw, 3)


def test_a_body_that_trickles_to_another_address_is_closed_and_not_kept(server: Running) -> None:
    with connect(server) as raw:
        raw.sendall(b"POST /state HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n")
        closed = False
        for _ in range(20):
            time.sleep(0.2)
            with contextlib.suppress(OSError):
                raw.sendall(b"x")
            closed = is_closed_within(raw, 0.01)
            if closed:
                break

    assert closed


def test_an_answer_that_is_not_read_is_given_up_and_the_server_does_not_suffer(server: Running) -> None:
    body = b'{"query": "{ payments(first: 100) { nodes { id amount bankReference } } }"}'
    head = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    request = head + b"content-length: %d\r\n\r\n" % len(body) + body
    with connect(server) as raw:
        raw.settimeout(0.5)
        with contextlib.suppress(OSError):
            for _ in range(2_000):
                raw.sendall(request)
        assert httpx.post(server.url, json={"query": "{ hello }"}).status_code == 200


def test_a_connection_serves_request_after_request_and_is_not_closed(server: Running) -> None:
    with httpx.Client() as client:
        for _ in range(3):
            assert client.post(server.url, json={"query": "{ hello }"}).status_code == 200
            time.sleep(0.7)


# ---------------------------------------------------------------- too many


@pytest.fixture(scope="module")
def narrow() -> Iterator[Running]:
    with running(TOY_CONNECTIONS="8") as process:
        yield process


def test_one_connection_too_many_is_told_so_with_429_and_not_with_a_5xx(narrow: Running) -> None:
    kept = [connect(narrow) for _ in range(8)]
    with connect(narrow) as late:
        late.sendall(b"GET /graphql?query={hello} HTTP/1.1\r\nhost: x\r\n\r\n")
        answer = b""
        while part := late.recv(4_096):
            answer += part
    for raw in kept:
        raw.close()
    time.sleep(0.1)

    assert answer.startswith(b"HTTP/1.1 429 ")
    assert b"retry-after: 2" in answer.lower()
    assert b'"code":"OVERLOADED"' in answer
    assert httpx.post(narrow.url, json={"query": "{ hello }"}).status_code == 200


async def test_one_websocket_too_many_is_told_so_with_429_and_the_others_are_not_disturbed(
    server: Running,
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(initialised(server)) for _ in range(6)]
        with pytest.raises(Exception, match="429"):
            async with connected(server):
                pass
        assert all([await client.is_alive() for client in clients])
    assert await eventually(server, sockets=0)


# ---------------------------------------------------------------- stopping


async def test_sigterm_closes_sockets_with_1012_and_tells_them_to_resume_and_none_is_left(
    tmp_path: Path,
) -> None:
    note = tmp_path / "stopped"
    with running(TOY_STOPPED_FILE=str(note)) as server:
        async with initialised(server) as client:
            await client.subscribe("1", STREAM)
            await client.receive()
            server.process.send_signal(signal.SIGTERM)
            code, reason = await client.closed()
        status = await asyncio.to_thread(server.process.wait, 10)

    assert (code, status) == (1012, 0)
    assert "resume with `after`" in (reason or "")
    assert note.read_text(encoding="utf-8") == "stopped"


async def test_sigterm_lets_a_request_in_flight_end_and_does_not_cut_it_off() -> None:
    with running() as server:
        async with httpx.AsyncClient(timeout=10) as http:
            request = asyncio.create_task(http.post(server.url, json={"query": "{ slow(seconds: 1) }"}))
            await asyncio.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            answer = await request
        status = await asyncio.to_thread(server.process.wait, 10)

    assert answer.json() == {"data": {"slow": "done"}}
    assert status == 0


async def test_a_client_that_does_not_read_does_not_hold_up_the_stop() -> None:
    with running() as server:
        async with connected(server, max_queue=1, ping_interval=None) as client:
            await client.init()
            await client.subscribe("1", "subscription { floods(size: 60000) }")
            client.connection.transport.pause_reading()
            await asyncio.sleep(0.3)
            started = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            status = await asyncio.to_thread(server.process.wait, 15)
            client.connection.transport.abort()

    assert status == 0
    assert time.monotonic() - started < 15


# ---------------------------------------------------------------- several workers


def workers_of(server: Running, count: int) -> set[int]:
    """The processes that answer, once there are as many."""
    seen: set[int] = set()
    deadline = time.monotonic() + 15
    while len(seen) < count and time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            seen.add(int(str(server.state()["process"])))
    return seen


def test_a_worker_that_is_killed_is_replaced_and_the_service_does_not_end() -> None:
    with running(workers=2) as server:
        before = workers_of(server, 2)
        os.kill(min(before), signal.SIGKILL)
        time.sleep(0.5)
        after = workers_of(server, 2)
        server.process.send_signal(signal.SIGTERM)
        status = server.process.wait(15)

    assert len(before) == len(after) == 2
    assert len(before & after) == 1
    assert status == 0
    assert not any(is_running(process) for process in after)


def test_when_the_parent_is_killed_its_workers_end_and_are_not_orphaned() -> None:
    with running(workers=2) as server:
        workers = workers_of(server, 2)
        server.process.kill()
        server.process.wait(5)
        deadline = time.monotonic() + 10
        while any(is_running(process) for process in workers) and time.monotonic() < deadline:
            time.sleep(0.1)

        assert not any(is_running(process) for process in workers)


def is_running(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("workers", [1, 2])
def test_an_application_that_does_not_start_ends_the_server_and_it_does_not_try_for_ever(
    workers: int,
) -> None:
    code = f"from app.transport.server import serve\nserve('{__name__}:broken', '127.0.0.1', 0, {workers})\n"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [os.getcwd(), *sys.path]))}  # noqa: PTH109
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, timeout=30, check=False
    )

    assert done.returncode != 0


def broken() -> object:
    raise RuntimeError("this application does not start")
