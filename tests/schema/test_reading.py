"""Reading: filters, states through the batch, explanations, relations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from app.vocabulary import ClearingBatchStatus, DueStatus, PaymentStatus
from tests.builders import AUDITOR, Office, bank_principal, make_id_number, officer, payer_principal
from tests.schema.reading_stage import City, city

Status = ClearingBatchStatus


@pytest.fixture
async def stage(office: Office) -> AsyncIterator[City]:
    async with city(office) as made:
        yield made


PAYMENTS_BY_STATUS = {
    PaymentStatus.ACCEPTED: ["UNBALANCED", "CUT", "OPEN", "pension"],
    PaymentStatus.CLEARED: ["REMITTED", "BALANCED"],
    PaymentStatus.SETTLED: ["SETTLED"],
    PaymentStatus.REVERSED: ["reversed"],
    PaymentStatus.REFUNDED: [],
}
DUES_BY_STATUS = {
    DueStatus.OPEN: ["reversed", "open", "half"],
    DueStatus.HELD: ["held"],
    DueStatus.PAID: ["REMITTED", "BALANCED", "UNBALANCED", "CUT", "OPEN", "pension"],
    DueStatus.SETTLED: ["SETTLED"],
    DueStatus.REFUNDED: [],
    DueStatus.EXEMPT: ["exempt"],
    DueStatus.CANCELLED: ["cancelled"],
    DueStatus.EXPIRED: ["expired"],
}


@pytest.mark.parametrize("status", PaymentStatus)
async def test_a_payment_has_the_state_of_its_batch_in_lists_nodes_and_filters_and_no_other(
    stage: City, status: PaymentStatus
) -> None:
    expected = [stage.payments[name] for name in PAYMENTS_BY_STATUS[status]]

    assert await stage.ids("payments", f"status: {status.value}") == expected
    for payment_id in expected:
        text = "query($id: ID!) { node(id: $id) { ... on Payment { status } } }"
        assert await stage.house.data(AUDITOR, text, id=payment_id) == {"node": {"status": status.value}}


@pytest.mark.parametrize("status", DueStatus)
async def test_a_due_has_the_state_of_its_payments_batch_in_lists_nodes_and_filters_and_no_other(
    stage: City, status: DueStatus
) -> None:
    expected = [stage.dues[name] for name in DUES_BY_STATUS[status]]

    assert await stage.ids("dues", f"status: {status.value}") == expected
    for due_id in expected:
        text = "query($id: ID!) { node(id: $id) { ... on Due { status payment { status due { status } } } } }"
        node = (await stage.house.data(AUDITOR, text, id=due_id))["node"]
        assert node["status"] == status.value
        paid = status in {DueStatus.PAID, DueStatus.SETTLED}
        assert (node["payment"] is not None) is paid
        if paid:
            assert node["payment"]["due"]["status"] == status.value


@pytest.mark.parametrize("status", ClearingBatchStatus)
async def test_a_batch_is_found_by_its_state_and_by_no_other(
    stage: City, status: ClearingBatchStatus
) -> None:
    expected = [stage.batches[status]] + ([stage.batches["pension"]] if status is Status.OPEN else [])

    assert await stage.ids("clearingBatches", f"status: {status.value}") == expected


CLEARED_BY_314 = ["SETTLED", "REMITTED", "BALANCED", "UNBALANCED", "CUT", "OPEN", "reversed"]


@pytest.mark.parametrize(
    ("filter_text", "names"),
    [
        ("", [*CLEARED_BY_314, "pension"]),
        ("scheme: PENSION", ["pension"]),
        ("scheme: MEDICAL", CLEARED_BY_314),
        ("channel: KIOSK", CLEARED_BY_314[:5]),
        ("channel: BATCH_DEBIT", []),
        ('bankCode: "104"', ["pension"]),
        ('bankCode: "314"', ["reversed"]),
        ('bankCode: "105"', []),
        ('bankCode: "999"', []),
        ('bankCode: ""', []),
        ('businessDate: "2019-10-08"', [*CLEARED_BY_314, "pension"]),
        ('businessDate: "2019-10-09"', []),
        ('regionCode: "370200"', [*CLEARED_BY_314, "pension"]),
        ('regionCode: "370203"', ["pension"]),
        ('regionCode: "370215"', CLEARED_BY_314),
        ('regionCode: "370282"', CLEARED_BY_314),
        ('regionCode: "370282001"', ["OPEN"]),
        ('regionCode: "370215001"', ["OPEN"]),
        ('regionCode: "999999"', []),
        ('regionCode: ""', []),
        ('regionCode: "3702%"', []),
        ('scheme: MEDICAL, channel: KIOSK, status: CLEARED, bankCode: "103"', ["REMITTED", "BALANCED"]),
        ('scheme: PENSION, bankCode: "103"', []),
    ],
)
async def test_payments_are_narrowed_by_all_that_is_given_and_by_nothing_else(
    stage: City, filter_text: str, names: list[str]
) -> None:
    assert await stage.ids("payments", filter_text) == [stage.payments[name] for name in names]


UNPAID_ELSEWHERE = ["open", "held", "exempt", "half", "cancelled", "expired"]


@pytest.mark.parametrize(
    ("filter_text", "names"),
    [
        ("", [*CLEARED_BY_314, "pension", *UNPAID_ELSEWHERE]),
        ("scheme: PENSION", ["pension"]),
        ("benefitYear: 2020, scheme: MEDICAL", [*CLEARED_BY_314, *UNPAID_ELSEWHERE]),
        ("benefitYear: 2021", []),
        ("benefitYear: -1", []),
        ('regionCode: "370203"', ["pension", *UNPAID_ELSEWHERE]),
        ('regionCode: "370282"', CLEARED_BY_314),
        ('regionCode: "999999"', []),
        ('regionCode: "370203", status: OPEN', ["open", "half"]),
        ('regionCode: "370215", status: SETTLED, scheme: MEDICAL', ["SETTLED"]),
        ('regionCode: "370203", status: PAID', ["pension"]),
    ],
)
async def test_dues_are_narrowed_by_all_that_is_given_and_by_nothing_else(
    stage: City, filter_text: str, names: list[str]
) -> None:
    assert await stage.ids("dues", filter_text) == [stage.dues[name] for name in names]


@pytest.mark.parametrize(
    ("filter_text", "names"),
    [
        ('clearingBankCode: "314"', ["SETTLED", "REMITTED", "BALANCED", "UNBALANCED", "CUT", "OPEN"]),
        ('clearingBankCode: "105"', ["pension"]),
        ('clearingBankCode: "103"', []),
        ('clearingBankCode: "999"', []),
        ("scheme: PENSION", ["pension"]),
        ('businessDate: "2019-10-08", scheme: PENSION', ["pension"]),
        ('businessDate: "2019-10-07"', []),
        ('clearingBankCode: "314", status: OPEN', ["OPEN"]),
    ],
)
async def test_batches_are_narrowed_by_all_that_is_given_and_by_nothing_else(
    stage: City, filter_text: str, names: list[str]
) -> None:
    assert await stage.ids("clearingBatches", filter_text) == [stage.batches[name] for name in names]


async def test_a_filter_never_shows_what_is_out_of_sight(stage: City) -> None:
    text = "query($f: PaymentFilter) { payments(first: 100, filter: $f) { nodes { id } totalCount } }"
    one_region = officer("officer-1", "370203")

    own = await stage.house.data(one_region, text, f={"regionCode": "370203"})
    foreign = await stage.house.data(one_region, text, f={"regionCode": "370215"})
    everywhere = await stage.house.data(one_region, text, f={"regionCode": "370200"})
    other_bank = await stage.house.data(bank_principal("104"), text, f={"bankCode": "103"})

    assert own == everywhere == {"payments": {"nodes": [{"id": stage.payments["pension"]}], "totalCount": 1}}
    assert foreign == other_bank == {"payments": {"nodes": [], "totalCount": 0}}


async def test_people_are_found_by_id_number_and_region_and_an_unreadable_number_finds_nobody(
    office: Office, stage: City
) -> None:
    number = make_id_number()
    person = await office.payer("370215001", id_number=number)

    assert await stage.ids("payers", f'idNumber: "{number}"') == [f"Payer:{person.id}"]
    assert await stage.ids("payers", f'idNumber: "{number.lower()}", regionCode: "370282"') == [
        f"Payer:{person.id}"
    ]
    assert await stage.ids("payers", f'idNumber: "{number}", regionCode: "370203"') == []
    assert await stage.ids("payers", f'idNumber: "{make_id_number()}"') == []
    answer = await stage.house.ask(
        AUDITOR, '{ payers(first: 1, filter: {idNumber: "370215"}) { nodes { id } } }'
    )
    assert (answer.codes, answer.data) == (["BAD_INPUT"], None)
    assert "370215" not in str(answer.errors)


EXPLANATION = "query($id: ID!) { node(id: $id) { ... on Due { explanation { rule text inputs } } } }"


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        (
            "open",
            {
                "R05": ["benefitYear 2020", "ADULT_TIER_2", "amount 395.00"],
                "R37": ["payableFrom 2019-09-01", "payableUntil 2019-12-31"],
                "R07": ["personalAmount 395.00", "status OPEN"],
            },
        ),
        (
            "half",
            {
                "R05": ["benefitYear 2020", "ADULT_TIER_2", "amount 395.00"],
                "R08": ["personalAmount 197.50", "subsidyAmount 197.50"],
                "R37": ["payableFrom 2019-09-01", "payableUntil 2019-12-31"],
                "R07": ["personalAmount 197.50", "status OPEN"],
            },
        ),
        (
            "exempt",
            {
                "R05": ["benefitYear 2020", "ADULT_TIER_2", "amount 395.00"],
                "R09": ["personalAmount 0.00", "subsidyAmount 395.00"],
                "R37": ["payableFrom 2019-09-01", "payableUntil 2019-12-31"],
                "R07": ["personalAmount 0.00", "status EXEMPT"],
            },
        ),
        (
            "pension",
            {
                "R15": ["benefitYear 2020", "ADULT_TIER_2", "amount 395.00"],
                "R37": ["payableFrom 2019-09-01", "payableUntil 2019-12-31"],
                "R07": ["personalAmount 395.00", "status PAID"],
            },
        ),
    ],
)
async def test_a_due_explains_its_amount_and_state_by_rules_and_invents_none(
    stage: City, name: str, steps: dict[str, list[str]]
) -> None:
    answers = [
        await stage.house.data(AUDITOR, EXPLANATION, language=language, id=stage.dues[name])
        for language in ("en", "zh-CN")
    ]

    for answer, language in zip(answers, ("en", "zh-CN"), strict=True):
        explanation = answer["node"]["explanation"]
        assert {step["rule"]: step["inputs"] for step in explanation} == steps
        for step in explanation:
            rule = await stage.house.data(
                AUDITOR,
                "query($r: String!) { explainRule(id: $r) { text } }",
                language=language,
                r=step["rule"],
            )
            assert step["text"] == rule["explainRule"]["text"]


async def test_payable_dues_are_those_that_can_be_paid_now_and_no_others(office: Office, stage: City) -> None:
    text = "query($n: String!, $s: Scheme) { payableDues(idNumber: $n, scheme: $s) { id scheme } }"
    number = make_id_number()
    person = await office.payer(id_number=number)
    medical = await office.due(person)
    bank = bank_principal("103")

    both = await stage.house.data(bank, text, n=number)
    pension = await stage.house.data(bank, text, n=number, s="PENSION")
    lower = await stage.house.data(bank, text, n=number.lower())
    answer = await stage.house.ask(bank, text, n=number[:-1])

    assert both == lower == {"payableDues": [{"id": f"Due:{medical.id}", "scheme": "MEDICAL"}]}
    assert pension == {"payableDues": []}
    assert (answer.codes, answer.data) == (["BAD_INPUT"], None)
    assert number[:-1] not in str(answer.errors)


@pytest.mark.parametrize("name", ["held", "exempt", "cancelled", "expired", "SETTLED", "OPEN"])
async def test_a_due_that_cannot_be_paid_is_not_offered(office: Office, stage: City, name: str) -> None:
    text = "query($id: ID!) { node(id: $id) { ... on Due { payer { id } } } }"
    payer_id = (await stage.house.data(AUDITOR, text, id=stage.dues[name]))["node"]["payer"]["id"]
    from models.payers import Payer

    person = await Payer.get(id=UUID(payer_id.split(":")[1]))
    number = office.keys.open(bytes(person.id_number))

    data = await stage.house.data(
        bank_principal("103"), "query($n: String!) { payableDues(idNumber: $n) { id } }", n=number
    )

    assert data == {"payableDues": []}


async def test_personal_data_is_masked_for_everybody_and_the_name_for_all_but_the_household(
    office: Office, stage: City
) -> None:
    person = await office.payer(id_number="11010519491231002X")
    text = "query($id: ID!) { node(id: $id) { ... on Payer { name idNumber phone region { code parent { code } } } } }"
    seen_by: dict[str, Any] = {}

    for name, caller in {"auditor": AUDITOR, "officer": officer(), "self": payer_principal(person)}.items():
        seen_by[name] = (await stage.house.data(caller, text, id=f"Payer:{person.id}"))["node"]

    masked = {
        "name": "于**",
        "idNumber": "110***********002X",
        "phone": "154****1234",
        "region": {"code": "370215", "parent": {"code": "370200"}},
    }
    assert seen_by == {"auditor": masked, "officer": masked, "self": {**masked, "name": "于小满"}}


async def test_the_route_of_a_bank_depends_on_the_day_and_on_nothing_else(stage: City) -> None:
    text = """query($on: Date) { banks { code role clearingBank(on: $on) { code } } }"""

    today = (await stage.house.data(AUDITOR, text))["banks"]
    earlier = (await stage.house.data(AUDITOR, text, on="2019-08-31"))["banks"]

    assert {bank["code"]: bank["clearingBank"]["code"] for bank in today} == {
        "103": "314", "104": "105", "105": "105", "314": "314",
    }  # fmt: skip
    assert {bank["code"]: bank["clearingBank"]["code"] for bank in earlier}["104"] == "314"


@pytest.mark.parametrize("on", ["2019-13-01", "2019-1-1", "yesterday", "", 20190101, "2019-10-08T00:00:00Z"])
async def test_a_day_that_is_none_is_a_bad_request_and_no_guess(stage: City, on: object) -> None:
    answer = await stage.house.ask(
        AUDITOR, "query($on: Date) { banks { clearingBank(on: $on) { code } } }", on=on
    )

    assert (answer.codes, answer.data) == (["BAD_REQUEST"], None)
