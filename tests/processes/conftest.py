"""Fixtures of the attacks on running servers."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engines import ENGINE, POSTGRES, administer
from tests.processes.city import City, make_city

# SQLite serves one process, and there is no database server to lose: these two rooms are PostgreSQL's alone.
collect_ignore = [] if ENGINE == "postgres" else ["test_database_lost.py", "test_several_processes.py"]


@pytest.fixture
async def city(database_url: str, tmp_path: Path) -> City:
    """A demonstration city of 300 payers in a database of its own."""
    return await make_city(database_url, tmp_path)


@pytest.fixture
async def large_city(database_url: str, tmp_path: Path) -> City:
    """A demonstration city of 2,000 payers, for attacks that go on for long."""
    return await make_city(database_url, tmp_path, payers=2_000)


@pytest.fixture
async def empty_database_url(database_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """A database of the same engine in which there is no table."""
    if ENGINE != "postgres":
        yield f"sqlite://{tmp_path / 'empty.db'}"
        return
    name = f"premia_test_{secrets.token_hex(6)}"
    await administer(f'CREATE DATABASE "{name}"')
    try:
        yield f"{POSTGRES}/{name}"
    finally:
        await administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
