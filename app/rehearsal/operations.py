"""Every GraphQL operation that the simulated partners send."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """A named operation and its document."""

    name: str
    text: str


_RECEIPT = "fragment Receipt on Payment { id status amount bankReference acceptedAt clearingBatch { id } }"
_BATCH = (
    "fragment Batch on ClearingBatch { id number status scheme paymentCount totalAmount "
    "clearingBank { code } handlingBankTotals { bank { code } paymentCount totalAmount } }"
)
_PAGE = "pageInfo { hasNextPage endCursor }"

VIEWER = Operation("Viewer", "query Viewer { viewer { role bank { code } } }")

OPEN_DUES = Operation(
    "OpenDues",
    "query OpenDues($first: Int!, $after: String) { "
    "dues(first: $first, after: $after, filter: {status: OPEN}) { nodes { id scheme personalAmount } "
    + _PAGE
    + " } }",
)
DUE_COUNTS = Operation(
    "DueCounts",
    "query DueCounts { "
    + " ".join(
        f"{status.lower()}: dues(first: 1, filter: {{status: {status}}}) {{ totalCount }}"
        for status in ("OPEN", "PAID", "SETTLED")
    )
    + " }",
)
RECORD_PAYMENT = Operation(
    "RecordPayment",
    "mutation RecordPayment($input: RecordPaymentInput!) { recordPayment(input: $input) "
    "{ alreadyRecorded payment { ...Receipt } userErrors { code field rule } } } " + _RECEIPT,
)
RECORD_PAYMENTS = Operation(
    "RecordPayments",
    "mutation RecordPayments($input: RecordPaymentsInput!) { recordPayments(input: $input) "
    "{ acceptedCount refusedCount acceptedAmount results "
    "{ alreadyRecorded payment { ...Receipt } userErrors { code field rule } } } } " + _RECEIPT,
)
REVERSE_PAYMENT = Operation(
    "ReversePayment",
    "mutation ReversePayment($input: ReversePaymentInput!) { reversePayment(input: $input) "
    "{ payment { ...Receipt } userErrors { code field rule } } } " + _RECEIPT,
)
PAYMENT_BY_REFERENCE = Operation(
    "PaymentByReference",
    "query PaymentByReference($reference: String!) "
    "{ paymentByReference(bankReference: $reference) { ...Receipt } } " + _RECEIPT,
)
PAYMENTS = Operation(
    "Payments",
    "query Payments($first: Int!, $after: String) { payments(first: $first, after: $after) { nodes "
    "{ ...Receipt handlingBank { code } clearingBank { code } due { id scheme } } "
    + _PAGE
    + " } } "
    + _RECEIPT,
)
CLEARING_BATCHES = Operation(
    "ClearingBatches",
    "query ClearingBatches($first: Int!, $after: String, $filter: ClearingBatchFilter) "
    "{ clearingBatches(first: $first, after: $after, filter: $filter) { nodes { ...Batch } "
    + _PAGE
    + " } } "
    + _BATCH,
)
BATCH = Operation("Batch", "query Batch($id: ID!) { node(id: $id) { ...Batch } } " + _BATCH)
BATCH_PAYMENTS = Operation(
    "BatchPayments",
    "query BatchPayments($id: ID!, $first: Int!, $after: String) { node(id: $id) { ... on ClearingBatch "
    "{ payments(first: $first, after: $after) { nodes { id status } " + _PAGE + " } } } }",
)


def _clearing_step(name: str, field: str, input_type: str) -> Operation:
    return Operation(
        name,
        f"mutation {name}($input: {input_type}!) {{ {field}(input: $input) "
        "{ batch { ...Batch } userErrors { code field rule } } } " + _BATCH,
    )


CUT = _clearing_step("CutClearingBatch", "cutClearingBatch", "ClearingBatchInput")
CONFIRM = _clearing_step("ConfirmClearingTotals", "confirmClearingTotals", "ConfirmClearingTotalsInput")
REMIT = _clearing_step("RemitClearingBatch", "remitClearingBatch", "RemitClearingBatchInput")
CREDIT = _clearing_step("ConfirmTreasuryCredit", "confirmTreasuryCredit", "ConfirmTreasuryCreditInput")

SETTLEMENT_UPDATES = Operation(
    "SettlementUpdates",
    "subscription SettlementUpdates($clearingBankCode: String, $after: String) "
    "{ settlementUpdates(clearingBankCode: $clearingBankCode, after: $after) "
    "{ cursor status paymentCount totalAmount batch { id } } }",
)
PAYMENT_UPDATES = Operation(
    "PaymentUpdates",
    "subscription PaymentUpdates($after: String) "
    "{ paymentUpdates(after: $after) { cursor status payment { id } } }",
)
