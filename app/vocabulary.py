"""The field's words as enumerations: one spelling for tables, rules, services, schema and documents.

This module imports nothing of the project, so that stored things and rules can share it.
"""

from __future__ import annotations

from enum import StrEnum


class Scheme(StrEnum):
    """The two resident insurances."""

    PENSION = "PENSION"
    MEDICAL = "MEDICAL"


class Channel(StrEnum):
    """Where the money was taken."""

    BANK_COUNTER = "BANK_COUNTER"
    COLLECTION_WINDOW = "COLLECTION_WINDOW"
    KIOSK = "KIOSK"
    MOBILE_APP = "MOBILE_APP"
    QR_CODE = "QR_CODE"
    BATCH_DEBIT = "BATCH_DEBIT"
    VILLAGE_COLLECTIVE = "VILLAGE_COLLECTIVE"


class RegionLevel(StrEnum):
    """Depth of a region in the tree."""

    CITY = "CITY"
    DISTRICT = "DISTRICT"
    SUBDISTRICT = "SUBDISTRICT"
    VILLAGE = "VILLAGE"


class BankRole(StrEnum):
    """Whether a bank clears for others or only handles."""

    CLEARING = "CLEARING"
    HANDLING = "HANDLING"


class DueStatus(StrEnum):
    """State of a due. SETTLED is never stored: it is the state of the payment's clearing batch."""

    OPEN = "OPEN"
    HELD = "HELD"
    PAID = "PAID"
    SETTLED = "SETTLED"
    REFUNDED = "REFUNDED"
    EXEMPT = "EXEMPT"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class PaymentStatus(StrEnum):
    """State of a payment. CLEARED and SETTLED are never stored: they are the state of its clearing batch."""

    ACCEPTED = "ACCEPTED"
    CLEARED = "CLEARED"
    SETTLED = "SETTLED"
    REVERSED = "REVERSED"
    REFUNDED = "REFUNDED"


class ClearingBatchStatus(StrEnum):
    """State of a clearing batch."""

    OPEN = "OPEN"
    CUT = "CUT"
    BALANCED = "BALANCED"
    UNBALANCED = "UNBALANCED"
    REMITTED = "REMITTED"
    SETTLED = "SETTLED"


class TransferKind(StrEnum):
    """Why money moved between two accounts of the books."""

    PAYMENT = "PAYMENT"
    REVERSAL = "REVERSAL"
    CLEARING = "CLEARING"
    REMITTANCE = "REMITTANCE"
    TREASURY_CREDIT = "TREASURY_CREDIT"


class EventKind(StrEnum):
    """What an outbox event tells."""

    PAYMENT_ACCEPTED = "PAYMENT_ACCEPTED"
    PAYMENT_REVERSED = "PAYMENT_REVERSED"
    BATCH_STATUS = "BATCH_STATUS"
    BATCH_TOTALS = "BATCH_TOTALS"


class ProgressDimension(StrEnum):
    """By what collection progress is grouped."""

    REGION = "REGION"
    CHANNEL = "CHANNEL"
    HANDLING_BANK = "HANDLING_BANK"
    CLEARING_BANK = "CLEARING_BANK"
