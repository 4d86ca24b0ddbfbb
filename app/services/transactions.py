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
async def _told() -> AsyncIterator[None]:
    try:
        yield
    except DatabaseUnavailable as exc:
        raise Unavailable(_SENTENCE) from exc


@asynccontextmanager
async def transaction() -> AsyncIterator[Session]:
    """One transaction, owned by the service that opens it.

    Raises:
        Unavailable: no answer; whether it was committed is not known, and a repeat is safe.
    """
    async with _told(), database.transaction() as session:
        yield session


@asynccontextmanager
async def reading() -> AsyncIterator[Session]:
    """Statements that only read.

    Raises:
        Unavailable: no answer.
    """
    async with _told(), database.reading() as session:
        yield session


@asynccontextmanager
async def snapshot() -> AsyncIterator[Session]:
    """Long reading as of one moment.

    Raises:
        Unavailable: no answer.
    """
    async with _told(), database.snapshot() as session:
        yield session
