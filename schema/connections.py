"""Relay connections: keyset cursors; the total is counted only when asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

import strawberry

NodeType = TypeVar("NodeType")

FIRST = "How many, 1 to 100."
AFTER = "The cursor behind which the page begins."


@strawberry.type(description="Where a page stands in its connection.")
class PageInfo:
    """Where a page stands."""

    has_next_page: bool = strawberry.field(description="Whether more follow.")
    has_previous_page: bool = strawberry.field(description="Whether the page began behind a cursor.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first object of the page.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last one: the next page's `after`.")


@strawberry.type(description="An object and its place.")
class Edge(Generic[NodeType]):
    """An object and its place."""

    cursor: str = strawberry.field(description="The object's place.")
    node: NodeType = strawberry.field(description="The object.")


@strawberry.type(description="A page of objects, in the order in which they were made.")
class Connection(Generic[NodeType]):
    """A page."""

    edges: list[Edge[NodeType]] = strawberry.field(description="The objects with their places.")
    nodes: list[NodeType] = strawberry.field(description="The objects alone.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="How many there are in all, not only on this page.")
    async def total_count(self) -> int:
        """Counted only when asked for."""
        return await self.count()


def connection(
    kind: type[Connection[Any]],
    found: tuple[Sequence[Any], bool],
    keys: Sequence[UUID],
    after: str | None,
    count: Callable[[], Awaitable[int]],
) -> Any:
    """A connection of `found` (the page's objects, and whether more follow) with these keys."""
    nodes, more = found
    cursors = [str(key) for key in keys]
    info = PageInfo(
        has_next_page=more,
        has_previous_page=after is not None,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )
    edges = [Edge(cursor=cursor, node=node) for cursor, node in zip(cursors, nodes, strict=True)]
    return kind(edges=edges, nodes=list(nodes), page_info=info, count=count)
