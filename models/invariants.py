"""Invariants: what must hold at every commit, each as a query for the rows that break it.

Every query gives the number or id of a broken object in a column named `broken`.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.database import Session

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Invariant:
    """A sentence that holds, and the query that finds what breaks it."""

    sentence: str
    query: str


@dataclass(frozen=True, slots=True)
class Breach:
    """A broken invariant, with the first examples of what breaks it."""

    sentence: str
    examples: list[str]


_LIVE = "p.status = 'ACCEPTED'"
_BALANCES = (
    "SELECT account, SUM(amount) AS balance FROM (SELECT debit_account AS account, amount FROM transfers"
    " UNION ALL SELECT credit_account, -amount FROM transfers) AS entries GROUP BY account"
)
_EXPECTED = (
    "SELECT account, SUM(amount) AS balance FROM ("
    " SELECT CASE WHEN b.status IN ('OPEN', 'CUT', 'UNBALANCED') THEN 'bank:' || h.code"
    " WHEN b.status = 'BALANCED' THEN 'clearing:' || c.code || ':' || b.scheme"
    " WHEN b.status = 'REMITTED' THEN 'transit:' || b.scheme ELSE 'treasury:' || b.scheme END AS account, p.amount"
    " FROM payments p JOIN clearing_batches b ON b.id = p.clearing_batch_id JOIN banks h ON h.id = p.handling_bank_id"
    f" JOIN banks c ON c.id = b.clearing_bank_id WHERE {_LIVE}"
    " UNION ALL SELECT 'payers:' || b.scheme, -p.amount FROM payments p"
    f" JOIN clearing_batches b ON b.id = p.clearing_batch_id WHERE {_LIVE}) AS positions GROUP BY account"
)

INVARIANTS = (
    Invariant(
        "a batch's totals equal the sum of its live payments",
        "SELECT b.number AS broken FROM clearing_batches b LEFT JOIN (SELECT p.clearing_batch_id, COUNT(*) AS n,"
        f" SUM(p.amount) AS amount FROM payments p WHERE {_LIVE} GROUP BY p.clearing_batch_id) s"
        " ON s.clearing_batch_id = b.id"
        " WHERE b.payment_count <> COALESCE(s.n, 0) OR b.total_amount <> COALESCE(s.amount, 0)",
    ),
    Invariant(
        "what each handling bank brought in equals the sum of its live payments in the batch",
        "SELECT b.number AS broken FROM handling_bank_totals t JOIN clearing_batches b ON b.id = t.clearing_batch_id"
        " LEFT JOIN (SELECT p.clearing_batch_id, p.handling_bank_id, COUNT(*) AS n, SUM(p.amount) AS amount"
        f" FROM payments p WHERE {_LIVE} GROUP BY p.clearing_batch_id, p.handling_bank_id) s"
        " ON s.clearing_batch_id = t.clearing_batch_id AND s.handling_bank_id = t.handling_bank_id"
        " WHERE t.payment_count <> COALESCE(s.n, 0) OR t.total_amount <> COALESCE(s.amount, 0)",
    ),
    Invariant(
        "the totals of a batch's handling banks add up to the batch",
        "SELECT b.number AS broken FROM clearing_batches b LEFT JOIN (SELECT clearing_batch_id,"
        " SUM(payment_count) AS n, SUM(total_amount) AS amount FROM handling_bank_totals GROUP BY clearing_batch_id) s"
        " ON s.clearing_batch_id = b.id"
        " WHERE b.payment_count <> COALESCE(s.n, 0) OR b.total_amount <> COALESCE(s.amount, 0)",
    ),
    Invariant(
        "a batch has issued one receipt for each of its payments, reversed ones too",
        "SELECT b.number AS broken FROM clearing_batches b LEFT JOIN (SELECT clearing_batch_id, COUNT(*) AS n"
        " FROM payments GROUP BY clearing_batch_id) s ON s.clearing_batch_id = b.id"
        " WHERE b.receipts_issued <> COALESCE(s.n, 0)",
    ),
    Invariant(
        "a clearing bank and scheme have at most one open batch",
        "SELECT clearing_bank_id AS broken FROM clearing_batches WHERE status = 'OPEN'"
        " GROUP BY clearing_bank_id, scheme HAVING COUNT(*) > 1",
    ),
    Invariant(
        "no due has two live payments",
        f"SELECT p.due_id AS broken FROM payments p WHERE {_LIVE} GROUP BY p.due_id HAVING COUNT(*) > 1",
    ),
    Invariant(
        "a due is paid if and only if a live payment stands for it, to the fen",
        f"SELECT d.id AS broken FROM dues d LEFT JOIN payments p ON p.due_id = d.id AND {_LIVE}"
        " WHERE (d.status = 'PAID') <> (p.id IS NOT NULL) OR p.amount <> d.personal_amount",
    ),
    Invariant(
        "every payment has its transfer, and every reversed one the transfer back",
        "SELECT p.id AS broken FROM payments p LEFT JOIN (SELECT cause_id,"
        " SUM(CASE WHEN kind = 'PAYMENT' THEN amount ELSE 0 END) AS taken,"
        " SUM(CASE WHEN kind = 'REVERSAL' THEN amount ELSE 0 END) AS given_back"
        " FROM transfers WHERE kind IN ('PAYMENT', 'REVERSAL') GROUP BY cause_id) t ON t.cause_id = p.id"
        " WHERE COALESCE(t.taken, 0) <> p.amount"
        " OR COALESCE(t.given_back, 0) <> CASE WHEN p.status = 'REVERSED' THEN p.amount ELSE 0 END",
    ),
    Invariant(
        "every account's balance follows from the payments and the states of their batches",
        "SELECT COALESCE(l.account, e.account) AS broken FROM"
        f" ({_BALANCES}) l FULL JOIN ({_EXPECTED}) e ON e.account = l.account"
        " WHERE COALESCE(l.balance, 0) <> COALESCE(e.balance, 0)",
    ),
    Invariant(
        "the trial balance is zero",
        f"SELECT SUM(balance) AS broken FROM ({_BALANCES}) AS trial HAVING SUM(balance) <> 0",
    ),
    Invariant(
        "every batch's state is the one that its last state change reached",
        "SELECT b.number AS broken FROM clearing_batches b LEFT JOIN (SELECT object_id, COUNT(*) AS moves FROM"
        " state_changes WHERE object_type = 'clearing_batch' GROUP BY object_id) s ON s.object_id = b.id"
        " WHERE COALESCE(s.moves, 0) <> CASE b.status WHEN 'OPEN' THEN 0 WHEN 'CUT' THEN 1 WHEN 'BALANCED' THEN 2"
        " WHEN 'UNBALANCED' THEN 2 WHEN 'REMITTED' THEN 3 ELSE 4 END",
    ),
    Invariant(
        "every due was paid and opened again as often as its state changes say",
        "SELECT d.id AS broken FROM dues d JOIN (SELECT object_id,"
        " SUM(CASE WHEN to_state = 'PAID' THEN 1 ELSE 0 END) - SUM(CASE WHEN from_state = 'PAID' THEN 1 ELSE 0 END) AS n"
        " FROM state_changes WHERE object_type = 'due' GROUP BY object_id) s ON s.object_id = d.id"
        " WHERE s.n <> CASE WHEN d.status = 'PAID' THEN 1 ELSE 0 END",
    ),
    Invariant(
        "every payment was told once, and every reversal once",
        "SELECT p.id AS broken FROM payments p LEFT JOIN (SELECT subject_id,"
        " SUM(CASE WHEN kind = 'PAYMENT_ACCEPTED' THEN 1 ELSE 0 END) AS accepted,"
        " SUM(CASE WHEN kind = 'PAYMENT_REVERSED' THEN 1 ELSE 0 END) AS reversed FROM outbox_events"
        " WHERE kind IN ('PAYMENT_ACCEPTED', 'PAYMENT_REVERSED') GROUP BY subject_id) e ON e.subject_id = p.id"
        " WHERE COALESCE(e.accepted, 0) <> 1"
        " OR COALESCE(e.reversed, 0) <> CASE WHEN p.status = 'REVERSED' THEN 1 ELSE 0 END",
    ),
)


async def breach(session: Session, invariant: Invariant) -> Breach | None:
    """None when the invariant holds."""
    rows = await session.fetch(f"{invariant.query} LIMIT {EXAMPLES}")
    return Breach(invariant.sentence, [str(row["broken"]) for row in rows]) if rows else None
