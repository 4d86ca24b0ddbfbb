"""Reversals over HTTP: by the bank that recorded, before the cut, with a reason; else nothing."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.services import clearing
from tests.builders import bank_principal, officer
from tests.client import House
from tests.models.stock import snapshot
from tests.schema.test_recording import BANK, ONE, Change, item, named

REVERSE = """mutation($input: ReversePaymentInput!) { reversePayment(input: $input) {
    payment { id status due { status } } userErrors { code field rule } } }"""


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"paymentId": "Payment:00000000-0000-0000-0000-000000000007"}, "NOT_FOUND", "paymentId"),
        ({"paymentId": "garbage"}, "NOT_FOUND", "paymentId"),
        ({"paymentId": ""}, "NOT_FOUND", "paymentId"),
        ({"reason": ""}, "INVALID_REASON", "reason"),
        ({"reason": "   "}, "INVALID_REASON", "reason"),
        ({"reason": "x" * 201}, "INVALID_REASON", "reason"),
        ({"reason": "a\x00b"}, "INVALID_REASON", "reason"),
    ],
    ids=named,
)
async def test_a_reversal_with_one_wrong_value_is_refused_there_and_leaves_no_trace(
    house: House, change: Change, code: str, field: str
) -> None:
    payment_id = await _recorded(house)
    before = await snapshot()

    data = await house.data(
        BANK, REVERSE, input={"paymentId": payment_id, "reason": "teller error", **change}
    )

    assert data["reversePayment"]["payment"] is None
    assert data["reversePayment"]["userErrors"] == [{"code": code, "field": [field], "rule": None}]
    assert await snapshot() == before


async def test_a_reversal_opens_the_due_again_and_a_second_one_does_nothing(house: House) -> None:
    payment_id = await _recorded(house)
    asked = {"paymentId": payment_id, "reason": "teller error"}

    first = await house.data(BANK, REVERSE, input=asked)
    before = await snapshot()
    second = await house.data(BANK, REVERSE, input=asked)

    payment = first["reversePayment"]["payment"]
    assert payment == {"id": payment_id, "status": "REVERSED", "due": {"status": "OPEN"}}
    assert second["reversePayment"]["userErrors"] == [
        {"code": "ILLEGAL_TRANSITION", "field": ["paymentId"], "rule": "R38"}
    ]
    assert await snapshot() == before


@pytest.mark.parametrize("steps", [1, 2, 3, 4], ids=["cut", "balanced", "remitted", "settled"])
async def test_behind_the_cut_a_reversal_is_refused_by_its_batch_and_leaves_no_trace(
    house: House, steps: int
) -> None:
    payment_id = await _recorded(house)
    page = await house.data(BANK, "{ payments(first: 1) { nodes { clearingBatch { id } } } }")
    batch_id = UUID(page["payments"]["nodes"][0]["clearingBatch"]["id"].split(":")[1])
    await clearing.cut(batch_id, officer())
    if steps > 1:
        await clearing.confirm_totals(clearing.ConfirmTotals(batch_id, 1, 39_500), bank_principal("314"))
    if steps > 2:
        await clearing.remit(batch_id, "RM-1", officer("first"))
    if steps > 3:
        await clearing.confirm_credit(clearing.ConfirmCredit(batch_id, "TR-1", 39_500), officer("second"))
    before = await snapshot()

    data = await house.data(BANK, REVERSE, input={"paymentId": payment_id, "reason": "too late"})

    assert data["reversePayment"]["userErrors"] == [
        {"code": "BATCH_NOT_OPEN", "field": ["paymentId"], "rule": "R38"}
    ]
    assert await snapshot() == before


async def _recorded(house: House) -> str:
    data = await house.data(BANK, ONE, input=item(await house.office.due(), "A"))
    return str(data["recordPayment"]["payment"]["id"])
