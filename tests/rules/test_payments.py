"""R07, R09, R38 and what a recording must look like, with the boundary on each side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules import payments as rules
from app.rules.refusals import ErrorCode, Refused
from app.vocabulary import Channel, ClearingBatchStatus, DueStatus, PaymentStatus

NOW = datetime(2019, 10, 8, 2, 0, tzinfo=UTC)


def due(status: DueStatus = DueStatus.OPEN, amount: int = 39_500, **hold: Any) -> Any:
    return SimpleNamespace(
        **{"status": status, "personal_amount": amount, "held_by": None, "held_until": None, **hold}
    )


def recording(**changes: Any) -> Any:
    values = {
        "due_id": UUID(int=1),
        "amount": 39_500,
        "channel": Channel.KIOSK,
        "paid_at": NOW,
        "collection_point_code": None,
    }
    return SimpleNamespace(**{**values, **changes})


@pytest.mark.parametrize(
    ("amount", "accepted"), [(39_499, False), (39_500, True), (39_501, False), (0, False)]
)
def test_r07_a_due_is_paid_to_the_fen_or_not_at_all(amount: int, accepted: bool) -> None:
    outcome = rules.paid_in_full(amount, due())

    expected = Refused(
        ErrorCode.AMOUNT_MISMATCH, rule="R07", field="amount", facts={"expected": 39_500, "got": amount}
    )
    assert outcome == (None if accepted else expected)


@pytest.mark.parametrize(("amount", "accepted"), [(0, False), (1, True), (39_500, True)])
def test_r09_of_a_fully_subsidised_due_nothing_is_paid(amount: int, accepted: bool) -> None:
    outcome = rules.something_to_pay(due(DueStatus.EXEMPT, amount))

    expected = Refused(ErrorCode.DUE_NOT_PAYABLE, rule="R09", field="dueId", facts={"status": "EXEMPT"})
    assert outcome == (None if accepted else expected)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (DueStatus.OPEN, None),
        (DueStatus.PAID, ErrorCode.DUE_ALREADY_PAID),
        (DueStatus.SETTLED, ErrorCode.DUE_ALREADY_PAID),
        (DueStatus.REFUNDED, ErrorCode.DUE_NOT_PAYABLE),
        (DueStatus.EXEMPT, ErrorCode.DUE_NOT_PAYABLE),
        (DueStatus.CANCELLED, ErrorCode.DUE_NOT_PAYABLE),
        (DueStatus.EXPIRED, ErrorCode.DUE_NOT_PAYABLE),
    ],
)
def test_only_an_open_due_is_free_and_no_other_is(status: DueStatus, code: ErrorCode | None) -> None:
    outcome = rules.due_is_free(due(status), NOW)

    assert (outcome.code if outcome else None) == code


@pytest.mark.parametrize(("seconds", "free"), [(-1, True), (0, True), (1, False), (3_600, False)])
def test_a_hold_stands_until_its_end_and_not_longer(seconds: int, free: bool) -> None:
    held = due(DueStatus.HELD, held_by="order 7", held_until=NOW + timedelta(seconds=seconds))

    outcome = rules.due_is_free(held, NOW)

    assert (outcome is None) is free
    if outcome is not None:
        assert (outcome.code, outcome.retryable) == (ErrorCode.DUE_HELD, True)
        assert outcome.facts["heldBy"] == "order 7"


def test_only_a_hold_is_worth_another_try_and_no_other_refusal_is() -> None:
    retryable = {code for code in ErrorCode if Refused(code).retryable}

    assert retryable == {ErrorCode.DUE_HELD}


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(-1, True), (0, True), (60, True), (61, False), (86_400, False)]
)
def test_money_is_not_taken_in_the_future_beyond_a_minute_of_a_banks_clock(
    seconds: int, accepted: bool
) -> None:
    outcome = rules.not_in_the_future(NOW + timedelta(seconds=seconds), NOW)

    assert (outcome is None) is accepted
    if outcome is not None:
        assert (outcome.code, outcome.field) == (ErrorCode.INVALID_TIME, "paidAt")


@pytest.mark.parametrize(
    ("reference", "good"),
    [
        ("R", True),
        ("r" * 64, True),
        ("流水-7 号", True),
        ("", False),
        ("r" * 65, False),
        (" r", False),
        ("r ", False),
        ("\u3000r", False),
        ("a\x00b", False),
        ("a\nb", False),
        ("a\tb", False),
        ("\u202er", False),
        ("\ud800", False),
        ("\ufeff", False),
    ],
    ids=repr,
)
def test_a_reference_that_cannot_be_printed_is_not_taken(reference: str, good: bool) -> None:
    outcome = rules.readable_reference(reference)

    refused = Refused(ErrorCode.INVALID_REFERENCE, field="bankReference", facts={"limit": 64})
    assert outcome == (None if good else refused)


@pytest.mark.parametrize(
    ("code", "good"),
    [(None, True), ("W", True), ("w" * 30, True), ("", False), ("w" * 31, False), ("a\x00", False)],
)
def test_a_collection_point_is_left_out_or_readable_and_nothing_between(code: str | None, good: bool) -> None:
    assert (rules.readable_collection_point(code) is None) is good


@pytest.mark.parametrize(
    ("reason", "good"),
    [("x", True), ("x" * 200, True), ("", False), (" ", False), ("x" * 201, False), ("a\nb", False)],
)
def test_a_reason_is_readable_or_not_taken(reason: str, good: bool) -> None:
    assert (rules.readable_reason(reason) is None) is good


CHANGES: dict[str, dict[str, Any]] = {
    "dueId": {"due_id": UUID(int=2)},
    "amount": {"amount": 39_499},
    "channel": {"channel": Channel.QR_CODE},
    "paidAt": {"paid_at": NOW + timedelta(microseconds=1)},
    "collectionPointCode": {"collection_point_code": "W"},
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_part_of_a_recording_makes_another_one_and_none_is_ignored(name: str) -> None:
    other = recording(**CHANGES[name])

    assert not rules.same_recording(recording(), other)
    conflict = rules.reference_conflict(recording(), other)
    assert conflict.facts == {"recorded": 39_500, "offered": other.amount, "differing": name}


@given(st.sets(st.sampled_from(sorted(CHANGES))))
def test_a_conflict_names_all_that_differs_and_nothing_else(names: set[str]) -> None:
    changes = {key: value for name in names for key, value in CHANGES[name].items()}
    other = recording(**changes)

    differing = str(rules.reference_conflict(recording(), other).facts["differing"])

    assert rules.same_recording(recording(), other) is (not names)
    assert {name for name in differing.split(", ") if name} == names


def test_the_same_instant_on_another_clock_is_no_other_recording() -> None:
    shanghai = NOW.astimezone(timezone(timedelta(hours=8)))

    assert rules.same_recording(recording(), recording(paid_at=shanghai))


@pytest.mark.parametrize("status", [PaymentStatus.REVERSED, PaymentStatus.REFUNDED])
@pytest.mark.parametrize("batch_status", ClearingBatchStatus)
def test_r38_a_payment_that_is_no_longer_live_is_not_reversed(
    status: PaymentStatus, batch_status: ClearingBatchStatus
) -> None:
    outcome = rules.may_reverse(status, batch_status)

    assert outcome is not None
    assert (outcome.code, outcome.rule) == (ErrorCode.ILLEGAL_TRANSITION, "R38")


# A payment's state follows its batch.
LIVE = {
    ClearingBatchStatus.OPEN: PaymentStatus.ACCEPTED,
    ClearingBatchStatus.CUT: PaymentStatus.ACCEPTED,
    ClearingBatchStatus.UNBALANCED: PaymentStatus.ACCEPTED,
    ClearingBatchStatus.BALANCED: PaymentStatus.CLEARED,
    ClearingBatchStatus.REMITTED: PaymentStatus.CLEARED,
    ClearingBatchStatus.SETTLED: PaymentStatus.SETTLED,
}


@pytest.mark.parametrize("batch_status", ClearingBatchStatus)
def test_r38_a_live_payment_is_reversed_while_its_batch_is_open_and_not_behind_the_cut(
    batch_status: ClearingBatchStatus,
) -> None:
    outcome = rules.may_reverse(LIVE[batch_status], batch_status)

    if batch_status is ClearingBatchStatus.OPEN:
        assert outcome is None
        return
    assert outcome is not None
    assert (outcome.code, outcome.rule, outcome.field) == (ErrorCode.BATCH_NOT_OPEN, "R38", "paymentId")
