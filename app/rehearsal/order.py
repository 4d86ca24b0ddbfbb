"""Whether a subscriber saw each change once and in order: pure functions over what was seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

BATCH_PATH = ("OPEN", "CUT", "BALANCED", "REMITTED", "SETTLED")
PAYMENT_PATH = ("ACCEPTED", "CLEARED", "SETTLED")
REVERSED_PATH = ("ACCEPTED", "REVERSED")


def without_running_totals(statuses: Sequence[str]) -> list[str]:
    """Leave out repeated OPENs: those are a batch's running totals, not changes."""
    return [
        status
        for place, status in enumerate(statuses)
        if status != "OPEN" or place == 0 or statuses[place - 1] != "OPEN"
    ]


def fault_in_changes(seen: Sequence[str], expected: Sequence[str], *, first_optional: bool) -> str | None:
    """Name what is wrong with the changes seen of one object, or None.

    Where `first_optional`, the object existed before the subscription: its first change may be missing.
    """
    wanted = list(expected)
    if list(seen) == wanted or (first_optional and list(seen) == wanted[1:]):
        return None
    if first_optional and wanted and wanted[0] not in seen:
        wanted = wanted[1:]
    counts = Counter(seen)
    doubled = [status for status, count in counts.items() if count > 1]
    missing = [status for status in wanted if status not in counts]
    foreign = [status for status in counts if status not in wanted]
    for name, statuses in (("doubled", doubled), ("missing", missing), ("unexpected", foreign)):
        if statuses:
            return f"{name} {', '.join(statuses)} in {' '.join(seen) or 'nothing'}"
    return f"out of order in {' '.join(seen)}"


def faults_in_order(
    seen: Mapping[str, Sequence[str]],
    expected: Mapping[str, Sequence[str]],
    known_before: Collection[str] = frozenset(),
) -> list[str]:
    """Name what is wrong with everything that one subscriber saw, object by object."""
    faults = [f"{key}: not meant for this subscriber" for key in seen if key not in expected]
    for key, path in expected.items():
        fault = fault_in_changes(seen.get(key, ()), path, first_optional=key in known_before)
        if fault is not None:
            faults.append(f"{key}: {fault}")
    return faults
