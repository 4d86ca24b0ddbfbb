"""Fixtures that more than one room needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import clock
from app.clock import Clock
from app.services import reference
from models import database as models_database
from tests.builders import NOW, Office, make_office
from tests.client import House, running
from tests.engines import Template


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what must hold on each engine: whatever asks for a database."""
    for item in items:
        if {"database", "database_url"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.each_engine)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    """A migrated database that tests copy."""
    made = Template(Path(tmp_path_factory.mktemp("databases")))
    asyncio.run(made.make())
    yield made
    asyncio.run(made.remove())


@pytest.fixture
async def database_url(template: Template) -> AsyncIterator[str]:
    """The URL of a fresh migrated database, not opened here."""
    async with template.copy() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[str]:
    """A fresh migrated database, open in this process; the clock stands in the season of 2019."""
    await models_database.connect(database_url)
    reference.forget()
    clock.set_clock(Clock(starts_at=NOW, made_at=datetime.now(UTC), pace=1.0))
    try:
        yield database_url
    finally:
        reference.forget()
        clock.set_clock(Clock())
        await models_database.disconnect()


@pytest.fixture
async def office(database: str) -> Office:
    """A small office in a fresh database: three regions, four banks, the season of 2019, open batches."""
    return await make_office()


@pytest.fixture
async def house(office: Office) -> AsyncIterator[House]:
    """The whole server over that office, spoken to over HTTP."""
    async with running(office) as started:
        yield started
