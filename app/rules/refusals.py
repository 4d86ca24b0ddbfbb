"""Refusals: a rule's no, as a value with facts. The sentence is made at the edge, in the reader's language."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum


class ErrorCode(StrEnum):
    """Why an item was refused; stable and machine-readable."""

    NOT_FOUND = "NOT_FOUND"
    INVALID_ID_NUMBER = "INVALID_ID_NUMBER"
    INVALID_ACCOUNT = "INVALID_ACCOUNT"
    INVALID_AMOUNT = "INVALID_AMOUNT"
    INVALID_REFERENCE = "INVALID_REFERENCE"
    INVALID_TIME = "INVALID_TIME"
    INVALID_REASON = "INVALID_REASON"
    INVALID_VALUE = "INVALID_VALUE"
    FAULTY_ITEM = "FAULTY_ITEM"
    AMOUNT_MISMATCH = "AMOUNT_MISMATCH"
    DUE_ALREADY_PAID = "DUE_ALREADY_PAID"
    DUE_HELD = "DUE_HELD"
    DUE_NOT_PAYABLE = "DUE_NOT_PAYABLE"
    OUTSIDE_COLLECTION_PERIOD = "OUTSIDE_COLLECTION_PERIOD"
    TIER_NOT_ALLOWED = "TIER_NOT_ALLOWED"
    YEARLY_CAP_EXCEEDED = "YEARLY_CAP_EXCEEDED"
    REFERENCE_CONFLICT = "REFERENCE_CONFLICT"
    AGREEMENT_EXISTS = "AGREEMENT_EXISTS"
    AGREEMENT_NOT_ACTIVE = "AGREEMENT_NOT_ACTIVE"
    ILLEGAL_TRANSITION = "ILLEGAL_TRANSITION"
    BATCH_NOT_OPEN = "BATCH_NOT_OPEN"
    BATCH_UNBALANCED = "BATCH_UNBALANCED"
    REFUND_NOT_ALLOWED = "REFUND_NOT_ALLOWED"
    SECOND_PERSON_REQUIRED = "SECOND_PERSON_REQUIRED"
    ROSTER_INVALID = "ROSTER_INVALID"
    FUNDING_MISMATCH = "FUNDING_MISMATCH"
    FILE_QUARANTINED = "FILE_QUARANTINED"


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal. `facts` fill the sentence: amounts are in fen, days ISO; never personal data.

    Attributes:
        field: name of the input value at fault, as the schema spells it.
        rule: id of the rule that refused, where one did.
        retryable: whether the same request can succeed later without anything being changed by hand.
    """

    code: ErrorCode
    rule: str | None = None
    field: str | None = None
    facts: dict[str, str | int] = dataclasses.field(default_factory=dict)

    @property
    def retryable(self) -> bool:
        """Only a hold ends by itself."""
        return self.code is ErrorCode.DUE_HELD
