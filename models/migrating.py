"""Migrating: forward to the newest tables, one process at a time, and telling whether that has been done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import asyncpg
from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.migrations.api import migrate as run_migrations
from tortoise.migrations.executor import MigrationExecutor

from models.configuration import APP_LABEL, connection_settings, sqlite_path, tortoise_config
from models.failures import ConstraintViolated, translated

# Any number that nothing else takes: migrations of one database wait for each other.
MIGRATION_LOCK = 20190902


async def migrate(url: str, target: str | None = None) -> None:
    """Bring the database of `url` to the newest tables (or to `target`, also backwards).

    Raises:
        DatabaseUnavailable: it cannot be reached.
    """
    if url.startswith("sqlite"):
        Path(sqlite_path(url)).parent.mkdir(parents=True, exist_ok=True)
    async with translated(), _alone(url):
        config = tortoise_config(url)
        if url.startswith("sqlite"):
            # The library remakes a table by dropping it, which its rows' references would forbid.
            config["connections"]["default"]["credentials"]["foreign_keys"] = "OFF"
        try:
            await run_migrations(config=config, target=f"{APP_LABEL}.{target}" if target else None)
            await _check_references(url)
        finally:
            await Tortoise.close_connections()


async def _check_references(url: str) -> None:
    """Raise ConstraintViolated when a migration of SQLite has left a reference to nothing."""
    if url.startswith("sqlite"):
        _, broken = await get_connection("default").execute_query("PRAGMA foreign_key_check")
        if broken:
            raise ConstraintViolated(f"{len(broken)} rows refer to rows that are not there")


@asynccontextmanager
async def _alone(url: str) -> AsyncIterator[None]:
    """Hold the migration lock; SQLite's write lock does the same by itself."""
    if url.startswith("sqlite"):
        yield
        return
    credentials = connection_settings(url)["credentials"]
    known = ("host", "port", "user", "password", "database")
    connection = await asyncpg.connect(timeout=5, **{name: credentials[name] for name in known})
    try:
        await connection.execute(f"SELECT pg_advisory_lock({MIGRATION_LOCK})")
        yield
    finally:
        await connection.close()


async def pending() -> bool:
    """Whether the open database lacks tables of the newest migration.

    Raises:
        DatabaseUnavailable: it cannot be reached.
    """
    async with translated():
        client = get_connection("default")
        apps: dict[str, dict[str, Any]] = cast("Any", tortoise_config("sqlite:///unused")["apps"])
        executor = MigrationExecutor(client, apps)
        await client.execute_query("SELECT 1")
        return bool(await executor.plan())
