"""The feed: nothing missed, nothing twice, nobody held up by another."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.faults import SlowReader, Unavailable
from app.live import bell
from app.live import feed as feeds
from app.live.feed import Feed, News
from app.rules.refusals import Refused
from app.services import clearing
from app.services.payments import Recorded, record_payments
from app.vocabulary import ClearingBatchStatus, EventKind
from models import outbox
from models.clearing import ClearingBatch
from models.outbox import START, OutboxEvent
from tests.builders import Office, officer
from tests.live.following import comes_true, read, started_feed

EVERY_KIND = tuple(EventKind)


@pytest.fixture
async def feed(office: Office) -> AsyncIterator[Feed]:
    """A feed over the office."""
    async with started_feed() as started:
        yield started


async def pay(office: Office, count: int = 1) -> None:
    """Pay dues one after another."""
    for due in await office.dues(count):
        [outcome] = await record_payments([office.command(due)])
        assert isinstance(outcome, Recorded)


async def sequences() -> list[int]:
    """The whole outbox, in order."""
    return [event.sequence for event in await OutboxEvent.all().order_by("sequence")]


def flat(groups: list[list[News]]) -> list[int]:
    return [news.sequence for group in groups for news in group]


async def follow_to(feed: Feed, after: int | None, last: int) -> list[int]:
    """Follow until the event `last`."""
    groups = await read(feed.follow(after, EVERY_KIND), lambda taken: last in flat(taken))
    return flat(groups)


async def test_from_any_cursor_a_reader_misses_nothing_and_is_told_nothing_twice(
    office: Office, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "PAGE", 3)
    await pay(office, 5)
    expected = await sequences()
    await comes_true(lambda: feed.sequence == expected[-1])

    for position, after in enumerate([START, *expected[:-1]]):
        assert await follow_to(feed, after, expected[-1]) == expected[position:]


async def test_what_happens_while_a_reader_catches_up_is_neither_missed_nor_told_twice(
    office: Office, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "PAGE", 2)
    await pay(office, 4)
    following = feed.follow(START, EVERY_KIND)
    told = [await anext(following)]

    for _ in range(6):
        await pay(office)
        told.append(await anext(following))
    last = (await sequences())[-1]
    rest = await read(following, lambda taken: last in flat([*told, *taken]))

    assert flat([*told, *rest]) == await sequences()


async def test_many_readers_from_many_cursors_under_load_are_all_told_the_same_and_nothing_twice(
    office: Office, feed: Feed
) -> None:
    dues = await office.dues(40)
    readers: list[asyncio.Task[list[list[News]]]] = []

    for number, due in enumerate(dues):
        if number % 4 == 0:
            following = feed.follow(START, EVERY_KIND)
            readers.append(asyncio.create_task(read(following, lambda taken: "ends" in references(taken))))
        reference = "ends" if number == len(dues) - 1 else f"R-{number}"
        await record_payments([office.command(due, bank_reference=reference)])

    expected = await sequences()
    for reader in readers:
        assert flat(await reader) == expected


async def test_writers_that_commit_in_any_order_are_told_in_one_order_and_none_is_skipped(
    office: Office, feed: Feed
) -> None:
    dues = await office.dues(60)
    commands = [office.command(due, bank="103" if number % 2 else "104") for number, due in enumerate(dues)]
    following = feed.follow(START, EVERY_KIND)
    reading = asyncio.create_task(read(following, lambda taken: len(references(taken)) == 60))

    await asyncio.gather(*(record_payments([command]) for command in commands))

    assert flat(await reading) == await sequences()


def references(groups: list[list[News]]) -> set[str]:
    payments = (getattr(news.picture, "payment", None) for group in groups for news in group)
    return {payment.bank_reference for payment in payments if payment is not None}


async def test_without_a_cursor_a_reader_is_told_what_comes_and_not_what_was(
    office: Office, feed: Feed
) -> None:
    await pay(office, 2)
    old = await sequences()
    await comes_true(lambda: feed.sequence == old[-1])
    reading = asyncio.create_task(read(feed.follow(None, EVERY_KIND), lambda taken: len(flat(taken)) >= 2))
    await comes_true(lambda: feed.subscribers == 1)

    await pay(office)

    assert flat(await reading) == [each for each in await sequences() if each not in old]


async def test_a_cursor_that_this_process_has_not_reached_yet_waits_and_repeats_nothing(
    office: Office, feed: Feed
) -> None:
    await pay(office, 2)
    reached = (await sequences())[-1]
    async with started_feed() as ahead:
        assert ahead.sequence == reached

    reading = asyncio.create_task(read(feed.follow(reached, EVERY_KIND), lambda taken: len(flat(taken)) >= 2))
    await asyncio.sleep(0)
    await pay(office)

    told = flat(await reading)
    assert told == [each for each in await sequences() if each > reached]


async def test_only_the_kinds_that_were_asked_for_are_told(office: Office, feed: Feed) -> None:
    await pay(office, 3)
    batch = await ClearingBatch.get(status=ClearingBatchStatus.OPEN)
    assert not isinstance(await clearing.cut(batch.id, officer()), Refused)

    groups = await read(feed.follow(START, [EventKind.BATCH_STATUS]), lambda taken: len(flat(taken)) >= 3)

    assert {news.kind for group in groups for news in group} == {EventKind.BATCH_STATUS}
    assert len(flat(groups)) == 3


async def test_two_feeds_on_one_database_are_both_told_everything_whoever_commits(office: Office) -> None:
    async with started_feed() as one, started_feed() as other:
        told = [
            asyncio.create_task(read(each.follow(START, EVERY_KIND), ten_payments)) for each in (one, other)
        ]
        await pay(office, 10)

        expected = await sequences()
        for reading in told:
            assert flat(await reading) == expected


async def test_a_feed_that_no_local_commit_rings_for_is_told_everything_as_well(office: Office) -> None:
    async with started_feed() as feed:
        bell.stop_listening(feed._wake.set)
        told = asyncio.create_task(read(feed.follow(START, EVERY_KIND), ten_payments))
        await pay(office, 10)

        assert flat(await told) == await sequences()


def ten_payments(groups: list[list[News]]) -> bool:
    return len(references(groups)) == 10


async def test_a_reader_that_does_not_read_is_ended_and_the_others_are_not_held_up(
    office: Office, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "QUEUE", 8)
    following = feed.follow(None, EVERY_KIND)
    slow = asyncio.create_task(anext(following))
    reading = asyncio.create_task(read(feed.follow(START, EVERY_KIND), ten_payments))
    await comes_true(lambda: feed.subscribers == 2)

    await pay(office)
    first = await slow
    await pay(office, 9)
    told = flat(await reading)
    with pytest.raises(SlowReader):
        await read(following, lambda _taken: False)

    assert told == await sequences()
    assert feed.subscribers == 0
    resumed = await follow_to(feed, first[-1].sequence, told[-1])
    assert resumed == [each for each in told if each > first[-1].sequence]


async def test_no_queue_is_left_behind_by_a_reader_that_is_closed(office: Office, feed: Feed) -> None:
    await pay(office)

    for after in (None, START):
        following = feed.follow(after, EVERY_KIND)
        reading = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0)
        await pay(office)
        await reading
        await following.aclose()

    assert feed.subscribers == 0


async def test_no_queue_is_left_behind_by_a_reader_that_is_killed_while_it_waits(
    office: Office, feed: Feed
) -> None:
    async def wait() -> None:
        async for _ in feed.follow(None, EVERY_KIND):
            pass

    readers = [asyncio.create_task(wait()) for _ in range(20)]
    await comes_true(lambda: feed.subscribers == 20)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)

    assert feed.subscribers == 0


async def test_a_feed_that_stops_tells_its_readers_to_resume_and_keeps_none(office: Office) -> None:
    async with started_feed() as feed:
        following = feed.follow(None, EVERY_KIND)
        reading = asyncio.create_task(anext(following))
        await comes_true(lambda: feed.subscribers == 1)

    with pytest.raises(Unavailable, match="resume"):
        await reading
    assert feed.subscribers == 0


async def test_a_database_that_fails_for_a_while_does_not_end_the_tail_and_nothing_is_missed(
    office: Office, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "RETRY_SECONDS", 0.01)
    real: Any = outbox.read_after
    failures = itertools.count()

    async def failing(*arguments: object, **options: object) -> object:
        if next(failures) < 3:
            raise Unavailable("the database did not answer in time; repeat the request")
        return await real(*arguments, **options)

    told = asyncio.create_task(read(feed.follow(START, EVERY_KIND), ten_payments))
    await comes_true(lambda: feed.subscribers == 1)
    monkeypatch.setattr(outbox, "read_after", failing)
    await pay(office, 10)

    assert flat(await told) == await sequences()
    assert next(failures) > 3
