"""How the database of a URL is configured: engine, credentials, models, migrations."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

MODEL_MODULES = [
    "models.regions",
    "models.banks",
    "models.payers",
    "models.collection_periods",
    "models.dues",
    "models.payments",
    "models.clearing",
    "models.state_changes",
    "models.ledger",
    "models.outbox",
    "models.demonstration",
    "models.roster_imports",
]
MIGRATIONS_MODULE = "alembic_like_migrations"
APP_LABEL = "premia"
POOL_SIZE = 8
IDLE_IN_TRANSACTION_MILLISECONDS = "15000"


def connection_settings(url: str) -> dict[str, Any]:
    """Tortoise's connection entry for `sqlite:///path/file.db` or `postgres://user@host:port/name`.

    Raises:
        ValueError: another scheme, or a part is missing.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {"engine": "models.engines.sqlite", "credentials": {"file_path": sqlite_path(url)}}
    if parts.scheme in {"postgres", "postgresql"}:
        if not parts.path.strip("/"):
            raise ValueError("DATABASE_URL names no database")
        credentials = {
            "host": parts.hostname or "127.0.0.1",
            "port": parts.port or 5432,
            "user": unquote(parts.username or "postgres"),
            "password": unquote(parts.password) if parts.password else None,
            "database": unquote(parts.path.strip("/")),
            "minsize": 1,
            "maxsize": POOL_SIZE,
            "application_name": "premia",
            # A process whose line died silently would keep its locks until PostgreSQL notices the dead peer.
            "server_settings": {"idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_MILLISECONDS},
        }
        return {"engine": "models.engines.postgres", "credentials": credentials}
    raise ValueError("DATABASE_URL must begin with sqlite:// or postgres://")


def sqlite_path(url: str) -> str:
    """The file of a SQLite URL: three slashes and more are absolute, two (or a leading dot) relative.

    Raises:
        ValueError: no file is named.
    """
    path = unquote(url.removeprefix("sqlite://").split("?", 1)[0])
    if path.startswith("/./"):
        return path[1:]
    if path.startswith("//"):
        return "/" + path.lstrip("/")
    if not path or path.endswith("/"):
        raise ValueError("DATABASE_URL names no file: sqlite:///path/file.db")
    return path


def tortoise_config(url: str) -> dict[str, Any]:
    """The whole of Tortoise's configuration for one database."""
    return {
        "connections": {"default": connection_settings(url)},
        "apps": {
            APP_LABEL: {
                "models": MODEL_MODULES,
                "default_connection": "default",
                "migrations": MIGRATIONS_MODULE,
            }
        },
        "use_tz": True,
        "timezone": "UTC",
    }


# For the library's own command line (`make migration`), which reads models and migrations but no database.
MIGRATION_CONFIG = tortoise_config("sqlite://migrations.unused")
