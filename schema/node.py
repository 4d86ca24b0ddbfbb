"""Node: global ids are "Type:uuid", so that an id of another type is told from one that does not exist."""

from __future__ import annotations

from uuid import UUID

import strawberry


@strawberry.interface(description="An object that can be read again by its id alone.")
class Node:
    """An object with a global id."""

    id: strawberry.ID = strawberry.field(description="Global id; opaque to clients.")


def global_id(type_name: str, key: UUID) -> strawberry.ID:
    """The id that clients see."""
    return strawberry.ID(f"{type_name}:{key}")


def key_of(value: str, type_name: str) -> UUID | None:
    """The key in a global id of this type; None for any other text."""
    named, _, text = value.partition(":")
    if named != type_name:
        return None
    try:
        key = UUID(text)
    except ValueError:
        return None
    return key if str(key) == text else None


def split(value: str) -> tuple[str, UUID] | None:
    """The type and key of a global id; None for any other text."""
    type_name = value.partition(":")[0]
    key = key_of(value, type_name)
    return (type_name, key) if key else None
