"""Pages: keyset windows over time-ordered ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from app.faults import BadInput, LimitExceeded

PAGE_LIMIT = 100
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page:
    """The first `first` objects behind the id `after`."""

    first: int
    after: UUID | None


def window(first: int, after: str | None) -> Page:
    """The page that a client asks for.

    Raises:
        LimitExceeded: more than PAGE_LIMIT.
        BadInput: less than one, or `after` is no cursor.
    """
    if first > PAGE_LIMIT:
        raise LimitExceeded(f"first is at most {PAGE_LIMIT}")
    if first < 1:
        raise BadInput("first is at least 1")
    if after is None:
        return Page(first, None)
    try:
        return Page(first, UUID(after))
    except ValueError:
        raise BadInput("after is not a cursor of this connection") from None


def take(rows: Sequence[Row], page: Page) -> tuple[list[Row], bool]:
    """The page's rows out of one more than it holds, and whether more follow."""
    return list(rows[: page.first]), len(rows) > page.first
