"""State changes: every move of an object is a row; the object's own column is its shadow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from tortoise import fields
from tortoise.models import Model
from uuid_utils.compat import uuid7

from models.database import Insertion, Session


class StateChange(Model):
    """Who moved what from where to where, when and why. `occurred_at` is the system's clock, in UTC."""

    id = fields.UUIDField(primary_key=True)
    object_type = fields.CharField(max_length=30)
    object_id = fields.UUIDField()
    from_state = fields.CharField(max_length=20)
    to_state = fields.CharField(max_length=20)
    occurred_at = fields.DatetimeField()
    actor = fields.CharField(max_length=100)
    reason = fields.CharField(max_length=200)

    class Meta:
        table = "state_changes"


State = TypeVar("State", bound=StrEnum)
Transitions = Mapping[State, frozenset[State]]

COLUMNS = ("id", "object_type", "object_id", "from_state", "to_state", "occurred_at", "actor", "reason")


@dataclass(eq=False)
class IllegalTransition(Exception):
    """A move that the aggregate's table of transitions does not hold."""

    from_state: StrEnum
    to_state: StrEnum


@dataclass(frozen=True, slots=True)
class Move:
    """One move of one object."""

    object_type: str
    object_id: UUID
    from_state: StrEnum
    to_state: StrEnum
    occurred_at: datetime
    actor: str
    reason: str


def check_move(transitions: Transitions[State], from_state: State, to_state: State) -> None:
    """Raise `IllegalTransition` unless `transitions` allows the move."""
    if to_state not in transitions.get(from_state, frozenset()):
        raise IllegalTransition(from_state, to_state)


def insertion(moves: Iterable[Move]) -> Insertion:
    """One row for each move."""
    return Insertion(
        StateChange,
        COLUMNS,
        [
            (uuid7(), m.object_type, m.object_id, m.from_state, m.to_state, m.occurred_at, m.actor, m.reason)
            for m in moves
        ],
    )


async def record(session: Session, moves: Iterable[Move]) -> None:
    """Write one row for each move, in one statement."""
    await session.write(insertion(moves))
