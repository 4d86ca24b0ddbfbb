"""What a benchmark says: figures beside a limit or a comparison, the table of them, and the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


class Bound(StrEnum):
    """On which side of the limit a figure has to stay."""

    AT_LEAST = "at least"
    AT_MOST = "at most"


@dataclass(frozen=True, slots=True)
class Limit:
    """What has to hold: of the ratio where the measure has a comparison, else of the value itself."""

    bound: Bound
    value: float

    def holds(self, figure: float) -> bool:
        """Whether `figure` is on the right side."""
        return figure >= self.value if self.bound is Bound.AT_LEAST else figure <= self.value

    def __str__(self) -> str:
        return f"{'≥' if self.bound is Bound.AT_LEAST else '≤'} {_number(self.value)}"


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table.

    Attributes:
        beside: the name and the figure of what it is compared with, in the same unit.
        details: every figure behind it, for the file.
    """

    benchmark: str
    name: str
    value: float
    unit: str
    beside: tuple[str, float] | None = None
    limit: Limit | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times the comparison."""
        return self.value / self.beside[1] if self.beside and self.beside[1] else None

    @property
    def holds(self) -> bool | None:
        """Whether the limit is kept; None where there is none."""
        if self.limit is None:
            return None
        ratio = self.ratio
        return self.limit.holds(self.value if ratio is None else ratio)

    def to_json(self) -> dict[str, Any]:
        """The measure as it stands in the file."""
        return {
            "benchmark": self.benchmark,
            "measure": self.name,
            "value": round(self.value, 4),
            "unit": self.unit,
            "beside": {"name": self.beside[0], "value": round(self.beside[1], 4)} if self.beside else None,
            "ratio": None if self.ratio is None else round(self.ratio, 4),
            "limit": str(self.limit) if self.limit else None,
            "holds": self.holds,
            "details": self.details,
        }


def table_of(measures: Sequence[Measure]) -> Table:
    """Every measure beside its limit or its comparison."""
    table = Table(title="Benchmarks", title_justify="left")
    table.add_column("measure")
    for name in ("value", "comparison", "ratio", "limit"):
        table.add_column(name, justify="right")
    table.add_column("holds?")
    for measure in measures:
        beside = measure.beside
        table.add_row(
            measure.name,
            f"{_number(measure.value)} {measure.unit}",
            f"{beside[0]}: {_number(beside[1])} {measure.unit}" if beside else "",
            "" if measure.ratio is None else _number(measure.ratio),
            str(measure.limit) if measure.limit else "",
            {True: "[green]yes[/green]", False: "[bold red]NO[/bold red]", None: ""}[measure.holds],
        )
    return table


def write_results(measures: Sequence[Measure], machine: dict[str, Any], *, quick: bool) -> Path:
    """Write everything that was measured to `results/latest.json`."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "latest.json"
    report = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": machine,
        "measures": [measure.to_json() for measure in measures],
    }
    path.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return path


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
