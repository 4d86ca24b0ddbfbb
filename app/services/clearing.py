"""What happens with clearing batches: cut, confirmed, remitted, credited by the treasury."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app import clock
from app.faults import Unavailable
from app.live import outbox
from app.principal import Principal, Role
from app.rules import clearing as rules
from app.rules import payments as payment_rules
from app.rules.refusals import ErrorCode, Refused
from app.services import reference
from app.services.sight import bank_of
from app.services.transactions import transaction
from app.vocabulary import ClearingBatchStatus, EventKind, TransferKind
from models import clearing, ledger, locks, state_changes
from models.clearing import BatchRow
from models.database import Session
from models.failures import ConstraintViolated
from models.ledger import Entry
from models.state_changes import IllegalTransition, Move

Status = ClearingBatchStatus
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class ConfirmTotals:
    """What the clearing bank says that the batch holds; `total_amount` in fen."""

    batch_id: UUID | None
    payment_count: int
    total_amount: int


@dataclass(frozen=True, slots=True)
class ConfirmCredit:
    """What the treasury has credited; `amount` in fen."""

    batch_id: UUID | None
    treasury_reference: str
    amount: int


async def cut(batch_id: UUID | None, principal: Principal) -> BatchRow | Refused:
    """End intake into a batch; the next one of the same bank and scheme opens in the same transaction.

    Raises:
        Forbidden: the caller is no officer.
        Unavailable: the database did not answer.
    """
    principal.require(Role.OFFICER)
    facts = await reference.load()

    async def work(session: Session, batch: BatchRow, at: datetime) -> BatchRow | Refused:
        after = await _move(session, batch, Status.CUT, {"cut_at": at}, (principal.name, "cut"), at)
        bank = facts.banks[batch.clearing_bank_id]
        day = rules.business_date(at.astimezone(clock.OFFICE), not_before=batch.business_date)
        opened = await clearing.open_batch(session, (bank.id, bank.code), batch.scheme, day, at)
        await _tell(session, [after, opened], at)
        return after

    return await _on_batch(batch_id, work)


async def confirm_totals(command: ConfirmTotals, principal: Principal) -> BatchRow | Refused:
    """The clearing bank states its totals for a cut batch: equal ones balance it, others do not.

    Raises:
        Forbidden: the caller is no bank.
        Unavailable: the database did not answer.
    """
    facts = await reference.load()
    bank_id = bank_of(principal, facts)

    async def work(session: Session, batch: BatchRow, at: datetime) -> BatchRow | Refused:
        if batch.clearing_bank_id != bank_id:
            return Refused(ErrorCode.NOT_FOUND, field="batchId")
        if batch.status is Status.UNBALANCED:
            return rules.move_refused(batch.status, Status.BALANCED)
        stated = (command.payment_count, command.total_amount)
        equal = stated == (batch.payment_count, batch.total_amount)
        columns = {"confirmed_at": at, "confirmed_count": stated[0], "confirmed_amount": stated[1]}
        wanted = Status.BALANCED if equal else Status.UNBALANCED
        after = await _move(session, batch, wanted, columns, (principal.name, "totals stated"), at)
        if equal:
            await ledger.post(session, await _clearing_entries(session, batch, facts), at)
        await _tell(session, [after], at)
        return after

    return await _on_batch(command.batch_id, work)


async def remit(batch_id: UUID | None, remittance_reference: str, principal: Principal) -> BatchRow | Refused:
    """A balanced batch has been paid over to the treasury account.

    Raises:
        Forbidden: the caller is no officer.
        Unavailable: the database did not answer.
    """
    principal.require(Role.OFFICER)
    if refused := payment_rules.readable_reference(remittance_reference, "remittanceReference"):
        return refused
    facts = await reference.load()

    async def work(session: Session, batch: BatchRow, at: datetime) -> BatchRow | Refused:
        columns = {
            "remitted_at": at,
            "remitted_by": principal.name,
            "remittance_reference": remittance_reference,
        }
        after = await _move(session, batch, Status.REMITTED, columns, (principal.name, "remitted"), at)
        clearing_bank = ledger.clearing_account(facts.banks[batch.clearing_bank_id].code, batch.scheme)
        transit = ledger.transit_account(batch.scheme)
        await ledger.post(session, _entries(transit, clearing_bank, batch, TransferKind.REMITTANCE), at)
        await _tell(session, [after], at)
        return after

    return await _on_batch(batch_id, work)


async def confirm_credit(command: ConfirmCredit, principal: Principal) -> BatchRow | Refused:
    """The treasury has credited the remittance: the batch, its payments and their dues are settled.

    Raises:
        Forbidden: the caller is no officer.
        Unavailable: the database did not answer.
    """
    principal.require(Role.OFFICER)
    if refused := payment_rules.readable_reference(command.treasury_reference, "treasuryReference"):
        return refused

    async def work(session: Session, batch: BatchRow, at: datetime) -> BatchRow | Refused:
        if batch.status is Status.REMITTED and (
            refused := rules.second_person(batch.remitted_by, principal.name)
            or rules.credited_in_full(batch.total_amount, command.amount)
        ):
            return refused
        columns = {"settled_at": at, "treasury_reference": command.treasury_reference}
        after = await _move(session, batch, Status.SETTLED, columns, (principal.name, "credited"), at)
        treasury, transit = ledger.treasury_account(batch.scheme), ledger.transit_account(batch.scheme)
        await ledger.post(session, _entries(treasury, transit, batch, TransferKind.TREASURY_CREDIT), at)
        await _tell(session, [after], at)
        return after

    return await _on_batch(command.batch_id, work)


Work = Callable[[Session, BatchRow, datetime], Awaitable[BatchRow | Refused]]


async def _on_batch(batch_id: UUID | None, work: Work) -> BatchRow | Refused:
    """Run `work` on a locked batch in one transaction; a move that is not allowed becomes a refusal."""
    if batch_id is None:
        return Refused(ErrorCode.NOT_FOUND, field="batchId")
    for attempt in range(ATTEMPTS):
        try:
            async with transaction() as session:
                batch = await locks.batch(session, batch_id)
                if batch is None:
                    return Refused(ErrorCode.NOT_FOUND, field="batchId")
                return await work(session, batch, clock.now())
        except IllegalTransition as exc:
            return rules.move_refused(ClearingBatchStatus(exc.from_state), ClearingBatchStatus(exc.to_state))
        except ConstraintViolated as exc:
            if attempt == ATTEMPTS - 1:
                raise Unavailable("other writers won every time; repeat the request") from exc
    raise AssertionError("unreachable")


async def _move(
    session: Session,
    batch: BatchRow,
    wanted: ClearingBatchStatus,
    columns: Mapping[str, Any],
    why: tuple[str, str],
    at: datetime,
) -> BatchRow:
    """Move a locked batch: its row and its state change. `why`: actor and reason."""
    state_changes.check_move(clearing.TRANSITIONS, batch.status, wanted)
    await clearing.move(session, batch.id, wanted, columns)
    actor, reason = why
    await state_changes.record(
        session, [Move("clearing_batch", batch.id, batch.status, wanted, at, actor, reason)]
    )
    shown = {name: value for name, value in columns.items() if name in BatchRow.__slots__}
    return replace(batch, status=wanted, **shown)


async def _tell(session: Session, batches: list[BatchRow], at: datetime) -> None:
    """Append the news of moved batches: the last thing in a transaction."""
    totals = await clearing.totals(session, [batch.id for batch in batches])
    events = [picture.event(EventKind.BATCH_STATUS) for picture in outbox.pictures(batches, totals)]
    await outbox.append(session, events, at)


async def _clearing_entries(session: Session, batch: BatchRow, facts: reference.Reference) -> list[Entry]:
    """What each handling bank brought in passes to the clearing bank."""
    account = ledger.clearing_account(facts.banks[batch.clearing_bank_id].code, batch.scheme)
    return [
        Entry(
            account,
            ledger.bank_account(facts.banks[total.handling_bank_id].code),
            total.total_amount,
            TransferKind.CLEARING,
            batch.id,
        )
        for total in await clearing.totals(session, [batch.id])
        if total.total_amount > 0
    ]


def _entries(debit: str, credit: str, batch: BatchRow, kind: TransferKind) -> list[Entry]:
    """One transfer of the batch's total; an empty batch moves no money."""
    return [Entry(debit, credit, batch.total_amount, kind, batch.id)] if batch.total_amount > 0 else []
