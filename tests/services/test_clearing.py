"""The four steps of clearing: who, in which order, with which figures, and what the books say after each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from app.faults import Forbidden
from app.principal import Principal
from app.rules.refusals import ErrorCode, Refused
from app.services import clearing
from app.services.clearing import ConfirmCredit, ConfirmTotals
from app.services.payments import Recorded, record_payments
from app.services.verification import verify
from app.vocabulary import ClearingBatchStatus, EventKind, Scheme, TransferKind
from models import ledger
from models.clearing import BatchRow, ClearingBatch, HandlingBankTotal
from models.database import reading
from models.ledger import Transfer
from models.outbox import OutboxEvent
from models.state_changes import StateChange
from tests.builders import ADMIN, AUDITOR, Office, bank_principal, officer, payer_principal
from tests.models.stock import snapshot

Status = ClearingBatchStatus
NOBODY = UUID(int=7)
FIRST, SECOND = officer("officer-1"), officer("officer-2")
CLEARING_BANK = bank_principal("314")


async def assert_all_holds() -> None:
    assert await verify(lambda _sentence, _holds: None) == []


async def balances() -> dict[str, int]:
    """The accounts that are not at zero."""
    async with reading() as session:
        return {account: amount for account, amount in (await ledger.balances(session)).items() if amount}


async def paid(office: Office, bank: str = "103", number: int = 1, scheme: Scheme = Scheme.MEDICAL) -> UUID:
    """So many payments by one bank; the key of their batch."""
    outcomes = await record_payments(
        [office.command(await office.due(scheme=scheme), bank=bank) for _ in range(number)]
    )
    [batch_id] = {outcome.payment.clearing_batch_id for outcome in outcomes if isinstance(outcome, Recorded)}
    return batch_id


async def confirm(batch_id: UUID, principal: Principal = CLEARING_BANK, more: int = 0) -> BatchRow | Refused:
    """State the batch's own totals, or `more` fen."""
    batch = await ClearingBatch.get(id=batch_id)
    return await clearing.confirm_totals(
        ConfirmTotals(batch_id, batch.payment_count, batch.total_amount + more), principal
    )


async def credit(batch_id: UUID, principal: Principal = SECOND) -> BatchRow | Refused:
    """The treasury credits the batch's total."""
    batch = await ClearingBatch.get(id=batch_id)
    return await clearing.confirm_credit(ConfirmCredit(batch_id, "TR-1", batch.total_amount), principal)


Step = Callable[[UUID], Awaitable[BatchRow | Refused]]
STEPS: dict[str, Step] = {
    "cut": lambda batch_id: clearing.cut(batch_id, FIRST),
    "confirm": confirm,
    "confirm wrongly": lambda batch_id: confirm(batch_id, more=1),
    "remit": lambda batch_id: clearing.remit(batch_id, "RM-1", FIRST),
    "credit": credit,
}
# How each state is reached, and which steps are allowed from it.
WAYS: dict[Status, list[str]] = {
    Status.OPEN: [],
    Status.CUT: ["cut"],
    Status.BALANCED: ["cut", "confirm"],
    Status.UNBALANCED: ["cut", "confirm wrongly"],
    Status.REMITTED: ["cut", "confirm", "remit"],
    Status.SETTLED: ["cut", "confirm", "remit", "credit"],
}
ALLOWED: dict[tuple[Status, str], Status] = {
    (Status.OPEN, "cut"): Status.CUT,
    (Status.CUT, "confirm"): Status.BALANCED,
    (Status.CUT, "confirm wrongly"): Status.UNBALANCED,
    (Status.BALANCED, "remit"): Status.REMITTED,
    (Status.REMITTED, "credit"): Status.SETTLED,
}
PAIRS = [(status, step) for status in WAYS for step in STEPS]


async def bring(batch_id: UUID, status: Status) -> None:
    for step in WAYS[status]:
        outcome = await STEPS[step](batch_id)
        assert not isinstance(outcome, Refused)


@pytest.mark.parametrize(("status", "step"), PAIRS, ids=[f"{status}-{step}" for status, step in PAIRS])
async def test_each_step_from_each_state_goes_where_the_table_says_or_changes_nothing(
    office: Office, status: Status, step: str
) -> None:
    batch_id = await paid(office)
    await bring(batch_id, status)
    before = await snapshot()

    outcome = await STEPS[step](batch_id)

    wanted = ALLOWED.get((status, step))
    if wanted is not None:
        assert isinstance(outcome, BatchRow)
        assert outcome.status is wanted
        assert (await ClearingBatch.get(id=batch_id)).status is wanted
        await assert_all_holds()
        return
    code = ErrorCode.BATCH_UNBALANCED if status is Status.UNBALANCED else ErrorCode.ILLEGAL_TRANSITION
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.field) == (code, "batchId")
    assert outcome.facts["from"] == status.value
    assert await snapshot() == before


async def test_the_books_follow_each_step_and_no_fen_is_lost(office: Office) -> None:
    batch_id = await paid(office, "103", 2)
    assert await paid(office, "314") == batch_id
    payers = {"payers:MEDICAL": -118_500}
    assert await balances() == {"bank:103": 79_000, "bank:314": 39_500, **payers}

    await STEPS["cut"](batch_id)
    assert await balances() == {"bank:103": 79_000, "bank:314": 39_500, **payers}

    await STEPS["confirm"](batch_id)
    assert await balances() == {"clearing:314:MEDICAL": 118_500, **payers}

    await STEPS["remit"](batch_id)
    assert await balances() == {"transit:MEDICAL": 118_500, **payers}

    await STEPS["credit"](batch_id)
    assert await balances() == {"treasury:MEDICAL": 118_500, **payers}
    await assert_all_holds()


async def test_a_settled_batch_tells_who_did_what_when_and_nothing_is_told_twice(office: Office) -> None:
    batch_id = await paid(office)

    await bring(batch_id, Status.SETTLED)

    moves = await StateChange.filter(object_id=batch_id).order_by("id")
    assert [(move.from_state, move.to_state, move.actor) for move in moves] == [
        ("OPEN", "CUT", "officer-1"),
        ("CUT", "BALANCED", "bank-314"),
        ("BALANCED", "REMITTED", "officer-1"),
        ("REMITTED", "SETTLED", "officer-2"),
    ]
    batch = await ClearingBatch.get(id=batch_id)
    assert (batch.remitted_by, batch.remittance_reference, batch.treasury_reference) == (
        "officer-1",
        "RM-1",
        "TR-1",
    )
    assert batch.confirmed_amount == batch.total_amount == 39_500
    times = (batch.opened_at, batch.cut_at, batch.confirmed_at, batch.remitted_at, batch.settled_at)
    assert [at for at in times if at is not None] == sorted(at for at in times if at is not None)
    assert None not in times
    news = await OutboxEvent.filter(subject_id=batch_id, kind=EventKind.BATCH_STATUS).count()
    assert news == 1 + len(moves)


async def test_wrong_totals_unbalance_the_batch_move_no_money_and_the_right_ones_come_too_late(
    office: Office,
) -> None:
    batch_id = await paid(office)
    await STEPS["cut"](batch_id)
    books = await balances()

    first = await confirm(batch_id, more=-1)
    second = await confirm(batch_id)

    assert isinstance(first, BatchRow)
    assert first.status is Status.UNBALANCED
    assert isinstance(second, Refused)
    assert second.code is ErrorCode.BATCH_UNBALANCED
    batch = await ClearingBatch.get(id=batch_id)
    assert (batch.status, batch.confirmed_count, batch.confirmed_amount) == (Status.UNBALANCED, 1, 39_499)
    assert await balances() == books
    await assert_all_holds()


@pytest.mark.parametrize(("count", "amount"), [(0, 39_500), (2, 39_500), (1, 0), (-1, 39_500), (1, 10**15)])
async def test_a_count_or_an_amount_that_differs_does_not_balance(
    office: Office, count: int, amount: int
) -> None:
    batch_id = await paid(office)
    await STEPS["cut"](batch_id)

    outcome = await clearing.confirm_totals(ConfirmTotals(batch_id, count, amount), CLEARING_BANK)

    assert isinstance(outcome, BatchRow)
    assert outcome.status is Status.UNBALANCED
    assert await Transfer.filter(kind=TransferKind.CLEARING).count() == 0


async def test_who_remitted_does_not_confirm_the_credit(office: Office) -> None:
    batch_id = await paid(office)
    await bring(batch_id, Status.REMITTED)
    before = await snapshot()

    outcome = await credit(batch_id, officer("officer-1", "370215"))

    assert outcome == Refused(ErrorCode.SECOND_PERSON_REQUIRED, rule="R39", field="batchId")
    assert await snapshot() == before
    assert not isinstance(await credit(batch_id, SECOND), Refused)


@pytest.mark.parametrize("amount", [39_499, 39_501, 0])
async def test_a_credit_of_another_amount_is_refused_and_settles_nothing(office: Office, amount: int) -> None:
    batch_id = await paid(office)
    await bring(batch_id, Status.REMITTED)
    before = await snapshot()

    outcome = await clearing.confirm_credit(ConfirmCredit(batch_id, "TR-1", amount), SECOND)

    assert outcome == Refused(
        ErrorCode.AMOUNT_MISMATCH, field="amount", facts={"expected": 39_500, "got": amount}
    )
    assert await snapshot() == before


@pytest.mark.parametrize("reference", ["", " ", "x" * 65, "a\x00b", "RM 1 ", "\n"])
async def test_an_unreadable_reference_is_refused_and_moves_nothing(office: Office, reference: str) -> None:
    batch_id = await paid(office)
    await bring(batch_id, Status.BALANCED)
    before = await snapshot()

    remitted = await clearing.remit(batch_id, reference, FIRST)
    credited = await clearing.confirm_credit(ConfirmCredit(batch_id, reference, 39_500), SECOND)

    for outcome, field in ((remitted, "remittanceReference"), (credited, "treasuryReference")):
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.field) == (ErrorCode.INVALID_REFERENCE, field)
    assert await snapshot() == before


@pytest.mark.parametrize("batch_id", [None, NOBODY], ids=["no id", "of nothing"])
async def test_a_batch_that_does_not_exist_is_not_moved(office: Office, batch_id: UUID | None) -> None:
    outcomes = [
        await clearing.cut(batch_id, FIRST),
        await clearing.confirm_totals(ConfirmTotals(batch_id, 0, 0), CLEARING_BANK),
        await clearing.remit(batch_id, "RM-1", FIRST),
        await clearing.confirm_credit(ConfirmCredit(batch_id, "TR-1", 0), SECOND),
    ]

    assert outcomes == [Refused(ErrorCode.NOT_FOUND, field="batchId")] * 4


async def test_only_officers_cut_remit_and_credit_and_nobody_else_does(office: Office) -> None:
    batch_id = await paid(office)
    person = await office.payer()
    before = await snapshot()

    for principal in (CLEARING_BANK, bank_principal("103"), payer_principal(person), AUDITOR, ADMIN):
        for step in (
            clearing.cut(batch_id, principal),
            clearing.remit(batch_id, "RM-1", principal),
            clearing.confirm_credit(ConfirmCredit(batch_id, "TR-1", 1), principal),
        ):
            with pytest.raises(Forbidden):
                await step

    assert await snapshot() == before


async def test_only_the_bank_that_clears_the_batch_states_its_totals_and_no_other_learns_of_it(
    office: Office,
) -> None:
    batch_id = await paid(office)
    await STEPS["cut"](batch_id)
    before = await snapshot()

    for code in ("103", "104", "105"):
        assert await confirm(batch_id, bank_principal(code)) == Refused(ErrorCode.NOT_FOUND, field="batchId")
    for principal in (FIRST, AUDITOR, ADMIN, payer_principal(await office.payer())):
        with pytest.raises(Forbidden):
            await confirm(batch_id, principal)

    after = await snapshot()
    assert {table: rows for table, rows in after.items() if table != "payers"} == {
        table: rows for table, rows in before.items() if table != "payers"
    }


async def test_an_empty_batch_goes_the_same_way_and_moves_no_money(office: Office) -> None:
    full = await paid(office)
    await STEPS["cut"](full)
    empty = await ClearingBatch.get(status=Status.OPEN)
    transfers = await Transfer.all().count()

    await bring(empty.id, Status.SETTLED)

    settled = await ClearingBatch.get(id=empty.id)
    assert (settled.status, settled.payment_count, settled.total_amount) == (Status.SETTLED, 0, 0)
    assert await Transfer.all().count() == transfers
    assert await HandlingBankTotal.filter(clearing_batch_id=empty.id).count() == 0
    await assert_all_holds()


async def test_of_an_empty_batch_other_totals_are_not_believed(office: Office) -> None:
    await STEPS["cut"](await paid(office))
    empty = await ClearingBatch.get(status=Status.OPEN)
    await STEPS["cut"](empty.id)

    outcome = await clearing.confirm_totals(ConfirmTotals(empty.id, 1, 39_500), CLEARING_BANK)

    assert isinstance(outcome, BatchRow)
    assert outcome.status is Status.UNBALANCED


async def test_of_concurrent_cuts_of_one_batch_one_wins_and_one_next_batch_is_open(office: Office) -> None:
    batch_id = await paid(office)

    outcomes = await asyncio.gather(*(clearing.cut(batch_id, officer(f"officer-{n}")) for n in range(8)))

    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert len(refused) == 7
    assert {outcome.code for outcome in refused} == {ErrorCode.ILLEGAL_TRANSITION}
    assert await ClearingBatch.filter(status=Status.OPEN).count() == 1
    assert await StateChange.filter(object_id=batch_id).count() == 1
    await assert_all_holds()


@pytest.mark.parametrize("step", ["confirm", "remit", "credit"])
async def test_of_concurrent_steps_of_one_batch_one_counts_and_no_money_moves_twice(
    office: Office, step: str
) -> None:
    batch_id = await paid(office)
    await bring(batch_id, {"confirm": Status.CUT, "remit": Status.BALANCED, "credit": Status.REMITTED}[step])
    transfers = await Transfer.all().count()

    outcomes = await asyncio.gather(*(STEPS[step](batch_id) for _ in range(8)))

    assert sum(not isinstance(outcome, Refused) for outcome in outcomes) == 1
    assert await Transfer.all().count() == transfers + 1
    await assert_all_holds()


async def test_what_is_paid_after_the_cut_goes_into_the_next_batch_and_not_into_the_cut_one(
    office: Office,
) -> None:
    first = await paid(office)
    await STEPS["cut"](first)

    second = await paid(office)

    assert second != first
    assert (await ClearingBatch.get(id=first)).payment_count == 1
    assert (await ClearingBatch.get(id=second)).payment_count == 1
    await assert_all_holds()
