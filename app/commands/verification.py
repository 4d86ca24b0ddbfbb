"""`premia verify`."""

from __future__ import annotations

from app.services.verification import verify
from app.settings import Settings
from app.startup import opened
from models.invariants import INVARIANTS


async def run(settings: Settings) -> int:
    """Print each invariant and a closing line; the exit status."""
    async with opened(settings):
        breaches = await verify(
            lambda sentence, holds: print(f"{'holds ' if holds else 'BROKEN'}  {sentence}")
        )
    for breach in breaches:
        print(f"broken: {breach.sentence}: {', '.join(breach.examples)}")
    print(f"{len(INVARIANTS) - len(breaches)} of {len(INVARIANTS)} invariants hold")
    return 1 if breaches else 0
