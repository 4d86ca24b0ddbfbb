"""GraphQL over HTTP: GET and POST as the specification has it, and never a 5xx."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl

import orjson
from graphql import OperationType
from starlette.types import Receive, Scope, Send

from app.faults import Fault, LimitExceeded, Unavailable
from app.transport.execution import GraphQLExecutor, OperationRequest
from app.transport.faults import RequestRefused, describe_exception
from app.transport.limits import Limits
from app.transport.negotiation import (
    GRAPHQL_RESPONSE,
    JSON,
    MakeContext,
    RequestFacts,
    choose_language,
    choose_media_type,
)

_CONTENT_TYPES = {kind: f"{kind}; charset=utf-8".encode() for kind in (JSON, GRAPHQL_RESPONSE)}
_METHODS = (b"allow", b"GET, POST")
_CLOSE = (b"connection", b"close")
_KEPT_WITH_JSON = frozenset({401, 403, 405, 406, 408, 413, 415, 429})

_STOPPING = "the server stops: what was asked for may or may not have happened, repeat it"

# A client that goes away while it sends has no use for an answer.
_GONE = object()


class GraphQLHTTP:
    """The ASGI endpoint.

    `make_context` makes what resolvers find in `info.context`; a fault that it raises stops the request.
    """

    def __init__(self, executor: GraphQLExecutor, make_context: MakeContext) -> None:
        self.executor = executor
        self.make_context = make_context
        self.limits: Limits = executor.limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = _headers(scope)
        media_type = choose_media_type(headers.get(b"accept", b"").decode("latin-1"))
        try:
            if media_type is None:
                raise RequestRefused.malformed(f"the answer can be {JSON} or {GRAPHQL_RESPONSE}", 406)
            request = await self._read(scope, headers, receive)
            if request is _GONE:
                return
            body = await self._execute(request, headers)
        except RequestRefused as refusal:
            await self._refuse(refusal, media_type or JSON, send)
            return
        except asyncio.CancelledError:
            await self._refuse(RequestRefused.of(Unavailable(_STOPPING)), media_type or JSON, send)
            raise
        except Exception as error:  # the last resort
            body = orjson.dumps({"data": None, "errors": [describe_exception(error, "request")]})
        await _send(send, 200, body, _CONTENT_TYPES[media_type or JSON])

    async def _read(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Any:
        method = scope["method"]
        if method == "POST":
            _check_content(headers)
            body = await self._body(headers, receive)
            return _GONE if body is None else read_request(self._decode_body(body))
        if method == "GET":
            return read_query_string(scope["query_string"])
        raise RequestRefused.malformed("GraphQL is asked for with GET or POST", 405)

    async def _execute(self, request: OperationRequest, headers: dict[bytes, bytes]) -> bytes:
        try:
            context = self.make_context(facts_of(headers))
        except Fault as fault:
            raise RequestRefused.of(fault) from None
        prepared = self.executor.prepare(request)
        if prepared.kind is OperationType.SUBSCRIPTION:
            raise RequestRefused.malformed(
                "subscriptions are served over websocket, subprotocol graphql-transport-ws"
            )
        answer = await self.executor.run(prepared, context)
        return answer.to_json()

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
        """The body, read within bounds of size and time; None where the client went away."""
        length = headers.get(b"content-length", b"")
        if length.isdigit() and (len(length) > 12 or int(length) > self.limits.body_bytes):
            raise self._too_large()
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                return await self._receive(receive)
        except TimeoutError:
            raise RequestRefused.malformed("the body took too long to arrive", 408) from None

    async def _receive(self, receive: Receive) -> bytes | None:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            size += len(part)
            if size > self.limits.body_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return part if not parts else b"".join([*parts, part])
            parts.append(part)

    def _decode_body(self, body: bytes) -> object:
        if body.count(b"[") + body.count(b"{") > self.limits.json_brackets:
            limit = self.limits.json_brackets
            raise RequestRefused.of(LimitExceeded(f"the body has more than {limit} lists and objects"), 413)
        return _decode(body)

    def _too_large(self) -> RequestRefused:
        return RequestRefused.of(LimitExceeded(f"the body has more than {self.limits.body_bytes} bytes"), 413)

    async def _refuse(self, refusal: RequestRefused, media_type: str, send: Send) -> None:
        """Answer that a request was not executed; the older media type wants 200 for what is invalid."""
        status = refusal.status
        if (
            media_type == JSON
            and status not in _KEPT_WITH_JSON
            and not isinstance(refusal, UnreadableRequest)
        ):
            status = 200
        extra: list[tuple[bytes, bytes]] = []
        if status == 405:
            extra.append(_METHODS)
        elif status == 401:
            extra.append((b"www-authenticate", b"Bearer"))
        elif status in (408, 413):
            extra.append(_CLOSE)
        elif status == 429:
            seconds = refusal.retry_after or self.limits.retry_after_seconds
            extra.append((b"retry-after", str(max(1, round(seconds))).encode()))
        await _send(send, status, orjson.dumps({"errors": refusal.errors}), _CONTENT_TYPES[media_type], extra)


class UnreadableRequest(RequestRefused):
    """A request that is not one of GraphQL: 400, whatever media type is accepted."""


def facts_of(headers: dict[bytes, bytes]) -> RequestFacts:
    """What the headers of an HTTP request say."""
    authorization = headers.get(b"authorization")
    return RequestFacts(
        authorization=authorization.decode("latin-1") if authorization is not None else None,
        language=choose_language(headers.get(b"accept-language", b"").decode("latin-1")),
        transport="http",
    )


def read_request(payload: object) -> OperationRequest:
    """A request from its decoded JSON.

    Raises:
        UnreadableRequest: a parameter is missing or of the wrong type.
    """
    if isinstance(payload, list):
        raise UnreadableRequest.malformed("batches are not supported: send one request at a time")
    if not isinstance(payload, dict):
        raise UnreadableRequest.malformed("the body must be a JSON object")
    query = payload.get("query")
    if not isinstance(query, str) or not query:
        raise UnreadableRequest.malformed("the parameter query must be a string")
    name = payload.get("operationName")
    if name is not None and not isinstance(name, str):
        raise UnreadableRequest.malformed("the parameter operationName must be a string")
    for parameter in ("variables", "extensions"):
        if not isinstance(payload.get(parameter), dict | None):
            raise UnreadableRequest.malformed(f"the parameter {parameter} must be an object")
    return OperationRequest(query, payload.get("variables"), name or None)


def read_query_string(query_string: bytes) -> OperationRequest:
    """A read-only request from a URL.

    Raises:
        UnreadableRequest: a parameter is missing, doubled or not readable.
    """
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20
        )
    except ValueError:
        raise UnreadableRequest.malformed("the query string cannot be read") from None
    payload: dict[str, object] = {}
    for name, value in pairs:
        if name in payload:
            raise UnreadableRequest.malformed("a parameter stands twice in the query string")
        payload[name] = (
            _decode(value.encode()) if name in ("variables", "extensions") and value else value or None
        )
    request = read_request(payload)
    return OperationRequest(request.query, request.variables, request.operation_name, read_only=True)


def _decode(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError):
        raise UnreadableRequest.malformed("the request is not valid JSON in UTF-8") from None


def _check_content(headers: dict[bytes, bytes]) -> None:
    media_type, _, parameters = headers.get(b"content-type", b"").lower().partition(b";")
    if media_type.strip() != b"application/json":
        raise RequestRefused.malformed("the body must be sent as application/json", 415)
    charset = parameters.partition(b"charset=")[2].partition(b";")[0].strip().strip(b'"')
    if charset not in (b"", b"utf-8", b"utf8"):
        raise RequestRefused.malformed("the body must be encoded in UTF-8", 415)
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise RequestRefused.malformed("the body must not be compressed", 415)


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """The headers by name. One that stands several times is joined, as HTTP has it."""
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = value if name not in headers else headers[name] + b", " + value
    return headers


async def _send(
    send: Send, status: int, body: bytes, content_type: bytes, extra: list[tuple[bytes, bytes]] | None = None
) -> None:
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *(extra or ()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
