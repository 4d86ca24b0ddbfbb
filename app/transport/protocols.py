"""uvicorn's connection protocols, with the bounds that they lack.

As shipped, a socket that trickles its headers or body is kept for ever, a client that does not read its
answer keeps the memory of it, and a full server answers 503. Here each connection has a deadline for what
it is doing, checked by a sweep of the server; and beyond the limit a connection is refused with 429 and the
code OVERLOADED.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from app.faults import Overloaded
from app.transport.faults import describe_fault
from app.transport.limits import LIMITS, Limits
from app.transport.websocket import ABORT, RESTART_REASON

_SERVICE_RESTART = 1012


class Swept:
    """A connection that the server cuts off when its deadline has passed."""

    deadline: float | None = None
    transport: asyncio.Transport

    def sweep(self, now: float) -> None:
        """Cut the connection off if it has had its time."""
        if self.deadline is not None and now > self.deadline:
            self.deadline = None
            self.transport.abort()


class BoundedHTTPProtocol(Swept, HttpToolsProtocol):
    """One HTTP connection, with a deadline for its headers, its body and its reading of the answer."""

    limits: Limits = LIMITS

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_bytes = 0
        self._in_head = True
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or prepare to refuse it."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=self.limits.write_buffer_bytes)
        excess = len(self.connections) - self.limits.connections
        if excess > self.limits.refused_connections:
            transport.abort()
        elif excess > 0:
            self._refused = True
            self.app = refuse_overloaded
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Read, counting what comes before the body."""
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self.deadline is None:
                self._await_head()
        super().data_received(data)
        if self._in_head and self._head_bytes > self.limits.header_bytes and not self.transport.is_closing():
            self.transport.write(_plain_answer(431, "Request Header Fields Too Large"))
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Start the request, and the time for its body."""
        self._in_head = False
        self.deadline = self.loop.time() + self.limits.body_seconds + 1.0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is here: what follows is the server's own time."""
        self.deadline = None
        self._in_head = True
        self._head_bytes = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is written; where the body is still coming, its deadline stays."""
        super().on_response_complete()
        if self.transport.is_closing():
            self.deadline = self.loop.time() + self.limits.send_seconds

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, and give up on one that never reads."""
        super().timeout_keep_alive_handler()
        self.deadline = self.loop.time() + self.limits.send_seconds

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, save where it is one too many."""
        if self._refused:
            self.transport.write(_overloaded_answer(self.limits))
            self.transport.close()
            return
        self.deadline = None
        super().handle_websocket_upgrade()

    def shutdown(self) -> None:
        """End when what is in flight has ended; do not wait for a client that does not read."""
        super().shutdown()
        if self.transport.is_closing():
            self.deadline = self.loop.time() + self.limits.close_seconds

    def _await_head(self) -> None:
        self.deadline = self.loop.time() + self.limits.header_seconds


class BoundedWebSocketProtocol(Swept, WebSocketsSansIOProtocol):
    """One websocket, which can be cut off, which says why it closes, and whose pings cannot fill memory."""

    limits: Limits = LIMITS

    def connection_made(self, transport: Any) -> None:
        """Take the connection over from HTTP."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=self.limits.write_buffer_bytes)
        self.deadline = None

    async def run_asgi(self) -> None:
        """Run the application, with a way to abort in its scope."""
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[ABORT] = self.transport.abort
        await super().run_asgi()
        self._give_up_later()

    def data_received(self, data: bytes) -> None:
        """Read; a client that sends pings and reads no pongs is cut off."""
        if self.transport.get_write_buffer_size() > 4 * self.limits.write_buffer_bytes:
            self.transport.abort()
            return
        super().data_received(data)

    def keepalive_timeout(self) -> None:
        """Close a connection that does not answer pings, without waiting for it to read."""
        super().keepalive_timeout()
        self._give_up_later()

    def shutdown(self) -> None:
        """Close with the reason, so that the client resumes."""
        if self.handshake_complete and not self.close_sent:
            self.stop_keepalive()
            self.queue.put_nowait({"type": "websocket.disconnect", "code": _SERVICE_RESTART})
            self.conn.send_close(_SERVICE_RESTART, RESTART_REASON)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.close_timer = self.loop.call_later(1.0, self.transport.close)
        else:
            super().shutdown()
        self._give_up_later()

    def _give_up_later(self) -> None:
        self.deadline = self.loop.time() + self.limits.close_seconds


async def refuse_overloaded(_scope: Any, _receive: Any, send: Any) -> None:
    """The application of a connection that is one too many."""
    body = _overloaded_body()
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(LIMITS.retry_after_seconds).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _overloaded_body() -> bytes:
    fault = Overloaded(
        "the server has as many connections as it can serve", retry_after=LIMITS.retry_after_seconds
    )
    return orjson.dumps({"errors": [describe_fault(fault)]})


def _overloaded_answer(limits: Limits) -> bytes:
    body = _overloaded_body()
    head = (
        b"HTTP/1.1 429 Too Many Requests",
        b"content-type: application/json; charset=utf-8",
        b"connection: close",
        b"retry-after: %d" % limits.retry_after_seconds,
        b"content-length: %d" % len(body),
    )
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def _plain_answer(status: int, phrase: str) -> bytes:
    return f"HTTP/1.1 {status} {phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".encode()
