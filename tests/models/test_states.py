"""States are data: every pair of states of every aggregate is walked."""

from __future__ import annotations

import itertools
from enum import StrEnum
from typing import Any

import pytest

from app.vocabulary import ClearingBatchStatus, DueStatus, PaymentStatus
from models import clearing, dues, payments
from models.state_changes import IllegalTransition, Transitions, check_move

# The arrows of the domain, written once more. CLEARED and SETTLED of a payment, and SETTLED of its due, are the
# state of the clearing batch: no arrow of the tables leads there.
ARROWS: dict[type[StrEnum], tuple[Transitions[Any], set[str]]] = {
    ClearingBatchStatus: (
        clearing.TRANSITIONS,
        {
            "OPEN → CUT",
            "CUT → BALANCED",
            "CUT → UNBALANCED",
            "UNBALANCED → BALANCED",
            "BALANCED → REMITTED",
            "REMITTED → SETTLED",
        },
    ),
    PaymentStatus: (payments.TRANSITIONS, {"ACCEPTED → REVERSED", "ACCEPTED → REFUNDED"}),
    DueStatus: (
        dues.TRANSITIONS,
        {
            "OPEN → HELD",
            "OPEN → PAID",
            "OPEN → EXEMPT",
            "OPEN → CANCELLED",
            "OPEN → EXPIRED",
            "HELD → OPEN",
            "HELD → PAID",
            "PAID → OPEN",
            "PAID → REFUNDED",
        },
    ),
}
PAIRS = [
    (states, from_state, to_state)
    for states in ARROWS
    for from_state, to_state in itertools.product(states, repeat=2)
]


@pytest.mark.parametrize(
    ("states", "from_state", "to_state"),
    PAIRS,
    ids=[f"{s.__name__}-{a.value}-{b.value}" for s, a, b in PAIRS],
)
def test_a_move_is_allowed_by_its_arrow_and_no_other_is(
    states: type[StrEnum], from_state: StrEnum, to_state: StrEnum
) -> None:
    transitions, arrows = ARROWS[states]

    if f"{from_state.value} → {to_state.value}" in arrows:
        check_move(transitions, from_state, to_state)
        return

    with pytest.raises(IllegalTransition) as refused:
        check_move(transitions, from_state, to_state)
    assert (refused.value.from_state, refused.value.to_state) == (from_state, to_state)


@pytest.mark.parametrize("states", ARROWS)
def test_no_table_holds_a_state_that_its_aggregate_does_not_have(states: type[StrEnum]) -> None:
    transitions, _ = ARROWS[states]

    assert set(transitions) <= set(states)
    assert set().union(*transitions.values()) <= set(states)


@pytest.mark.parametrize("states", ARROWS)
def test_every_state_of_money_that_was_left_for_good_is_not_entered_again(states: type[StrEnum]) -> None:
    transitions, _ = ARROWS[states]
    final = {state for state in states if not transitions.get(state)}

    assert final
    assert all(not transitions.get(state, frozenset()) for state in final)
