"""The vocabulary's enumerations with a description for each value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import EnumMeta
from typing import Any

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from app.principal import Role
from app.vocabulary import (
    BankRole,
    Channel,
    ClearingBatchStatus,
    DueStatus,
    PaymentStatus,
    ProgressDimension,
    RegionLevel,
    Scheme,
)

__all__ = [
    "BankRole",
    "Channel",
    "ClearingBatchStatus",
    "DueStatus",
    "PaymentStatus",
    "ProgressDimension",
    "RegionLevel",
    "Role",
    "Scheme",
    "described",
]


def described(enumeration: EnumMeta, description: str, values: Mapping[str, str]) -> None:
    """Register `enumeration` under its own name; every value must be described.

    Raises:
        KeyError: a value has no description.
    """
    registered: Any = strawberry.enum(enumeration, description=description)
    definition: StrawberryEnumDefinition = registered.__strawberry_definition__
    for value in definition.values:
        value.description = values[value.name]


described(
    Scheme,
    "The two resident insurances.",
    {"PENSION": "Resident pension insurance.", "MEDICAL": "Resident medical insurance."},
)
described(
    Channel,
    "Where the money was taken.",
    {
        "BANK_COUNTER": "At a bank's counter.",
        "COLLECTION_WINDOW": "At a window of entrusted collection.",
        "KIOSK": "At a self-service kiosk.",
        "MOBILE_APP": "In a mobile app.",
        "QR_CODE": "By a QR code.",
        "BATCH_DEBIT": "By batch debit under an agreement.",
        "VILLAGE_COLLECTIVE": "Through a village's virtual account.",
    },
)
described(
    RegionLevel,
    "Depth of a region in the tree.",
    {
        "CITY": "The city.",
        "DISTRICT": "A district or county-level city.",
        "SUBDISTRICT": "A subdistrict or town.",
        "VILLAGE": "A village or neighbourhood.",
    },
)
described(
    BankRole,
    "Whether a bank clears for others.",
    {
        "CLEARING": "One of the banks that clear; it handles payments too.",
        "HANDLING": "Takes payments; another clears them.",
    },
)
described(
    Role,
    "What kind of user a token stands for.",
    {
        "PAYER": "A resident: sees their own household.",
        "BANK": "A partner bank: sees what it handled, and what it clears.",
        "OFFICER": "Staff of the bureau: sees the subtree of a region, moves clearing batches.",
        "AUDITOR": "Reads everything, changes nothing.",
        "ADMIN": "Operates the system: reads everything, moves no money.",
    },
)
described(
    DueStatus,
    "State of a due.",
    {
        "OPEN": "Can be paid within its collection period.",
        "HELD": "Kept for an order, a debit run or a roster for a time.",
        "PAID": "A payment stands for it.",
        "SETTLED": "The treasury has credited its payment's clearing batch.",
        "REFUNDED": "Paid, and given back.",
        "EXEMPT": "Nothing to pay: government pays all of it.",
        "CANCELLED": "Withdrawn.",
        "EXPIRED": "Its collection period ended unpaid.",
    },
)
described(
    PaymentStatus,
    "State of a payment. CLEARED and SETTLED follow its clearing batch.",
    {
        "ACCEPTED": "Recorded, and in a clearing batch.",
        "CLEARED": "The clearing bank's totals of its batch agree.",
        "SETTLED": "The treasury has credited its batch.",
        "REVERSED": "Taken back by its bank before the cut.",
        "REFUNDED": "Given back after clearing.",
    },
)
described(
    ClearingBatchStatus,
    "State of a clearing batch.",
    {
        "OPEN": "Payments come in.",
        "CUT": "Closed to payments; waits for the clearing bank's totals.",
        "BALANCED": "The clearing bank's totals equal ours.",
        "UNBALANCED": "The clearing bank's totals differ from ours.",
        "REMITTED": "Paid over to the treasury account.",
        "SETTLED": "Credited by the treasury.",
    },
)
described(
    ProgressDimension,
    "By what collection progress is grouped.",
    {
        "REGION": "By the regions directly below the one asked for.",
        "CHANNEL": "By where the money was taken.",
        "HANDLING_BANK": "By the bank that took the money.",
        "CLEARING_BANK": "By the bank that clears it.",
    },
)
