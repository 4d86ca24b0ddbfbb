"""Agreements as clients see them. None is stored yet: the lists are empty."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.banks import Bank
from schema.enumerations import Scheme, described
from schema.node import Node
from schema.scalars import Instant

if TYPE_CHECKING:
    from schema.payers import Payer


class AgreementStatus(StrEnum):
    """State of a withholding agreement."""

    SIGNED = "SIGNED"
    VERIFYING = "VERIFYING"
    ACTIVE = "ACTIVE"
    VERIFICATION_FAILED = "VERIFICATION_FAILED"
    LOCKED = "LOCKED"
    TERMINATED = "TERMINATED"


described(
    AgreementStatus,
    "State of a withholding agreement.",
    {
        "SIGNED": "Signed by the payer.",
        "VERIFYING": "The bank is verifying the account.",
        "ACTIVE": "In force: the account may be debited.",
        "VERIFICATION_FAILED": "The bank did not confirm the account.",
        "LOCKED": "Suspended.",
        "TERMINATED": "Ended.",
    },
)


@strawberry.type(
    description="A withholding agreement: a person lets the office debit their own account for the given schemes."
)
class Agreement(Node):
    """A withholding agreement."""

    number: str = strawberry.field(description="Number of the agreement, up to 60 characters.")
    payer: Annotated[Payer, strawberry.lazy("schema.payers")] = strawberry.field(description="Who signed.")
    bank: Bank = strawberry.field(description="The bank that keeps the account.")
    schemes: list[Scheme] = strawberry.field(description="The schemes that may be debited.")
    account: str = strawberry.field(description="Last four characters only.")
    status: AgreementStatus = strawberry.field(description="State.")
    signed_at: Instant = strawberry.field(description="When it was signed.")
    verified_at: Instant | None = strawberry.field(description="When the bank confirmed the account.")
    terminated_at: Instant | None = strawberry.field(description="When it ended.")
    failure_reason: str | None = strawberry.field(description="Why the bank did not confirm the account.")
