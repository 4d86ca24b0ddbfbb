"""Input objects built from a plan that is made once per type.

Strawberry converts each input value by asking its type about everything again, per field and item: 1,000
payments held the event loop for 60 ms. Its hook `from_input` lets an input type build its own value; here
it is given to every type that needs nothing special, and yields the same objects.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import strawberry
from graphql import GraphQLInputObjectType
from strawberry.relay import GlobalID
from strawberry.schema.compat import is_scalar
from strawberry.types.arguments import InputContext
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
)
from strawberry.types.enum import StrawberryEnumDefinition

Convert = Callable[[Any, InputContext], Any]
Step = tuple[str, str, Convert | None]


def compile_inputs(schema: strawberry.Schema) -> int:
    """Give each plain input type of the schema its plan; how many got one."""
    compiled = 0
    for kind in schema._schema.type_map.values():
        definition = (
            kind.extensions.get("strawberry-definition") if isinstance(kind, GraphQLInputObjectType) else None
        )
        if isinstance(definition, StrawberryObjectDefinition) and _is_plain(definition):
            definition.from_input = _builder(schema, definition)
            compiled += 1
    return compiled


def _is_plain(definition: StrawberryObjectDefinition) -> bool:
    if not definition.is_input or definition.is_one_of or definition.from_input is not None:
        return False
    return not any(isinstance(field.type, StrawberryMaybe) for field in definition.fields)


def _builder(schema: strawberry.Schema, definition: StrawberryObjectDefinition) -> Callable[..., Any]:
    """The function that strawberry calls with the type, the coerced value and its surroundings."""
    steps: list[Step] = []
    absent = {
        field.python_name: None
        for field in definition.fields
        if field.default_value is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }

    def build(cls: type, value: Mapping[str, Any], context: InputContext) -> Any:
        if not steps:
            steps.extend(_steps(schema, definition))
        arguments: dict[str, Any] = absent.copy()
        for name, python_name, convert in steps:
            if name in value:
                given = value[name]
                arguments[python_name] = (
                    given if convert is None or given is None else convert(given, context)
                )
        return cls(**arguments)

    return build


def _steps(schema: strawberry.Schema, definition: StrawberryObjectDefinition) -> list[Step]:
    """What to do with each field. Made at the first use, when every type that a field names is known."""
    names = schema.config.name_converter
    steps: list[Step] = []
    for field in definition.fields:
        kind = field.resolve_type(type_definition=definition)
        name = names.get_graphql_name(field)
        steps.append((name, field.python_name, _converter(schema, kind, name)))
    return steps


def _converter(schema: strawberry.Schema, kind: Any, name: str) -> Convert | None:
    """None where the coerced value is the value."""
    inner = kind.of_type if isinstance(kind, StrawberryOptional) else kind
    if _is_leaf(schema, inner):
        return None
    if isinstance(inner, StrawberryList) and _is_leaf(schema, inner.of_type):
        return lambda value, _context: list(value)
    return lambda value, context: context.convert(value, kind, name)


def _is_leaf(schema: strawberry.Schema, kind: Any) -> bool:
    if kind is GlobalID:
        return False
    return isinstance(kind, StrawberryEnumDefinition) or is_scalar(
        kind, schema.schema_converter.scalar_registry
    )
