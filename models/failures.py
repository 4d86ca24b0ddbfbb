"""What the database refuses and when it is not there: every engine's errors, as two of our own."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from tortoise.exceptions import DBConnectionError, IntegrityError, OperationalError


class DatabaseUnavailable(Exception):
    """The database cannot be reached or did not answer in time. Nothing is known of the last commit."""


class ConstraintViolated(Exception):
    """The database refused rows that break a constraint; the transaction is lost."""


UNREACHABLE: tuple[type[Exception], ...] = (
    OperationalError,
    sqlite3.OperationalError,
    DBConnectionError,
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
)
# Two writers met: the transaction is undone and can be repeated as it was.
COLLISIONS: tuple[type[Exception], ...] = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Turn every engine's errors into this module's."""
    try:
        yield
    except (IntegrityError, asyncpg.IntegrityConstraintViolationError, sqlite3.IntegrityError) as exc:
        raise ConstraintViolated(str(exc)) from exc
    except COLLISIONS as exc:
        raise ConstraintViolated("two transactions met and one was undone") from exc
    except UNREACHABLE as exc:
        if _is_programming_error(exc):
            raise
        raise DatabaseUnavailable(type(exc).__name__) from exc


def _is_programming_error(exc: BaseException) -> bool:
    cause = exc.args[0] if exc.args and isinstance(exc.args[0], BaseException) else exc
    if isinstance(cause, sqlite3.OperationalError):
        text = str(cause)
        return not any(word in text for word in ("locked", "busy", "disk", "unable to open", "readonly"))
    return isinstance(exc, OperationalError) and not isinstance(exc, DBConnectionError)
