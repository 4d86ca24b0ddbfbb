"""The toy schema as an application, and a way to run it as a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute

from app.faults import Unauthenticated
from app.principal import Principal, Role
from app.transport.execution import GraphQLExecutor
from app.transport.http import GraphQLHTTP
from app.transport.limits import LIMITS
from app.transport.negotiation import RequestFacts
from app.transport.protocols import BoundedHTTPProtocol, BoundedWebSocketProtocol
from app.transport.websocket import GraphQLWebSocket

from . import toy

SMALL = replace(
    LIMITS,
    websocket_connections=6,
    subscriptions_per_socket=4,
    init_seconds=1.0,
    send_seconds=1.0,
    header_seconds=1.0,
    body_seconds=1.0,
)


def authenticate(token: str | None) -> Principal | None:
    """Tokens of the toy: "good" never ends, "short" ends in a second, anything else is forged."""
    if token is None:
        return None
    if token == "good":  # noqa: S105
        return Principal(Role.BANK, "bank-105")
    if token == "short":  # noqa: S105
        return Principal(Role.BANK, "bank-105", expires_at=datetime.now(UTC) + timedelta(seconds=1))
    raise Unauthenticated("the token is not valid")


def make_context(facts: RequestFacts) -> toy.ToyContext:
    """The context of one operation."""
    scheme, _, token = (facts.authorization or "").partition(" ")
    principal = facts.principal or authenticate(token if scheme.lower() == "bearer" else None)
    return toy.ToyContext(principal=principal, language=facts.language)


def make_app() -> Starlette:
    """The toy application with small limits, for its connections too."""
    connections = int(os.environ.get("TOY_CONNECTIONS", "200"))
    BoundedHTTPProtocol.limits = BoundedWebSocketProtocol.limits = replace(SMALL, connections=connections)
    executor = GraphQLExecutor(toy.make_schema(), limits=SMALL)
    http = GraphQLHTTP(executor, make_context)
    websocket = GraphQLWebSocket(executor, make_context, authenticate)

    async def state(_request: Request) -> JSONResponse:
        return JSONResponse(
            {
                "process": os.getpid(),
                "sockets": websocket.live_sockets,
                "subscribers": websocket.live_subscribers,
                "streams": sorted(toy.live_streams),
            }
        )

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await websocket.close_all()
        note = os.environ.get("TOY_STOPPED_FILE")
        if note:
            Path(note).write_text("stopped", encoding="utf-8")  # noqa: ASYNC240

    routes = [Route("/graphql", http), WebSocketRoute("/graphql", websocket), Route("/state", state)]
    return Starlette(routes=routes, lifespan=lifespan)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(workers: int = 1, **environment: str) -> Iterator[Running]:
    """The toy application served by `app.transport.server` in a process of its own."""
    port = free_port()
    root = str(Path(__file__).resolve().parents[2])
    code = (
        "from app.transport.server import serve\n"
        f"if __name__ == '__main__':\n    serve('{__name__}:make_app', '127.0.0.1', {port}, {workers})\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([root, *filter(None, sys.path)]), **environment},
    )
    try:
        server = Running(process, port)
        server.wait_until_ready()
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Running:
    """A server process under test."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self.url = f"{self.address}/graphql"
        self.websocket_url = f"ws://127.0.0.1:{port}/graphql"

    def wait_until_ready(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError("the server did not start")
            with contextlib.suppress(httpx.HTTPError):
                self.state()
                return
            time.sleep(0.05)
        raise RuntimeError("the server did not answer")

    def state(self) -> dict[str, object]:
        """What lives in the server."""
        state: dict[str, object] = httpx.get(f"{self.address}/state", timeout=5).json()
        return state
