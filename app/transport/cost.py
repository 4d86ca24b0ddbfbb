"""What an operation costs: how many fields its answer is expected to have.

A connection counts `first` times, a list that is asked for by a list of ids counts once for each, any other
list `default_list_size` times, and the lists of introspection by the true sizes of the schema. In a
mutation the answer to a list of items counts once per item. The price is compiled once per document into a
small tree; only what depends on variables is computed per request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)

from app.faults import LimitExceeded
from app.transport.limits import Limits

Variables = Mapping[str, Any]
Size = Callable[[Variables], int]

# A field has a fixed size or one that depends on variables.
_ONCE = 1


@dataclass(frozen=True, slots=True)
class Price:
    """The expected number of fields of an answer, and of its largest item that is completed in one go."""

    fields: int
    introspection: int
    slice_items: int


@dataclass(slots=True)
class _Term:
    """The price of a selection set: a constant, and the parts that are multiplied by something variable."""

    constant: int = 0
    variable: list[tuple[Size, _Term]] = field(default_factory=list)

    def add(self, size: int | Size, part: _Term) -> None:
        """Add `part`, `size` times."""
        if isinstance(size, int):
            self.constant += size * part.constant
            self.variable.extend((_times(size, inner), below) for inner, below in part.variable)
        else:
            self.variable.append((size, part))

    def of(self, variables: Variables) -> int:
        """The price for these variables."""
        return self.constant + sum(size(variables) * part.of(variables) for size, part in self.variable)


def _times(factor: int, size: Size) -> Size:
    return size if factor == 1 else lambda variables: factor * size(variables)


class CostPlan:
    """The price of one operation, to be asked per request."""

    def __init__(
        self,
        schema: SchemaSizes,
        limits: Limits,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> None:
        self._limits = limits
        self._mutation = operation.operation is OperationType.MUTATION
        compiler = _Compiler(schema, limits, operation, fragments)
        self._items = compiler.items
        self._term = compiler.compile_root()
        self._introspection = compiler.introspection.constant
        self._fixed = None if self._term.variable or self._items else self._check({})

    def price(self, variables: Variables) -> Price:
        """The price for these variables.

        Raises:
            LimitExceeded: it is above the limit.
        """
        return self._fixed or self._check(variables)

    def _check(self, variables: Variables) -> Price:
        limits = self._limits
        fields = self._term.of(variables)
        budget = limits.mutation_cost if self._mutation else limits.cost
        items = max([1, *(size(variables) for size in self._items)])
        per_item = fields // items + 1
        if fields > budget or per_item > limits.cost:
            raise LimitExceeded(
                f"the answer may have {fields} fields, {budget} are allowed: ask for smaller pages"
            )
        if self._introspection > limits.introspection_cost:
            raise LimitExceeded("the operation asks for too much of the schema at once")
        slice_items = max(1, min(limits.slice_items, limits.slice_cost // per_item))
        return Price(fields, self._introspection, slice_items if items > 1 else limits.slice_items)


class SchemaSizes:
    """A schema with the sizes of its own introspection lists."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        own = [kind for name, kind in schema.type_map.items() if not name.startswith("__")]
        fields = [kind.fields.values() for kind in own if isinstance(kind, GraphQLObjectType)]
        arguments = [len(each.args) for group in fields for each in group]
        entries = [len(getattr(kind, "fields", None) or getattr(kind, "values", None) or ()) for kind in own]
        self.types = len(schema.type_map)
        self.directives = len(schema.directives)
        self._mean = {"args": _mean(arguments)} | dict.fromkeys(
            ("fields", "inputFields", "enumValues"), _mean(entries)
        )
        self._most = {"args": max(arguments, default=1)} | dict.fromkeys(
            ("fields", "inputFields", "enumValues"), max(entries, default=1)
        )

    def of_list(self, name: str, *, within_all: bool) -> int:
        """How many items an introspection list has: beneath the list of all types the mean, else the most."""
        if name == "types":
            return self.types
        if name == "directives":
            return self.directives
        return (self._mean if within_all else self._most).get(name, 3)


def _mean(sizes: list[int]) -> int:
    return max(1, -(-sum(sizes) // max(1, len(sizes))))


class _Compiler:
    """Walks an expanded operation once. Its size is already bounded by `validation`."""

    def __init__(
        self,
        sizes: SchemaSizes,
        limits: Limits,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> None:
        self.sizes = sizes
        self.limits = limits
        self.operation = operation
        self.fragments = fragments
        self.mutation = operation.operation is OperationType.MUTATION
        self.introspection = _Term()
        self.items: list[Size] = []
        self.defaults = {
            node.variable.name.value: node.default_value for node in operation.variable_definitions or ()
        }

    def compile_root(self) -> _Term:
        """The price of the operation; introspection is added up apart."""
        root = self.sizes.schema.get_root_type(self.operation.operation)
        term = _Term()
        if root is not None:
            for node, parent in self._fields(self.operation.selection_set, root):
                self._add_root_field(term, node, parent)
        return term

    def _add_root_field(self, term: _Term, node: FieldNode, parent: GraphQLCompositeType) -> None:
        if node.name.value in ("__schema", "__type"):
            self.introspection.add(
                _ONCE, self._introspected(node, parent, within_all=node.name.value == "__schema")
            )
        elif self.mutation:
            items: Size = lambda variables: max(1, self._longest_list(node, variables))  # noqa: E731
            part = self._field(node, parent, _ONCE)
            if self._takes_a_list(node, parent):
                self.items.append(items)
                term.add(items, part)
            else:
                term.add(_ONCE, part)
        else:
            term.add(_ONCE, self._field(node, parent, None))

    def _field(self, node: FieldNode, parent: GraphQLCompositeType, page: int | Size | None) -> _Term:
        """The price of one field, its list size included; `page` is what its connection asked for."""
        definition = self.sizes.schema.get_field(parent, node.name.value)
        term = _Term(constant=1)
        if definition is None or node.selection_set is None:
            return term
        named = get_named_type(definition.type)
        if not is_composite_type(named):
            return term
        first = self._first(node, definition)
        size = _ONCE if not _is_list(definition) else self._list_size(node, definition, page)
        below = _Term()
        for child, kind in self._fields(node.selection_set, named):
            below.add(_ONCE, self._field(child, kind, first if first is not None else self._inherited()))
        term.add(size, below)
        return term

    def _inherited(self) -> int | None:
        """Within a mutation a plain list counts once: its items are counted at the root."""
        return _ONCE if self.mutation else None

    def _list_size(self, node: FieldNode, definition: GraphQLField, page: int | Size | None) -> int | Size:
        if page is not None:
            return page
        if any(_is_list_argument(argument.type) for argument in definition.args.values()):
            return lambda variables: max(1, self._longest_list(node, variables))
        return self.limits.default_list_size

    def _first(self, node: FieldNode, definition: GraphQLField) -> int | Size | None:
        """How many items a connection is asked for."""
        if "first" not in definition.args:
            return None
        given = next((each.value for each in node.arguments or () if each.name.value == "first"), None)
        if isinstance(given, VariableNode):
            name = given.name.value
            default = self._constant(self.defaults.get(name))
            return lambda variables: self._page(variables.get(name, default))
        return self._page(self._constant(given))

    def _constant(self, value: ValueNode | None) -> int:
        """A literal size; none is the largest there can be."""
        return int(value.value[:12]) if isinstance(value, IntValueNode) else self.limits.page_size

    def _page(self, first: object) -> int:
        if not isinstance(first, int) or isinstance(first, bool):
            return self.limits.page_size
        if first > self.limits.page_size:
            raise LimitExceeded(f"a page has at most {self.limits.page_size} items")
        return max(1, first)

    def _takes_a_list(self, node: FieldNode, parent: GraphQLCompositeType) -> bool:
        definition = self.sizes.schema.get_field(parent, node.name.value)
        return definition is not None and bool(definition.args)

    def _longest_list(self, node: FieldNode, variables: Variables) -> int:
        return max((self._length(each.value, variables) for each in node.arguments or ()), default=1)

    def _length(self, value: ValueNode | None, variables: Variables) -> int:
        """The longest list in an argument: itself, or a field of the input object."""
        if isinstance(value, VariableNode):
            name = value.name.value
            if name in variables:
                return _length_of(variables[name])
            value = self.defaults.get(name)
        if isinstance(value, ListValueNode):
            return len(value.values)
        if isinstance(value, ObjectValueNode):
            return max((self._length(entry.value, variables) for entry in value.fields), default=1)
        return 1

    def _introspected(self, node: FieldNode, parent: GraphQLCompositeType, *, within_all: bool) -> _Term:
        definition = self.sizes.schema.get_field(parent, node.name.value)
        term = _Term(constant=1)
        if definition is None or node.selection_set is None:
            return term
        named = get_named_type(definition.type)
        if not is_composite_type(named):
            return term
        size = self.sizes.of_list(node.name.value, within_all=within_all) if _is_list(definition) else _ONCE
        for child, kind in self._fields(node.selection_set, named):
            term.add(size, self._introspected(child, kind, within_all=within_all))
        return term

    def _fields(
        self, selection_set: SelectionSetNode, parent: GraphQLCompositeType
    ) -> list[tuple[FieldNode, GraphQLCompositeType]]:
        """The fields of a selection set with the type that each is asked of, fragments expanded."""
        fields: list[tuple[FieldNode, GraphQLCompositeType]] = []
        waiting = [(selection_set, parent)]
        while waiting:
            current, kind = waiting.pop()
            for selection in current.selections:
                if isinstance(selection, FieldNode):
                    fields.append((selection, kind))
                    continue
                waiting.extend(self._spread(selection, kind))
        return fields

    def _spread(
        self, selection: SelectionNode, kind: GraphQLCompositeType
    ) -> list[tuple[SelectionSetNode, GraphQLCompositeType]]:
        """The selection set of a fragment with the type that it is for."""
        fragment: InlineFragmentNode | FragmentDefinitionNode
        if isinstance(selection, FragmentSpreadNode):
            fragment = self.fragments[selection.name.value]
        else:
            fragment = cast("InlineFragmentNode", selection)
        condition = fragment.type_condition
        named = self.sizes.schema.get_type(condition.name.value) if condition else kind
        return [(fragment.selection_set, named)] if is_composite_type(named) else []


def _is_list(definition: GraphQLField) -> bool:
    kind = definition.type.of_type if isinstance(definition.type, GraphQLNonNull) else definition.type
    return isinstance(kind, GraphQLList)


def _is_list_argument(kind: object) -> bool:
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)


def _length_of(value: object) -> int:
    if isinstance(value, list):
        return len(value)
    if isinstance(value, dict):
        return max((len(inner) for inner in value.values() if isinstance(inner, list)), default=1)
    return 1
