"""Verification: every invariant, asked of the database."""

from __future__ import annotations

from collections.abc import Callable

from app.services.transactions import snapshot
from models import invariants
from models.invariants import Breach


async def verify(tell: Callable[[str, bool], None]) -> list[Breach]:
    """Check all invariants as of one moment; `tell(sentence, holds)` after each.

    Raises:
        Unavailable: the database did not answer.
    """
    breaches: list[Breach] = []
    async with snapshot() as session:
        for invariant in invariants.INVARIANTS:
            breach = await invariants.breach(session, invariant)
            tell(invariant.sentence, breach is None)
            if breach is not None:
                breaches.append(breach)
    return breaches
