"""Query counts: a page of a hundred takes as many statements as a page of ten, a list of 500 as many as one."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from app.principal import Principal
from app.services import clearing, reference
from app.services.payments import Recorded, record_payments
from models.payers import Payer
from tests.builders import ADMIN, AUDITOR, PAID_AT, Office, bank_principal, officer, payer_principal
from tests.client import House
from tests.schema.counting import count_statements

HUNDRED = 100
# Two locks, the repeats, the totals; and each table that a list writes to.
MOST_FOR_A_LIST = 16
PAYMENTS = """query($first: Int!) { payments(first: $first) { totalCount nodes { id amount status receiptNumber
    due { id status payer { id name idNumber region { name parent { name } } } }
    handlingBank { name } clearingBank { name } clearingBatch { number status paymentCount totalAmount } } } }"""
TOTALS = """query($first: Int!) { payments(first: $first) { nodes { id clearingBatch { number
    handlingBankTotals { bank { name } paymentCount totalAmount } } } } }"""
DUES = """query($first: Int!) { dues(first: $first) { totalCount nodes { id status amount
    payer { id name phone region { name } } payment { id amount handlingBank { name } clearingBatch { number } }
    explanation { rule text inputs } } } }"""
PAYERS = """query($first: Int!) { payers(first: $first) { totalCount nodes { id name region { name parent { name } }
    dues { id status payment { id } } agreements { id } } } }"""
BATCHES = """query($first: Int!) { clearingBatches(first: $first) { totalCount nodes { id number status paymentCount totalAmount
    clearingBank { name } handlingBankTotals { bank { name } paymentCount totalAmount } } } }"""
RECORD = """mutation($input: RecordPaymentsInput!) { recordPayments(input: $input) {
    acceptedCount results { payment { id status receiptNumber handlingBank { name } } } } }"""
RELATED = """mutation($input: RecordPaymentsInput!) { recordPayments(input: $input) {
    acceptedCount results { payment { id due { status payer { name } } clearingBatch { number } } } } }"""


async def people(office: Office, number: int) -> list[Payer]:
    return [await office.payer("370215") for _ in range(number)]


async def a_hundred_payments(office: Office) -> None:
    """Payments of several banks, in several batches."""
    dues = [await office.due(person) for person in await people(office, HUNDRED)]
    banks = ("103", "104", "105", "314")
    outcomes = await record_payments([office.command(due, bank=banks[n % 4]) for n, due in enumerate(dues)])
    assert all(isinstance(outcome, Recorded) for outcome in outcomes)


async def _counted(
    house: House, monkeypatch: pytest.MonkeyPatch, caller: Principal, text: str
) -> dict[int, Counter[str]]:
    """Statements for a page of ten and a page of a hundred, the reference data read before."""
    # The feed reads the outbox when it likes: its statements are not the page's.
    await house.feed.stop()
    await reference.load()
    statements = count_statements(monkeypatch)
    found = {}
    for first in (10, HUNDRED):
        statements.taken()
        data = await house.data(caller, text, first=first)
        found[first] = statements.taken()
        [page] = data.values()
        assert len(page["nodes"]) == first
    return found


@pytest.mark.parametrize(
    ("text", "most"), [(PAYMENTS, 6), (TOTALS, 3), (DUES, 6)], ids=["payments", "totals", "dues"]
)
@pytest.mark.parametrize(
    "caller", [AUDITOR, ADMIN, officer("officer-1", "370215")], ids=lambda caller: caller.role.value
)
async def test_a_page_of_a_hundred_takes_no_more_statements_than_one_of_ten(
    house: House, monkeypatch: pytest.MonkeyPatch, text: str, most: int, caller: Principal
) -> None:
    await a_hundred_payments(house.office)

    counts = await _counted(house, monkeypatch, caller, text)

    assert counts[10] == counts[HUNDRED]
    assert 0 < counts[HUNDRED].total() <= most


async def test_people_with_their_dues_take_no_more_statements_in_a_page_of_a_hundred(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_hundred_payments(house.office)

    counts = await _counted(house, monkeypatch, AUDITOR, PAYERS)

    assert counts[10] == counts[HUNDRED]
    assert counts[HUNDRED].total() <= 4


@pytest.mark.parametrize(
    "caller", [bank_principal("314"), bank_principal("103")], ids=["clearing bank", "handling bank"]
)
async def test_a_bank_reads_a_hundred_payments_with_no_more_statements_than_ten(
    house: House, monkeypatch: pytest.MonkeyPatch, caller: Principal
) -> None:
    dues = [await house.office.due(person) for person in await people(house.office, HUNDRED)]
    await record_payments([house.office.command(due, bank="103") for due in dues])

    counts = await _counted(house, monkeypatch, caller, PAYMENTS)

    assert counts[10] == counts[HUNDRED]


async def test_a_household_of_a_hundred_takes_no_more_statements_than_one_of_ten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = house.office
    head = await office.payer("370215")
    members = [await office.payer("370215", household=head.household_id) for _ in range(HUNDRED)]
    await record_payments([office.command(await office.due(member)) for member in members])

    counts = await _counted(house, monkeypatch, payer_principal(head), DUES)

    assert counts[10] == counts[HUNDRED]


async def test_batches_with_their_totals_take_no_more_statements_for_a_hundred_than_for_ten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for due in await house.office.dues(HUNDRED):
        [outcome] = await record_payments([house.office.command(due)])
        assert isinstance(outcome, Recorded)
        await clearing.cut(outcome.payment.clearing_batch_id, officer())

    counts = await _counted(house, monkeypatch, bank_principal("314"), BATCHES)

    assert counts[10] == counts[HUNDRED]
    assert counts[HUNDRED].total() <= 3


async def _recorded(
    house: House, monkeypatch: pytest.MonkeyPatch, text: str, sizes: tuple[int, ...]
) -> dict[int, Counter[str]]:
    """Statements for lists of these sizes, into a batch that is open already."""
    office = house.office
    owed = {size: [await office.due(person) for person in await people(office, size)] for size in sizes}
    await record_payments([office.command(await office.due())])
    await house.feed.stop()
    statements = count_statements(monkeypatch)
    counts: dict[int, Counter[str]] = {}
    for size, dues in owed.items():
        items: list[dict[str, Any]] = [
            {
                "dueId": f"Due:{due.id}",
                "amount": "395.00",
                "channel": "KIOSK",
                "bankReference": f"of {due.id}",
                "paidAt": PAID_AT.isoformat(),
            }
            for due in dues
        ]
        await reference.load()
        statements.taken()
        data = await house.data(bank_principal("103"), text, input={"payments": items})
        counts[size] = statements.taken()
        assert data["recordPayments"]["acceptedCount"] == size
    return counts


async def test_a_list_of_500_payments_takes_no_more_statements_than_a_single_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = await _recorded(house, monkeypatch, RECORD, (1, 10, 500))

    assert counts[1] == counts[10] == counts[500]
    assert counts[500].total() <= MOST_FOR_A_LIST


async def test_what_a_list_shows_of_its_payments_relations_is_read_by_the_hundred_and_not_one_by_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A long answer is completed in slices, so that others get their turn: each slice reads its relations once.
    counts = await _recorded(house, monkeypatch, RELATED, (1, 100, 500))

    relations = 3
    assert counts[100] == counts[1]
    assert counts[500].total() - counts[1].total() <= relations * 4


@pytest.mark.parametrize("outcome", ["recorded", "repeated", "refused"])
async def test_the_service_reads_and_writes_500_payments_with_no_more_statements_than_one(
    office: Office, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    changes: dict[str, Any] = {"amount": 1} if outcome == "refused" else {}
    owed = {
        size: [await office.due(person) for person in await people(office, size)] for size in (1, 10, 500)
    }
    await record_payments([office.command(await office.due())])
    statements = count_statements(monkeypatch)
    counts: dict[int, Counter[str]] = {}

    for size, dues in owed.items():
        commands = [office.command(due, **changes) for due in dues]
        if outcome == "repeated":
            await record_payments(commands)
        await reference.load()
        statements.taken()
        await record_payments(commands)
        counts[size] = statements.taken()

    assert counts[1] == counts[10] == counts[500]
    assert counts[500].total() <= MOST_FOR_A_LIST
