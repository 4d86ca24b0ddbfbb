"""A simulated partner bank: it pays, repeats, abandons and takes back, and books every answer."""

from __future__ import annotations

import random

from app.rehearsal.book import Book
from app.rehearsal.client import Answer, GraphqlClient
from app.rehearsal.instructions import ACCEPTED, Instruction, Json, PaymentAnswer, Slip, text_of
from app.rehearsal.operations import (
    PAYMENT_BY_REFERENCE,
    RECORD_PAYMENT,
    RECORD_PAYMENTS,
    REVERSE_PAYMENT,
    Operation,
)
from app.rehearsal.setbacks import GaveUp

CHANNELS = ("BANK_COUNTER", "COLLECTION_WINDOW", "KIOSK", "MOBILE_APP", "QR_CODE")
REVERSED = "REVERSED"


class SimulatedBank:
    """One partner bank with its own token, numbering and chance."""

    def __init__(self, code: str, client: GraphqlClient, book: Book, seed: int) -> None:
        self.code = code
        self.client = client
        self.book = book
        self.random = random.Random(f"{seed}-{code}")  # noqa: S311 - a plan that can be repeated, not a secret
        self._last_number = 0

    def instruct(self, slip: Slip, *, amount: str | None = None, reference: str | None = None) -> Instruction:
        """Make the instruction for a slip, under a new reference where none is given."""
        return Instruction(
            bank_code=self.code,
            due_id=slip.due_id,
            amount=text_of(slip.amount) if amount is None else amount,
            reference=self._next_reference() if reference is None else reference,
            paid_at=self.book.now,
            channel=self.random.choice(CHANNELS),
        )

    async def offer(self, instruction: Instruction) -> PaymentAnswer:
        """Send one instruction until it is answered."""
        answer = await self.client.execute(RECORD_PAYMENT, {"input": instruction.to_input()})
        self.book.seconds.append(answer.seconds)
        outcome = _single(answer)
        self.book.take(instruction, outcome)
        return outcome

    async def abandon(self, instruction: Instruction) -> None:
        """Send one instruction and hang up within a few milliseconds."""
        self.book.abandoned += 1
        await self._abandon(RECORD_PAYMENT, {"input": instruction.to_input()}, 0.02)

    async def offer_list(self, instructions: list[Instruction]) -> tuple[list[PaymentAnswer], Answer]:
        """Send a list until it is answered; the answers in order, and the whole answer.

        Raises:
            GaveUp: the list as a whole was refused, or the results do not match it.
        """
        answer = await self.client.execute(RECORD_PAYMENTS, _list_variables(instructions))
        results = answer.field("recordPayments")["results"]
        if len(results) != len(instructions):
            raise GaveUp(f"a list of {len(instructions)} has {len(results)} results")
        outcomes = [PaymentAnswer.of(result, answer.attempts) for result in results]
        for instruction, outcome in zip(instructions, outcomes, strict=True):
            self.book.take(instruction, outcome)
        return outcomes, answer

    async def abandon_list(self, instructions: list[Instruction]) -> None:
        """Send a list and hang up before it can be answered in full."""
        self.book.abandoned += len(instructions)
        await self._abandon(RECORD_PAYMENTS, _list_variables(instructions), 0.1)

    async def reverse(self, payment_id: str, reason: str) -> tuple[str, int]:
        """Ask to take a payment back; REVERSED or the code of the refusal, and how often it was asked."""
        answer = await self.client.execute(
            REVERSE_PAYMENT, {"input": {"paymentId": payment_id, "reason": reason}}
        )
        if answer.faults:
            return answer.faults[0], answer.attempts
        payload = answer.field("reversePayment")
        if payload["userErrors"]:
            return str(payload["userErrors"][0]["code"]), answer.attempts
        self.book.expect("status of a reversed payment", payload["payment"]["status"], {REVERSED})
        if payment_id in self.book.payments:
            self.book.take_reversal(payment_id)
        return REVERSED, answer.attempts

    async def find(self, reference: str) -> str | None:
        """Look a payment of this bank up by its reference; its id."""
        answer = await self.client.execute(PAYMENT_BY_REFERENCE, {"reference": reference})
        found = (answer.data or {}).get("paymentByReference")
        return None if found is None else str(found["id"])

    async def _abandon(self, operation: Operation, variables: Json, seconds_at_most: float) -> None:
        await self.client.abandon(operation, variables, self.random.uniform(0.001, seconds_at_most))

    def _next_reference(self) -> str:
        self._last_number += 1
        return f"R{self.code}-{self._last_number:07d}"


def fresh(slip_answer: PaymentAnswer) -> str:
    """Name the verdict of an answer to a first offer: a retried request may find its own payment."""
    return ACCEPTED if slip_answer.plausibly_first else slip_answer.verdict


def _list_variables(instructions: list[Instruction]) -> Json:
    return {"input": {"payments": [each.to_input() for each in instructions]}}


def _single(answer: Answer) -> PaymentAnswer:
    if answer.faults:
        return PaymentAnswer(answer.faults[0], None, answer.attempts)
    return PaymentAnswer.of(answer.field("recordPayment"), answer.attempts)
