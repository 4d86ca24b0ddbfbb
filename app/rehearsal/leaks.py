"""Looks through a log for what must never be in one: id numbers, phone numbers, tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

PATTERNS = (
    ("an id number", re.compile(r"(?<![\d.])\d{17}[\dXx](?!\d)")),
    ("a mobile number", re.compile(r"(?<![0-9A-Za-z.])1[3-9]\d{9}(?![0-9A-Za-z]|\.\d)")),
    ("a token", re.compile(r"eyJ[A-Za-z0-9_-]{8,}")),
)


def leaks_in_lines(lines: Iterable[str], secrets: Sequence[str] = ()) -> list[str]:
    """Name each leak by line number and kind; what leaked is not repeated.

    `secrets` are texts that may not appear as they are: tokens and keys of this very run.
    """
    found = []
    for number, line in enumerate(lines, start=1):
        found += [f"line {number} shows {kind}" for kind, pattern in PATTERNS if pattern.search(line)]
        if any(secret in line for secret in secrets):
            found.append(f"line {number} shows a secret of this run")
    return found


def leaks_in_file(path: Path, secrets: Sequence[str] = ()) -> list[str]:
    """Name each leak in a log file, read line by line."""
    with path.open(encoding="utf-8", errors="replace") as log:
        return leaks_in_lines(log, secrets)
