"""A small city for reading: payments through every state of clearing, dues of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.services import clearing
from app.services.payments import Recorded, ReversePayment, record_payments, reverse_payment
from app.vocabulary import Channel, ClearingBatchStatus, DueStatus, Scheme
from models.clearing import ClearingBatch
from models.payers import Payer
from tests.builders import AUDITOR, NOW, Office, bank_principal, officer
from tests.client import House, running

Status = ClearingBatchStatus
CHANNELS = tuple(Channel)


@dataclass
class City:
    """What stands in the database: ids as clients see them."""

    house: House
    payments: dict[str, str] = field(default_factory=dict)
    dues: dict[str, str] = field(default_factory=dict)
    batches: dict[str, str] = field(default_factory=dict)
    people: list[Payer] = field(default_factory=list)

    async def page(self, name: str, arguments: str = "first: 100", **variables: Any) -> dict[str, Any]:
        """A page as the auditor sees it."""
        text = f"{{ {name}({arguments}) {{ nodes {{ id }} totalCount }} }}"
        return dict((await self.house.data(AUDITOR, text, **variables))[name])

    async def ids(self, name: str, filter_text: str) -> list[str]:
        """The ids that a filter leaves; the total must agree."""
        page = await self.page(name, f"first: 100, filter: {{{filter_text}}}")
        found = [node["id"] for node in page["nodes"]]
        assert page["totalCount"] == len(found)
        return found


async def pay(office: Office, region: str, bank: str, **command: Any) -> tuple[str, str, UUID]:
    """One paid due of a new person: its id, the payment's, the batch's key."""
    scheme = command.pop("scheme", Scheme.MEDICAL)
    due = await office.due(await office.payer(region), scheme=scheme)
    [outcome] = await record_payments([office.command(due, bank=bank, **command)])
    assert isinstance(outcome, Recorded)
    return f"Due:{due.id}", f"Payment:{outcome.payment.id}", outcome.payment.clearing_batch_id


async def bring(batch_id: UUID, wanted: ClearingBatchStatus) -> None:
    """Move a batch on until it is in a state, by its services."""
    batch = await ClearingBatch.get(id=batch_id)
    await clearing.cut(batch_id, officer())
    if wanted is Status.CUT:
        return
    count = batch.payment_count + (wanted is Status.UNBALANCED)
    bank = await batch.clearing_bank
    await clearing.confirm_totals(
        clearing.ConfirmTotals(batch_id, count, batch.total_amount), bank_principal(bank.code)
    )
    if wanted in {Status.REMITTED, Status.SETTLED}:
        await clearing.remit(batch_id, f"RM-{batch.number}", officer("first"))
    if wanted is Status.SETTLED:
        credit = clearing.ConfirmCredit(batch_id, f"TR-{batch.number}", batch.total_amount)
        await clearing.confirm_credit(credit, officer("second"))


@asynccontextmanager
async def city(office: Office) -> AsyncIterator[City]:
    """A payment in a batch of each state, one reversed, one of the other scheme and clearing bank, unpaid dues."""
    async with running(office) as house:
        made = City(house)
        for status in (Status.SETTLED, Status.REMITTED, Status.BALANCED, Status.UNBALANCED, Status.CUT):
            due, payment, batch_id = await pay(office, "370215", "103", channel=Channel.KIOSK)
            made.dues[status], made.payments[status] = due, payment
            made.batches[status] = f"ClearingBatch:{batch_id}"
            await bring(batch_id, status)
        due, payment, batch_id = await pay(office, "370215001", "103")
        made.dues[Status.OPEN], made.payments[Status.OPEN] = due, payment
        made.batches[Status.OPEN] = f"ClearingBatch:{batch_id}"
        due, payment, _ = await pay(office, "370215", "314", channel=Channel.MOBILE_APP)
        await reverse_payment(ReversePayment(UUID(payment.split(":")[1]), "mistake"), bank_principal("314"))
        made.dues["reversed"], made.payments["reversed"] = due, payment
        due, payment, batch_id = await pay(
            office, "370203", "104", scheme=Scheme.PENSION, channel=Channel.QR_CODE
        )
        made.dues["pension"], made.payments["pension"] = due, payment
        made.batches["pension"] = f"ClearingBatch:{batch_id}"
        await _unpaid(office, made)
        yield made


async def _unpaid(office: Office, made: City) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "open": {},
        "held": {
            "status": DueStatus.HELD,
            "held_by": "order 7",
            "held_until": NOW + timedelta(hours=1),
        },
        "exempt": {"status": DueStatus.EXEMPT, "personal_amount": 0, "subsidy_amount": 39_500},
        "half": {"personal_amount": 19_750, "subsidy_amount": 19_750},
        "cancelled": {"status": DueStatus.CANCELLED},
        "expired": {"status": DueStatus.EXPIRED},
    }
    for name, columns in kinds.items():
        person = await office.payer("370203")
        made.people.append(person)
        due = await office.due(person, **columns)
        made.dues[name] = f"Due:{due.id}"
