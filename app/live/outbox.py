"""What is written to the outbox: pictures of payments and batches at the moment of the event.

A picture is complete, so that a subscriber needs no look-up, and holds no personal data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.live import bell
from app.vocabulary import Channel, ClearingBatchStatus, EventKind, PaymentStatus, Scheme
from models import outbox
from models.clearing import BatchRow, TotalRow
from models.database import Session
from models.outbox import NewEvent
from models.payments import PaymentRow


@dataclass(frozen=True, slots=True)
class PaymentPicture:
    """A payment at the moment of an event, and whose it is."""

    payment: PaymentRow
    household_id: UUID
    region_id: UUID

    def event(self, kind: EventKind) -> NewEvent:
        """The outbox row that tells of it."""
        payload = {name: getattr(self.payment, name) for name in PaymentRow.__slots__}
        payload |= {"household_id": self.household_id, "region_id": self.region_id}
        return NewEvent(kind, self.payment.id, payload)


@dataclass(frozen=True, slots=True)
class BatchPicture:
    """A clearing batch at the moment of an event, with what each handling bank has brought in."""

    batch: BatchRow
    totals: tuple[TotalRow, ...]

    def event(self, kind: EventKind) -> NewEvent:
        """The outbox row that tells of it."""
        payload: dict[str, Any] = {name: getattr(self.batch, name) for name in BatchRow.__slots__}
        payload["totals"] = [[t.handling_bank_id, t.payment_count, t.total_amount] for t in self.totals]
        return NewEvent(kind, self.batch.id, payload)


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def read_payment(payload: dict[str, Any]) -> PaymentPicture:
    """The picture in a payment's event."""
    payment = PaymentRow(
        id=UUID(payload["id"]),
        due_id=UUID(payload["due_id"]),
        amount=payload["amount"],
        channel=Channel(payload["channel"]),
        status=PaymentStatus(payload["status"]),
        handling_bank_id=UUID(payload["handling_bank_id"]),
        clearing_bank_id=UUID(payload["clearing_bank_id"]),
        clearing_batch_id=UUID(payload["clearing_batch_id"]),
        bank_reference=payload["bank_reference"],
        collection_point_code=payload["collection_point_code"],
        paid_at=datetime.fromisoformat(payload["paid_at"]),
        accepted_at=datetime.fromisoformat(payload["accepted_at"]),
        business_date=date.fromisoformat(payload["business_date"]),
        receipt_number=payload["receipt_number"],
        scheme=Scheme(payload["scheme"]),
    )
    return PaymentPicture(payment, UUID(payload["household_id"]), UUID(payload["region_id"]))


def read_batch(payload: dict[str, Any]) -> BatchPicture:
    """The picture in a batch's event."""
    batch_id = UUID(payload["id"])
    batch = BatchRow(
        id=batch_id,
        number=payload["number"],
        clearing_bank_id=UUID(payload["clearing_bank_id"]),
        scheme=Scheme(payload["scheme"]),
        business_date=date.fromisoformat(payload["business_date"]),
        sequence=payload["sequence"],
        status=ClearingBatchStatus(payload["status"]),
        payment_count=payload["payment_count"],
        total_amount=payload["total_amount"],
        receipts_issued=payload["receipts_issued"],
        opened_at=datetime.fromisoformat(payload["opened_at"]),
        cut_at=_instant(payload["cut_at"]),
        remitted_at=_instant(payload["remitted_at"]),
        remitted_by=payload["remitted_by"],
        remittance_reference=payload["remittance_reference"],
        settled_at=_instant(payload["settled_at"]),
        treasury_reference=payload["treasury_reference"],
    )
    totals = tuple(TotalRow(batch_id, UUID(bank), count, amount) for bank, count, amount in payload["totals"])
    return BatchPicture(batch, totals)


async def append(session: Session, events: Iterable[NewEvent], at: datetime) -> None:
    """Append events to the caller's transaction and ring for this process once it is committed."""
    await outbox.append(session, events, at)
    session.after_commit(bell.ring)


def pictures(batches: Sequence[BatchRow], totals: Sequence[TotalRow]) -> list[BatchPicture]:
    """Each batch with its totals."""
    return [
        BatchPicture(batch, tuple(total for total in totals if total.clearing_batch_id == batch.id))
        for batch in batches
    ]
