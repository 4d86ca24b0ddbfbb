"""The demonstration city of a million payers on PostgreSQL."""

from __future__ import annotations

from benchmarks.measures import Bound, Limit, Measure
from benchmarks.stage import Stage


async def run(stage: Stage) -> list[Measure]:
    """Measure `premia demo`, migrations and start of the interpreter included."""
    payers = stage.size(1_000_000, 25_000)
    ran = await stage.city(payers)
    details = {"peak_megabytes": ran.peak_bytes // 2**20, "payers_per_second": round(payers / ran.seconds)}
    name = f"premia demo --payers {payers}"
    return [Measure("city", name, ran.seconds, "s", None, Limit(Bound.AT_MOST, 120), details)]
