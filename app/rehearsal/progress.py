"""Tells how far a rehearsal is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class Stagehand:
    """Shows the progress of one rehearsal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        if console.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            self._bar = Progress(*columns, console=console, transient=True)
            self._task = self._bar.add_task("preparing", total=None)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, phase: str) -> None:
        """Name what happens now."""
        if self._bar is None:
            self._console.print(phase, highlight=False)
        else:
            self._bar.update(self._task, description=phase)

    def expect(self, slips: int) -> None:
        """Say how many slips the season has."""
        if self._bar is not None:
            self._bar.update(self._task, total=slips)

    def advance(self, slips: int) -> None:
        """Say that so many more slips are dealt with."""
        if self._bar is not None:
            self._bar.advance(self._task, slips)
