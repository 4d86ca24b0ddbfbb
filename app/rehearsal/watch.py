"""What subscribers saw, kept small: one list of statuses for each batch and payment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from app.rehearsal.instructions import Json
from app.rehearsal.order import BATCH_PATH, faults_in_order, without_running_totals

Totals = tuple[int, str]


@dataclass(slots=True)
class PaymentWatch:
    """The statuses that one subscriber saw of each payment; `bank_code` is None for one who sees all."""

    bank_code: str | None
    seen: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def take(self, update: Json) -> None:
        """Keep one `PaymentUpdate`."""
        self.seen[update["payment"]["id"]].append(update["status"])

    def faults(self, expected: Mapping[str, Sequence[str]], known_before: Collection[str]) -> list[str]:
        """Name what is wrong with what was seen."""
        return faults_in_order(self.seen, expected, known_before)

    def waits_for(self, expected: Mapping[str, Sequence[str]]) -> bool:
        """Whether the last change of something has not come yet."""
        return any(not self.seen.get(key) or self.seen[key][-1] != path[-1] for key, path in expected.items())


@dataclass(slots=True)
class SettlementWatch:
    """The statuses and totals that one subscriber saw of each batch of one clearing bank."""

    bank_code: str
    seen: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    totals: defaultdict[str, list[tuple[str, Totals]]] = field(default_factory=lambda: defaultdict(list))

    def take(self, update: Json) -> None:
        """Keep one `SettlementUpdate`."""
        batch_id = update["batch"]["id"]
        self.seen[batch_id].append(update["status"])
        self.totals[batch_id].append((update["status"], (update["paymentCount"], update["totalAmount"])))

    def faults(
        self,
        expected: Mapping[str, Sequence[str]],
        final: Mapping[str, Totals],
        known_before: Collection[str],
    ) -> list[str]:
        """Name what is wrong with what was seen, given each batch's path and its totals at the end."""
        changes = {key: without_running_totals(statuses) for key, statuses in self.seen.items()}
        return faults_in_order(changes, expected, known_before) + self._faults_in_totals(final)

    def waits_for(self, expected: Mapping[str, Sequence[str]], final: Mapping[str, Totals]) -> bool:
        """Whether the last change, or the newest totals, of some batch has not come yet."""
        return any(
            not self.seen.get(key)
            or self.seen[key][-1] != path[-1]
            or (key in final and self.totals[key][-1][1] != final[key])
            for key, path in expected.items()
        )

    def _faults_in_totals(self, final: Mapping[str, Totals]) -> list[str]:
        faults = []
        for key, pictures in self.totals.items():
            if key in final and pictures[-1][1] != final[key]:
                faults.append(f"{key}: newest totals {pictures[-1][1]} differ from {final[key]}")
            closed = {totals for status, totals in pictures if status in BATCH_PATH[1:]}
            if len(closed) > 1:
                faults.append(f"{key}: totals changed after the cut: {sorted(closed)}")
        return faults
