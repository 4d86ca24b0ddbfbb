"""GraphQL over websocket: the subprotocol `graphql-transport-ws`, and nothing else.

One reader per connection, one task per operation. Every bound is in `limits`; every stream of events is
closed when its operation ends, whoever ends it and however abruptly.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from graphql import OperationType
from starlette.types import Receive, Scope, Send

from app.faults import LimitExceeded, SlowReader, Unauthenticated
from app.principal import Principal
from app.transport import messages
from app.transport.execution import Answer, GraphQLExecutor, OperationRequest, Prepared
from app.transport.faults import RequestRefused, describe_exception, describe_fault, log_incident
from app.transport.messages import CloseSocket, Message, read_message, write_message
from app.transport.negotiation import MakeContext, RequestFacts, choose_language

ABORT = "premia.abort"
"""The scope extension by which the server lets a connection be cut off without being flushed."""

RESTART_REASON = "the server restarts: connect again and resume with `after`"
SLOW_REASON = "too slow in reading: connect again and resume with `after`"

_LONGEST_TIMER = 86_400.0

Authenticate = Callable[[str | None], Principal | None]


class GraphQLWebSocket:
    """The ASGI endpoint.

    `authenticate` is given the token of `connection_init`; it raises `Unauthenticated` for one not valid.
    `make_context` makes, once per operation, what resolvers find in `info.context`.
    """

    def __init__(
        self, executor: GraphQLExecutor, make_context: MakeContext, authenticate: Authenticate
    ) -> None:
        self.executor = executor
        self.make_context = make_context
        self.authenticate = authenticate
        self.limits = executor.limits
        self.live_subscribers = 0
        self._sockets: set[_Socket] = set()

    @property
    def live_sockets(self) -> int:
        """How many connections are open."""
        return len(self._sockets)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection until it ends."""
        await receive()
        if len(self._sockets) >= self.limits.websocket_connections:
            await _turn_away(scope, send, self.limits.retry_after_seconds)
            return
        socket = _Socket(self, scope, receive, send)
        self._sockets.add(socket)
        try:
            await socket.serve()
        finally:
            self._sockets.discard(socket)

    async def close_all(self) -> None:
        """Close every connection with a code that tells its client to come back and resume."""
        sockets = list(self._sockets)
        await asyncio.gather(*(socket.close(messages.SERVICE_RESTART, RESTART_REASON) for socket in sockets))


class _Socket:
    """One connection."""

    def __init__(self, endpoint: GraphQLWebSocket, scope: Scope, receive: Receive, send: Send) -> None:
        self.endpoint = endpoint
        self.limits = endpoint.limits
        self.scope = scope
        self._receive = receive
        self._send_event = send
        self._initialised = False
        self._acknowledged = False
        self._closed = False
        self._facts = RequestFacts(None, "zh-CN", "websocket")
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._expiry: asyncio.TimerHandle | None = None

    async def serve(self) -> None:
        """Accept, read until the end, then leave nothing behind."""
        try:
            if await self._accept():
                await self._read_all()
        except CloseSocket as order:
            await self.close(order.code, order.reason)
        except Exception as error:  # the last resort
            log_incident(error, "websocket")
            await self.close(1011, "internal error")
        finally:
            self._closed = True
            if self._expiry is not None:
                self._expiry.cancel()
            await self._end_operations()

    async def close(self, code: int, reason: str) -> None:
        """Close the connection once; later calls do nothing."""
        if self._closed:
            return
        self._closed = True
        await self._send_bounded({"type": "websocket.close", "code": code, "reason": reason})

    async def _accept(self) -> bool:
        offered = self.scope.get("subprotocols", [])
        acceptable = messages.SUBPROTOCOL in offered
        accept = {"type": "websocket.accept", "subprotocol": messages.SUBPROTOCOL if acceptable else None}
        await self._send_bounded(accept)
        if not acceptable:
            await self.close(messages.SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
        return acceptable

    async def _read_all(self) -> None:
        try:
            async with asyncio.timeout(self.limits.init_seconds):
                while not self._acknowledged:
                    if not await self._read_one():
                        return
        except TimeoutError:
            raise CloseSocket(messages.INIT_TIMEOUT, "Connection initialisation timeout") from None
        while await self._read_one():
            pass

    async def _read_one(self) -> bool:
        """Read and handle one message; whether there can be more."""
        event = await self._receive()
        if event["type"] == "websocket.disconnect" or self._closed:
            return False
        message = read_message(event)
        if message.type == "subscribe":
            self._subscribe(message)
        elif message.type == "complete":
            self._complete(message)
        elif message.type == "ping":
            await self._send(write_message("pong", None, message.payload))
        elif message.type == "connection_init":
            await self._initialise(message)
        return not self._closed

    async def _initialise(self, message: Message) -> None:
        if self._initialised:
            raise CloseSocket(messages.TOO_MANY_INITS, "Too many initialisation requests")
        self._initialised = True
        token = message.token()
        language = message.language()
        if language is None:
            headers = dict(self.scope.get("headers", []))
            language = headers.get(b"accept-language", b"").decode("latin-1")
        try:
            principal = self.endpoint.authenticate(token)
        except Unauthenticated:
            raise CloseSocket(messages.FORBIDDEN, "Forbidden") from None
        authorization = f"Bearer {token}" if token is not None else None
        self._facts = RequestFacts(authorization, choose_language(language), "websocket", principal)
        self._watch_expiry()
        self._acknowledged = True
        await self._send(write_message("connection_ack"))

    def _watch_expiry(self) -> None:
        """Close the connection when its token ends."""
        principal = self._facts.principal
        if principal is None or principal.expires_at is None:
            return
        seconds = (principal.expires_at - datetime.now(UTC)).total_seconds()
        if seconds <= 0:
            self._spawn(self.close(messages.FORBIDDEN, "token expired"))
            return
        loop = asyncio.get_running_loop()
        self._expiry = loop.call_later(min(seconds + 0.001, _LONGEST_TIMER), self._watch_expiry)

    def _subscribe(self, message: Message) -> None:
        if not self._acknowledged:
            raise CloseSocket(messages.UNAUTHORIZED, "Unauthorized")
        identifier = message.id or ""
        request = message.operation()
        if identifier in self._operations:
            raise CloseSocket(messages.SUBSCRIBER_EXISTS, f"Subscriber for {identifier[:64]} already exists")
        full = len(self._operations) >= self.limits.subscriptions_per_socket
        operation = self._too_many(identifier) if full else self._operate(identifier, request)
        self._operations[identifier] = self._spawn(operation)

    def _complete(self, message: Message) -> None:
        task = self._operations.pop(message.id or "", None)
        if task is not None:
            task.cancel()

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _too_many(self, identifier: str) -> None:
        limit = self.limits.subscriptions_per_socket
        fault = LimitExceeded(f"a connection may have {limit} operations at a time")
        await self._finish(identifier, "error", [describe_fault(fault)])

    async def _operate(self, identifier: str, request: OperationRequest) -> None:
        """Run one operation to its end, and say how it ended."""
        try:
            context = self.endpoint.make_context(self._facts)
            prepared = self.endpoint.executor.prepare(request)
            if prepared.kind is OperationType.SUBSCRIPTION:
                await self._stream(identifier, prepared, context)
            else:
                await self._next(identifier, await self.endpoint.executor.run(prepared, context))
            await self._finish(identifier, "complete")
        except SlowReader:
            await self.close(messages.TRY_AGAIN_LATER, SLOW_REASON)
        except RequestRefused as refusal:
            await self._finish(identifier, "error", refusal.errors)
        except Exception as error:  # one operation fails, its sisters live on
            await self._finish(identifier, "error", [describe_exception(error, "subscription")])

    async def _stream(self, identifier: str, prepared: Prepared, context: object) -> None:
        events = await self.endpoint.executor.stream(prepared, context)
        self.endpoint.live_subscribers += 1
        try:
            async with contextlib.aclosing(events):
                async for answer in events:
                    await self._next(identifier, answer)
                    await asyncio.sleep(0)  # a replay of old events must not hold the loop
        finally:
            self.endpoint.live_subscribers -= 1

    async def _next(self, identifier: str, answer: Answer) -> None:
        if self._is_mine(identifier):
            try:
                message = write_message("next", identifier, answer.payload())
            except (TypeError, ValueError, RecursionError) as error:
                lost = Answer(None, [describe_exception(error, "answer")])
                message = write_message("next", identifier, lost.payload())
            await self._send(message)

    async def _finish(self, identifier: str, kind: str, errors: list[dict[str, Any]] | None = None) -> None:
        """Send the last message of an operation; from then on its id is free."""
        if self._is_mine(identifier):
            del self._operations[identifier]
            await self._send(write_message(kind, identifier, errors))

    def _is_mine(self, identifier: str) -> bool:
        """Whether the running task still owns the id: a client that completed it hears no more of it."""
        return self._operations.get(identifier) is asyncio.current_task()

    async def _send(self, text: str) -> None:
        if not self._closed:
            await self._send_bounded({"type": "websocket.send", "text": text})

    async def _send_bounded(self, event: dict[str, Any]) -> None:
        """Send, waiting only so long for a client that does not read: then it is cut off."""
        try:
            async with asyncio.timeout(self.limits.send_seconds):
                await self._send_event(event)
        except TimeoutError:
            self._closed = True
            abort = self.scope.get("extensions", {}).get(ABORT)
            if abort is not None:
                abort()
        except OSError:
            self._closed = True

    async def _end_operations(self) -> None:
        """Cancel what still runs and wait until its streams are closed."""
        self._operations.clear()
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        if tasks:
            _, pending = await asyncio.wait(tasks, timeout=self.limits.close_seconds)
            for task in pending:
                log_incident(TimeoutError(), f"an operation did not end: {task.get_name()}")


async def _turn_away(scope: Scope, send: Send, seconds: int) -> None:
    """Refuse a connection before it is one: by an HTTP answer where possible, else by a close code."""
    if "websocket.http.response" in scope.get("extensions", {}):
        headers = [(b"retry-after", str(seconds).encode()), (b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "websocket.http.response.start", "status": 429, "headers": headers})
        await send(
            {"type": "websocket.http.response.body", "body": b"OVERLOADED: too many websockets, come again"}
        )
        return
    await send({"type": "websocket.accept"})
    await send(
        {"type": "websocket.close", "code": messages.TRY_AGAIN_LATER, "reason": "OVERLOADED: come again"}
    )
