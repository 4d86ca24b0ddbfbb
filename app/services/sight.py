"""Who may see what, decided in one place from the principal.

A payer sees their own household, a bank what it handled (a clearing bank also what it clears), an officer the
subtree of their region, auditor and admin all. What is not seen looks the same as what does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.faults import Forbidden, Unauthenticated
from app.principal import Principal, Role
from app.services import reference
from app.services.reference import Reference
from app.services.transactions import reading
from app.vocabulary import BankRole
from models import payers
from models.clearing import BatchCriteria
from models.dues import DueCriteria
from models.payers import PayerCriteria
from models.payments import PaymentCriteria


@dataclass(frozen=True, slots=True)
class Sight:
    """What one principal sees. None in `region_ids` with no bank and no household is everything.

    `clears`: whether the bank clears for others, too; who only handles is found by an index of its own.
    """

    role: Role
    bank_id: UUID | None = None
    clears: bool = False
    household_id: UUID | None = None
    region_ids: frozenset[UUID] | None = None

    def regions(self) -> list[UUID] | None:
        """The regions in sight, for a query."""
        return None if self.region_ids is None else sorted(self.region_ids)

    def payments(self) -> PaymentCriteria:
        """The payments in sight."""
        if self.bank_id is not None and not self.clears:
            return PaymentCriteria(handled_by_bank_id=self.bank_id)
        return PaymentCriteria(
            seen_by_bank_id=self.bank_id, household_id=self.household_id, region_ids=self.regions()
        )

    def people(self) -> PayerCriteria:
        """The payers in sight; banks look a person up by id number instead."""
        if self.bank_id is not None:
            raise Forbidden("a bank looks a person up by id number: payableDues")
        return PayerCriteria(region_ids=self.regions(), household_id=self.household_id)

    def dues(self) -> DueCriteria:
        """The dues in sight; banks look a person up by id number instead."""
        if self.bank_id is not None:
            raise Forbidden("a bank looks a person up by id number: payableDues")
        return DueCriteria(region_ids=self.regions(), household_id=self.household_id)

    def batches(self) -> BatchCriteria:
        """The clearing batches in sight: of a bank those it clears or has payments in; of staff all."""
        if self.role is Role.PAYER:
            raise Forbidden("clearing batches are not open to PAYER")
        return BatchCriteria(seen_by_bank_id=self.bank_id)

    def sees_person(self, household_id: UUID, region_id: UUID) -> bool:
        """Whether a person of this household and region is in sight (of a bank: never by themselves)."""
        if self.bank_id is not None:
            return False
        if self.household_id is not None:
            return household_id == self.household_id
        return self.region_ids is None or region_id in self.region_ids

    def sees_payment(self, handling_bank_id: UUID, clearing_bank_id: UUID, person: tuple[UUID, UUID]) -> bool:
        """Whether a payment is in sight; `person`: household and region of its payer."""
        if self.bank_id is not None:
            return self.bank_id in (handling_bank_id, clearing_bank_id)
        return self.sees_person(*person)


def bank_of(principal: Principal, facts: Reference) -> UUID:
    """The id of the principal's bank.

    Raises:
        Forbidden: the caller is no bank.
        Unauthenticated: the token names a bank that does not exist.
    """
    principal.require(Role.BANK)
    bank = facts.banks_by_code.get(principal.bank_code or "")
    if bank is None:
        raise Unauthenticated("the token's bank is not known here")
    return bank.id


async def sight_of(principal: Principal) -> Sight:
    """What `principal` sees.

    Raises:
        Unauthenticated: the token names a bank or a payer that does not exist.
    """
    facts = await reference.load()
    if principal.role is Role.BANK:
        bank = facts.banks[bank_of(principal, facts)]
        return Sight(principal.role, bank_id=bank.id, clears=bank.role is BankRole.CLEARING)
    if principal.role is Role.PAYER:
        return Sight(principal.role, household_id=await _household(principal))
    if principal.role is Role.OFFICER:
        subtree = facts.subtree(principal.region_code or "")
        return Sight(principal.role, region_ids=None if subtree is None else frozenset(subtree))
    return Sight(principal.role)


async def _household(principal: Principal) -> UUID:
    async with reading() as session:
        rows = await payers.by_ids(session, [principal.payer_id] if principal.payer_id else [])
    if not rows:
        raise Unauthenticated("the token's payer is not known here")
    return rows[0].household_id
