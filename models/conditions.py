"""Conditions: how a query's WHERE clause is put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.database import Session


class Conditions:
    """The WHERE clause of one query, built piece by piece with numbered parameters."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._clauses: list[str] = []
        self.values: list[Any] = []

    def add(self, clause: str, *values: Any) -> None:
        """Add a clause; each `{}` in it stands for the next of `values`."""
        marks = []
        for value in values:
            self.values.append(value)
            marks.append(f"${len(self.values)}")
        self._clauses.append(clause.format(*marks))

    def add_members(self, expression: str, values: Sequence[Any], kind: str = "uuid") -> None:
        """Add "`expression` is one of `values`"."""
        self.values.append(list(values))
        self._clauses.append(self._session.members(expression, len(self.values), kind))

    def __str__(self) -> str:
        return f" WHERE {' AND '.join(f'({clause})' for clause in self._clauses)}" if self._clauses else ""
