"""The executor of one operation: graphql-core's, which pauses in long lists and reads attributes directly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    is_leaf_type,
)
from graphql.execution import Executor
from graphql.pyutils import Path, Undefined, gather_with_cancel
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

is_awaitable = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)

# Introspection nests large lists in large lists: a few items at a time.
SCHEMA_SLICE = 5


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar or enum field that is no more than an attribute of its object."""

    attribute: str
    serialize: Callable[[Any], Any]


Leaves = dict[GraphQLObjectType, dict[str, Leaf]]


def find_leaves(schema: GraphQLSchema) -> Leaves:
    """The fields of each object type that strawberry would read with getattr and nothing else."""
    leaves: Leaves = {}
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            leaves[kind] = {name: leaf for name in kind.fields if (leaf := _leaf(kind, name)) is not None}
    return leaves


def _leaf(kind: GraphQLObjectType, name: str) -> Leaf | None:
    definition = kind.fields[name]
    field = definition.extensions.get("strawberry-definition")
    named = definition.type.of_type if isinstance(definition.type, GraphQLNonNull) else definition.type
    if field is None or not is_leaf_type(named):
        return None
    plain = field.is_basic_field and field.default_resolver is getattr
    return Leaf(field.python_name, named.coerce_output_value) if plain else None


class LeanExecutor(Executor[Any]):
    """Executes one operation; `slice_items` of a list are completed before others get their turn."""

    slice_items: int = 100
    leaves: Leaves = {}  # noqa: RUF012 - replaced per schema, read only

    build_resolve_info = StrawberryGraphQLCoreExecutionContext.build_resolve_info
    operation_extensions = None

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: Any,
        path: Path,
        position_context: Any,
    ) -> Any:
        """Read a plain attribute directly; all else, and everything unusual, goes the long way."""
        leaves = self.leaves.get(parent_type)
        if leaves is not None:
            leaf = leaves.get(field_details_list[0].node.name.value)
            if leaf is not None:
                value = _read(leaf, source)
                if value is not None:
                    return value
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: Any,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> Any:
        """Complete a short list at once, a long one in slices."""
        size = SCHEMA_SLICE if info.parent_type.name.startswith("__") else self.slice_items
        if isinstance(items, list | tuple) and len(items) > size and not _is_leaf(item_type):
            return self._in_slices(size, item_type, field_details_list, info, path, items, position_context)
        return super().complete_iterable_value(
            item_type, field_details_list, info, path, items, position_context
        )

    async def _in_slices(
        self,
        size: int,
        item_type: GraphQLOutputType,
        field_details_list: Any,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: list[Any] | tuple[Any, ...],
        position_context: Any,
    ) -> list[Any]:
        completed: list[Any] = []
        for start in range(0, len(items), size):
            waiting: list[int] = []
            try:
                for index, item in enumerate(items[start : start + size], start):
                    item_path = path.add_key(index, None)
                    rest = (item_type, field_details_list, info, item_path, position_context)
                    if self._complete_item(item, completed, *rest):
                        waiting.append(index)
            except Exception:  # whatever it is, it is raised again once what was begun is settled
                self.settle_in_background([completed[index] for index in waiting])
                raise
            values = await gather_with_cancel(*(completed[index] for index in waiting))
            for index, value in zip(waiting, values, strict=True):
                completed[index] = value
            await asyncio.sleep(0)
        return completed

    def _complete_item(
        self,
        item: Any,
        completed: list[Any],
        item_type: GraphQLOutputType,
        field_details_list: Any,
        info: GraphQLResolveInfo[Any],
        path: Path,
        position_context: Any,
    ) -> bool:
        """Complete one item; whether it has to be awaited."""
        if self.is_awaitable(item):
            completed.append(
                self.complete_awaitable_list_item_value(
                    item, item_type, field_details_list, info, path, position_context
                )
            )
            return True
        return self.complete_list_item_value(
            item, completed, item_type, field_details_list, info, path, position_context
        )


def _read(leaf: Leaf, source: Any) -> Any:
    """The attribute as it is answered; None where it is missing, empty, awaitable or not serialisable."""
    try:
        value = getattr(source, leaf.attribute)
        if value is None or is_awaitable(value):
            return None
        value = leaf.serialize(value)
    except Exception:  # the long way meets it again and reports it
        return None
    return None if value is Undefined else value


def _is_leaf(kind: GraphQLOutputType) -> bool:
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return not isinstance(inner, GraphQLList) and is_leaf_type(inner)
