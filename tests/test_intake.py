"""Intake: groups form, one bad item stands alone, the queue is bounded, nobody's payment is undone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.faults import Overloaded, Unavailable
from app.intake import GROUP_ITEMS, Intake
from app.rules.refusals import ErrorCode, Refused
from app.services.payments import Outcome, RecordPayment
from app.vocabulary import Channel
from models.failures import ConstraintViolated

PAID_AT = datetime(2019, 10, 8, tzinfo=UTC)
POISON = "poison"


def command(reference: str) -> RecordPayment:
    return RecordPayment(UUID(int=1), None, 1, Channel.KIOSK, reference, PAID_AT, None, "bank-103")


def answer(reference: str) -> Refused:
    """What the writer below answers: told apart by its reference."""
    return Refused(ErrorCode.NOT_FOUND, field=reference)


class Writer:
    """Writes in memory; can be made to wait, and to fail at some items."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.written: list[str] = []
        self.error: Exception = RuntimeError("a defect of ours")
        self.open = asyncio.Event()
        self.open.set()
        self.began = asyncio.Event()

    async def record(self, commands: Sequence[RecordPayment]) -> list[Outcome]:
        references = [each.bank_reference for each in commands]
        self.groups.append(references)
        self.began.set()
        await self.open.wait()
        if any(reference.startswith(POISON) for reference in references):
            raise self.error
        self.written += references
        return [answer(reference) for reference in references]


@asynccontextmanager
async def intake_of(writer: Writer, capacity: int = 5_000) -> AsyncIterator[Intake]:
    intake = Intake(writer.record, capacity)
    intake.start()
    try:
        yield intake
    finally:
        writer.open.set()
        await intake.stop()


async def submit(intake: Intake, *references: str) -> list[Outcome]:
    return await intake.submit([command(reference) for reference in references])


async def busy(intake: Intake, writer: Writer) -> asyncio.Task[list[Outcome]]:
    """One payment that the writer is holding, so that whatever comes next has to wait."""
    writer.open.clear()
    held = asyncio.create_task(submit(intake, "first"))
    await writer.began.wait()
    return held


async def waiting(intake: Intake, *requests: tuple[str, ...]) -> list[asyncio.Task[list[Outcome]]]:
    """Requests that have been handed in, each by a task of its own, in order."""
    tasks = [asyncio.create_task(submit(intake, *request)) for request in requests]
    await asyncio.sleep(0)
    return tasks


async def test_what_waits_is_written_by_halves_and_not_one_by_one() -> None:
    writer = Writer()
    async with intake_of(writer) as intake:
        held = await busy(intake, writer)
        tasks = await waiting(intake, *((f"R{n}",) for n in range(100)))
        writer.open.set()

        answers = await asyncio.gather(held, *tasks)

    assert [given for [given] in answers] == [answer("first"), *(answer(f"R{n}") for n in range(100))]
    assert [len(group) for group in writer.groups] == [1, 50, 50]


async def test_a_lone_payment_waits_for_nobody() -> None:
    writer = Writer()
    async with intake_of(writer) as intake:
        assert await submit(intake, "A") == [answer("A")]
        assert await submit(intake, "B") == [answer("B")]

    assert writer.groups == [["A"], ["B"]]


async def test_a_group_is_not_larger_than_its_limit_and_a_list_is_not_torn_apart() -> None:
    writer = Writer()
    async with intake_of(writer) as intake:
        held = await busy(intake, writer)
        large = tuple(f"L{n}" for n in range(GROUP_ITEMS + 1))
        half = tuple(f"H{n}" for n in range(GROUP_ITEMS - 1))
        tasks = await waiting(intake, half, ("A",), ("B",), large, ("C",))
        writer.open.set()
        await asyncio.gather(held, *tasks)

    assert [len(group) for group in writer.groups] == [1, GROUP_ITEMS, 1, GROUP_ITEMS + 1, 1]
    assert writer.written == ["first", *half, "A", "B", *large, "C"]


async def test_lists_and_single_payments_of_one_group_get_their_own_answers_and_nobody_elses() -> None:
    writer = Writer()
    async with intake_of(writer) as intake:
        held = await busy(intake, writer)
        requests = [("A",), ("B", "C", "D"), ("E",), tuple(f"F{n}" for n in range(50)), ("G",)]
        tasks = await waiting(intake, *requests)
        writer.open.set()
        answers = await asyncio.gather(held, *tasks)

    assert answers[1:] == [[answer(reference) for reference in request] for request in requests]
    written = [reference for group in writer.groups[1:] for reference in group]
    assert written == [reference for request in requests for reference in request]
    assert len(writer.groups) < 1 + len(requests)


@pytest.mark.parametrize("place", [0, 7, 31, 63])
async def test_one_item_that_breaks_its_group_fails_alone_and_no_neighbour_with_it(place: int) -> None:
    writer = Writer()
    async with intake_of(writer) as intake:
        held = await busy(intake, writer)
        names = [f"R{n}" if n != place else POISON for n in range(64)]
        tasks = await waiting(intake, *((name,) for name in names))
        writer.open.set()
        await held
        answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert answers[place] is writer.error
    good = [name for name in names if name != POISON]
    assert [given for n, given in enumerate(answers) if n != place] == [[answer(name)] for name in good]
    assert writer.written == ["first", *good]


async def test_several_poisonous_items_fail_and_nobody_else_does() -> None:
    writer = Writer()
    async with intake_of(writer) as intake:
        held = await busy(intake, writer)
        names = [f"{POISON}{n}" if n % 5 == 0 else f"R{n}" for n in range(40)]
        tasks = await waiting(intake, *((name,) for name in names))
        writer.open.set()
        await held
        answers = await asyncio.gather(*tasks, return_exceptions=True)

    failed = [name for name, given in zip(names, answers, strict=True) if given is writer.error]
    assert failed == [name for name in names if name.startswith(POISON)]
    assert sorted(writer.written) == sorted(
        ["first", *(name for name in names if not name.startswith(POISON))]
    )


async def test_a_constraint_that_stands_to_the_end_is_answered_with_try_again_and_not_with_its_text() -> None:
    writer = Writer()
    writer.error = ConstraintViolated("one_live_payment_per_due")
    async with intake_of(writer) as intake:
        with pytest.raises(Unavailable) as raised:
            await submit(intake, POISON)

    assert raised.value.retryable
    assert "one_live_payment_per_due" not in str(raised.value)


async def test_a_full_queue_says_so_at_once_and_takes_nothing_more() -> None:
    writer = Writer()
    async with intake_of(writer, capacity=10) as intake:
        held = await busy(intake, writer)
        tasks = await waiting(intake, *((f"R{n}",) for n in range(10)))

        with pytest.raises(Overloaded) as raised:
            await submit(intake, "one too many")
        with pytest.raises(Overloaded):
            await submit(intake, *(f"X{n}" for n in range(11)))

        assert raised.value.retry_after > 0
        assert raised.value.retryable
        writer.open.set()
        await asyncio.gather(held, *tasks)
        assert await submit(intake, "later") == [answer("later")]

    assert writer.written == ["first", *(f"R{n}" for n in range(10)), "later"]


async def test_the_queue_counts_payments_and_not_requests() -> None:
    writer = Writer()
    async with intake_of(writer, capacity=10) as intake:
        held = await busy(intake, writer)
        tasks = await waiting(intake, tuple(f"A{n}" for n in range(9)))

        with pytest.raises(Overloaded):
            await submit(intake, "B", "C")
        tasks += await waiting(intake, ("D",))
        writer.open.set()
        await asyncio.gather(held, *tasks)

    assert "B" not in writer.written
    assert writer.written[-1] == "D"


async def test_a_caller_that_goes_away_does_not_undo_its_payment_nor_its_neighbours() -> None:
    writer = Writer()
    async with intake_of(writer) as intake:
        held = await busy(intake, writer)
        gone, stays = await waiting(intake, ("gone",), ("stays",))
        gone.cancel()
        held.cancel()
        await asyncio.gather(gone, held, return_exceptions=True)
        writer.open.set()

        assert await stays == [answer("stays")]

    assert writer.written == ["first", "gone", "stays"]
    assert gone.cancelled()


async def test_a_stop_writes_what_is_waiting_and_takes_nothing_new() -> None:
    writer = Writer()
    intake = Intake(writer.record, 5_000)
    intake.start()
    held = await busy(intake, writer)
    tasks = await waiting(intake, *((f"R{n}",) for n in range(5)))

    stopping = asyncio.create_task(intake.stop())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as raised:
        await submit(intake, "too late")
    writer.open.set()
    await stopping

    assert raised.value.retryable
    assert await asyncio.gather(held, *tasks) == [[answer("first")], *([answer(f"R{n}")] for n in range(5))]
    assert "too late" not in writer.written


async def test_a_database_that_does_not_answer_fails_all_who_wait_at_once_and_later_ones_are_served() -> None:
    writer = Writer()
    writer.error = Unavailable("the database did not answer")
    async with intake_of(writer) as intake:
        held = await busy(intake, writer)
        tasks = await waiting(intake, (POISON,), *((f"R{n}",) for n in range(GROUP_ITEMS + 50)))
        writer.open.set()
        await held

        answers = await asyncio.gather(*tasks, return_exceptions=True)

        assert all(given is writer.error for given in answers)
        assert len(writer.groups) == 2
        assert await submit(intake, "later") == [answer("later")]

    assert writer.written == ["first", "later"]


async def test_room_in_the_queue_is_given_back_and_none_is_lost_by_failures() -> None:
    writer = Writer()
    async with intake_of(writer, capacity=3) as intake:
        for error in (RuntimeError("a defect"), Unavailable("no answer"), ConstraintViolated("met")):
            writer.error = error
            for _ in range(4):
                with contextlib.suppress(Unavailable):
                    outcomes = await submit(intake, POISON, "A", "B")
                    assert outcomes[1:] == [answer("A"), answer("B")]

        assert await submit(intake, "C", "D", "E") == [answer("C"), answer("D"), answer("E")]


async def test_one_faulty_item_of_a_list_is_refused_alone_and_its_neighbours_are_not() -> None:
    writer = Writer()
    writer.error = RuntimeError("a defect")
    async with intake_of(writer) as intake:
        outcomes = await submit(intake, "A", POISON, "B", "C")

    assert outcomes == [answer("A"), Refused(ErrorCode.FAULTY_ITEM), answer("B"), answer("C")]


async def test_an_empty_list_is_answered_with_nothing_and_writes_nothing() -> None:
    writer = Writer()
    async with intake_of(writer) as intake:
        assert await intake.submit([]) == []

    assert writer.groups == []
