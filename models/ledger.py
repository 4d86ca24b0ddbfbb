"""The ledger: double entry in one row. Rows are immutable; triggers refuse UPDATE and DELETE.

Accounts are named by code:

    bank:105                 what a handling bank has taken and not yet passed on
    clearing:314:MEDICAL     what a clearing bank holds of a scheme, confirmed and not yet remitted
    transit:MEDICAL          remitted and not yet credited by the treasury
    treasury:MEDICAL         credited by the treasury
    payers:MEDICAL           what payers have paid (the counterpart of all of the above)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise import fields
from tortoise.models import Model
from uuid_utils.compat import uuid7

from app.vocabulary import Scheme, TransferKind
from models.database import Insertion, Session


class Transfer(Model):
    """`amount` fen from the credit account to the debit account; `cause_id` is the payment or batch behind it."""

    id = fields.UUIDField(primary_key=True)
    debit_account = fields.CharField(max_length=40)
    credit_account = fields.CharField(max_length=40)
    amount = fields.BigIntField()
    kind = fields.CharEnumField(TransferKind, max_length=20)
    cause_id = fields.UUIDField()
    occurred_at = fields.DatetimeField()

    class Meta:
        table = "transfers"


COLUMNS = ("id", "debit_account", "credit_account", "amount", "kind", "cause_id", "occurred_at")


@dataclass(frozen=True, slots=True)
class Entry:
    """One transfer to write; `amount` in fen, above zero."""

    debit_account: str
    credit_account: str
    amount: int
    kind: TransferKind
    cause_id: UUID


def bank_account(bank_code: str) -> str:
    """What a handling bank owes the office."""
    return f"bank:{bank_code}"


def clearing_account(bank_code: str, scheme: Scheme) -> str:
    """What a clearing bank holds for a scheme."""
    return f"clearing:{bank_code}:{scheme.value}"


def transit_account(scheme: Scheme) -> str:
    """Remitted and not yet credited."""
    return f"transit:{scheme.value}"


def treasury_account(scheme: Scheme) -> str:
    """Credited by the treasury."""
    return f"treasury:{scheme.value}"


def payers_account(scheme: Scheme) -> str:
    """What payers have paid to a scheme."""
    return f"payers:{scheme.value}"


def insertion(entries: Iterable[Entry], at: datetime) -> Insertion:
    """One transfer for each entry."""
    rows = [(uuid7(), e.debit_account, e.credit_account, e.amount, e.kind, e.cause_id, at) for e in entries]
    return Insertion(Transfer, COLUMNS, rows)


async def post(session: Session, entries: Iterable[Entry], at: datetime) -> None:
    """Write transfers, in one statement."""
    await session.write(insertion(entries, at))


async def balances(session: Session) -> dict[str, int]:
    """Debits minus credits of every account, in fen."""
    rows = await session.fetch(
        "SELECT account, SUM(amount) AS balance FROM ("
        " SELECT debit_account AS account, amount FROM transfers"
        " UNION ALL SELECT credit_account, -amount FROM transfers) AS entries GROUP BY account"
    )
    return {row["account"]: int(row["balance"]) for row in rows}
