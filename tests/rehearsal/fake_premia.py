"""A premia in memory that answers the rehearsal's operations by name, soundly or with one chosen flaw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.rehearsal.book import CITY_OPENS
from app.rehearsal.cast import CLEARING_BANKS, HANDLING_BANKS
from app.rehearsal.instructions import fen_of, text_of

Json = dict[str, Any]
SCHEMES = ("MEDICAL", "PENSION")
ROUTES = dict(zip(CLEARING_BANKS + HANDLING_BANKS, CLEARING_BANKS * 5, strict=False))
NEXT_STATUS = {
    "CutClearingBatch": "CUT",
    "ConfirmClearingTotals": "BALANCED",
    "RemitClearingBatch": "REMITTED",
}
ROLES = {"CutClearingBatch": "officer", "ConfirmClearingTotals": "bank", "RemitClearingBatch": "officer"}


class Flaw(StrEnum):
    """What a flawed premia does wrong."""

    NONE = "none"
    FORGETS_A_PAYMENT = "an acknowledged payment is gone"
    TAKES_SHORT_PAYMENTS = "one fen short is accepted"
    MISCOUNTS_A_BATCH = "a batch's total is one fen off"
    SKIPS_AN_UPDATE = "a payment update is not sent"
    DOUBLES_A_CHANGE = "a change of a batch is sent twice"
    ADMITS_ANYBODY = "tokens are not checked"


class Faulted(Exception):
    """A GraphQL error with this code."""


@dataclass
class FakePremia:
    """All of it: dues, payments, batches and the events that subscribers follow."""

    flaw: Flaw = Flaw.NONE
    dues: dict[str, Json] = field(default_factory=dict)
    payments: dict[str, Json] = field(default_factory=dict)
    batches: dict[str, Json] = field(default_factory=dict)
    remitters: dict[str, str] = field(default_factory=dict)
    by_reference: dict[tuple[str, str], str] = field(default_factory=dict)
    events: list[tuple[str, str, Json]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    requests: int = 0

    def settle_city(self, dues: int) -> None:
        for number in range(dues):
            due_id = f"due-{number:06d}"
            self.dues[due_id] = {
                "id": due_id,
                "scheme": SCHEMES[number % 2],
                "amount": 39500,
                "payment": None,
            }

    # ------------------------------------------------------------------ who calls

    def caller(self, token: str) -> str:
        name = token.removeprefix("Bearer ").removeprefix("token.").partition(".")[0]
        if token != f"Bearer {token_of(name)}" and self.flaw is not Flaw.ADMITS_ANYBODY:
            raise Faulted("UNAUTHENTICATED")
        return name

    def answer(self, caller: str, body: Json) -> Json:
        self.requests += 1
        if self.requests % 97 == 0:
            raise Faulted("OVERLOADED")
        operations: dict[str, Callable[[str, Json], Json]] = {
            "Viewer": self.viewer,
            "OpenDues": self.open_dues,
            "DueCounts": self.due_counts,
            "RecordPayment": self.record_payment,
            "RecordPayments": self.record_payments,
            "ReversePayment": self.reverse_payment,
            "PaymentByReference": self.payment_by_reference,
            "Payments": self.list_payments,
            "ClearingBatches": self.list_batches,
            "BatchPayments": self.batch_payments,
            "ConfirmTreasuryCredit": self.credit,
            **{name: self.stepper(name) for name in NEXT_STATUS},
        }
        if "first" in body["variables"] and caller.isdigit():
            raise Faulted("FORBIDDEN")
        return operations[body["operationName"]](caller, body["variables"])

    def viewer(self, caller: str, _variables: Json) -> Json:
        bank = {"code": caller} if caller.isdigit() else None
        return {"viewer": {"role": caller.partition("-")[0].upper(), "bank": bank}}

    # ------------------------------------------------------------------ payments

    def record_payment(self, caller: str, variables: Json) -> Json:
        return {"recordPayment": self.record(caller, variables["input"])}

    def record_payments(self, caller: str, variables: Json) -> Json:
        instructions = variables["input"]["payments"]
        if len(instructions) > 1000:
            raise Faulted("LIMIT_EXCEEDED")
        results = [self.record(caller, each) for each in instructions]
        taken = [each["payment"] for each in results if each["payment"]]
        counts = {"acceptedCount": len(taken), "refusedCount": len(results) - len(taken)}
        amount = text_of(sum({each["id"]: fen_of(each["amount"]) for each in taken}.values()))
        return {"recordPayments": {"results": results, "acceptedAmount": amount, **counts}}

    def record(self, caller: str, instruction: Json) -> Json:
        if caller not in ROUTES:
            raise Faulted("FORBIDDEN")
        known = self.payments.get(self.by_reference.get((caller, instruction["bankReference"]), ""))
        if known is not None and known["input"] == instruction:
            return {"payment": self.show(known), "alreadyRecorded": True, "userErrors": []}
        code = self.judge(instruction) if known is None else "REFERENCE_CONFLICT"
        if code is not None:
            return {"payment": None, "alreadyRecorded": False, "userErrors": [{"code": code}]}
        return {"payment": self.post(caller, instruction), "alreadyRecorded": False, "userErrors": []}

    def judge(self, instruction: Json) -> str | None:
        amount, due = instruction["amount"], self.dues.get(instruction["dueId"])
        whole, point, cents = amount.partition(".")
        if not (amount.isascii() and whole.isdigit() and point and len(cents) == 2 and cents.isdigit()):
            return "INVALID_AMOUNT"
        if not instruction["bankReference"]:
            return "INVALID_REFERENCE"
        if datetime.fromisoformat(instruction["paidAt"]) > CITY_OPENS + timedelta(days=100):
            return "INVALID_TIME"
        if due is None:
            return "NOT_FOUND"
        if due["payment"] is not None:
            return "DUE_ALREADY_PAID"
        tolerated = {0, -1} if self.flaw is Flaw.TAKES_SHORT_PAYMENTS else {0}
        return None if fen_of(amount) - due["amount"] in tolerated else "AMOUNT_MISMATCH"

    def post(self, caller: str, instruction: Json) -> Json:
        due = self.dues[instruction["dueId"]]
        batch = self.open_batch(ROUTES[caller], due["scheme"])
        payment_id = f"payment-{len(self.payments):06d}"
        payment: Json = {"id": payment_id, "input": dict(instruction), "bank": caller, "batch": batch}
        payment |= {"due": due, "reversed": False}
        self.payments[payment_id] = payment
        self.by_reference[caller, instruction["bankReference"]] = payment_id
        due["payment"] = payment_id
        self.tell_payment(payment, "ACCEPTED")
        self.tell_batch(batch)
        return self.show(payment)

    def reverse_payment(self, caller: str, variables: Json) -> Json:
        payment = self.payments.get(variables["input"]["paymentId"])
        code = None
        if payment is None or payment["bank"] != caller:
            code = "NOT_FOUND"
        elif payment["batch"]["status"] != "OPEN":
            code = "BATCH_NOT_OPEN"
        if code is not None or payment is None:
            return {"reversePayment": {"payment": None, "userErrors": [{"code": code}]}}
        if not payment["reversed"]:
            payment["reversed"] = True
            payment["due"]["payment"] = None
            self.tell_payment(payment, "REVERSED")
            self.tell_batch(payment["batch"])
        return {"reversePayment": {"payment": self.show(payment), "userErrors": []}}

    def status(self, payment: Json) -> str:
        if payment["reversed"]:
            return "REVERSED"
        stages = {"OPEN": "ACCEPTED", "CUT": "ACCEPTED", "SETTLED": "SETTLED"}
        return stages.get(payment["batch"]["status"], "CLEARED")

    def show(self, payment: Json) -> Json:
        return {
            "id": payment["id"],
            "status": self.status(payment),
            "amount": payment["input"]["amount"],
            "bankReference": payment["input"]["bankReference"],
            "acceptedAt": CITY_OPENS.isoformat(),
            "clearingBatch": {"id": payment["batch"]["id"]},
            "handlingBank": {"code": payment["bank"]},
            "clearingBank": {"code": ROUTES[payment["bank"]]},
            "due": {"id": payment["due"]["id"], "scheme": payment["due"]["scheme"]},
        }

    # ------------------------------------------------------------------ clearing

    def open_batch(self, bank: str, scheme: str) -> Json:
        for batch in self.batches.values():
            if (batch["bank"], batch["scheme"], batch["status"]) == (bank, scheme, "OPEN"):
                return batch
        number = f"{bank}-{scheme}-{len(self.batches):03d}"
        batch = {"id": f"batch-{number}", "number": number, "bank": bank, "scheme": scheme, "status": "OPEN"}
        self.batches[batch["id"]] = batch
        self.tell_batch(batch)
        return batch

    def stepper(self, name: str) -> Callable[[str, Json], Json]:
        def step(caller: str, variables: Json) -> Json:
            return self.step(caller, name, variables["input"]["batchId"])

        return step

    def step(self, caller: str, name: str, batch_id: str) -> Json:
        root = name[0].lower() + name[1:]
        if caller.isdigit() != (ROLES[name] == "bank") or caller == "auditor":
            raise Faulted("FORBIDDEN")
        batch = self.batches[batch_id]
        if caller.isdigit() and caller != batch["bank"]:
            return {root: {"batch": None, "userErrors": [{"code": "NOT_FOUND"}]}}
        self.remitters[batch_id] = caller
        self.move(batch, NEXT_STATUS[name])
        return {root: {"batch": self.show_batch(batch), "userErrors": []}}

    def credit(self, caller: str, variables: Json) -> Json:
        batch = self.batches[variables["input"]["batchId"]]
        if self.remitters[batch["id"]] == caller:
            refused = [{"code": "SECOND_PERSON_REQUIRED"}]
            return {"confirmTreasuryCredit": {"batch": None, "userErrors": refused}}
        self.move(batch, "SETTLED")
        return {"confirmTreasuryCredit": {"batch": self.show_batch(batch), "userErrors": []}}

    def move(self, batch: Json, status: str) -> None:
        batch["status"] = status
        self.tell_batch(batch)
        if status == "CUT":
            self.open_batch(batch["bank"], batch["scheme"])
        if status in {"BALANCED", "SETTLED"}:
            for payment in self.members(batch):
                self.tell_payment(payment, "CLEARED" if status == "BALANCED" else "SETTLED")

    def members(self, batch: Json) -> list[Json]:
        return [each for each in self.payments.values() if each["batch"] is batch and not each["reversed"]]

    def totals(self, members: list[Json]) -> Json:
        amount = sum(fen_of(each["input"]["amount"]) for each in members)
        return {"paymentCount": len(members), "totalAmount": text_of(amount)}

    def show_batch(self, batch: Json) -> Json:
        members = self.members(batch)
        totals = self.totals(members)
        if self.flaw is Flaw.MISCOUNTS_A_BATCH and batch["number"].startswith("102-PENSION") and members:
            totals["totalAmount"] = text_of(fen_of(totals["totalAmount"]) + 1)
        banks = sorted({each["bank"] for each in members})
        per_bank = [
            {"bank": {"code": bank}, **self.totals([each for each in members if each["bank"] == bank])}
            for bank in banks
        ]
        facts = {name: batch[name] for name in ("id", "number", "scheme", "status")}
        return {**facts, **totals, "clearingBank": {"code": batch["bank"]}, "handlingBankTotals": per_bank}

    # ------------------------------------------------------------------ reading

    def open_dues(self, _caller: str, variables: Json) -> Json:
        dues = [
            {"id": each["id"], "scheme": each["scheme"], "personalAmount": text_of(each["amount"])}
            for each in self.dues.values()
        ]
        return {"dues": page(dues, variables)}

    def due_counts(self, _caller: str, _variables: Json) -> Json:
        settled = sum(each["payment"] is not None for each in self.dues.values())
        counts = {"open": len(self.dues) - settled, "paid": 0, "settled": settled}
        return {name: {"totalCount": count} for name, count in counts.items()}

    def list_payments(self, _caller: str, variables: Json) -> Json:
        payments = [self.show(each) for each in self.payments.values()]
        return {"payments": page(payments[self.flaw is Flaw.FORGETS_A_PAYMENT :], variables)}

    def list_batches(self, _caller: str, variables: Json) -> Json:
        status = (variables.get("filter") or {}).get("status")
        chosen = [each for each in self.batches.values() if status in {None, each["status"]}]
        return {"clearingBatches": page([self.show_batch(each) for each in chosen], variables)}

    def batch_payments(self, _caller: str, variables: Json) -> Json:
        members = [self.show(each) for each in self.members(self.batches[variables["id"]])]
        return {"node": {"payments": page(members, variables)}}

    def payment_by_reference(self, caller: str, variables: Json) -> Json:
        known = self.payments.get(self.by_reference.get((caller, variables["reference"]), ""))
        return {"paymentByReference": None if known is None else self.show(known)}

    # ------------------------------------------------------------------ news

    def tell_payment(self, payment: Json, status: str) -> None:
        if self.flaw is Flaw.SKIPS_AN_UPDATE and status == "CLEARED" and payment["id"].endswith("77"):
            return
        self.tell("paymentUpdates", payment["bank"], {"payment": {"id": payment["id"]}, "status": status})

    def tell_batch(self, batch: Json) -> None:
        totals = self.totals(self.members(batch))
        update = {"batch": {"id": batch["id"]}, "status": batch["status"], **totals}
        self.tell("settlementUpdates", batch["bank"], update)
        if self.flaw is Flaw.DOUBLES_A_CHANGE and batch["status"] == "REMITTED":
            self.tell("settlementUpdates", batch["bank"], update)

    def tell(self, root: str, bank: str, update: Json) -> None:
        self.events.append((root, bank, {**update, "cursor": str(len(self.events) + 1)}))
        self.news.set()
        self.news = asyncio.Event()

    def updates_after(self, place: int, root: str, banks: set[str]) -> Iterator[Json]:
        for event_root, bank, update in self.events[place:]:
            if event_root == root and bank in banks:
                yield {root: update}

    async def follow(self, caller: str, payload: Json) -> AsyncIterator[Json]:
        root = payload["operationName"][0].lower() + payload["operationName"][1:]
        after = payload["variables"].get("after")
        place = len(self.events) if after is None else int(after)
        banks = {caller} if caller.isdigit() else set(ROUTES)
        while True:
            news, end = self.news, len(self.events)
            for update in self.updates_after(place, root, banks):
                yield update
            place = end
            if end == len(self.events):
                await news.wait()


def token_of(name: str) -> str:
    return f"token.{name}.signature-of-{name}"


def page(items: list[Json], variables: Json) -> Json:
    start = int(variables["after"] or 0) if variables.get("after") else 0
    end = start + variables["first"]
    info = {"hasNextPage": end < len(items), "endCursor": str(end)}
    return {"nodes": items[start:end], "pageInfo": info}
