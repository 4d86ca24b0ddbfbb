"""Who calls, and what they call about: the two sides of the matrix."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from itertools import count
from uuid import UUID

from app.principal import Principal
from app.services import clearing
from app.services.clearing import ConfirmTotals
from app.services.payments import Recorded, record_payments
from app.tokens import issue
from app.vocabulary import ClearingBatchStatus, Scheme
from models.clearing import ClearingBatch
from models.dues import Due
from models.payers import Payer
from models.payments import PaymentRow
from tests.builders import (
    ADMIN,
    AUDITOR,
    SIGNING_KEY,
    Office,
    bank_principal,
    make_id_number,
    officer,
    payer_principal,
)
from tests.client import House

REMITTER = "officer-who-remitted"
OTHER_KEY = "the signing key of somebody else, long enough"


class Caller(StrEnum):
    """Everybody who may knock."""

    NOBODY = "no token"
    EXPIRED = "expired token"
    FORGED = "forged token"
    ANOTHER_BANK = "another bank"
    CLEARING_BANK = "the clearing bank"
    HANDLING_BANK = "the handling bank"
    OFFICER = "officer of the region"
    FOREIGN_OFFICER = "officer of another region"
    PAYER = "payer"
    ANOTHER_PAYER = "another payer"
    AUDITOR = "auditor"
    ADMIN = "admin"


@dataclass
class Scene:
    """A payment of one person, in a batch; somebody else's payment, in a batch of another clearing bank.

    Bank 103 handled the payment, 314 clears it; bank 104 handled the other one, 105 clears that.
    """

    house: House
    payer: Payer
    stranger: Payer
    id_number: str
    unknown_id_number: str
    paid: PaymentRow
    elsewhere: PaymentRow
    _numbers: count[int] = field(default_factory=count)

    @property
    def office(self) -> Office:
        """The office."""
        return self.house.office

    async def token(self, caller: Caller) -> str | None:
        """What the caller sends."""
        principals: dict[Caller, Principal] = {
            Caller.EXPIRED: AUDITOR,
            Caller.FORGED: AUDITOR,
            Caller.ANOTHER_BANK: bank_principal("104"),
            Caller.CLEARING_BANK: bank_principal("314"),
            Caller.HANDLING_BANK: bank_principal("103"),
            Caller.OFFICER: officer("officer-1", "370215"),
            Caller.FOREIGN_OFFICER: officer("officer-2", "370203"),
            Caller.PAYER: payer_principal(self.payer),
            Caller.ANOTHER_PAYER: payer_principal(self.stranger),
            Caller.AUDITOR: AUDITOR,
            Caller.ADMIN: ADMIN,
        }
        if caller is Caller.NOBODY:
            return None
        key = OTHER_KEY if caller is Caller.FORGED else SIGNING_KEY
        lifetime = timedelta(seconds=-1) if caller is Caller.EXPIRED else timedelta(hours=1)
        return issue(principals[caller], key, lifetime)

    async def fresh_due(self) -> Due:
        """An open due of somebody in the payer's region."""
        return await self.office.due(await self.office.payer("370215001"))

    async def fresh_payment(self) -> PaymentRow:
        """A payment that bank 103 has just recorded, in the open batch of bank 314."""
        [outcome] = await record_payments([self.office.command(await self.fresh_due(), bank="103")])
        assert isinstance(outcome, Recorded)
        return outcome.payment

    async def batch_in(self, wanted: ClearingBatchStatus) -> UUID:
        """A batch of bank 314 with one payment in it, brought to a state by its services."""
        payment = await self.fresh_payment()
        batch_id = payment.clearing_batch_id
        batch = await ClearingBatch.get(id=batch_id)
        if wanted is ClearingBatchStatus.OPEN:
            return batch_id
        await clearing.cut(batch_id, officer())
        if wanted is ClearingBatchStatus.CUT:
            return batch_id
        command = ConfirmTotals(batch_id, batch.payment_count, batch.total_amount)
        await clearing.confirm_totals(command, bank_principal("314"))
        if wanted is ClearingBatchStatus.REMITTED:
            await clearing.remit(batch_id, f"remittance {next(self._numbers)}", officer(REMITTER))
        return batch_id


async def make_scene(house: House) -> Scene:
    """One payment of a villager, then one of somebody elsewhere; the villager owes a pension due as well."""
    office = house.office
    id_number = make_id_number()
    payer = await office.payer("370215001", id_number=id_number)
    stranger = await office.payer("370203")
    await office.due(payer, scheme=Scheme.PENSION, amount=30_000)
    # One after the other, so that the news of the payer's batch comes before that of the stranger's.
    [paid] = await record_payments(
        [office.command(await office.due(payer), bank="103", bank_reference="ours")]
    )
    [elsewhere] = await record_payments(
        [office.command(await office.due(stranger), bank="104", bank_reference="theirs")]
    )
    assert isinstance(paid, Recorded)
    assert isinstance(elsewhere, Recorded)
    return Scene(house, payer, stranger, id_number, make_id_number(), paid.payment, elsewhere.payment)
