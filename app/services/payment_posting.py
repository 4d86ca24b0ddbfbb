"""Posting: what one group of payments writes, gathered first and written in a constant number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from uuid_utils.compat import uuid7

from app import clock
from app.live import outbox
from app.live.outbox import PaymentPicture
from app.rules import clearing as clearing_rules
from app.rules import dues as due_rules
from app.rules import payments as rules
from app.rules.refusals import ErrorCode, Refused
from app.services.reference import Reference
from app.vocabulary import DueStatus, EventKind, PaymentStatus, Scheme, TransferKind
from models import clearing, dues, ledger, locks, payments, state_changes
from models.clearing import BatchRow, TotalRow
from models.database import Session
from models.dues import LockedDue
from models.outbox import NewEvent
from models.payments import PaymentRow
from models.state_changes import Move

if TYPE_CHECKING:
    from app.services.payments import RecordPayment

Key = tuple[UUID, str]
BatchKey = tuple[UUID, Scheme]
BatchChange = tuple[int, int, int]
Share = tuple[UUID, UUID]


class Posting:
    """Payments that the rules accept, until they are written together."""

    def __init__(self, facts: Reference, now: datetime) -> None:
        self._facts = facts
        self._now = now
        self._today = clock.office_day(now)
        self._accepted: dict[Key, tuple[RecordPayment, LockedDue]] = {}
        self._paid: set[UUID] = set()
        self._opened: list[BatchRow] = []

    def offered(self, key: Key) -> RecordPayment | None:
        """The command that was accepted under this key a moment ago."""
        accepted = self._accepted.get(key)
        return accepted[0] if accepted else None

    def offer(self, command: RecordPayment, locked: Mapping[UUID, LockedDue]) -> Refused | None:
        """Judge one command by the rules; None when it is accepted."""
        due = locked.get(command.due_id) if command.due_id else None
        if due is None:
            return Refused(ErrorCode.NOT_FOUND, field="dueId")
        if due.id in self._paid:
            return Refused(ErrorCode.DUE_ALREADY_PAID, field="dueId")
        if refused := self._judge(command, due):
            return refused
        self._accepted[(command.bank_id, command.bank_reference)] = (command, due)
        self._paid.add(due.id)
        return None

    def _judge(self, command: RecordPayment, due: LockedDue) -> Refused | None:
        period = self._facts.periods[due.period_id]
        return (
            rules.something_to_pay(due)
            or rules.due_is_free(due, self._now)
            or rules.paid_in_full(command.amount, due)
            or rules.not_in_the_future(command.paid_at, self._now)
            or due_rules.within_period(
                period.opens_on, period.closes_on, clock.office_day(command.paid_at), self._today
            )
        )

    async def write(self, session: Session) -> dict[Key, PaymentRow]:
        """Write what was accepted, into the open batches of today's routes; the payments by key."""
        if not self._accepted:
            return {}
        batches = await self._open_batches(session)
        rows, issued = self._payment_rows(batches)
        before = await clearing.totals(session, sorted(issued))
        changes, shares = _sums(rows.values())
        await session.write(
            payments.insertion(list(rows.values())),
            dues.marking_paid(session, sorted(self._paid)),
            state_changes.insertion(self._moves(rows)),
            ledger.insertion(self._entries(rows), self._now),
            *clearing.adding_totals(changes),
            clearing.adding_handling_totals(shares),
        )
        after = [_after(batch, changes[batch.id]) for batch in batches.values() if batch.id in changes]
        await outbox.append(session, self._events(rows, after, _totals_after(before, shares)), self._now)
        return rows

    def _batch_key(self, command: RecordPayment, due: LockedDue) -> BatchKey:
        clearing_bank = self._facts.clearing_bank(command.bank_id, self._today)
        return clearing_bank.id, self._facts.periods[due.period_id].scheme

    async def _open_batches(self, session: Session) -> dict[BatchKey, BatchRow]:
        needed = {self._batch_key(command, due) for command, due in self._accepted.values()}
        banks = {bank_id for bank_id, _ in needed}
        found = await locks.open_batches(session, banks)
        if needed - found.keys():
            # A cut may have committed while we waited for its lock: its successor is seen by a new statement.
            found = await locks.open_batches(session, banks)
        for bank_id, scheme in sorted(needed - found.keys()):
            bank = self._facts.banks[bank_id]
            day = clearing_rules.business_date(self._now.astimezone(clock.OFFICE))
            batch = await clearing.open_batch(session, (bank.id, bank.code), scheme, day, self._now)
            self._opened.append(batch)
            found[(bank_id, scheme)] = batch
        return found

    def _payment_rows(
        self, batches: Mapping[BatchKey, BatchRow]
    ) -> tuple[dict[Key, PaymentRow], dict[UUID, int]]:
        issued: dict[UUID, int] = defaultdict(int)
        rows: dict[Key, PaymentRow] = {}
        for key, (command, due) in self._accepted.items():
            batch = batches[self._batch_key(command, due)]
            issued[batch.id] += 1
            rows[key] = PaymentRow(
                id=uuid7(),
                due_id=due.id,
                amount=command.amount,
                channel=command.channel,
                status=PaymentStatus.ACCEPTED,
                handling_bank_id=command.bank_id,
                clearing_bank_id=batch.clearing_bank_id,
                clearing_batch_id=batch.id,
                bank_reference=command.bank_reference,
                collection_point_code=command.collection_point_code,
                paid_at=command.paid_at,
                accepted_at=self._now,
                business_date=batch.business_date,
                receipt_number=f"{batch.number}{batch.receipts_issued + issued[batch.id]:07}",
                scheme=batch.scheme,
            )
        return rows, issued

    def _moves(self, rows: Mapping[Key, PaymentRow]) -> list[Move]:
        moves = []
        for key, row in rows.items():
            command, due = self._accepted[key]
            reason = f"payment {row.receipt_number}"
            moves.append(Move("due", due.id, due.status, DueStatus.PAID, self._now, command.actor, reason))
        return moves

    def _entries(self, rows: Mapping[Key, PaymentRow]) -> list[ledger.Entry]:
        return [
            ledger.Entry(
                ledger.bank_account(self._facts.banks[row.handling_bank_id].code),
                ledger.payers_account(row.scheme),
                row.amount,
                TransferKind.PAYMENT,
                row.id,
            )
            for row in rows.values()
        ]

    def _events(
        self, rows: Mapping[Key, PaymentRow], batches: Sequence[BatchRow], totals: Sequence[TotalRow]
    ) -> list[NewEvent]:
        pictures = outbox.pictures(batches, totals)
        opened = outbox.pictures(self._opened, ())
        events = [picture.event(EventKind.BATCH_STATUS) for picture in opened]
        events += [picture.event(EventKind.BATCH_TOTALS) for picture in pictures]
        for key, row in rows.items():
            due = self._accepted[key][1]
            picture = PaymentPicture(row, due.household_id, due.region_id)
            events.append(picture.event(EventKind.PAYMENT_ACCEPTED))
        return events


def _sums(rows: Iterable[PaymentRow]) -> tuple[dict[UUID, BatchChange], dict[Share, tuple[int, int]]]:
    """What payments add to their batches (payments, fen, receipts), and to the shares of their banks."""
    changes: dict[UUID, BatchChange] = {}
    shares: dict[Share, tuple[int, int]] = {}
    for row in rows:
        count, amount, receipts = changes.get(row.clearing_batch_id, (0, 0, 0))
        changes[row.clearing_batch_id] = (count + 1, amount + row.amount, receipts + 1)
        share = (row.clearing_batch_id, row.handling_bank_id)
        count, amount = shares.get(share, (0, 0))
        shares[share] = (count + 1, amount + row.amount)
    return changes, shares


def _totals_after(before: Iterable[TotalRow], shares: Mapping[Share, tuple[int, int]]) -> list[TotalRow]:
    """The handling banks' totals once `shares` are added; their batches are locked, so nobody else adds."""
    totals = {(t.clearing_batch_id, t.handling_bank_id): (t.payment_count, t.total_amount) for t in before}
    for share, (count, amount) in shares.items():
        known = totals.get(share, (0, 0))
        totals[share] = (known[0] + count, known[1] + amount)
    return [TotalRow(*share, *figures) for share, figures in sorted(totals.items())]


def _after(batch: BatchRow, change: BatchChange) -> BatchRow:
    count, amount, receipts = change
    return replace(
        batch,
        payment_count=batch.payment_count + count,
        total_amount=batch.total_amount + amount,
        receipts_issued=batch.receipts_issued + receipts,
    )
