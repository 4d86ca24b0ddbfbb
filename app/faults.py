"""Faults: why a request could not be served at all, as opposed to a refusal by a rule.

A refusal (`app.rules.refusals.Refused`) is data. A fault becomes a GraphQL error with `extensions.code`;
`app.transport.faults` holds the one table that maps them. None of them carries personal data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(eq=False)
class Fault(Exception):
    """A request that cannot be served. `retryable` says whether the same request can succeed later."""

    code: ClassVar[str]
    retryable: ClassVar[bool] = False

    detail: str

    def __str__(self) -> str:
        return self.detail


class Unauthenticated(Fault):
    """No token, or one that is expired, forged or not readable."""

    code = "UNAUTHENTICATED"


class Forbidden(Fault):
    """The caller is known and may not do this."""

    code = "FORBIDDEN"


class LimitExceeded(Fault):
    """The request is larger, deeper or longer than a limit of `app.transport.limits` allows."""

    code = "LIMIT_EXCEEDED"


class BadInput(Fault):
    """An argument cannot be read: a malformed cursor, a page size below one."""

    code = "BAD_INPUT"


@dataclass(eq=False)
class Overloaded(Fault):
    """A bounded queue is full. Nothing was recorded; `retry_after` is in seconds."""

    code = "OVERLOADED"
    retryable = True

    retry_after: float = 1.0


class Unavailable(Fault):
    """The database did not answer in time. What was asked for may or may not have happened: repeat it."""

    code = "UNAVAILABLE"
    retryable = True


class SlowReader(Fault):
    """A subscriber did not read as fast as news arrived: it is disconnected and resumes from its cursor."""

    code = "SLOW_READER"
    retryable = True
