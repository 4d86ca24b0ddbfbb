"""Requests that nobody should send, each with the answer that must come; none may leave a trace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from app.rehearsal.bank import SimulatedBank
from app.rehearsal.cast import Cast
from app.rehearsal.client import GraphqlClient
from app.rehearsal.instructions import Instruction, Json, Slip
from app.rehearsal.operations import CLEARING_BATCHES, CUT, RECORD_PAYMENT, RECORD_PAYMENTS, Operation

INVALID_AMOUNTS = ("395.005", "1e3", "-1.00", "", "０.00", "395")
GARBAGE_BODIES = (b"", b"null", b"1", b'"x"', b"[]", b"{", b"\xff\xfe", b'{"query": 7}', b"[" * 5_000)
LIST_TOO_LONG = 1_001
FIVE_YEARS = timedelta(days=1_826)


async def make_mischief(cast: Cast, bank: SimulatedBank, slip: Slip, batch_id: str) -> None:
    """Send everything wrong once: content, callers, bytes. `slip` is open and stays so."""
    await _wrong_content(bank, slip, batch_id)
    await _too_long_a_list(bank, slip)
    await _wrong_callers(cast, bank, slip, batch_id)
    await _garbage(bank)


def unknown_dues(slip: Slip, batch_id: str) -> Sequence[str]:
    """Ids that name no due: of another type, altered, and no id at all."""
    return (batch_id, slip.due_id[:-4], "not-an-id", "")


async def _wrong_content(bank: SimulatedBank, slip: Slip, batch_id: str) -> None:
    for amount in INVALID_AMOUNTS:
        await _refused(bank, f"the amount {amount!r}", bank.instruct(slip, amount=amount), "INVALID_AMOUNT")
    for due_id in unknown_dues(slip, batch_id):
        unknown = bank.instruct(Slip(due_id, slip.amount, slip.scheme))
        await _refused(bank, f"the due {due_id[:12]!r}", unknown, "NOT_FOUND")
    await _refused(bank, "an empty reference", bank.instruct(slip, reference=""), "INVALID_REFERENCE")
    future = bank.instruct(slip).to_input() | {"paidAt": (bank.book.now + FIVE_YEARS).isoformat()}
    await _answered(bank.client, bank, "a future paidAt", RECORD_PAYMENT, {"input": future}, "INVALID_TIME")


async def _too_long_a_list(bank: SimulatedBank, slip: Slip) -> None:
    payments = [bank.instruct(slip).to_input() for _ in range(LIST_TOO_LONG)]
    variables = {"input": {"payments": payments}}
    await _answered(bank.client, bank, "a list of 1,001", RECORD_PAYMENTS, variables, "LIMIT_EXCEEDED")


async def _wrong_callers(cast: Cast, bank: SimulatedBank, slip: Slip, batch_id: str) -> None:
    payment = {"input": bank.instruct(slip).to_input()}
    callers: tuple[tuple[str, GraphqlClient, str], ...] = (
        ("nobody", cast.nobody, "UNAUTHENTICATED"),
        ("a forger", cast.forger, "UNAUTHENTICATED"),
        ("an auditor", cast.auditor, "FORBIDDEN"),
        ("an officer", cast.officer_1, "FORBIDDEN"),
        ("an admin", cast.admin, "FORBIDDEN"),
    )
    for name, client, code in callers:
        await _answered(client, bank, f"{name} recording a payment", RECORD_PAYMENT, payment, code)
    cut = {"input": {"batchId": batch_id}}
    await _answered(bank.client, bank, "a bank cutting a batch", CUT, cut, "FORBIDDEN")
    await _answered(cast.auditor, bank, "an auditor cutting a batch", CUT, cut, "FORBIDDEN")
    await _answered(
        cast.nobody, bank, "nobody listing batches", CLEARING_BATCHES, {"first": 1}, "UNAUTHENTICATED"
    )


async def _garbage(bank: SimulatedBank) -> None:
    for body in GARBAGE_BODIES:
        status = await bank.client.post_raw(body)
        bank.book.expect(f"the body {body[:12]!r}", f"status {status // 100}xx", {"status 4xx"})


async def _refused(bank: SimulatedBank, situation: str, instruction: Instruction, code: str) -> None:
    answer = await bank.offer(instruction)
    bank.book.expect(situation, answer.verdict, {code})


async def _answered(
    client: GraphqlClient,
    bank: SimulatedBank,
    situation: str,
    operation: Operation,
    variables: Json,
    code: str,
) -> None:
    answer = await client.execute(operation, variables)
    verdict = answer.faults[0] if answer.faults else _refusal(answer.data)
    bank.book.expect(situation, verdict, {code})


def _refusal(data: Json | None) -> str:
    for payload in (data or {}).values():
        if isinstance(payload, dict) and payload.get("userErrors"):
            return str(payload["userErrors"][0]["code"])
    return "no refusal"
