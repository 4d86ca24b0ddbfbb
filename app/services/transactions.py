"""The service layer's way to the database: an unreachable one becomes the fault `Unavailable`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.faults import Unavailable
from models import database
from models.database import Session
from models.failures import DatabaseUnavailable

_SENTENCE = "the database did not answer in time; repeat the request"


@asynccontextmanager
async def transaction() -> AsyncIterator[Session]:
    """One transaction, owned by the service that opens it.

    Raises:
        Unavailable: no answer; whether it was committed is not known, and a repeat is safe.
    """
    try:
        async with database.transaction() as session:
            yield session
    except DatabaseUnavailable as exc:
        raise Unavailable(_SENTENCE) from exc


@asynccontextmanager
async def reading() -> AsyncIterator[Session]:
    """Statements that only read.

    Raises:
        Unavailable: no answer.
    """
    try:
        async with database.reading() as session:
            yield session
    except DatabaseUnavailable as exc:
        raise Unavailable(_SENTENCE) from exc


@asynccontextmanager
async def snapshot() -> AsyncIterator[Session]:
    """Long reading as of one moment.

    Raises:
        Unavailable: no answer.
    """
    try:
        async with database.snapshot() as session:
            yield session
    except DatabaseUnavailable as exc:
        raise Unavailable(_SENTENCE) from exc
