"""A clearing day: every open batch is cut, confirmed, remitted and credited, while banks go on paying."""

from __future__ import annotations

import asyncio
from itertools import cycle

from app.rehearsal.bank import SimulatedBank
from app.rehearsal.book import Book
from app.rehearsal.cast import Cast
from app.rehearsal.client import Answer, GraphqlClient
from app.rehearsal.instructions import Json
from app.rehearsal.operations import BATCH, CLEARING_BATCHES, CONFIRM, CREDIT, CUT, REMIT, Operation
from app.rehearsal.setbacks import GaveUp
from app.rehearsal.stories import BATCH_NOT_OPEN

LATE_REVERSALS = 2


class ClearingDay:
    """The office's round through the open batches."""

    def __init__(self, cast: Cast, book: Book) -> None:
        self._cast = cast
        self._book = book
        self.settled = 0
        self._cutters = cycle((cast.officer_1, cast.officer_2))

    async def hold(self, *, leave_empty: bool) -> None:
        """Take every open batch through all its steps; at the end of the season, leave empty ones open."""
        chosen = [
            batch
            async for batch in self._cast.officer_1.pages(
                CLEARING_BATCHES, "clearingBatches", {"filter": {"status": "OPEN"}}
            )
            if batch["paymentCount"] > 0 or not leave_empty
        ]
        await asyncio.gather(*(self._settle(batch) for batch in chosen))

    async def _settle(self, batch: Json) -> None:
        batch_id: str = batch["id"]
        code: str = batch["clearingBank"]["code"]
        self._book.cuts_asked.add(batch_id)
        cut = await self._step(next(self._cutters), CUT, {"batchId": batch_id}, "CUT")
        await self._reverse_too_late(batch_id, "behind the cut")
        totals = {"paymentCount": cut["paymentCount"], "totalAmount": cut["totalAmount"]}
        await self._stranger_confirms(batch_id, code, totals)
        confirmation = {"batchId": batch_id, **totals}
        await self._step(self._cast.banks[code].client, CONFIRM, confirmation, "BALANCED", totals)
        remittance = {"batchId": batch_id, "remittanceReference": f"REM-{batch['number']}"}
        await self._step(self._cast.officer_1, REMIT, remittance, "REMITTED", totals)
        await self._credit(batch, totals)
        await self._reverse_too_late(batch_id, "when it is settled")
        self.settled += 1

    async def _credit(self, batch: Json, totals: Json) -> None:
        credit = {
            "batchId": batch["id"],
            "treasuryReference": f"TRE-{batch['number']}",
            "amount": totals["totalAmount"],
        }
        alone = await self._cast.officer_1.execute(CREDIT, {"input": credit})
        self._book.expect(
            "crediting what oneself remitted", _verdict(alone, CREDIT), {"SECOND_PERSON_REQUIRED"}
        )
        await self._step(self._cast.officer_2, CREDIT, credit, "SETTLED", totals)

    async def _step(
        self,
        client: GraphqlClient,
        operation: Operation,
        command: Json,
        status: str,
        totals: Json | None = None,
    ) -> Json:
        """Take one step and give the batch as it is then; a step whose answer was lost is looked up."""
        answer = await client.execute(operation, {"input": command})
        batch: Json | None = None
        if answer.data is not None and not answer.faults:
            batch = answer.field(_root(operation))["batch"]
        if batch is None and answer.attempts > 1:
            looked_up = await self._cast.auditor.execute(BATCH, {"id": command["batchId"]})
            batch = looked_up.field("node")
        verdict = _verdict(answer, operation) if batch is None else str(batch["status"])
        if not self._book.expect(operation.name, verdict, {status}) or batch is None:
            raise GaveUp(f"{operation.name} of a batch did not succeed: {verdict}")
        for name, value in (totals or {}).items():
            self._book.expect(f"{name} after {operation.name}", str(batch[name]), {str(value)})
        return batch

    async def _stranger_confirms(self, batch_id: str, code: str, totals: Json) -> None:
        """Let a bank confirm that does not clear this batch: a handling one, or another clearing one."""
        strangers: list[SimulatedBank] = [bank for bank in self._cast.banks.values() if bank.code != code]
        stranger = self._cast.banks[code].random.choice(strangers)
        answer = await stranger.client.execute(CONFIRM, {"input": {"batchId": batch_id, **totals}})
        self._book.expect("confirming another bank's totals", _verdict(answer, CONFIRM), {"NOT_FOUND"})

    async def _reverse_too_late(self, batch_id: str, when: str) -> None:
        for payment in self._book.payments_of_batch(batch_id)[:LATE_REVERSALS]:
            verdict, _ = await self._cast.banks[payment.bank_code].reverse(payment.payment_id, "too late")
            self._book.expect(f"a reversal {when}", verdict, {BATCH_NOT_OPEN})


def _root(operation: Operation) -> str:
    return operation.name[0].lower() + operation.name[1:]


def _verdict(answer: Answer, operation: Operation) -> str:
    if answer.faults:
        return answer.faults[0]
    errors = answer.field(_root(operation))["userErrors"]
    return str(errors[0]["code"]) if errors else "no refusal"
