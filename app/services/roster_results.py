"""The result file of an import: what became of each line, safe on disk before it is committed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

from app.services.roster_files import RosterRefused
from app.services.roster_lines import SENTENCES, LineCode

_HEADER = b"line_number,status,rule,code,reason\n"


@lru_cache(maxsize=256)
def _ending(accepted: bool, code: LineCode | None, rule: str | None) -> str:
    status = "ACCEPTED" if accepted else "REFUSED"
    reason = f'"{SENTENCES[code]}"' if code else ""
    return f",{status},{rule or ''},{code.value if code else ''},{reason}\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one line. An accepted line may have a code too: something to be known."""

    line_number: int
    accepted: bool
    code: LineCode | None = None
    rule: str | None = None


class ResultFile:
    """One line for each line of the roster: its number, what became of it and why. It holds no personal data.

    One process at a time: the file is locked while it is open.
    """

    def __init__(self, path: Path, committed_bytes: int) -> None:
        """Open for going on behind the first `committed_bytes`; 0 begins a new file.

        Raises:
            RosterRefused: another process writes it, it holds something else, or less than was committed.
        """
        try:
            self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o640), "r+b")
        except OSError as exc:
            raise RosterRefused(f"the result file cannot be written: {exc.strerror}") from None
        try:
            self._claim(committed_bytes)
        except BaseException:
            self._file.close()
            raise

    def _claim(self, committed_bytes: int) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RosterRefused("another import is writing the result file") from None
        begins = self._file.read(len(_HEADER))
        if begins and not _HEADER.startswith(begins):
            raise RosterRefused("the result file exists and is no result of an import: name another")
        if self._file.seek(0, os.SEEK_END) < committed_bytes:
            raise RosterRefused(
                "the result file of the earlier run is not where it was: put it back, or name it"
            )

    def write(self, position: int, outcomes: Sequence[Outcome]) -> int:
        """Put outcomes behind the first `position` bytes, safe on disk; the bytes that the file has then."""
        text = "".join([f"{o.line_number}{_ending(o.accepted, o.code, o.rule)}" for o in outcomes])
        self._file.seek(position)
        self._file.truncate()
        self._file.write(text.encode() if position else _HEADER + text.encode())
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        self._file.close()
