"""Limits on the shape of a request, checked before any pass whose work could grow faster than the request.

Every definition is read once; what a fragment expands to is computed once and reused. Only a document whose
expansion is small is handed to graphql-core's own rules, so that none of them can become quadratic or
worse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    parse,
)

from app.faults import Forbidden, LimitExceeded
from app.transport.limits import Limits

INTROSPECTION_FIELDS = frozenset({"__schema", "__type"})


@dataclass(slots=True)
class Extent:
    """How large a selection set is, all fragments expanded."""

    selections: int = 0
    aliases: int = 0
    depth: int = 0


@dataclass(slots=True)
class _Definition:
    """One definition as it is written: its own extent, and what it spreads at which depth."""

    own: Extent = field(default_factory=Extent)
    spreads: list[tuple[str, int]] = field(default_factory=list)
    directives: int = 0
    introspections: int = 0


def parse_document(query: str, limits: Limits) -> DocumentNode:
    """Parse a document of limited size.

    Raises:
        LimitExceeded: it is too long, has too many tokens or is nested too deeply.
        GraphQLSyntaxError: it is not GraphQL.
    """
    if len(query) > limits.query_characters:
        raise LimitExceeded(f"the document has more than {limits.query_characters} characters")
    try:
        return parse(query, max_lexical_tokens=limits.query_tokens, max_comments=limits.query_comments)
    except GraphQLSyntaxError as error:
        if error.message.endswith("Parsing aborted."):
            raise LimitExceeded(_told_by_parser(error, limits)) from None
        raise


def _told_by_parser(error: GraphQLSyntaxError, limits: Limits) -> str:
    if "token" in error.message:
        return f"the document has more than {limits.query_tokens} tokens; send large input as variables"
    if "comment" in error.message:
        return f"the document has more than {limits.query_comments} comments"
    return "the document is nested too deeply"


def check_document(document: DocumentNode, limits: Limits, *, introspection: bool) -> None:
    """Refuse a document whose expansion is larger than the limits, in time linear to its text.

    Raises:
        LimitExceeded: which limit, and what it is.
        GraphQLError: its fragments form a cycle, or one is never used.
        Forbidden: it asks for the schema where introspection is switched off.
    """
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    _at_most(len(operations), limits.operations, "operations")
    _at_most(len(document.definitions) - len(operations), limits.fragments, "fragments")
    _at_most(sum(len(node.variable_definitions or ()) for node in operations), limits.variables, "variables")
    parts = {name: _read(node, limits) for name, node in fragments.items()}
    roots = [_read(node, limits) for node in operations]
    everything = [*parts.values(), *roots]
    _at_most(sum(part.directives for part in everything), limits.directives, "directives")
    introspections = sum(part.introspections for part in everything)
    if introspections and not introspection:
        raise Forbidden("introspection is switched off on this server")
    _at_most(introspections, limits.introspections, "questions about the schema")
    _check_expansion(roots, parts, limits)
    for operation in operations:
        _check_response_names(operation.selection_set, fragments, limits)


def _check_expansion(roots: list[_Definition], parts: Mapping[str, _Definition], limits: Limits) -> None:
    """Refuse cycles, unused fragments and large expansions: what is left can be walked as if written out."""
    known: dict[str, Extent | None] = {}
    extents = [_expand(root, parts, known) for root in roots]
    if len(known) < len(parts):
        raise GraphQLError("A fragment is never used.")
    for extent in extents:
        _at_most(extent.depth, limits.depth, "levels of nested fields")
        _at_most(extent.aliases, limits.aliases, "aliases after expanding its fragments")
    total = sum(extent.selections for extent in extents)
    _at_most(total, limits.selections, "fields after expanding its fragments")


def _at_most(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise LimitExceeded(f"the document has more than {limit} {what}")


def _read(node: OperationDefinitionNode | FragmentDefinitionNode, limits: Limits) -> _Definition:
    """Read one definition once, without recursion."""
    part = _Definition(directives=len(node.directives or ()))
    for variable in node.variable_definitions or ():
        part.directives += len(variable.directives or ())
        if variable.default_value is not None:
            check_literals([variable.default_value], limits)
    waiting: list[tuple[SelectionSetNode, int]] = [(node.selection_set, 1)]
    while waiting:
        selection_set, depth = waiting.pop()
        for selection in selection_set.selections:
            part.own.selections += 1
            part.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                _read_field(selection, depth, part, limits, waiting)
            elif isinstance(selection, FragmentSpreadNode):
                part.spreads.append((selection.name.value, depth - 1))
            elif isinstance(selection, InlineFragmentNode):
                waiting.append((selection.selection_set, depth))
    return part


def _read_field(
    node: FieldNode,
    depth: int,
    part: _Definition,
    limits: Limits,
    waiting: list[tuple[SelectionSetNode, int]],
) -> None:
    part.own.depth = max(part.own.depth, depth)
    part.own.aliases += node.alias is not None
    part.introspections += node.name.value in INTROSPECTION_FIELDS
    check_literals((argument.value for argument in node.arguments or ()), limits)
    if node.selection_set is not None:
        waiting.append((node.selection_set, depth + 1))


def _expand_fragment(name: str, parts: Mapping[str, _Definition], known: dict[str, Extent | None]) -> Extent:
    """What a fragment expands to; computed once."""
    if name not in known:
        known[name] = None
        known[name] = _expand(parts[name], parts, known)
    extent = known[name]
    if extent is None:
        raise GraphQLError("A fragment spreads itself, directly or through others.")
    return extent


def _expand(part: _Definition, parts: Mapping[str, _Definition], known: dict[str, Extent | None]) -> Extent:
    extent = Extent(part.own.selections, part.own.aliases, part.own.depth)
    for name, depth in part.spreads:
        if name in parts:
            spread = _expand_fragment(name, parts, known)
            extent.selections += spread.selections
            extent.aliases += spread.aliases
            extent.depth = max(extent.depth, depth + spread.depth)
    return extent


def _check_response_names(
    selection_set: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], limits: Limits
) -> None:
    """Bound how often one response name is selected in one place, so that comparing each pair stays cheap.

    Walks the expanded operation, whose size is already bounded.
    """
    places: list[list[SelectionSetNode]] = [[selection_set]]
    while places:
        named = _fields_by_response_name(places.pop(), fragments)
        for same in named.values():
            _at_most(len(same), limits.same_response_name, "selections of one response name in one place")
            below = [node.selection_set for node in same if node.selection_set is not None]
            if below:
                places.append(below)


def _fields_by_response_name(
    selection_sets: list[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> dict[str, list[FieldNode]]:
    named: dict[str, list[FieldNode]] = {}
    waiting = list(selection_sets)
    while waiting:
        selection_set = waiting.pop()
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                named.setdefault((selection.alias or selection.name).value, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                fragment = fragments.get(selection.name.value)
                if fragment is not None:
                    waiting.append(fragment.selection_set)
    return named


def check_literals(values: Iterable[ValueNode], limits: Limits) -> None:
    """Refuse literals that are nested too deeply or have too long lists."""
    waiting = [(value, 1) for value in values]
    while waiting:
        value, depth = waiting.pop()
        if depth > limits.variable_depth:
            raise LimitExceeded(f"an argument is nested more than {limits.variable_depth} deep")
        if isinstance(value, ListValueNode):
            _at_most_items(len(value.values), limits)
            waiting.extend((item, depth + 1) for item in value.values)
        elif isinstance(value, ObjectValueNode):
            _at_most(len(value.fields), limits.literal_fields, "fields in one object")
            waiting.extend((entry.value, depth + 1) for entry in value.fields)


def check_variables(variables: Mapping[str, Any], limits: Limits) -> None:
    """Refuse variables that are too many, too deep or too long, before they are coerced.

    Raises:
        LimitExceeded: which limit, and what it is.
    """
    count = 0
    level: list[Any] = [variables]
    for _ in range(limits.variable_depth + 1):
        below: list[Any] = []
        for value in level:
            if isinstance(value, str):
                if len(value) > limits.variable_characters:
                    raise LimitExceeded(f"a string is longer than {limits.variable_characters} characters")
            elif isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                _at_most_items(len(value), limits)
                below.extend(value)
        if not below:
            return
        count += len(below)
        if count > limits.variable_values:
            raise LimitExceeded(f"the variables hold more than {limits.variable_values} values")
        level = below
    raise LimitExceeded(f"the variables are nested more than {limits.variable_depth} deep")


def _at_most_items(count: int, limits: Limits) -> None:
    if count > limits.bulk_items:
        raise LimitExceeded(f"a list has more than {limits.bulk_items} items")
