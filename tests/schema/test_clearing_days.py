"""Numbers, days and routes of clearing batches as the API tells them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from app import clock
from app.clock import Clock
from app.services import reference
from app.services.payments import Recorded, record_payments
from app.vocabulary import BankRole, Scheme
from models.banks import Bank, ClearingRoute
from tests.builders import AUDITOR, bank_principal, officer
from tests.client import House

CUT = """mutation($input: ClearingBatchInput!) { cutClearingBatch(input: $input) {
    batch { id number status cutAt } userErrors { code } } }"""
BATCHES = """{ clearingBatches(first: 100) { nodes {
    id number businessDate status scheme paymentCount totalAmount clearingBank { code } } } }"""


async def paid(house: House, bank: str = "103", scheme: Scheme = Scheme.MEDICAL) -> str:
    """One payment; the id of its batch."""
    [outcome] = await record_payments(
        [house.office.command(await house.office.due(scheme=scheme), bank=bank)]
    )
    assert isinstance(outcome, Recorded)
    return f"ClearingBatch:{outcome.payment.clearing_batch_id}"


async def cut(house: House, batch_id: str) -> dict[str, Any]:
    data = await house.data(officer(), CUT, input={"batchId": batch_id})
    assert data["cutClearingBatch"]["userErrors"] == []
    return dict(data["cutClearingBatch"]["batch"])


async def batches(house: House) -> list[dict[str, Any]]:
    return list((await house.data(AUDITOR, BATCHES))["clearingBatches"]["nodes"])


def at(local: str) -> None:
    """Let the office's clock stand at a local time."""
    starts_at = datetime.fromisoformat(local).replace(tzinfo=clock.OFFICE)
    clock.set_clock(Clock(starts_at=starts_at, made_at=datetime.now(UTC), pace=0.0))


@pytest.mark.parametrize(
    ("cut_at", "day", "number"),
    [
        ("2019-10-08T16:59:59", "2019-10-08", "314M2019100802"),
        ("2019-10-08T17:00:00", "2019-10-09", "314M2019100901"),
        ("2019-10-08T23:59:59", "2019-10-09", "314M2019100901"),
        ("2019-10-09T00:00:00", "2019-10-09", "314M2019100901"),
        ("2019-12-31T17:00:00", "2020-01-01", "314M2020010101"),
    ],
)
async def test_the_next_batch_is_of_the_same_day_until_the_cut_off_hour_and_of_no_day_gone_by(
    house: House, cut_at: str, day: str, number: str
) -> None:
    batch_id = await paid(house)
    at(cut_at)

    done = await cut(house, batch_id)

    [before, following] = await batches(house)
    assert (done["id"], done["status"], before["businessDate"]) == (batch_id, "CUT", "2019-10-08")
    assert (following["businessDate"], following["number"]) == (day, number)
    assert (following["status"], following["paymentCount"], following["totalAmount"]) == ("OPEN", 0, "0.00")


async def test_a_first_batch_after_the_cut_off_hour_is_tomorrows_and_its_next_one_is_not_todays(
    house: House,
) -> None:
    at("2019-10-08T18:00:00")
    due = await house.office.due()
    paid_at = datetime(2019, 10, 8, 9, 59, tzinfo=UTC)
    [outcome] = await record_payments([house.office.command(due, paid_at=paid_at)])
    assert isinstance(outcome, Recorded)
    # The clock of another machine may be behind.
    at("2019-10-08T16:00:00")

    await cut(house, f"ClearingBatch:{outcome.payment.clearing_batch_id}")

    numbers = [batch["number"] for batch in await batches(house)]
    assert numbers == ["314M2019100901", "314M2019100902"]


async def test_numbers_count_up_within_bank_scheme_and_day_and_none_is_used_twice(house: House) -> None:
    for _ in range(3):
        await cut(house, await paid(house))
    await paid(house, "104")
    await paid(house, scheme=Scheme.PENSION)

    numbers = sorted(batch["number"] for batch in await batches(house))

    assert numbers == [
        "105M2019100801",
        "314M2019100801",
        "314M2019100802",
        "314M2019100803",
        "314M2019100804",
        "314P2019100801",
    ]


async def test_a_new_bank_without_a_route_is_cleared_for_newcomers_and_nobody_had_to_say_so(
    house: House,
) -> None:
    house.office.banks["999"] = UUID(int=999)
    await Bank.create(
        id=UUID(int=999), code="999", name="新银行", name_english="New Bank", role=BankRole.HANDLING
    )
    reference.forget()

    batch_id = await paid(house, "999")

    [batch] = await batches(house)
    assert (batch["id"], batch["clearingBank"]["code"]) == (batch_id, "314")
    seen = await house.data(bank_principal("999"), BATCHES)
    assert [each["id"] for each in seen["clearingBatches"]["nodes"]] == [batch_id]


async def test_a_payment_keeps_the_route_of_its_day_and_a_later_route_does_not_move_it(house: House) -> None:
    before = await paid(house, "103")
    await ClearingRoute.create(
        id=uuid7(),
        handling_bank_id=house.office.banks["103"],
        clearing_bank_id=house.office.banks["105"],
        valid_from=date(2019, 10, 9),
    )
    reference.forget()
    same_day = await paid(house, "103")
    at("2019-10-09T10:00:00")
    next_day = await paid(house, "103")

    clearing_banks = {batch["id"]: batch["clearingBank"]["code"] for batch in await batches(house)}
    assert before == same_day != next_day
    assert clearing_banks == {before: "314", next_day: "105"}
