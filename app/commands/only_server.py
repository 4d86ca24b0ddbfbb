"""SQLite has one server process: its group commit and its news are that process's own."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.settings import WrongSettings
from models.configuration import sqlite_path


@contextmanager
def only_server(database_url: str) -> Iterator[None]:
    """Hold a lock beside a SQLite file while its server runs; the lock ends with the process, however that ends.

    Raises:
        WrongSettings: another server process holds it.
    """
    if not database_url.startswith("sqlite"):
        yield
        return
    with Path(f"{sqlite_path(database_url)}.server").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WrongSettings("another server process serves this SQLite database already") from None
        yield
