from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from tortoise.migrations.api import migrate

from models import database as database_module

SERVER = "postgres://postgres@127.0.0.1:5432"


async def _administer(statement: str) -> None:
    connection = await asyncpg.connect(f"{SERVER}/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[str]:
    """An open, migrated, empty database; its URL."""
    postgres = os.environ.get("PREMIA_TEST_ENGINE") == "postgres"
    name = f"premia_test_{uuid4().hex}"
    url = f"{SERVER}/{name}" if postgres else f"sqlite://{tmp_path / 'premia.db'}"
    if postgres:
        await _administer(f"CREATE DATABASE {name}")
    await migrate(config=database_module.tortoise_config(url))
    await database_module.connect(url)
    yield url
    await database_module.disconnect()
    if postgres:
        await _administer(f"DROP DATABASE {name} WITH (FORCE)")
