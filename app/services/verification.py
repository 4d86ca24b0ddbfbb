"""Verification: every invariant, asked of the database."""

from __future__ import annotations

from collections.abc import Callable

from app.services.transactions import transaction
from models import invariants
from models.invariants import Breach


async def verify(tell: Callable[[str, bool], None]) -> list[Breach]:
    """Check all invariants within one transaction; `tell(sentence, holds)` after each.

    Raises:
        Unavailable: the database did not answer.
    """
    breaches: list[Breach] = []
    async with transaction() as session:
        await session.as_of_one_moment()
        for invariant in invariants.INVARIANTS:
            breach = await invariants.breach(session, invariant)
            tell(invariant.sentence, breach is None)
            if breach is not None:
                breaches.append(breach)
    return breaches
