"""Bad input over HTTP: a precise refusal at its path, and no trace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.dues import Due
from tests.builders import NOW, PAID_AT, bank_principal
from tests.client import House
from tests.models.stock import snapshot

BANK = bank_principal("103")
ONE = """mutation($input: RecordPaymentInput!) { recordPayment(input: $input) {
    payment { id amount status bankReference businessDate receiptNumber paidAt } alreadyRecorded
    userErrors { code message field rule } } }"""
MANY = """mutation($input: RecordPaymentsInput!) { recordPayments(input: $input) {
    results { payment { id } alreadyRecorded userErrors { code field rule } }
    acceptedCount refusedCount acceptedAmount } }"""
Change = dict[str, Any]


def item(due: Due, reference: str = "R", **changes: Any) -> dict[str, Any]:
    """What a bank sends for a due of 395.00."""
    return {
        "dueId": f"Due:{due.id}",
        "amount": "395.00",
        "channel": "BANK_COUNTER",
        "bankReference": reference,
        "paidAt": PAID_AT.isoformat(),
        **changes,
    }


# What is wrong, the code, the field at fault and the rule.
REFUSED: list[tuple[Change, str, str, str | None]] = [
    ({"dueId": "Due:00000000-0000-0000-0000-000000000007"}, "NOT_FOUND", "dueId", None),
    ({"dueId": ""}, "NOT_FOUND", "dueId", None),
    ({"dueId": "garbage"}, "NOT_FOUND", "dueId", None),
    ({"dueId": "Due:7"}, "NOT_FOUND", "dueId", None),
    ({"dueId": "\x00"}, "NOT_FOUND", "dueId", None),
    ({"dueId": 7}, "NOT_FOUND", "dueId", None),
    ({"amount": "394.99"}, "AMOUNT_MISMATCH", "amount", "R07"),
    ({"amount": "395.01"}, "AMOUNT_MISMATCH", "amount", "R07"),
    ({"amount": "0.00"}, "AMOUNT_MISMATCH", "amount", "R07"),
    ({"amount": "99999999999999.99"}, "AMOUNT_MISMATCH", "amount", "R07"),
    *(
        ({"amount": amount}, "INVALID_AMOUNT", "amount", "R04")
        for amount in (
            "395.005",
            "1e3",
            "-1.00",
            "",
            "395",
            "395.0",
            "+395.00",
            " 395.00",
            "395,00",
            "0395.00",
        )
    ),
    *(
        ({"amount": amount}, "INVALID_AMOUNT", "amount", "R04")
        for amount in (
            395,
            395.0,
            True,
            ["395.00"],
            "３９５.００",
            "395.00\x00",
            "999999999999999.99",
            "NaN",
            "9" * 300,
        )
    ),
    ({"bankReference": ""}, "INVALID_REFERENCE", "bankReference", None),
    ({"bankReference": "a\x00b"}, "INVALID_REFERENCE", "bankReference", None),
    ({"bankReference": "x" * 65}, "INVALID_REFERENCE", "bankReference", None),
    ({"bankReference": " a"}, "INVALID_REFERENCE", "bankReference", None),
    ({"bankReference": "a\n"}, "INVALID_REFERENCE", "bankReference", None),
    ({"collectionPointCode": ""}, "INVALID_VALUE", "collectionPointCode", None),
    ({"collectionPointCode": "x" * 31}, "INVALID_VALUE", "collectionPointCode", None),
    ({"paidAt": (NOW + timedelta(hours=1)).isoformat()}, "INVALID_TIME", "paidAt", None),
    ({"paidAt": "9999-12-31T23:59:59Z"}, "INVALID_TIME", "paidAt", None),
    *(
        ({"paidAt": text}, "INVALID_TIME", "paidAt", None)
        for text in (
            "2019-10-08T09:30:00",
            "2019-10-08",
            "",
            "yesterday",
            "2019-02-30T10:00:00Z",
            "2019-10-08T25:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            1570500000,
        )
    ),
    ({"paidAt": "2019-08-31T23:59:59+08:00"}, "OUTSIDE_COLLECTION_PERIOD", "paidAt", "R37"),
    ({"paidAt": "0001-01-01T00:00:00Z"}, "OUTSIDE_COLLECTION_PERIOD", "paidAt", "R37"),
]


def named(value: object) -> str:
    return repr(value)[:50]


@pytest.mark.parametrize(("change", "code", "field", "rule"), REFUSED, ids=named)
async def test_a_payment_with_one_wrong_value_is_refused_there_and_leaves_no_trace(
    house: House, change: Change, code: str, field: str, rule: str | None
) -> None:
    due = await house.office.due()
    before = await snapshot()

    data = await house.data(BANK, ONE, input=item(due, **change))

    payload = data["recordPayment"]
    [error] = payload["userErrors"]
    assert (error["code"], error["field"], error["rule"]) == (code, [field], rule)
    assert error["message"]
    assert (payload["payment"], payload["alreadyRecorded"]) == (None, False)
    assert await snapshot() == before


async def test_an_id_of_another_type_is_answered_like_one_of_nothing_and_leaves_no_trace(
    house: House,
) -> None:
    due = await house.office.due()
    before = await snapshot()

    answers = [
        await house.data(BANK, ONE, input=item(due, dueId=f"{type_name}:{key}"))
        for type_name in ("Payer", "Payment", "ClearingBatch", "Bank", "Region", "due")
        for key in (due.id, due.payer_id)  # type: ignore[attr-defined]
    ]

    nothing = await house.data(BANK, ONE, input=item(due, dueId="Due:00000000-0000-0000-0000-000000000007"))
    assert all(answer == nothing for answer in answers)
    assert await snapshot() == before


# What the type of a value forbids is an error of the request, not of an item.
@pytest.mark.parametrize(
    "change",
    [
        {"channel": "CHEQUE"},
        {"channel": None},
        {"dueId": None},
        {"amount": None},
        {"bankReference": None},
        {"bankReference": 7},
        {"paidAt": None},
        {"note": "more than is known"},
    ],
    ids=named,
)
async def test_a_value_that_the_schema_forbids_is_a_bad_request_and_leaves_no_trace(
    house: House, change: Change
) -> None:
    due = await house.office.due()
    before = await snapshot()

    one = await house.ask(BANK, ONE, input=item(due, **change))
    many = await house.ask(BANK, MANY, input={"payments": [item(due, "A"), item(due, **change)]})

    assert (set(one.codes), set(many.codes)) == ({"BAD_REQUEST"}, {"BAD_REQUEST"})
    assert (one.data, many.data) == (None, None)
    assert await snapshot() == before


@pytest.mark.parametrize(("change", "code", "field", "rule"), REFUSED, ids=named)
async def test_a_wrong_item_of_a_list_is_refused_at_its_path_and_stops_no_neighbour(
    house: House, change: Change, code: str, field: str, rule: str | None
) -> None:
    first, wrong, last = await house.office.dues(3)
    items = [item(first, "A"), item(wrong, **{"bankReference": "B", **change}), item(last, "C")]

    data = await house.data(BANK, MANY, input={"payments": items})

    payload = data["recordPayments"]
    [good, bad, also_good] = payload["results"]
    assert bad["userErrors"] == [{"code": code, "field": ["payments", "1", field], "rule": rule}]
    assert bad["payment"] is None
    assert good["payment"] is not None
    assert also_good["payment"] is not None
    assert (payload["acceptedCount"], payload["refusedCount"], payload["acceptedAmount"]) == (2, 1, "790.00")
    assert (await Due.get(id=wrong.id)).status == "OPEN"


async def test_one_list_with_every_kind_of_outcome_adds_up_and_pays_nothing_twice(house: House) -> None:
    due, other, third = await house.office.dues(3)
    await house.data(BANK, ONE, input=item(third, "before"))
    items = [
        item(due, "A"),
        item(due, "A"),
        item(due, "A", amount="1.00"),
        item(due, "B", amount="395.005"),
        item(due, "C"),
        item(other, "D", paidAt="2019-10-08T09:30:00"),
        item(other, "E"),
        item(third, "before"),
    ]

    payload = (await house.data(BANK, MANY, input={"payments": items}))["recordPayments"]

    codes = [[error["code"] for error in result["userErrors"]] for result in payload["results"]]
    assert codes == [
        [], [], ["REFERENCE_CONFLICT"], ["INVALID_AMOUNT"], ["DUE_ALREADY_PAID"], ["INVALID_TIME"], [], [],
    ]  # fmt: skip
    paths = [error["field"] for result in payload["results"] for error in result["userErrors"]]
    assert paths == [
        ["payments", "2", "bankReference"],
        ["payments", "3", "amount"],
        ["payments", "4", "dueId"],
        ["payments", "5", "paidAt"],
    ]
    assert [result["alreadyRecorded"] for result in payload["results"]] == [False, True, *[False] * 5, True]
    assert payload["acceptedCount"] + payload["refusedCount"] == len(items)
    assert (payload["acceptedCount"], payload["acceptedAmount"]) == (4, "1185.00")
    assert len((await snapshot())["payments"]) == 3


async def test_an_empty_list_is_answered_with_nothing_and_writes_nothing(house: House) -> None:
    before = await snapshot()

    data = await house.data(BANK, MANY, input={"payments": []})

    assert data["recordPayments"] == {
        "results": [], "acceptedCount": 0, "refusedCount": 0, "acceptedAmount": "0.00",
    }  # fmt: skip
    assert await snapshot() == before


async def test_1001_items_are_refused_together_and_not_one_is_recorded(house: House) -> None:
    due = await house.office.due()
    before = await snapshot()

    answer = await house.ask(BANK, MANY, input={"payments": [item(due, f"R{n}") for n in range(1_001)]})

    assert (answer.codes, answer.data) == (["LIMIT_EXCEEDED"], None)
    assert await snapshot() == before


async def test_1000_items_are_answered_one_by_one_and_none_is_left_out(house: House) -> None:
    due = await house.office.due()

    payload = (await house.data(BANK, MANY, input={"payments": [item(due, f"R{n}") for n in range(1_000)]}))[
        "recordPayments"
    ]

    assert (payload["acceptedCount"], payload["refusedCount"], payload["acceptedAmount"]) == (
        1,
        999,
        "395.00",
    )
    assert len(payload["results"]) == 1_000
    last = payload["results"][-1]["userErrors"]
    assert last == [{"code": "DUE_ALREADY_PAID", "field": ["payments", "999", "dueId"], "rule": None}]


async def test_a_reference_with_another_amount_shows_both_amounts_and_records_nothing(house: House) -> None:
    due = await house.office.due()
    await house.data(BANK, ONE, input=item(due, "A"))
    before = await snapshot()

    data = await house.data(BANK, ONE, input=item(due, "A", amount="100.00"))

    [error] = data["recordPayment"]["userErrors"]
    assert (error["code"], error["field"]) == ("REFERENCE_CONFLICT", ["bankReference"])
    assert "395.00" in error["message"]
    assert "100.00" in error["message"]
    assert await snapshot() == before


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        ({"channel": "KIOSK"}, "channel"),
        ({"paidAt": (PAID_AT - timedelta(microseconds=1)).isoformat()}, "paidAt"),
        ({"collectionPointCode": "W-1"}, "collectionPointCode"),
        ({"dueId": "Due:00000000-0000-0000-0000-000000000007"}, "dueId"),
        ({"amount": "395.01", "channel": "KIOSK"}, "amount, channel"),
    ],
    ids=named,
)
async def test_a_reference_with_any_other_content_says_what_differs_and_records_nothing(
    house: House, change: Change, differing: str
) -> None:
    due = await house.office.due()
    await house.data(BANK, ONE, input=item(due, "A"))
    before = await snapshot()

    data = await house.data(BANK, ONE, input=item(due, "A", **change))

    [error] = data["recordPayment"]["userErrors"]
    assert error["code"] == "REFERENCE_CONFLICT"
    assert error["message"].endswith(f"Differing: {differing}.")
    assert await snapshot() == before


@pytest.mark.parametrize(
    "paid_at",
    [
        "2019-10-08T09:30:00+08:00",
        "2019-10-08T09:30:00+0800",
        "2019-10-08T01:30:00Z",
        "2019-10-08t01:30:00z",
        "2019-10-08 01:30:00.000000000Z",
        "2019-10-07T21:30:00-04:00",
    ],
)
async def test_the_same_instant_in_other_words_is_the_same_payment_and_no_conflict(
    house: House, paid_at: str
) -> None:
    due = await house.office.due()
    first = await house.data(BANK, ONE, input=item(due, "A"))

    second = await house.data(BANK, ONE, input=item(due, "A", paidAt=paid_at))

    assert second["recordPayment"]["alreadyRecorded"] is True
    assert second["recordPayment"]["payment"] == first["recordPayment"]["payment"]
    assert second["recordPayment"]["payment"]["paidAt"] == "2019-10-08T01:30:00Z"
    assert len((await snapshot())["payments"]) == 1


async def test_a_recorded_payment_tells_its_batch_day_and_receipt_and_no_other(house: House) -> None:
    due = await house.office.due()

    payment = (await house.data(BANK, ONE, input=item(due, "A")))["recordPayment"]["payment"]

    assert payment["id"].startswith("Payment:")
    del payment["id"]
    assert payment == {
        "amount": "395.00",
        "status": "ACCEPTED",
        "bankReference": "A",
        "businessDate": "2019-10-08",
        "receiptNumber": "314M20191008010000001",
        "paidAt": "2019-10-08T01:30:00Z",
    }
