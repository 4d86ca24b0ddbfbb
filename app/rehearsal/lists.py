"""Payments in bulk: a bank's list of the day, with what goes wrong in real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.rehearsal.bank import SimulatedBank
from app.rehearsal.client import Answer
from app.rehearsal.instructions import (
    ACCEPTED,
    ALREADY_RECORDED,
    Instruction,
    PaymentAnswer,
    Slip,
    fen_of,
    text_of,
)

LONGEST_LIST = 500
SPOILED_SHARE = 0.05
ABANDONED_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list, with the verdicts that may answer it the first time and in a repeat."""

    instruction: Instruction
    first: frozenset[str]
    repeated: frozenset[str]


def _line(instruction: Instruction, first: str, *also_when_repeated: str) -> Line:
    return Line(instruction, frozenset({first}), frozenset({first, *also_when_repeated}))


def write_list(bank: SimulatedBank, slips: Sequence[Slip], unknown_due: str) -> list[Line]:
    """Write a list that pays every slip; here and there a line is doubled, contradicted or wrong."""
    lines: list[Line] = []
    for slip in slips:
        right = bank.instruct(slip)
        spoiled = bank.random.random() < SPOILED_SHARE
        kind = bank.random.randrange(5) if spoiled else None
        if kind == 0:
            short = bank.instruct(slip, amount=text_of(slip.amount - 1))
            lines.append(_line(short, "AMOUNT_MISMATCH", "DUE_ALREADY_PAID"))
        lines.append(_line(right, ACCEPTED, ALREADY_RECORDED))
        if kind is not None and kind > 0:
            lines.append(_spoil(bank, slip, right, kind, unknown_due))
    return lines[:LONGEST_LIST]


def _spoil(bank: SimulatedBank, slip: Slip, right: Instruction, kind: int, unknown_due: str) -> Line:
    if kind == 1:
        return _line(right, ALREADY_RECORDED)
    if kind == 2:
        other_amount = bank.instruct(slip, amount=text_of(slip.amount + 100), reference=right.reference)
        return _line(other_amount, "REFERENCE_CONFLICT")
    if kind == 3:
        return _line(bank.instruct(slip), "DUE_ALREADY_PAID")
    return _line(bank.instruct(Slip(unknown_due, slip.amount, slip.scheme)), "NOT_FOUND")


async def deliver(bank: SimulatedBank, lines: Sequence[Line]) -> None:
    """Send a list, sometimes after an abandoned try, and hold every line against its answer."""
    instructions = [line.instruction for line in lines]
    repeated = bank.random.random() < ABANDONED_SHARE
    if repeated:
        await bank.abandon_list(instructions)
    outcomes, answer = await bank.offer_list(instructions)
    for line, outcome in zip(lines, outcomes, strict=True):
        allowed = line.repeated if repeated or outcome.attempts > 1 else line.first
        bank.book.expect("a line of a list", outcome.verdict, allowed)
    _check_counts(bank, outcomes, answer)


def _check_counts(bank: SimulatedBank, outcomes: Sequence[PaymentAnswer], answer: Answer) -> None:
    """Every line counts, repeats too; the amount counts each payment once."""
    payload = answer.field("recordPayments")
    recorded = [outcome.payment for outcome in outcomes if outcome.payment is not None]
    amounts = {payment["id"]: fen_of(payment["amount"]) for payment in recorded}
    refused = len(outcomes) - len(recorded)
    bank.book.expect("acceptedCount of a list", str(payload["acceptedCount"]), {str(len(recorded))})
    bank.book.expect("refusedCount of a list", str(payload["refusedCount"]), {str(refused)})
    bank.book.expect("acceptedAmount of a list", payload["acceptedAmount"], {text_of(sum(amounts.values()))})
