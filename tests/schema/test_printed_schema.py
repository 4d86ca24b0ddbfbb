"""The printed schema: a change to the API is a change to a committed file, and everything in it is described."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
)
from graphql.utilities import find_breaking_changes

import schema
from tests.client import SCHEMA

PRINTED = Path(schema.__file__).parent / "schema.graphql"
# The words of the contract whose shape must not shrink; read from the committed file.
ROOTS = {"Query", "Mutation", "Subscription"}


def undescribed() -> Iterator[str]:
    """Every element without a description, by its coordinate."""
    for name, kind in SCHEMA._schema.type_map.items():
        if is_introspection_type(kind) or is_specified_scalar_type(kind):
            continue
        if not kind.description:
            yield name
        if isinstance(kind, GraphQLEnumType):
            yield from (f"{name}.{each}" for each, value in kind.values.items() if not value.description)
        elif isinstance(kind, GraphQLInputObjectType):
            yield from (f"{name}.{each}" for each, inner in kind.fields.items() if not inner.description)
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for each, field in kind.fields.items():
                if not field.description:
                    yield f"{name}.{each}"
                yield from (
                    f"{name}.{each}({argument}:)"
                    for argument, inner in field.args.items()
                    if not inner.description
                )


def test_every_element_is_described_and_none_is_left_to_guess() -> None:
    assert list(undescribed()) == []


def test_no_description_is_only_white_space_or_the_name_itself() -> None:
    for name, kind in SCHEMA._schema.type_map.items():
        if not is_introspection_type(kind):
            assert (kind.description or "").strip() not in {"", name}


def test_the_printed_schema_is_the_schema_and_no_older_one() -> None:
    assert PRINTED.read_text(encoding="utf-8").strip() == SCHEMA.as_str().strip()


def test_the_printed_schema_can_be_read_again_and_breaks_nothing() -> None:
    printed = build_schema(PRINTED.read_text(encoding="utf-8"))

    assert find_breaking_changes(printed, SCHEMA._schema) == []
    assert find_breaking_changes(SCHEMA._schema, printed) == []


@pytest.mark.parametrize(
    "type_name", ["PaymentConnection", "PayerConnection", "DueConnection", "ClearingBatchConnection"]
)
def test_a_connection_is_not_called_otherwise_than_relay_calls_it(type_name: str) -> None:
    connection = SCHEMA._schema.type_map[type_name]
    assert isinstance(connection, GraphQLObjectType)

    assert set(connection.fields) == {"edges", "nodes", "pageInfo", "totalCount"}
    assert str(connection.fields["pageInfo"].type) == "PageInfo!"
