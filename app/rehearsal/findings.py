"""What a rehearsal checks, and what it found to be wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from enum import StrEnum

EXAMPLES_KEPT = 8


class Check(StrEnum):
    """Each check of a rehearsal, as the sentence that the report prints."""

    ANSWERS = "every answer is the expected one"
    NO_SERVER_ERROR = "no request is answered by a server error"
    ACKNOWLEDGED = "every acknowledged payment is there, as acknowledged"
    NOTHING_INVENTED = "every payment there was made by a partner"
    ONE_BATCH = "each payment stands in exactly one batch"
    BATCH_TOTALS = "batch totals equal the sum of their payments"
    HANDLING_TOTALS = "totals per handling bank equal the sum of their payments"
    ONE_LIVE_PAYMENT = "no due has two live payments"
    DUES = "dues follow their payments"
    SETTLED = "every batch with payments is settled, and an empty one is open"
    SETTLEMENT_NEWS = "settlement subscribers saw each change once and in order"
    PAYMENT_NEWS = "payment subscribers saw each change once and in order"
    SERVER = "the server stayed up and stopped in order"
    VERIFY = "premia verify finds every invariant intact"
    LOGS = "the server's log carries no personal data and no token"
    TIME = "the season ends in the time allowed"


class Findings:
    """Failed checks, each with how often it failed and a few different examples."""

    def __init__(self) -> None:
        self.performed: set[Check] = set()
        self.counts: Counter[Check] = Counter()
        self.examples: defaultdict[Check, list[str]] = defaultdict(list)

    def add(self, check: Check, detail: str) -> None:
        """Note one failure; `detail` carries no personal data."""
        self.performed.add(check)
        self.counts[check] += 1
        examples = self.examples[check]
        if detail not in examples and len(examples) < EXAMPLES_KEPT:
            examples.append(detail)

    def extend(self, check: Check, details: list[str]) -> None:
        """Note several failures of one check."""
        for detail in details:
            self.add(check, detail)

    def performed_all(self, *checks: Check) -> None:
        """Note that these checks have been carried out, whatever they found."""
        self.performed.update(checks)

    @property
    def passed(self) -> bool:
        """Whether every check was carried out and found nothing."""
        return not self.counts and self.performed == set(Check)
