"""What a rehearsal came to: figures, and every check with its outcome."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.clock import OFFICE
from app.rehearsal.book import Book
from app.rehearsal.findings import Check, Findings
from app.rehearsal.instructions import text_of
from app.rehearsal.season import SeasonFigures


@dataclass(slots=True)
class RehearsalReport:
    """The outcome of one rehearsal.

    Attributes:
        notes: sentences for the reader: why it ended early, where something was kept.
    """

    findings: Findings
    book: Book
    figures: SeasonFigures
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every check was carried out and holds."""
        return self.findings.passed

    def failed_checks(self) -> list[str]:
        """Name the checks that failed or were not reached."""
        return [check.value for check in Check if self._outcome(check) != "holds"]

    def rows(self) -> list[tuple[str, str]]:
        """Give the figures, named."""
        book, figures = self.book, self.figures
        live = book.live()
        rate = len(book.payments) / figures.paying_seconds if figures.paying_seconds else 0.0
        refused = [(f"  {code}", f"{count:,}") for code, count in sorted(book.refused.items())]
        troubles = [
            (f"  retried after {name}", f"{count:,}") for name, count in sorted(book.troubles.items())
        ]
        return [
            ("dues open before the season", f"{figures.dues:,}"),
            ("payment instructions answered", f"{book.offered:,}"),
            ("payments accepted", f"{len(book.payments):,}"),
            ("refused", f"{sum(book.refused.values()):,}"),
            *refused,
            ("repeats recognised", f"{book.repeats:,}"),
            ("instructions abandoned in flight", f"{book.abandoned:,}"),
            *troubles,
            ("reversals", f"{book.reversals:,}"),
            ("clearing batches settled", f"{figures.batches:,}"),
            ("amount collected, yuan", text_of(sum(payment.amount for payment in live))),
            ("updates seen by subscribers", f"{figures.updates:,}"),
            ("subscribers' reconnects", f"{figures.reconnects:,}"),
            ("payments per second while paying", f"{rate:,.0f}"),
            (
                "single payment, p50 and p99",
                f"{_quantile(book.seconds, 0.5)} and {_quantile(book.seconds, 0.99)}",
            ),
            ("day reached by the city's clock", f"{book.now.astimezone(OFFICE):%Y-%m-%d}"),
            ("whole rehearsal", f"{self.seconds:,.1f} s"),
        ]

    def print(self, console: Console) -> None:
        """Print the table, the checks and what failed."""
        table = Table(title="Rehearsal", show_header=False)
        table.add_column("figure", no_wrap=True)
        table.add_column("value", justify="right", no_wrap=True)
        for name, value in self.rows():
            table.add_row(name, value)
        console.print(table)
        for check in Check:
            self._print_check(console, check)
        for note in self.notes:
            console.print(escape(note), highlight=False, soft_wrap=True)
        console.print(f"Rehearsal: {self._closing()}", highlight=False)

    def _closing(self) -> str:
        if self.passed:
            return f"all {len(Check)} checks hold"
        failed = sum(self.findings.counts[check] > 0 for check in Check)
        return (
            f"{failed} of {len(Check)} checks failed, {len(self.failed_checks()) - failed} were not reached"
        )

    def _outcome(self, check: Check) -> str:
        if self.findings.counts[check]:
            return f"FAILED {self.findings.counts[check]} times"
        return "holds" if check in self.findings.performed else "NOT REACHED"

    def _print_check(self, console: Console, check: Check) -> None:
        console.print(f"{self._outcome(check):<20} {check.value}", highlight=False, soft_wrap=True)
        for example in self.findings.examples[check]:
            console.print(f"    {escape(example)}", highlight=False, soft_wrap=True)


def _quantile(seconds: list[float], share: float) -> str:
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    return f"{ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000:.1f} ms"
