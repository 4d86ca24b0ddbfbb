"""The messages of `graphql-transport-ws`: read strictly, written once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from app.transport.execution import OperationRequest

SUBPROTOCOL = "graphql-transport-ws"

BAD_MESSAGE = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403
SUBPROTOCOL_NOT_ACCEPTABLE = 4406
INIT_TIMEOUT = 4408
SUBSCRIBER_EXISTS = 4409
TOO_MANY_INITS = 4429
SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013

_CLIENT_TYPES = frozenset({"connection_init", "ping", "pong", "subscribe", "complete"})
_TOKEN_KEYS = ("authorization", "token")


class CloseSocket(Exception):
    """The connection has to be closed, with the code and reason that the protocol gives for the case."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Message:
    """A well-formed message of a client."""

    type: str
    id: str | None = None
    payload: dict[str, Any] | None = None

    def operation(self) -> OperationRequest:
        """What a subscribe message asks for.

        Raises:
            CloseSocket: a part of it has the wrong type.
        """
        payload = self.payload
        if payload is None:
            raise _malformed("subscribe needs a payload")
        query = payload.get("query")
        if not isinstance(query, str):
            raise _malformed("payload.query must be a string")
        name = payload.get("operationName")
        if not isinstance(name, str | None):
            raise _malformed("payload.operationName must be a string")
        for key in ("variables", "extensions"):
            if not isinstance(payload.get(key), dict | None):
                raise _malformed(f"payload.{key} must be an object")
        return OperationRequest(query, payload.get("variables"), name or None)

    def token(self) -> str | None:
        """The token that a connection_init message carries, with or without its scheme.

        Raises:
            CloseSocket: it is not a string.
        """
        value = self._entry(*_TOKEN_KEYS)
        if value is None:
            return None
        scheme, _, rest = value.strip().partition(" ")
        token = rest if scheme.lower() == "bearer" else value
        return token.strip() or None

    def language(self) -> str | None:
        """The wish for a language that a connection_init message carries."""
        return self._entry("acceptlanguage", "accept-language")

    def _entry(self, *keys: str) -> str | None:
        entries = {name.lower(): value for name, value in (self.payload or {}).items()}
        for key in keys:
            value = entries.get(key)
            if not isinstance(value, str | None):
                raise _malformed("an entry of the payload must be a string")
            if value is not None:
                return value
        return None


def read_message(event: Mapping[str, Any]) -> Message:
    """The message in a websocket event.

    Raises:
        CloseSocket: it is not a message of a client.
    """
    text = event.get("text")
    if text is None:
        raise _malformed("messages are text")
    try:
        content = orjson.loads(text)
    except (orjson.JSONDecodeError, RecursionError):
        raise _malformed("a message must be JSON") from None
    if not isinstance(content, dict):
        raise _malformed("a message must be an object")
    kind = content.get("type")
    if not isinstance(kind, str) or kind not in _CLIENT_TYPES:
        raise _malformed("the type of the message is not known")
    payload = content.get("payload")
    if not isinstance(payload, dict | None):
        raise _malformed("the payload must be an object")
    return Message(kind, _identifier(kind, content.get("id")), payload)


def _identifier(kind: str, value: object) -> str | None:
    if kind not in ("subscribe", "complete"):
        return None
    if not isinstance(value, str) or not value:
        raise _malformed("the id must be a string that is not empty")
    return value


def write_message(kind: str, identifier: str | None = None, payload: object = None) -> str:
    """A message of the server."""
    message: dict[str, object] = {"type": kind}
    if identifier is not None:
        message["id"] = identifier
    if payload is not None:
        message["payload"] = payload
    return orjson.dumps(message).decode()


def _malformed(reason: str) -> CloseSocket:
    return CloseSocket(BAD_MESSAGE, reason)
