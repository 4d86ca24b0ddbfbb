"""What travels between a person, a bank and the bureau: slips, instructions and their answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

Json = dict[str, Any]

ACCEPTED = "ACCEPTED"
ALREADY_RECORDED = "ALREADY_RECORDED"


def fen_of(text: str) -> int:
    """Read an amount as the API writes it: "395.00" is 39500."""
    yuan, _, cents = text.partition(".")
    return int(yuan) * 100 + int(cents)


def text_of(fen: int) -> str:
    """Write an amount as the API reads it: 39500 is "395.00"."""
    return f"{fen // 100}.{fen % 100:02d}"


@dataclass(frozen=True, slots=True)
class Slip:
    """What a person brings to a counter: the due and what is owed."""

    due_id: str
    amount: int
    scheme: str

    @classmethod
    def of(cls, due: Json) -> Self:
        """Make the slip of a due as the API answers it."""
        return cls(due["id"], fen_of(due["personalAmount"]), due["scheme"])


@dataclass(frozen=True, slots=True)
class Instruction:
    """A payment that a bank tells the bureau. Repeats send it unchanged."""

    bank_code: str
    due_id: str
    amount: str
    reference: str
    paid_at: datetime
    channel: str

    def to_input(self) -> Json:
        """Give the value of a `RecordPaymentInput`."""
        return {
            "dueId": self.due_id,
            "amount": self.amount,
            "channel": self.channel,
            "bankReference": self.reference,
            "paidAt": self.paid_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class PaymentAnswer:
    """What the bureau answered to one instruction.

    Attributes:
        verdict: ACCEPTED, ALREADY_RECORDED, the code of the refusal, or the code of the fault.
        payment: the payment as answered, where there is one.
        attempts: how often the request was sent; after the first, its own payment can be known already.
    """

    verdict: str
    payment: Json | None
    attempts: int

    @classmethod
    def of(cls, payload: Json, attempts: int) -> Self:
        """Read a `RecordPaymentPayload`."""
        if payload["userErrors"]:
            return cls(str(payload["userErrors"][0]["code"]), None, attempts)
        verdict = ALREADY_RECORDED if payload["alreadyRecorded"] else ACCEPTED
        return cls(verdict, payload["payment"], attempts)

    @property
    def recorded(self) -> bool:
        """Whether the payment stands, by this request or an earlier one."""
        return self.verdict in {ACCEPTED, ALREADY_RECORDED}

    @property
    def plausibly_first(self) -> bool:
        """Whether this can be the answer of the request that recorded the payment."""
        return self.verdict == ACCEPTED or (self.verdict == ALREADY_RECORDED and self.attempts > 1)
