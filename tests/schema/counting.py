"""Counts the statements that go to the database."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from models.database import Session

# Every way to the database that `Session` has; fetch_one goes through fetch.
DOORS = [
    name
    for name, door in vars(Session).items()
    if inspect.iscoroutinefunction(door) and not name.startswith("_") and name != "fetch_one"
]


class Statements:
    """What has gone through each door of `Session` since the last look."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def taken(self) -> Counter[str]:
        """The counts, beginning anew."""
        counts, self.counts = self.counts, Counter()
        return counts


def count_statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    """Count from now on, until the test ends."""
    statements = Statements()

    def counted(name: str, original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def door(*arguments: Any, **options: Any) -> Any:
            # A writer is given pieces: each is a statement of its own on SQLite.
            statements.counts[name] += len(arguments) - 1 if name == "write" else 1
            return await original(*arguments, **options)

        return door

    for name in DOORS:
        monkeypatch.setattr(Session, name, counted(name, getattr(Session, name)))
    return statements
