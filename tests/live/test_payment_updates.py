"""Updates of payments: each state once and in order, to whom it concerns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from app.faults import BadInput
from app.live import updates
from app.live.feed import Feed
from app.live.updates import PaymentUpdate, payment_updates
from app.principal import Principal
from app.rules.refusals import Refused
from app.services import clearing
from app.services.payments import Recorded, ReversePayment, record_payments, reverse_payment
from app.services.sight import sight_of
from app.vocabulary import PaymentStatus
from models.dues import Due
from tests.builders import AUDITOR, Office, bank_principal, officer, payer_principal
from tests.live.following import read, read_some, started_feed
from tests.live.test_batch_updates import settle

FROM_THE_BEGINNING = "0"
Told = list[tuple[UUID, PaymentStatus]]
Status = PaymentStatus


@pytest.fixture
async def feed(office: Office) -> AsyncIterator[Feed]:
    """A feed over the office."""
    async with started_feed() as started:
        yield started


async def pay(office: Office, due: Due, bank: str = "103") -> tuple[UUID, UUID]:
    """Pay a due; the payment and its batch."""
    [outcome] = await record_payments([office.command(due, bank=bank)])
    assert isinstance(outcome, Recorded)
    return outcome.payment.id, outcome.payment.clearing_batch_id


async def take_back(payment_id: UUID, bank: str = "103") -> None:
    assert not isinstance(
        await reverse_payment(ReversePayment(payment_id, "error"), bank_principal(bank)), Refused
    )


def states(told: list[PaymentUpdate]) -> Told:
    return [(update.payment.id, update.payment.status) for update in told]


async def told_to(feed: Feed, principal: Principal, last: tuple[UUID, PaymentStatus]) -> list[PaymentUpdate]:
    """What a principal is told from the beginning until `last`."""
    following = payment_updates(feed, await sight_of(principal), FROM_THE_BEGINNING)
    return await read(following, lambda taken: states(taken)[-1] == last)


async def settled_day(office: Office, payments: int) -> tuple[list[UUID], list[UUID]]:
    """A batch that is settled with all but one of its payments, which was taken back; one that is cut."""
    paid = [await pay(office, due) for due in await office.dues(payments)]
    taken_back, batch = paid[1]
    await take_back(taken_back)
    other, other_batch = await pay(office, await office.due(), "104")
    await settle(batch, "314")
    assert not isinstance(await clearing.cut(other_batch, officer()), Refused)
    return [payment for payment, _ in paid], [other]


async def test_accepted_reversed_cleared_and_settled_are_told_once_and_in_order(
    office: Office, feed: Feed
) -> None:
    paid, [other] = await settled_day(office, 5)
    live = [payment for payment in paid if payment != paid[1]]

    told = await told_to(feed, AUDITOR, (live[-1], Status.SETTLED))

    assert states(told) == [
        *((payment, Status.ACCEPTED) for payment in paid),
        (paid[1], Status.REVERSED),
        (other, Status.ACCEPTED),
        *((payment, Status.CLEARED) for payment in live),
        *((payment, Status.SETTLED) for payment in live),
    ]


@pytest.mark.parametrize("page", [1, 2, 500])
async def test_a_reader_that_is_cut_off_behind_any_update_resumes_with_the_next_and_repeats_none(
    office: Office, feed: Feed, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(updates, "PAGE", page)
    paid, _ = await settled_day(office, 5)
    whole = await told_to(feed, AUDITOR, (paid[-1], Status.SETTLED))
    sight = await sight_of(AUDITOR)

    for length in range(1, len(whole)):
        missing = len(whole) - length
        rest = await read_some(payment_updates(feed, sight, whole[length - 1].cursor), missing)

        assert rest == whole[length:]


async def test_behind_the_last_payment_of_a_cleared_batch_a_reader_goes_on_with_what_is_new_and_repeats_none(
    office: Office, feed: Feed
) -> None:
    paid, _ = await settled_day(office, 3)
    whole = await told_to(feed, AUDITOR, (paid[-1], Status.SETTLED))

    later, _ = await pay(office, await office.due())
    rest = await read_some(payment_updates(feed, await sight_of(AUDITOR), whole[-1].cursor), 1)

    assert states(rest) == [(later, Status.ACCEPTED)]


async def test_a_batch_that_is_cleared_while_a_reader_follows_is_told_payment_by_payment_and_none_twice(
    office: Office, feed: Feed
) -> None:
    dues = await office.dues(4)
    sight = await sight_of(AUDITOR)
    reading = asyncio.create_task(read_some(payment_updates(feed, sight, FROM_THE_BEGINNING), 12))

    paid = [await pay(office, due) for due in dues]
    await settle(paid[0][1], "314")

    expected = [
        (payment, status)
        for status in (Status.ACCEPTED, Status.CLEARED, Status.SETTLED)
        for payment, _ in paid
    ]
    assert states(await reading) == expected


async def test_a_bank_is_told_of_its_own_payments_and_not_of_another_banks(
    office: Office, feed: Feed
) -> None:
    mine, batch = await pay(office, await office.due(), "103")
    theirs, _ = await pay(office, await office.due(), "314")
    last, _ = await pay(office, await office.due(), "103")
    await settle(batch, "314")

    handling = await told_to(feed, bank_principal("103"), (last, Status.SETTLED))
    clears = await told_to(feed, bank_principal("314"), (last, Status.SETTLED))

    assert {payment for payment, _ in states(handling)} == {mine, last}
    assert {payment for payment, _ in states(clears)} == {mine, theirs, last}


async def test_a_payer_is_told_of_their_household_and_not_of_their_neighbours(
    office: Office, feed: Feed
) -> None:
    household = uuid7()
    person, relative = [await office.payer(household=household) for _ in range(2)]
    own, batch = await pay(office, await office.due(person))
    neighbour, _ = await pay(office, await office.due())
    family, _ = await pay(office, await office.due(relative))
    await settle(batch, "314")

    told = await told_to(feed, payer_principal(person), (family, Status.SETTLED))

    assert states(told) == [
        (payment, status)
        for status in (Status.ACCEPTED, Status.CLEARED, Status.SETTLED)
        for payment in (own, family)
    ]
    assert neighbour not in {payment for payment, _ in states(told)}


async def test_an_officer_is_told_of_their_region_and_what_is_below_and_not_of_the_next_district(
    office: Office, feed: Feed
) -> None:
    in_village, batch = await pay(office, await office.due(await office.payer("370215001")))
    next_district, _ = await pay(office, await office.due(await office.payer("370203")))
    in_district, _ = await pay(office, await office.due(await office.payer("370215")))
    await settle(batch, "314")

    local = await told_to(feed, officer(region="370215"), (in_district, Status.SETTLED))
    city = await told_to(feed, officer(), (in_district, Status.SETTLED))

    assert {payment for payment, _ in states(local)} == {in_village, in_district}
    assert {payment for payment, _ in states(city)} == {in_village, next_district, in_district}


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "-1", "1.x", "x.1", ".", "1.2.3", ".5", "１", "9" * 19, " 1", "1e3", f"x.{UUID(int=1)}"],
)
async def test_a_malformed_cursor_is_refused_and_nobody_is_left_following(feed: Feed, cursor: str) -> None:
    with pytest.raises(BadInput):
        await anext(payment_updates(feed, await sight_of(AUDITOR), cursor))

    assert feed.subscribers == 0


async def test_no_queue_is_left_behind_by_a_stream_that_is_closed_in_the_middle_of_a_batch(
    office: Office, feed: Feed
) -> None:
    paid, _ = await settled_day(office, 4)
    whole = await told_to(feed, AUDITOR, (paid[-1], Status.SETTLED))

    await read_some(payment_updates(feed, await sight_of(AUDITOR), FROM_THE_BEGINNING), len(whole) - 2)

    assert feed.subscribers == 0
