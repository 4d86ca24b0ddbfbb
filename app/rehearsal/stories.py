"""How one person's payment goes: mostly plainly, sometimes as real partners make it go."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from app.rehearsal.bank import REVERSED, SimulatedBank, fresh
from app.rehearsal.book import Book
from app.rehearsal.instructions import ACCEPTED, ALREADY_RECORDED, PaymentAnswer, Slip, text_of

DUE_ALREADY_PAID = "DUE_ALREADY_PAID"
BATCH_NOT_OPEN = "BATCH_NOT_OPEN"


@dataclass(slots=True)
class Street:
    """The banks side by side, and the people who come back another day.

    Attributes:
        later: slips that are open again after a reversal, each to be paid at another bank.
    """

    banks: Sequence[SimulatedBank]
    book: Book
    later: list[tuple[SimulatedBank, Slip]] = field(default_factory=list)

    def other(self, bank: SimulatedBank) -> SimulatedBank:
        """Give any bank but this one."""
        return bank.random.choice([each for each in self.banks if each is not bank])


Story = Callable[[Street, SimulatedBank, Slip], Awaitable[None]]


async def pay(street: Street, bank: SimulatedBank, slip: Slip) -> PaymentAnswer:
    """One payment at one counter."""
    answer = await bank.offer(bank.instruct(slip))
    street.book.expect("a plain payment", fresh(answer), {ACCEPTED})
    return answer


async def plainly(street: Street, bank: SimulatedBank, slip: Slip) -> None:
    """Pay once, as nearly everybody does."""
    await pay(street, bank, slip)


async def abandoned(street: Street, bank: SimulatedBank, slip: Slip) -> None:
    """Hang up on the request, once or twice, and repeat it blindly."""
    instruction = bank.instruct(slip)
    for _ in range(bank.random.choice((1, 1, 2))):
        await bank.abandon(instruction)
    answer = await bank.offer(instruction)
    street.book.expect("a blind repeat", answer.verdict, {ACCEPTED, ALREADY_RECORDED})


async def sent_at_once(street: Street, bank: SimulatedBank, slip: Slip) -> None:
    """Send the same request several times at once: one payment, and the rest are told so."""
    instruction = bank.instruct(slip)
    copies = bank.random.choice((2, 2, 3, 5))
    answers = await asyncio.gather(*(bank.offer(instruction) for _ in range(copies)))
    for answer in answers:
        street.book.expect("one of several same requests", answer.verdict, {ACCEPTED, ALREADY_RECORDED})
    new = sum(answer.verdict == ACCEPTED for answer in answers)
    retried = any(answer.attempts > 1 for answer in answers)
    if new != 1 and not (new == 0 and retried):
        street.book.expect("how many of the same requests are new", str(new), {"1"})


async def one_fen_short(street: Street, bank: SimulatedBank, slip: Slip) -> None:
    """Pay one fen too little, then right: a refusal does not burn the reference."""
    right = bank.instruct(slip)
    short = bank.instruct(slip, amount=text_of(slip.amount - 1), reference=right.reference)
    answer = await bank.offer(short)
    street.book.expect("one fen short", answer.verdict, {"AMOUNT_MISMATCH"})
    answer = await bank.offer(right)
    street.book.expect("the right amount under the same reference", fresh(answer), {ACCEPTED})


async def paid_elsewhere(street: Street, bank: SimulatedBank, slip: Slip) -> None:
    """Pay at one bank and then again at another, which can not see the first payment."""
    answer = await pay(street, bank, slip)
    other = street.other(bank)
    second = await other.offer(other.instruct(slip))
    street.book.expect("a due that another bank was paid for", second.verdict, {DUE_ALREADY_PAID})
    if answer.payment is not None:
        reference = answer.payment["bankReference"]
        own, foreign = await asyncio.gather(bank.find(reference), other.find(reference))
        street.book.expect("looking up its own reference", str(own), {answer.payment["id"]})
        street.book.expect("looking up another bank's reference", str(foreign), {"None"})


async def raced(street: Street, bank: SimulatedBank, slip: Slip) -> None:
    """Pay the same due at two banks in the same moment: one of them wins."""
    other = street.other(bank)
    answers = await asyncio.gather(bank.offer(bank.instruct(slip)), other.offer(other.instruct(slip)))
    verdicts = " and ".join(sorted(fresh(answer) for answer in answers))
    street.book.expect("two banks at once", verdicts, {f"{ACCEPTED} and {DUE_ALREADY_PAID}"})


async def reference_reused(street: Street, bank: SimulatedBank, slip: Slip) -> None:
    """Use a reference again for something else, then repeat the real one."""
    instruction = bank.instruct(slip)
    answer = await bank.offer(instruction)
    street.book.expect("a plain payment", fresh(answer), {ACCEPTED})
    changed = bank.instruct(slip, amount=text_of(slip.amount + 100), reference=instruction.reference)
    answer = await bank.offer(changed)
    street.book.expect("a reference used again with another amount", answer.verdict, {"REFERENCE_CONFLICT"})
    answer = await bank.offer(instruction)
    street.book.expect("a repeat after the conflict", answer.verdict, {ALREADY_RECORDED})


async def taken_back(street: Street, bank: SimulatedBank, slip: Slip) -> None:
    """Pay, let a stranger fail to reverse, reverse, and pay at another bank another day."""
    answer = await pay(street, bank, slip)
    if answer.payment is None:
        return
    payment_id = answer.payment["id"]
    verdict, _ = await street.other(bank).reverse(payment_id, "not ours")
    street.book.expect("a reversal by another bank", verdict, {"NOT_FOUND"})
    verdict, attempts = await bank.reverse(payment_id, "wrong person")
    allowed = {REVERSED}
    if street.book.payments[payment_id].batch_id in street.book.cuts_asked:
        allowed.add(BATCH_NOT_OPEN)
    if attempts > 1:
        allowed.add("ILLEGAL_TRANSITION")
    street.book.expect("a reversal while the batch is open", verdict, allowed)
    if verdict == "ILLEGAL_TRANSITION" and attempts > 1:
        street.book.take_reversal(payment_id)
    if street.book.payments[payment_id].reversed:
        street.later.append((street.other(bank), slip))


SHARES: tuple[tuple[Story, float], ...] = (
    (plainly, 0.70),
    (abandoned, 0.07),
    (sent_at_once, 0.06),
    (one_fen_short, 0.04),
    (paid_elsewhere, 0.03),
    (raced, 0.03),
    (reference_reused, 0.03),
    (taken_back, 0.04),
)


def deal_stories(count: int, chance: random.Random) -> list[Story]:
    """Give `count` stories by their shares, each at least once where there is room, in random order."""
    dealt: list[Story] = []
    for story, share in SHARES[1:]:
        dealt += [story] * max(1, round(share * count))
    dealt = dealt[:count]
    dealt += [plainly] * (count - len(dealt))
    chance.shuffle(dealt)
    return dealt
