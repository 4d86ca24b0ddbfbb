"""Every operation of the contract: its text, what it is asked about, and who gets which outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.rules.money import format_money
from app.vocabulary import ClearingBatchStatus
from models.clearing import ClearingBatch
from tests.builders import PAID_AT
from tests.schema.callers import Caller, Scene

SEES = "sees it"
NOTHING = "sees nothing"
DONE = "done"
UNAUTHENTICATED = "UNAUTHENTICATED"
FORBIDDEN = "FORBIDDEN"
NOT_FOUND = "NOT_FOUND"

NOBODY = UUID(int=7)
Variables = dict[str, Any]
Row = Mapping[Caller, str]
_STRANGERS = (Caller.NOBODY, Caller.EXPIRED, Caller.FORGED)


def row(**outcomes: str) -> Row:
    """Who gets what: banks, staff and payers; who sends no good token gets UNAUTHENTICATED."""
    named = {caller.name.lower(): caller for caller in Caller}
    found = dict.fromkeys(_STRANGERS, UNAUTHENTICATED)
    found |= {named[name]: outcome for name, outcome in outcomes.items()}
    missing = set(Caller) - found.keys()
    assert not missing, f"nobody said what {missing} get"
    return found


def groups(banks: str, officers: str, payers: str, readers: str) -> Row:
    """The same for everybody of a kind; `readers`: auditor and admin."""
    return row(
        **dict.fromkeys(("another_bank", "clearing_bank", "handling_bank"), banks),
        **dict.fromkeys(("officer", "foreign_officer"), officers),
        **dict.fromkeys(("payer", "another_payer"), payers),
        **dict.fromkeys(("auditor", "admin"), readers),
    )


EVERYBODY = groups(SEES, SEES, SEES, SEES)
# What was handled by one bank, cleared by another, and belongs to a payer of one region.
THE_PAYMENT = row(
    another_bank=NOTHING,
    clearing_bank=SEES,
    handling_bank=SEES,
    officer=SEES,
    foreign_officer=NOTHING,
    payer=SEES,
    another_payer=NOTHING,
    auditor=SEES,
    admin=SEES,
)
THE_BATCH = {**THE_PAYMENT, Caller.FOREIGN_OFFICER: SEES, Caller.PAYER: NOTHING}
THE_PERSON = {**THE_PAYMENT, Caller.CLEARING_BANK: NOTHING, Caller.HANDLING_BANK: NOTHING}
PEOPLE = {
    **THE_PAYMENT,
    **dict.fromkeys((Caller.ANOTHER_BANK, Caller.CLEARING_BANK, Caller.HANDLING_BANK), FORBIDDEN),
}
BANKS_ONLY = groups(DONE, FORBIDDEN, FORBIDDEN, FORBIDDEN)
OFFICERS_ONLY = groups(FORBIDDEN, DONE, FORBIDDEN, FORBIDDEN)


@dataclass(frozen=True)
class Operation:
    """One operation. `absent` asks for something that does not exist; `found` tells whether data shows the subject."""

    name: str
    text: str
    outcomes: Row
    ask: Callable[[Scene], Awaitable[Variables]]
    found: Callable[[dict[str, Any], Scene], bool]
    absent: Callable[[Scene, Variables], Variables] | None = None
    writes: bool = False


def _about(make: Callable[[Scene], Variables]) -> Callable[[Scene], Awaitable[Variables]]:
    async def ask(scene: Scene) -> Variables:
        return make(scene)

    return ask


def _value(data: dict[str, Any], _scene: Scene) -> bool:
    """Whether anything but an empty answer came."""
    [value] = data.values()
    return bool(value) and value != [None]


def _node(type_name: str, key: Callable[[Scene], UUID], outcomes: Row) -> Operation:
    return Operation(
        f"node of type {type_name}",
        "query($id: ID!) { node(id: $id) { id __typename } }",
        outcomes,
        _about(lambda scene: {"id": f"{type_name}:{key(scene)}"}),
        _value,
        absent=lambda _scene, _variables: {"id": f"{type_name}:{NOBODY}"},
    )


def _page(name: str, subject: Callable[[Scene], str], outcomes: Row) -> Operation:
    return Operation(
        name,
        f"{{ {name}(first: 100) {{ nodes {{ id }} totalCount }} }}",
        outcomes,
        _about(lambda _scene: {}),
        lambda data, scene: {"id": subject(scene)} in data[name]["nodes"],
    )


QUERIES = [
    Operation("viewer", "{ viewer { role name } }", EVERYBODY, _about(lambda _s: {}), _value),
    Operation("banks", "{ banks { code } }", EVERYBODY, _about(lambda _s: {}), _value),
    _node("Payer", lambda scene: scene.payer.id, THE_PERSON),
    _node("Due", lambda scene: scene.paid.due_id, THE_PAYMENT),
    _node("Payment", lambda scene: scene.paid.id, THE_PAYMENT),
    _node("ClearingBatch", lambda scene: scene.paid.clearing_batch_id, THE_BATCH),
    _node("Bank", lambda scene: scene.office.banks["105"], EVERYBODY),
    _node("Region", lambda scene: scene.office.regions["370203"], EVERYBODY),
    Operation(
        "nodes",
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        THE_PAYMENT,
        _about(lambda scene: {"ids": [f"Payment:{scene.paid.id}"]}),
        _value,
        absent=lambda _scene, _variables: {"ids": [f"Payment:{NOBODY}"]},
    ),
    Operation(
        "payableDues",
        "query($number: String!) { payableDues(idNumber: $number) { id } }",
        {**THE_PAYMENT, Caller.ANOTHER_BANK: SEES},
        _about(lambda scene: {"number": scene.id_number}),
        _value,
        absent=lambda scene, _variables: {"number": scene.unknown_id_number},
    ),
    _page("payers", lambda scene: f"Payer:{scene.payer.id}", PEOPLE),
    Operation(
        "payers by id number",
        "query($number: String!) { payers(first: 5, filter: {idNumber: $number}) { nodes { id } totalCount } }",
        PEOPLE,
        _about(lambda scene: {"number": scene.id_number}),
        lambda data, _scene: bool(data["payers"]["nodes"]),
        absent=lambda scene, _variables: {"number": scene.unknown_id_number},
    ),
    _page("dues", lambda scene: f"Due:{scene.paid.due_id}", PEOPLE),
    _page("payments", lambda scene: f"Payment:{scene.paid.id}", THE_PAYMENT),
    _page(
        "clearingBatches",
        lambda scene: f"ClearingBatch:{scene.paid.clearing_batch_id}",
        {**THE_BATCH, Caller.PAYER: FORBIDDEN, Caller.ANOTHER_PAYER: FORBIDDEN},
    ),
    Operation(
        "paymentByReference",
        'query($reference: String!) { paymentByReference(bankReference: $reference, bankCode: "103") { id } }',
        THE_PAYMENT,
        _about(lambda scene: {"reference": scene.paid.bank_reference}),
        _value,
        absent=lambda _scene, _variables: {"reference": "nobody's"},
    ),
    Operation(
        "paymentByReference of the caller's own bank",
        "query($reference: String!) { paymentByReference(bankReference: $reference) { id } }",
        {**groups(NOTHING, NOTHING, NOTHING, NOTHING), Caller.HANDLING_BANK: SEES},
        _about(lambda scene: {"reference": scene.paid.bank_reference}),
        _value,
        absent=lambda _scene, _variables: {"reference": "nobody's"},
    ),
    Operation(
        "collectionProgress",
        "query($code: String) { collectionProgress(scheme: MEDICAL, benefitYear: 2020, by: CHANNEL,"
        " regionCode: $code) { key dueCount } }",
        {**groups(FORBIDDEN, SEES, FORBIDDEN, SEES), Caller.FOREIGN_OFFICER: NOTHING},
        _about(lambda _scene: {"code": "370215"}),
        _value,
        absent=lambda _scene, _variables: {"code": "999999"},
    ),
    Operation("updatesCursor", "{ updatesCursor }", EVERYBODY, _about(lambda _s: {}), _value),
    Operation(
        "explainRule",
        '{ explainRule(id: "R07") { text } }',
        dict.fromkeys(Caller, SEES),
        _about(lambda _s: {}),
        _value,
    ),
]


async def _recording(scene: Scene) -> Variables:
    due = await scene.fresh_due()
    return {
        "dueId": f"Due:{due.id}",
        "amount": "395.00",
        "channel": "KIOSK",
        "bankReference": f"of {due.id}",
        "paidAt": PAID_AT.isoformat(),
    }


async def _record_one(scene: Scene) -> Variables:
    return {"input": await _recording(scene)}


async def _record_many(scene: Scene) -> Variables:
    return {"input": {"payments": [await _recording(scene)]}}


async def _reverse(scene: Scene) -> Variables:
    return {"input": {"paymentId": f"Payment:{(await scene.fresh_payment()).id}", "reason": "teller error"}}


def _step(status: ClearingBatchStatus, **more: str) -> Callable[[Scene], Awaitable[Variables]]:
    async def ask(scene: Scene) -> Variables:
        batch = await ClearingBatch.get(id=await scene.batch_in(status))
        facts = {"total": format_money(batch.total_amount), "count": batch.payment_count}
        values = {name: facts.get(value, value) for name, value in more.items()}
        return {"input": {"batchId": f"ClearingBatch:{batch.id}", **values}}

    return ask


def _without(name: str, value: str) -> Callable[[Scene, Variables], Variables]:
    return lambda _scene, variables: {"input": {**variables["input"], name: value}}


def _mutation(
    name: str,
    kind: str,
    outcomes: Row,
    ask: Callable[[Scene], Awaitable[Variables]],
    absent: Callable[[Scene, Variables], Variables],
) -> Operation:
    errors = (
        "results { userErrors { code message field rule } }"
        if name == "recordPayments"
        else ("userErrors { code message field rule }")
    )
    text = f"mutation($input: {kind}!) {{ {name}(input: $input) {{ {errors} }} }}"
    return Operation(name, text, outcomes, ask, lambda _data, _scene: True, absent, writes=True)


_NO_BATCH = _without("batchId", f"ClearingBatch:{NOBODY}")
_BOTH_OTHER_BANKS = {Caller.ANOTHER_BANK: NOT_FOUND, Caller.HANDLING_BANK: NOT_FOUND}

MUTATIONS = [
    _mutation(
        "recordPayment", "RecordPaymentInput", BANKS_ONLY, _record_one, _without("dueId", f"Due:{NOBODY}")
    ),
    _mutation(
        "recordPayments",
        "RecordPaymentsInput",
        BANKS_ONLY,
        _record_many,
        lambda _scene, variables: {
            "input": {
                "payments": [{**item, "dueId": f"Due:{NOBODY}"} for item in variables["input"]["payments"]]
            }
        },
    ),
    _mutation(
        "reversePayment",
        "ReversePaymentInput",
        {**BANKS_ONLY, Caller.ANOTHER_BANK: NOT_FOUND, Caller.CLEARING_BANK: NOT_FOUND},
        _reverse,
        _without("paymentId", f"Payment:{NOBODY}"),
    ),
    _mutation(
        "cutClearingBatch", "ClearingBatchInput", OFFICERS_ONLY, _step(ClearingBatchStatus.OPEN), _NO_BATCH
    ),
    _mutation(
        "confirmClearingTotals",
        "ConfirmClearingTotalsInput",
        {**BANKS_ONLY, **_BOTH_OTHER_BANKS},
        _step(ClearingBatchStatus.CUT, paymentCount="count", totalAmount="total"),
        _NO_BATCH,
    ),
    _mutation(
        "remitClearingBatch",
        "RemitClearingBatchInput",
        OFFICERS_ONLY,
        _step(ClearingBatchStatus.BALANCED, remittanceReference="RM-1"),
        _NO_BATCH,
    ),
    _mutation(
        "confirmTreasuryCredit",
        "ConfirmTreasuryCreditInput",
        OFFICERS_ONLY,
        _step(ClearingBatchStatus.REMITTED, treasuryReference="TR-1", amount="total"),
        _NO_BATCH,
    ),
]


@dataclass(frozen=True)
class Subscription:
    """One subscription. `shown`: the id that an event tells of; `subject`: the id that the row is about."""

    name: str
    text: str
    shown: Callable[[dict[str, Any]], str]
    subject: Callable[[Scene], str]
    outcomes: Row


SUBSCRIPTIONS = [
    Subscription(
        "paymentUpdates",
        'subscription { paymentUpdates(after: "0") { payment { id } } }',
        lambda data: str(data["paymentUpdates"]["payment"]["id"]),
        lambda scene: f"Payment:{scene.paid.id}",
        THE_PAYMENT,
    ),
    Subscription(
        "settlementUpdates",
        'subscription { settlementUpdates(after: "0") { batch { id } } }',
        lambda data: str(data["settlementUpdates"]["batch"]["id"]),
        lambda scene: f"ClearingBatch:{scene.paid.clearing_batch_id}",
        {**THE_BATCH, Caller.PAYER: FORBIDDEN, Caller.ANOTHER_PAYER: FORBIDDEN},
    ),
]
