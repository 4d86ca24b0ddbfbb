"""Recording and taking back payments."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.intake import Intake
from app.rules.refusals import ErrorCode, Refused
from app.services import clearing
from app.services.payments import Recorded, ReversePayment, record_payments, reverse_payment
from app.services.verification import verify
from app.vocabulary import ClearingBatchStatus, DueStatus, PaymentStatus, Scheme
from models.clearing import ClearingBatch, HandlingBankTotal
from models.dues import Due
from models.ledger import Transfer
from models.outbox import OutboxEvent
from models.payments import Payment
from models.state_changes import StateChange
from tests.builders import NOW, Office, bank_principal, officer


async def assert_all_holds() -> None:
    assert await verify(lambda _sentence, _holds: None) == []


async def test_a_payment_finds_its_batch_by_the_route_and_nothing_is_owed_any_more(office: Office) -> None:
    due = await office.due()

    [outcome] = await record_payments([office.command(due, bank="103")])

    assert isinstance(outcome, Recorded)
    assert outcome.payment.clearing_bank_id == office.banks["314"]
    assert (await Due.get(id=due.id)).status is DueStatus.PAID
    batch = await ClearingBatch.get(id=outcome.payment.clearing_batch_id)
    assert (batch.payment_count, batch.total_amount) == (1, 39_500)
    await assert_all_holds()


async def test_a_bank_with_a_route_of_its_own_is_not_cleared_by_the_bank_for_newcomers(
    office: Office,
) -> None:
    [outcome] = await record_payments([office.command(await office.due(), bank="104")])

    assert isinstance(outcome, Recorded)
    assert outcome.payment.clearing_bank_id == office.banks["105"]
    assert outcome.payment.clearing_bank_id != office.banks["314"]


async def test_a_payment_one_fen_short_is_refused_and_leaves_no_trace(office: Office) -> None:
    due = await office.due()

    [outcome] = await record_payments([office.command(due, amount=39_499)])

    assert outcome == Refused(
        ErrorCode.AMOUNT_MISMATCH, rule="R07", field="amount", facts={"expected": 39_500, "got": 39_499}
    )
    assert await Payment.all().count() == 0
    assert await OutboxEvent.all().count() == 0
    assert await StateChange.all().count() == 0
    assert await Transfer.all().count() == 0
    assert (await Due.get(id=due.id)).status is DueStatus.OPEN


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"bank_reference": ""}, ErrorCode.INVALID_REFERENCE),
        ({"bank_reference": "x" * 65}, ErrorCode.INVALID_REFERENCE),
        ({"bank_reference": "a\x00b"}, ErrorCode.INVALID_REFERENCE),
        ({"bank_reference": " a"}, ErrorCode.INVALID_REFERENCE),
        ({"collection_point_code": "\n"}, ErrorCode.INVALID_VALUE),
        ({"due_id": None}, ErrorCode.NOT_FOUND),
        ({"due_id": UUID(int=7)}, ErrorCode.NOT_FOUND),
        ({"paid_at": NOW + timedelta(hours=1)}, ErrorCode.INVALID_TIME),
        ({"paid_at": NOW - timedelta(days=60)}, ErrorCode.OUTSIDE_COLLECTION_PERIOD),
    ],
)
async def test_bad_input_is_refused_precisely_and_leaves_no_trace(
    office: Office, changes: dict[str, Any], code: ErrorCode
) -> None:
    due = await office.due()

    [outcome] = await record_payments([office.command(due, **changes)])

    assert isinstance(outcome, Refused)
    assert outcome.code is code
    assert await Payment.all().count() == 0
    assert await OutboxEvent.all().count() == 0


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        (
            {"status": DueStatus.EXEMPT, "personal_amount": 0, "subsidy_amount": 39_500},
            ErrorCode.DUE_NOT_PAYABLE,
        ),
        ({"status": DueStatus.CANCELLED}, ErrorCode.DUE_NOT_PAYABLE),
        ({"status": DueStatus.EXPIRED}, ErrorCode.DUE_NOT_PAYABLE),
        (
            {"status": DueStatus.HELD, "held_by": "order 7", "held_until": NOW + timedelta(hours=1)},
            ErrorCode.DUE_HELD,
        ),
    ],
)
async def test_a_due_that_is_not_free_is_not_paid(
    office: Office, columns: dict[str, Any], code: ErrorCode
) -> None:
    due = await office.due(**columns)

    [outcome] = await record_payments([office.command(due)])

    assert isinstance(outcome, Refused)
    assert outcome.code is code
    assert await Payment.all().count() == 0


async def test_a_hold_that_has_ended_does_not_stand_in_the_way(office: Office) -> None:
    due = await office.due(status=DueStatus.HELD, held_by="order 7", held_until=NOW - timedelta(seconds=1))

    [outcome] = await record_payments([office.command(due)])

    assert isinstance(outcome, Recorded)
    paid = await Due.get(id=due.id)
    assert (paid.status, paid.held_by, paid.held_until) == (DueStatus.PAID, None, None)
    await assert_all_holds()


async def test_a_repeat_is_answered_with_the_first_payment_and_records_nothing(office: Office) -> None:
    command = office.command(await office.due())

    [first] = await record_payments([command])
    [second] = await record_payments([command])

    assert isinstance(first, Recorded)
    assert isinstance(second, Recorded)
    assert second == Recorded(first.payment, already_recorded=True)
    assert await Payment.all().count() == 1
    await assert_all_holds()


async def test_a_reference_with_another_amount_shows_both_and_records_nothing(office: Office) -> None:
    due = await office.due()
    await record_payments([office.command(due, bank_reference="A")])

    [outcome] = await record_payments([office.command(due, bank_reference="A", amount=100)])

    assert outcome == Refused(
        ErrorCode.REFERENCE_CONFLICT,
        field="bankReference",
        facts={"recorded": 39_500, "offered": 100, "differing": "amount"},
    )
    assert await Payment.all().count() == 1


async def test_the_same_reference_of_another_bank_is_another_payment(office: Office) -> None:
    one, two = await office.dues(2)

    outcomes = await record_payments(
        [
            office.command(one, bank="103", bank_reference="A"),
            office.command(two, bank="104", bank_reference="A"),
        ]
    )

    assert [isinstance(outcome, Recorded) for outcome in outcomes] == [True, True]
    assert await Payment.all().count() == 2


async def test_a_refusal_does_not_burn_the_reference(office: Office) -> None:
    due = await office.due()
    await record_payments([office.command(due, bank_reference="A", amount=1)])

    [outcome] = await record_payments([office.command(due, bank_reference="A")])

    assert isinstance(outcome, Recorded)
    assert not outcome.already_recorded


async def test_within_one_list_repeats_conflicts_and_doubles_are_told_apart(office: Office) -> None:
    due, other = await office.dues(2)
    first = office.command(due, bank_reference="A")

    outcomes = await record_payments(
        [
            first,
            first,
            office.command(other, bank_reference="A"),
            office.command(due, bank_reference="B"),
            office.command(other, bank_reference="B"),
        ]
    )

    assert isinstance(outcomes[0], Recorded)
    assert outcomes[1] == Recorded(outcomes[0].payment, already_recorded=True)
    assert isinstance(outcomes[2], Refused)
    assert outcomes[2].code is ErrorCode.REFERENCE_CONFLICT
    assert outcomes[3] == Refused(ErrorCode.DUE_ALREADY_PAID, field="dueId")
    assert isinstance(outcomes[4], Recorded)
    assert await Payment.all().count() == 2
    await assert_all_holds()


async def test_of_64_concurrent_recordings_of_one_due_63_are_refused(office: Office) -> None:
    due = await office.due()
    commands = [office.command(due, bank="103" if n % 2 else "104") for n in range(64)]

    outcomes = await asyncio.gather(*(record_payments([command]) for command in commands))

    accepted = [outcome for [outcome] in outcomes if isinstance(outcome, Recorded)]
    refused = [
        outcome for [outcome] in outcomes if outcome == Refused(ErrorCode.DUE_ALREADY_PAID, field="dueId")
    ]
    assert (len(accepted), len(refused)) == (1, 63)
    assert await Payment.all().count() == 1
    await assert_all_holds()


async def test_of_64_concurrent_repeats_63_are_already_recorded(office: Office) -> None:
    command = office.command(await office.due())

    outcomes = await asyncio.gather(*(record_payments([command]) for _ in range(64)))

    repeats = [outcome.already_recorded for [outcome] in outcomes if isinstance(outcome, Recorded)]
    assert sorted(repeats) == [False] + [True] * 63
    assert await Payment.all().count() == 1


async def test_of_concurrent_payments_under_one_reference_for_different_dues_one_stands(
    office: Office,
) -> None:
    dues = await office.dues(16)
    commands = [office.command(due, bank_reference="A") for due in dues]

    outcomes = await asyncio.gather(*(record_payments([command]) for command in commands))

    assert sum(isinstance(outcome, Recorded) for [outcome] in outcomes) == 1
    codes = {outcome.code for [outcome] in outcomes if isinstance(outcome, Refused)}
    assert codes == {ErrorCode.REFERENCE_CONFLICT}
    assert await Payment.all().count() == 1
    await assert_all_holds()


async def test_the_first_payments_of_a_bank_open_one_batch_and_not_two(office: Office) -> None:
    dues = await office.dues(16)

    await asyncio.gather(*(record_payments([office.command(due)]) for due in dues))

    assert await ClearingBatch.filter(status=ClearingBatchStatus.OPEN).count() == 1
    await assert_all_holds()


async def test_a_reversed_payment_leaves_its_due_open_and_its_batch_without_it(office: Office) -> None:
    due = await office.due()
    [recorded] = await record_payments([office.command(due)])
    assert isinstance(recorded, Recorded)

    outcome = await reverse_payment(
        ReversePayment(recorded.payment.id, "teller error"), bank_principal("103")
    )

    assert not isinstance(outcome, Refused)
    assert outcome.status is PaymentStatus.REVERSED
    assert (await Due.get(id=due.id)).status is DueStatus.OPEN
    batch = await ClearingBatch.get(id=recorded.payment.clearing_batch_id)
    assert (batch.payment_count, batch.total_amount, batch.receipts_issued) == (0, 0, 1)
    total = await HandlingBankTotal.get(clearing_batch_id=batch.id)
    assert (total.payment_count, total.total_amount) == (0, 0)
    await assert_all_holds()


async def test_a_reversed_due_is_paid_again_under_a_new_reference_and_the_old_one_records_nothing(
    office: Office,
) -> None:
    due = await office.due()
    command = office.command(due)
    [first] = await record_payments([command])
    assert isinstance(first, Recorded)
    await reverse_payment(ReversePayment(first.payment.id, "teller error"), bank_principal("103"))

    [repeat] = await record_payments([command])
    [second] = await record_payments([office.command(due)])

    assert isinstance(repeat, Recorded)
    assert repeat.payment.status is PaymentStatus.REVERSED
    assert isinstance(second, Recorded)
    assert await Payment.filter(status=PaymentStatus.ACCEPTED).count() == 1
    await assert_all_holds()


async def test_another_bank_cannot_tell_a_payment_from_one_that_does_not_exist(office: Office) -> None:
    [recorded] = await record_payments([office.command(await office.due())])
    assert isinstance(recorded, Recorded)

    foreign = await reverse_payment(ReversePayment(recorded.payment.id, "x"), bank_principal("104"))
    absent = await reverse_payment(ReversePayment(UUID(int=7), "x"), bank_principal("104"))

    assert foreign == absent == Refused(ErrorCode.NOT_FOUND, field="paymentId")
    assert await Payment.filter(status=PaymentStatus.REVERSED).count() == 0


async def test_behind_the_cut_nothing_is_reversed(office: Office) -> None:
    [recorded] = await record_payments([office.command(await office.due())])
    assert isinstance(recorded, Recorded)
    await clearing.cut(recorded.payment.clearing_batch_id, officer())

    outcome = await reverse_payment(ReversePayment(recorded.payment.id, "late"), bank_principal("103"))

    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.rule) == (ErrorCode.BATCH_NOT_OPEN, "R38")
    assert await Payment.filter(status=PaymentStatus.REVERSED).count() == 0


async def test_of_concurrent_reversals_of_one_payment_one_counts(office: Office) -> None:
    [recorded] = await record_payments([office.command(await office.due())])
    assert isinstance(recorded, Recorded)
    command = ReversePayment(recorded.payment.id, "twice")

    outcomes = await asyncio.gather(*(reverse_payment(command, bank_principal("103")) for _ in range(8)))

    assert sum(not isinstance(outcome, Refused) for outcome in outcomes) == 1
    await assert_all_holds()


async def test_cutting_while_32_clients_pay_loses_doubles_and_misplaces_no_payment(office: Office) -> None:
    dues = await office.dues(192)
    intake = Intake(record_payments, 5_000)
    intake.start()
    [first] = await intake.submit([office.command(await office.due())])
    assert isinstance(first, Recorded)
    remaining = iter(dues)

    async def pay() -> None:
        for due in remaining:
            [outcome] = await intake.submit([office.command(due)])
            assert isinstance(outcome, Recorded)

    async def cut_again_and_again() -> None:
        for _ in range(6):
            await asyncio.sleep(0.02)
            batch = await ClearingBatch.get(status=ClearingBatchStatus.OPEN)
            assert not isinstance(await clearing.cut(batch.id, officer()), Refused)

    await asyncio.gather(cut_again_and_again(), *(pay() for _ in range(32)))
    await intake.stop()

    assert await Payment.all().count() == 193
    assert await ClearingBatch.filter(status=ClearingBatchStatus.OPEN).count() == 1
    for payment in await Payment.all().prefetch_related("clearing_batch"):
        cut_at = payment.clearing_batch.cut_at
        assert cut_at is None or payment.accepted_at <= cut_at
    await assert_all_holds()


async def test_both_schemes_of_a_person_go_into_batches_of_their_own(office: Office) -> None:
    person = await office.payer()
    medical = await office.due(person)
    pension = await office.due(person, scheme=Scheme.PENSION, amount=30_000)

    outcomes = await record_payments([office.command(medical), office.command(pension)])

    batches = {o.payment.clearing_batch_id for o in outcomes if isinstance(o, Recorded)}
    assert len(batches) == 2
    await assert_all_holds()
