"""What the simulated partners know together: what they sent, what they were told, what they paid."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from app.rehearsal.findings import Check, Findings
from app.rehearsal.instructions import ACCEPTED, ALREADY_RECORDED, Instruction, Json, PaymentAnswer, fen_of

CITY_OPENS = datetime(2019, 10, 8, 2, 0, tzinfo=UTC)
"""When a demonstration city's clock starts: 2019-10-08 10:00 in Qingdao."""


@dataclass(slots=True)
class PartnerPayment:
    """A payment that the bureau has acknowledged to a bank."""

    payment_id: str
    bank_code: str
    reference: str
    due_id: str
    amount: int
    batch_id: str
    reversed: bool = False


class Book:
    """The partners' own records; the final checks hold the bureau's against them.

    Attributes:
        payments: acknowledged payments by id.
        cuts_asked: batches whose cut has been asked for, so that a reversal there may come too late.
        now: the newest instant of the city's clock that an answer has shown.
    """

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.payments: dict[str, PartnerPayment] = {}
        self.cuts_asked: set[str] = set()
        self.now = CITY_OPENS
        self.offered = 0
        self.abandoned = 0
        self.repeats = 0
        self.reversals = 0
        self.unanswered = 0
        self.refused: Counter[str] = Counter()
        self.troubles: Counter[str] = Counter()
        self.seconds: list[float] = []
        self._by_reference: dict[tuple[str, str], str] = {}
        self._by_batch: defaultdict[str, list[str]] = defaultdict(list)
        self._live_by_due: dict[str, str] = {}
        self._told_new: set[str] = set()

    def expect(self, situation: str, verdict: str, allowed: Collection[str]) -> bool:
        """Hold one answer against what must come; a difference is a finding."""
        if verdict in allowed:
            return True
        wanted = " or ".join(sorted(allowed))
        self.findings.add(Check.ANSWERS, f"{situation}: expected {wanted}, got {verdict}")
        return False

    def take(self, instruction: Instruction, answer: PaymentAnswer) -> None:
        """Write down what was answered to one instruction."""
        self.offered += 1
        if answer.payment is None:
            if answer.recorded:
                self.findings.add(
                    Check.ANSWERS, f"{instruction.reference}: {answer.verdict} without a payment"
                )
            self.refused[answer.verdict] += 1
            return
        if answer.verdict == ALREADY_RECORDED:
            self.repeats += 1
        self._acknowledge(instruction, answer.payment, fresh=answer.verdict == ACCEPTED)

    def take_reversal(self, payment_id: str) -> None:
        """Write down that a payment of ours has been taken back."""
        payment = self.payments[payment_id]
        if not payment.reversed:
            payment.reversed = True
            self.reversals += 1
            if self._live_by_due.get(payment.due_id) == payment_id:
                del self._live_by_due[payment.due_id]

    def payments_of_batch(self, batch_id: str) -> list[PartnerPayment]:
        """Give the live payments that the answers placed in a batch."""
        return [self.payments[each] for each in self._by_batch[batch_id] if not self.payments[each].reversed]

    def live(self) -> list[PartnerPayment]:
        """Give every acknowledged payment that has not been reversed."""
        return [payment for payment in self.payments.values() if not payment.reversed]

    def _acknowledge(self, instruction: Instruction, payment: Json, *, fresh: bool) -> None:
        key = (instruction.bank_code, instruction.reference)
        payment_id: str = payment["id"]
        known = self._by_reference.setdefault(key, payment_id)
        if known != payment_id:
            self.findings.add(Check.ANSWERS, f"{instruction.reference}: two payments for one reference")
        if payment["amount"] != instruction.amount or payment["bankReference"] != instruction.reference:
            self.findings.add(
                Check.ANSWERS, f"{instruction.reference}: the payment answered has another content"
            )
        self.now = max(self.now, datetime.fromisoformat(payment["acceptedAt"]))
        if payment_id not in self.payments:
            self._remember(instruction, payment)
        if fresh and payment_id in self._told_new:
            self.findings.add(Check.ANSWERS, f"{instruction.reference}: recorded as new a second time")
        elif fresh:
            self._told_new.add(payment_id)

    def _remember(self, instruction: Instruction, payment: Json) -> None:
        payment_id: str = payment["id"]
        batch_id: str = payment["clearingBatch"]["id"]
        self.payments[payment_id] = PartnerPayment(
            payment_id,
            instruction.bank_code,
            instruction.reference,
            instruction.due_id,
            fen_of(instruction.amount),
            batch_id,
        )
        self._by_batch[batch_id].append(payment_id)
        other = self._live_by_due.setdefault(instruction.due_id, payment_id)
        if other != payment_id:
            self.findings.add(Check.ONE_LIVE_PAYMENT, f"{instruction.reference}: its due was paid already")
