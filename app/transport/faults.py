"""The one place where exceptions become GraphQL errors.

A `Fault` keeps its code and its sentence. What graphql-core itself refuses (syntax, validation, coercion)
is BAD_REQUEST, with the values cut out of its message. Anything else is INTERNAL: the caller gets a random
incident id, the log gets the same id with the exception's type and frames, and nobody gets values,
variables or messages, since they may be personal data.
"""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from graphql import GraphQLError

from app.faults import (
    BadInput,
    Fault,
    Forbidden,
    LimitExceeded,
    Overloaded,
    SlowReader,
    Unauthenticated,
    Unavailable,
)
from app.transport.masking import mask_message

FormattedError = dict[str, Any]

BAD_REQUEST = "BAD_REQUEST"
INTERNAL = "INTERNAL"

HTTP_STATUS: dict[type[Fault], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    LimitExceeded: 400,
    BadInput: 400,
    Overloaded: 429,
    Unavailable: 429,
    SlowReader: 429,
}
"""The status of a request that a fault stops before it is executed. Every kind of fault stands here."""

_log = structlog.get_logger("premia.transport")


class RequestRefused(Exception):
    """A request that is not executed: its errors, ready to send, and the HTTP status that says so."""

    def __init__(
        self, errors: Sequence[FormattedError], status: int = 400, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = list(errors)
        self.status = status
        self.retry_after = retry_after

    @classmethod
    def of(cls, fault: Fault, status: int | None = None) -> RequestRefused:
        """The refusal for one fault; `status` where the protocol has a more exact one."""
        retry_after = fault.retry_after if isinstance(fault, Overloaded) else None
        return cls([describe_fault(fault)], status or http_status(fault), retry_after)

    @classmethod
    def malformed(cls, message: str, status: int = 400) -> RequestRefused:
        """The refusal of a request that cannot be read; `message` repeats nothing of it."""
        return cls([bad_request(message)], status)


def http_status(fault: Fault) -> int:
    """The HTTP status of a request that `fault` stops before it is executed."""
    for kind in type(fault).__mro__:
        if kind in HTTP_STATUS:
            return HTTP_STATUS[kind]
    return 400


def describe_fault(fault: Fault) -> FormattedError:
    """A fault as GraphQL error."""
    extensions: dict[str, Any] = {"code": fault.code, "retryable": fault.retryable}
    if isinstance(fault, Overloaded):
        extensions["retryAfter"] = fault.retry_after
    return {"message": fault.detail, "extensions": extensions}


def bad_request(message: str) -> FormattedError:
    """An error of the request itself."""
    return {"message": message, "extensions": {"code": BAD_REQUEST, "retryable": False}}


def describe_exception(exception: BaseException, where: str) -> FormattedError:
    """Any exception as GraphQL error; one that is no fault is an incident, met in `where`."""
    if isinstance(exception, GraphQLError):
        return describe_error(exception)
    if isinstance(exception, Fault):
        return describe_fault(exception)
    return _incident(exception, where)


def describe_error(error: GraphQLError) -> FormattedError:
    """An error of graphql-core, with what caused it told by its kind."""
    cause = _cause(error)
    if isinstance(cause, Fault):
        described = describe_fault(cause)
    elif _is_coercion(error, cause):
        described = bad_request(mask_message(error.message))
    else:
        described = _incident(cause or error, _field_of(error))
    return _locate(described, error)


def describe_request_error(error: GraphQLError) -> FormattedError:
    """An error found before execution: by the parser, by validation, or in the variables."""
    cause = _cause(error)
    if isinstance(cause, LimitExceeded | Forbidden):
        return _locate(describe_fault(cause), error)
    message = mask_message(error.message)
    if isinstance(cause, Fault):
        described = describe_fault(cause)
        described["message"] = f"{message} {cause.detail}"
        return _locate(described, error)
    return _locate(bad_request(message), error)


def log_incident(exception: BaseException, where: str) -> str:
    """Log an exception by its type and frames only; the random id it is filed under."""
    incident = secrets.token_hex(8)
    _log.error(
        "internal error", incident=incident, where=where, exceptions=list(_types_and_frames(exception))
    )
    return incident


def _incident(exception: BaseException, where: str) -> FormattedError:
    incident = log_incident(exception, where)
    extensions = {"code": INTERNAL, "retryable": False, "incident": incident}
    return {"message": "internal error", "extensions": extensions}


def _types_and_frames(exception: BaseException) -> Iterator[str]:
    """Each exception of the chain with its innermost frames: files, lines, functions, never a value."""
    current: BaseException | None = exception
    for _ in range(5):
        if current is None:
            return
        frames = traceback.extract_tb(current.__traceback__)[-8:]
        places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
        yield f"{type(current).__module__}.{type(current).__qualname__} at {places or 'nowhere'}"
        current = current.__cause__ or current.__context__


def _cause(error: GraphQLError) -> BaseException | None:
    """The exception beneath the errors that graphql-core wrapped around it."""
    cause: BaseException | None = error.original_error
    seen = 0
    while isinstance(cause, GraphQLError) and seen < 20:
        cause, seen = cause.original_error, seen + 1
    return cause


def _is_coercion(error: GraphQLError, cause: BaseException | None) -> bool:
    """Whether an argument could not be read while executing, which is the caller's doing."""
    return cause is None and error.message.startswith("Argument '")


def _field_of(error: GraphQLError) -> str:
    """The schema's name of the field at fault: an alias or path is the caller's text."""
    node = error.nodes[0] if error.nodes else None
    name = getattr(getattr(node, "name", None), "value", None)
    return str(name) if name else "operation"


def _locate(described: FormattedError, error: GraphQLError) -> FormattedError:
    if error.locations:
        described["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        described["path"] = error.path
    return described
