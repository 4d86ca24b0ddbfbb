"""A season: partners pay day after day, the office clears, dashboards watch, and the books are compared."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass

from app.rehearsal.audience import Audience
from app.rehearsal.bank import SimulatedBank
from app.rehearsal.book import Book
from app.rehearsal.cast import Address, Cast
from app.rehearsal.census import take_census
from app.rehearsal.checks import check_books
from app.rehearsal.clearing_day import ClearingDay
from app.rehearsal.findings import Check
from app.rehearsal.instructions import Slip
from app.rehearsal.lists import deliver, write_list
from app.rehearsal.mischief import make_mischief
from app.rehearsal.operations import CLEARING_BATCHES, OPEN_DUES, VIEWER
from app.rehearsal.plan import BankDay, Plan, plan_season
from app.rehearsal.progress import Stagehand
from app.rehearsal.setbacks import GaveUp, SeasonBroken
from app.rehearsal.stories import Story, Street, pay, plainly

CLERKS_PER_BANK = 3
SECONDS_TO_WAKE = 3.0
SECONDS_TO_SUBSCRIBE = 0.5
UNANSWERED_AT_MOST = 50


@dataclass(slots=True)
class SeasonFigures:
    """What a season came to."""

    dues: int = 0
    batches: int = 0
    updates: int = 0
    reconnects: int = 0
    paying_seconds: float = 0.0


class Season:
    """One whole season against one server."""

    def __init__(self, address: Address, cast: Cast, book: Book, seed: int, stagehand: Stagehand) -> None:
        self.figures = SeasonFigures()
        self._cast = cast
        self._book = book
        self._seed = seed
        self._stagehand = stagehand
        self._street = Street(list(cast.banks.values()), book)
        self._clearing = ClearingDay(cast, book)
        self._audience = Audience(address, cast.tokens, book.findings, seed)
        self._batch_id = ""

    async def play(self, days: int) -> None:
        """Play the season and carry out every check that the API allows.

        Raises:
            GaveUp, SeasonBroken, TooFewDues: it could not be played to its end.
        """
        self._stagehand.say("reading the roster")
        roster = [Slip.of(due) async for due in self._cast.auditor.pages(OPEN_DUES, "dues", {})]
        plan = plan_season([slip for slip in roster if slip.amount > 0], days, self._seed)
        self.figures.dues = len(roster)
        self._stagehand.expect(sum(work.slips for day in plan.days for work in day.values()))
        try:
            async with self._audience:
                await self._open(plan)
                await self._pay_all(plan)
                await self._compare(len(roster))
        finally:
            self.figures.updates = self._audience.updates
            self.figures.reconnects = self._audience.reconnects

    async def _open(self, plan: Plan) -> None:
        """Pay once at each bank until every subscriber has seen something, then begin to cut lines."""
        self._stagehand.say("opening the counters")
        await self._greet()
        for number, round_of_slips in enumerate(plan.opening):
            for code, slip in round_of_slips.items():
                await pay(self._street, self._cast.banks[code], slip)
            if await self._audience.is_awake(SECONDS_TO_WAKE):
                for rest in plan.opening[number + 1 :]:
                    self._street.later += [(self._cast.banks[code], slip) for code, slip in rest.items()]
                break
        else:
            asleep = ", ".join(self._audience.asleep())
            raise SeasonBroken(f"no update came in {SECONDS_TO_WAKE:.0f} s after a payment: {asleep}")
        self._audience.known_before.update(self._book.payments)
        batches = [each async for each in self._cast.auditor.pages(CLEARING_BATCHES, "clearingBatches", {})]
        self._audience.known_before.update(batch["id"] for batch in batches)
        self._batch_id = batches[0]["id"]
        self._audience.harass()

    async def _greet(self) -> None:
        """Let everybody ask who they are; subscribers use the time to subscribe."""
        people = {"AUDITOR": self._cast.auditor, "ADMIN": self._cast.admin, "OFFICER": self._cast.officer_1}
        for role, client in people.items():
            viewer = (await client.execute(VIEWER, {})).field("viewer")
            self._book.expect(f"the role of the {role.lower()}", viewer["role"], {role})
        for code, bank in self._cast.banks.items():
            viewer = (await bank.client.execute(VIEWER, {})).field("viewer")
            self._book.expect("the bank behind a token", str((viewer["bank"] or {}).get("code")), {code})
        await asyncio.sleep(SECONDS_TO_SUBSCRIBE)

    async def _pay_all(self, plan: Plan) -> None:
        began = time.perf_counter()
        mischief = make_mischief(self._cast, self._cast.banks["103"], plan.unpaid[0], self._batch_id)
        naughty = asyncio.create_task(self._guarded(mischief))
        for number, work in enumerate(plan.days, start=1):
            self._stagehand.say(f"day {number} of {len(plan.days)}")
            await self._day(work)
        await naughty
        for bank, slip in self._street.later:
            await self._guarded(pay(self._street, bank, slip))
        self.figures.paying_seconds = time.perf_counter() - began
        self._stagehand.say("settling the last batches")
        await self._guarded(self._clearing.hold(leave_empty=True))
        self.figures.batches = self._clearing.settled
        self._book.findings.performed_all(Check.ANSWERS, Check.NO_SERVER_ERROR)

    async def _day(self, work: dict[str, BankDay]) -> None:
        """All banks pay; when half is done, the office cuts while they go on."""
        for bank, slip in self._street.later:
            work[bank.code].counter.append((plainly, slip))
        self._street.later.clear()
        day = _Day(sum(each.slips for each in work.values()))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._clear_at_noon(day))
            for code, each in work.items():
                bank = self._cast.banks[code]
                queue = deque(each.counter)
                for _ in range(CLERKS_PER_BANK):
                    group.create_task(self._serve_counter(bank, queue, day))
                group.create_task(self._send_lists(bank, each.lists, day))

    async def _clear_at_noon(self, day: _Day) -> None:
        await day.noon.wait()
        await self._guarded(self._clearing.hold(leave_empty=False))

    async def _serve_counter(self, bank: SimulatedBank, queue: deque[tuple[Story, Slip]], day: _Day) -> None:
        while queue:
            story, slip = queue.popleft()
            await self._guarded(story(self._street, bank, slip))
            self._done(day, 1)

    async def _send_lists(self, bank: SimulatedBank, lists: list[list[Slip]], day: _Day) -> None:
        for slips in lists:
            await self._guarded(deliver(bank, write_list(bank, slips, self._batch_id)))
            self._done(day, len(slips))

    def _done(self, day: _Day, slips: int) -> None:
        self._stagehand.advance(slips)
        day.done(slips)

    async def _guarded(self, work: Awaitable[object]) -> None:
        """Let a partner give up now and then, which is a finding; too often ends the season."""
        try:
            await work
        except GaveUp as trouble:
            self._book.findings.add(Check.ANSWERS, str(trouble))
            self._book.unanswered += 1
            if self._book.unanswered > UNANSWERED_AT_MOST:
                raise SeasonBroken(f"{UNANSWERED_AT_MOST} requests had no usable answer") from trouble

    async def _compare(self, roster: int) -> None:
        self._stagehand.say("comparing the books")
        census = await take_census(self._cast.auditor)
        check_books(census, self._book, roster)
        await self._audience.hear_all(self._book, census)
        self._audience.check(self._book, census)


class _Day:
    """How much of a day's work is done; at half of it, it is noon."""

    def __init__(self, slips: int) -> None:
        self.noon = asyncio.Event()
        self._left = slips
        self._half = slips // 2
        if slips == 0:
            self.noon.set()

    def done(self, slips: int) -> None:
        self._left -= slips
        if self._left <= self._half:
            self.noon.set()
