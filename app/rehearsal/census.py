"""Everything that the API says at the end of a season, read once as an auditor."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.rehearsal.client import GraphqlClient
from app.rehearsal.instructions import Json
from app.rehearsal.operations import BATCH_PAYMENTS, CLEARING_BATCHES, DUE_COUNTS, PAYMENTS

BATCHES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Census:
    """What an auditor sees.

    Attributes:
        members: ids of the live payments that each batch lists, by batch id.
        dues: how many dues there are, by status.
    """

    payments: list[Json]
    batches: list[Json]
    members: dict[str, list[str]]
    dues: dict[str, int]


async def take_census(auditor: GraphqlClient) -> Census:
    """Page through payments, batches and each batch's payments.

    Raises:
        GaveUp: a page could not be read.
    """
    payments = [each async for each in auditor.pages(PAYMENTS, "payments", {})]
    batches = [each async for each in auditor.pages(CLEARING_BATCHES, "clearingBatches", {})]
    at_once = asyncio.Semaphore(BATCHES_AT_ONCE)

    async def members(batch_id: str) -> list[str]:
        async with at_once:
            listed = auditor.pages(BATCH_PAYMENTS, "node.payments", {"id": batch_id})
            return [each["id"] async for each in listed if each["status"] != "REVERSED"]

    lists = await asyncio.gather(*(members(batch["id"]) for batch in batches))
    counts = await auditor.execute(DUE_COUNTS, {})
    return Census(
        payments=payments,
        batches=batches,
        members={batch["id"]: listed for batch, listed in zip(batches, lists, strict=True)},
        dues={name.upper(): counts.field(name)["totalCount"] for name in ("open", "paid", "settled")},
    )
