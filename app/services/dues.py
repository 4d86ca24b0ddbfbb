"""Looking up dues within a caller's sight, and saying why they are as they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from app import clock
from app.personal_data import PersonalDataKeys
from app.principal import Principal
from app.rules.money import format_money
from app.services import payers, reference
from app.services.pages import Page, take
from app.services.reference import Reference
from app.services.sight import sight_of
from app.services.transactions import reading
from app.vocabulary import DueStatus, Scheme
from models import dues, payments
from models.dues import DueCriteria, DueRow

UNPAID = frozenset({DueStatus.OPEN, DueStatus.HELD})


@dataclass(frozen=True, slots=True)
class DueFilter:
    """What a client narrows dues by."""

    scheme: Scheme | None = None
    benefit_year: int | None = None
    status: DueStatus | None = None
    region_code: str | None = None


async def by_ids(ids: Sequence[UUID]) -> dict[UUID, DueRow]:
    """Dues by id, for objects that the caller may see already."""
    async with reading() as session:
        return {row.id: row for row in await dues.by_ids(session, ids)}


async def by_payers(payer_ids: Sequence[UUID]) -> dict[UUID, list[DueRow]]:
    """The dues of people whom the caller may see already."""
    found: dict[UUID, list[DueRow]] = defaultdict(list)
    async with reading() as session:
        for row in await dues.by_payers(session, payer_ids):
            found[row.payer_id].append(row)
    return found


async def visible(due_id: UUID, principal: Principal) -> DueRow | None:
    """A due, or None when there is none in sight. A bank sees a due by its own payment."""
    sight = await sight_of(principal)
    async with reading() as session:
        rows = await dues.by_ids(session, [due_id])
        if not rows:
            return None
        if sight.bank_id is not None:
            found = await payments.live_by_dues(session, [due_id])
            own = any(sight.bank_id in (p.handling_bank_id, p.clearing_bank_id) for p in found)
            return rows[0] if own else None
    person = await payers.visible(rows[0].payer_id, principal)
    return rows[0] if person else None


def _periods(facts: Reference, scheme: Scheme | None, benefit_year: int | None) -> list[UUID] | None:
    if scheme is None and benefit_year is None:
        return None
    return [
        period.id
        for period in facts.periods.values()
        if scheme in (None, period.scheme) and benefit_year in (None, period.benefit_year)
    ]


async def page(
    principal: Principal, wanted: DueFilter, window: Page
) -> tuple[list[DueRow], bool, DueCriteria]:
    """A page of dues in sight, whether more follow, and the criteria to count them by.

    Raises:
        Forbidden: a bank looks a person up by id number.
    """
    facts = await reference.load()
    criteria = replace(
        (await sight_of(principal)).dues(),
        period_ids=_periods(facts, wanted.scheme, wanted.benefit_year),
        status=wanted.status,
    )
    if wanted.region_code is not None:
        criteria = replace(criteria, narrowed_region_ids=facts.subtree(wanted.region_code))
    async with reading() as session:
        rows = await dues.page(session, criteria, window.first + 1, window.after)
    return (*take(rows, window), criteria)


async def count(criteria: DueCriteria) -> int:
    """How many dues."""
    async with reading() as session:
        return await dues.count(session, criteria)


async def payable(
    id_number: str, scheme: Scheme | None, principal: Principal, keys: PersonalDataKeys
) -> list[DueRow]:
    """What the person may pay now; nothing for a person who is not there or not in sight.

    Raises:
        BadInput: it is not an id number (R01).
    """
    person = await payers.by_id_number(id_number, keys, await sight_of(principal))
    if person is None:
        return []
    facts = await reference.load()
    today = clock.today()
    open_periods = {
        period.id
        for period in facts.periods.values()
        if scheme in (None, period.scheme) and period.opens_on <= today <= period.closes_on
    }
    return [row for row in (await by_payers([person.id]))[person.id] if _is_payable(row, open_periods)]


def _is_payable(row: DueRow, open_periods: set[UUID]) -> bool:
    free = row.status is DueStatus.OPEN or (
        row.status is DueStatus.HELD and row.held_until is not None and row.held_until <= clock.now()
    )
    return free and row.period_id in open_periods and row.personal_amount > 0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an explanation: the rule, and what went into it."""

    rule: str
    inputs: list[str]


def explain(row: DueRow, facts: Reference) -> list[Step]:
    """Why this amount and this state, each step with its rule."""
    period = facts.periods[row.period_id]
    amount = format_money(row.personal_amount + row.subsidy_amount)
    origin = "R05" if period.scheme is Scheme.MEDICAL else "R15"
    steps = [Step(origin, [f"benefitYear {period.benefit_year}", row.category, f"amount {amount}"])]
    if row.subsidy_amount:
        split = [
            f"personalAmount {format_money(row.personal_amount)}",
            f"subsidyAmount {format_money(row.subsidy_amount)}",
        ]
        steps.append(Step("R09" if row.personal_amount == 0 else "R08", split))
    steps.append(Step("R37", [f"payableFrom {period.opens_on}", f"payableUntil {period.closes_on}"]))
    steps.append(
        Step("R07", [f"personalAmount {format_money(row.personal_amount)}", f"status {row.status.value}"])
    )
    return steps
