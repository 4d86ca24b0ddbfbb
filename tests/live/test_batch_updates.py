"""Updates of clearing batches: every change of status once and in order, the newest totals always."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import orjson
import pytest

from app.faults import BadInput
from app.live import outbox, updates
from app.live.feed import Feed
from app.live.outbox import BatchPicture
from app.live.updates import BatchUpdate, batch_updates
from app.rules.refusals import Refused
from app.services import clearing, clearing_reading
from app.services.clearing import ConfirmCredit, ConfirmTotals
from app.services.payments import Recorded, record_payments
from app.services.sight import sight_of
from app.vocabulary import ClearingBatchStatus, EventKind, Scheme
from models.clearing import BatchRow, ClearingBatch
from models.outbox import OutboxEvent
from tests.builders import Office, bank_principal, officer
from tests.live.following import comes_true, read, read_some, started_feed

FROM_THE_BEGINNING = "0"
Change = tuple[UUID, ClearingBatchStatus]


@pytest.fixture
async def feed(office: Office) -> AsyncIterator[Feed]:
    """A feed over the office."""
    async with started_feed() as started:
        yield started


@dataclass
class Stopwatch:
    """Stands in for the module `time`: goes on by `step` at each look, and when it is told to."""

    now: float = 1_000.0
    step: float = 0.0

    def monotonic(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    """The time by which running totals are held back."""
    made = Stopwatch()
    monkeypatch.setattr(updates, "time", made)
    return made


def everything(_picture: BatchPicture) -> bool:
    return True


async def pay(office: Office, bank: str, scheme: Scheme = Scheme.MEDICAL, count: int = 1) -> UUID:
    """Pay dues one after another at a bank; the batch of the last."""
    batch_id: UUID | None = None
    for due in await office.dues(count, scheme=scheme):
        [outcome] = await record_payments([office.command(due, bank=bank)])
        assert isinstance(outcome, Recorded)
        batch_id = outcome.payment.clearing_batch_id
    assert batch_id is not None
    return batch_id


def done(outcome: BatchRow | Refused) -> BatchRow:
    assert not isinstance(outcome, Refused)
    return outcome


async def settle(batch_id: UUID, clearing_bank: str) -> None:
    """Bring a batch from its cut to the treasury's credit."""
    batch = done(await clearing.cut(batch_id, officer()))
    stated = ConfirmTotals(batch_id, batch.payment_count, batch.total_amount)
    done(await clearing.confirm_totals(stated, bank_principal(clearing_bank)))
    done(await clearing.remit(batch_id, "remittance", officer()))
    credit = ConfirmCredit(batch_id, "credit", batch.total_amount)
    done(await clearing.confirm_credit(credit, officer("officer-2")))


async def busy_day(office: Office) -> None:
    """Batches of two clearing banks and both schemes grow between each other, are cut and settled."""
    first = await pay(office, "103", count=2)
    other = await pay(office, "104", count=2)
    await pay(office, "103", Scheme.PENSION)
    done(await clearing.cut(other, officer()))
    await pay(office, "104", Scheme.PENSION)
    await pay(office, "103")
    await pay(office, "104", count=2)
    await settle(first, "314")
    await pay(office, "103")
    await pay(office, "104")


def changes(told: list[BatchUpdate]) -> list[Change]:
    """The updates that tell a change of status: an open batch without payments has just been opened."""
    batches = [update.picture.batch for update in told]
    return [
        (batch.id, batch.status)
        for batch in batches
        if batch.status is not ClearingBatchStatus.OPEN or batch.payment_count == 0
    ]


async def true_changes() -> list[Change]:
    """The changes of status in the outbox, in order."""
    events = await OutboxEvent.filter(kind=EventKind.BATCH_STATUS).order_by("sequence")
    return [
        (picture.batch.id, picture.batch.status)
        for picture in (outbox.read_batch(orjson.loads(event.payload)) for event in events)
    ]


async def true_totals() -> dict[UUID, tuple[int, int]]:
    """What each open batch holds."""
    batches = await ClearingBatch.filter(status=ClearingBatchStatus.OPEN)
    return {batch.id: (batch.payment_count, batch.total_amount) for batch in batches}


def newest_totals(told: list[BatchUpdate]) -> dict[UUID, tuple[int, int]]:
    """What a reader believes that each open batch holds."""
    newest = {update.picture.batch.id: update.picture.batch for update in told}
    return {
        batch.id: (batch.payment_count, batch.total_amount)
        for batch in newest.values()
        if batch.status is ClearingBatchStatus.OPEN
    }


def assert_never_back(told: list[BatchUpdate]) -> None:
    """No batch is ever shown with fewer payments or an earlier status than before."""
    order = list(ClearingBatchStatus)
    seen: dict[UUID, tuple[int, int]] = {}
    for update in told:
        batch = update.picture.batch
        picture = (order.index(batch.status), batch.payment_count)
        assert picture >= seen.get(batch.id, picture), f"{batch.number} is shown as it was before"
        seen[batch.id] = picture


async def has_caught_up(feed: Feed) -> None:
    """Wait until the feed has seen all that is committed."""
    newest = await OutboxEvent.all().order_by("-sequence").first()
    assert newest is not None
    await comes_true(lambda: feed.sequence == newest.sequence)


async def follow_to_the_end(feed: Feed, so_far: list[BatchUpdate]) -> list[BatchUpdate]:
    """Go on behind the last cursor until all is known; what the reader has been told then."""
    await has_caught_up(feed)
    expected, totals = await true_changes(), await true_totals()

    def is_all(taken: list[BatchUpdate]) -> bool:
        told = [*so_far, *taken]
        return set(changes(told)) >= set(expected) and newest_totals(told) == totals

    after = so_far[-1].cursor if so_far else FROM_THE_BEGINNING
    if is_all([]):
        return so_far
    return [*so_far, *await read(batch_updates(feed, everything, after), is_all)]


async def test_every_change_of_status_is_told_once_and_in_order_and_no_total_is_lost(
    office: Office, feed: Feed
) -> None:
    await busy_day(office)

    told = await follow_to_the_end(feed, [])

    assert changes(told) == await true_changes()
    assert newest_totals(told) == await true_totals()
    assert_never_back(told)


@pytest.mark.parametrize("looks", [1, 3, 12, 30])
async def test_a_reader_that_is_cut_off_behind_any_update_resumes_and_nothing_is_lost_or_told_twice(
    office: Office, feed: Feed, stopwatch: Stopwatch, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    monkeypatch.setattr(updates, "COALESCE_SECONDS", 0.01)
    stopwatch.step = 0.01 / looks
    await busy_day(office)
    whole = await follow_to_the_end(feed, [])
    expected, totals = await true_changes(), await true_totals()

    for length in range(1, len(whole) + 1):
        told = await follow_to_the_end(feed, whole[:length])

        assert changes(told) == expected, whole[length - 1].cursor
        assert newest_totals(told) == totals, whole[length - 1].cursor
        assert_never_back(told)


async def test_a_reader_that_is_cut_off_after_every_update_is_told_all_and_nothing_twice(
    office: Office, feed: Feed, stopwatch: Stopwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "COALESCE_SECONDS", 0.01)
    stopwatch.step = 0.003
    await busy_day(office)
    expected, totals = await true_changes(), await true_totals()
    told: list[BatchUpdate] = []

    while set(changes(told)) < set(expected) or newest_totals(told) != totals:
        after = told[-1].cursor if told else FROM_THE_BEGINNING
        told += await read_some(batch_updates(feed, everything, after), 1)

    assert changes(told) == expected
    assert_never_back(told)


async def test_running_totals_are_coalesced_to_the_newest_and_the_ones_between_are_not_sent(
    office: Office, feed: Feed, stopwatch: Stopwatch
) -> None:
    await pay(office, "103", count=50)
    await has_caught_up(feed)

    def let_time_pass(taken: list[BatchUpdate]) -> bool:
        stopwatch.now += updates.COALESCE_SECONDS
        return taken[-1].picture.batch.payment_count == 50

    told = await read(batch_updates(feed, everything, FROM_THE_BEGINNING), let_time_pass)

    assert [update.picture.batch.payment_count for update in told] == [0, 50]


async def test_while_payments_flow_the_newest_totals_arrive_and_none_is_told_twice(
    office: Office, feed: Feed
) -> None:
    following = batch_updates(feed, everything, FROM_THE_BEGINNING)
    told = await read_after_start(following, office)

    counts = [update.picture.batch.payment_count for update in told]
    assert counts[-1] == 60
    assert counts == sorted(set(counts))


async def read_after_start(following: AsyncGenerator[BatchUpdate, None], office: Office) -> list[BatchUpdate]:
    """Read while sixty payments are recorded."""
    reading = asyncio.create_task(read(following, lambda taken: taken[-1].picture.batch.payment_count == 60))
    await pay(office, "103", count=60)
    return await reading


async def test_totals_that_wait_behind_a_status_are_told_to_a_reader_that_resumes_and_the_status_is_not_repeated(
    office: Office, feed: Feed, stopwatch: Stopwatch
) -> None:
    await pay(office, "103")
    other = await pay(office, "104")
    done(await clearing.cut(other, officer()))

    told = await read_some(batch_updates(feed, everything, FROM_THE_BEGINNING), 4)
    stopwatch.step = updates.COALESCE_SECONDS
    whole = await follow_to_the_end(feed, told)

    assert "." in told[-1].cursor
    assert changes(told) == await true_changes()
    assert changes(whole[4:]) == []
    assert newest_totals(whole) == await true_totals()
    assert_never_back(whole)


async def test_totals_of_several_batches_that_come_due_at_once_are_not_lost_when_the_reader_is_cut_off_between(
    office: Office, feed: Feed, stopwatch: Stopwatch
) -> None:
    for bank in ("103", "104"):
        await pay(office, bank)
    await pay(office, "103", Scheme.PENSION)

    def is_due(taken: list[BatchUpdate]) -> bool:
        stopwatch.now += updates.COALESCE_SECONDS if len(taken) == 3 else 0.0
        return len(taken) == 4

    told = await read(batch_updates(feed, everything, FROM_THE_BEGINNING), is_due)
    stopwatch.step = updates.COALESCE_SECONDS
    whole = await follow_to_the_end(feed, told)

    assert newest_totals(whole) == await true_totals()
    assert changes(whole) == await true_changes()


async def test_a_clearing_bank_is_told_of_its_batches_and_not_of_another_banks(
    office: Office, feed: Feed
) -> None:
    await busy_day(office)
    sight = await sight_of(bank_principal("314"))
    expected = [batch.id async for batch in ClearingBatch.filter(clearing_bank_id=office.banks["314"])]

    told = await read(
        batch_updates(feed, lambda picture: clearing_reading.sees_batch(picture, sight), FROM_THE_BEGINNING),
        lambda taken: {update.picture.batch.id for update in taken} >= set(expected),
    )

    assert {update.picture.batch.clearing_bank_id for update in told} == {office.banks["314"]}


async def test_a_handling_bank_is_told_of_the_batches_that_it_has_payments_in_and_of_no_others_share(
    office: Office, feed: Feed
) -> None:
    mine = await pay(office, "103")
    await pay(office, "104")
    await settle(mine, "314")
    sight = await sight_of(bank_principal("103"))

    told = await read(
        batch_updates(feed, lambda picture: clearing_reading.sees_batch(picture, sight), FROM_THE_BEGINNING),
        lambda taken: taken[-1].picture.batch.status is ClearingBatchStatus.SETTLED,
    )

    assert {update.picture.batch.id for update in told} == {mine}
    assert [status for _, status in changes(told)][-4:] == [
        ClearingBatchStatus.CUT,
        ClearingBatchStatus.BALANCED,
        ClearingBatchStatus.REMITTED,
        ClearingBatchStatus.SETTLED,
    ]


@pytest.mark.parametrize(
    "cursor", ["", "x", "-1", "1.x", "x.1", ".", "1.2.3", ".5", "１", "9" * 19, " 1", "1e3"]
)
async def test_a_malformed_cursor_is_refused_and_nobody_is_left_following(feed: Feed, cursor: str) -> None:
    with pytest.raises(BadInput):
        await anext(batch_updates(feed, everything, cursor))

    assert feed.subscribers == 0


async def test_no_queue_is_left_behind_by_an_update_stream_that_is_closed(office: Office, feed: Feed) -> None:
    await pay(office, "103")

    for after in (FROM_THE_BEGINNING, "1"):
        await read_some(batch_updates(feed, everything, after), 1)

    assert feed.subscribers == 0
