"""The roster file: what it is, and its lines one by one, in bounded memory.

A record is one line of the file. A field that is quoted ends on its line, so that one mark that was never
closed costs one line and not the rest of the file.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.services.roster_lines import Column, LineCode

LONGEST_LINE_BYTES = 4_096
_BLOCK_BYTES = 1 << 20
FIRST_DATA_LINE = 2

_CHINESE_NAMES = {
    "证件号码": Column.ID_NUMBER,
    "姓名": Column.NAME,
    "手机号": Column.PHONE,
    "区划代码": Column.REGION_CODE,
    "险种": Column.SCHEME,
    "类别或档次": Column.CATEGORY_OR_TIER,
}
_NAMES = {
    **_CHINESE_NAMES,
    **{column.value: column for column in Column},
    "category": Column.CATEGORY_OR_TIER,
    "tier": Column.CATEGORY_OR_TIER,
}


class RosterRefused(Exception):
    """The whole file is refused, or its result cannot be written; the message is one sentence.

    Nothing more has been imported than an earlier run had.
    """


@dataclass(frozen=True, slots=True)
class Survey:
    """What reading the whole file once has shown.

    Attributes:
        content_hash: of the benefit year and every byte; what a later run knows the import by.
        starts_at: the byte at which the first data line begins.
        changed_at: when the file was last written, in nanoseconds since 1970.
    """

    content_hash: str
    encoding: str
    columns: tuple[Column, ...]
    starts_at: int
    total_bytes: int
    changed_at: int

    def check_unchanged(self, path: Path) -> None:
        """Raise `RosterRefused` when the file is not as it was when it was surveyed."""
        state = path.stat()
        if (state.st_size, state.st_mtime_ns) != (self.total_bytes, self.changed_at):
            raise RosterRefused("the roster was changed while it was being imported")


def survey(path: Path, benefit_year: int) -> Survey:
    """Read the whole file once, in bounded pieces: what it is, and whether it is a roster.

    Raises:
        RosterRefused: it cannot be opened, has another encoding, or its first line names no columns.
    """
    try:
        with path.open("rb") as file:
            digest, wrong_line, is_chinese = _read_through(file, benefit_year)
            encoding = "utf-8" if wrong_line is None else "gb18030"
            file.seek(len(codecs.BOM_UTF8) if _has_mark(file) else 0)
            header = _read_line(file)
            starts_at, state = file.tell(), os.fstat(file.fileno())
    except OSError as exc:
        raise RosterRefused(f"the roster cannot be read: {exc.strerror}") from None
    if wrong_line is not None and not (is_chinese and _names_columns_in_chinese(header)):
        sentence = (
            f"the roster is not UTF-8 (see line {wrong_line}), and GBK is read under Chinese column names"
        )
        raise RosterRefused(sentence)
    return Survey(digest, encoding, _columns(header, encoding), starts_at, state.st_size, state.st_mtime_ns)


def _has_mark(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8


def _read_through(file: BinaryIO, benefit_year: int) -> tuple[str, int | None, bool]:
    """The hash, the first line that is not UTF-8, and whether all of it could be GBK (or GB 18030)."""
    digest = hashlib.sha256(f"{benefit_year}\n".encode())
    utf8, chinese = _Decoding("utf-8"), _Decoding("gb18030")
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
        utf8.feed(block)
        if utf8.wrong_line is not None:
            break
    if utf8.finish() is not None:
        digest = hashlib.sha256(f"{benefit_year}\n".encode())
        file.seek(0)
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            chinese.feed(block)
    return digest.hexdigest(), utf8.wrong_line, chinese.finish() is None


class _Decoding:
    """Whether bytes that come in blocks are text of one encoding."""

    def __init__(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._lines = 1
        self.wrong_line: int | None = None

    def feed(self, block: bytes, final: bool = False) -> None:
        if self.wrong_line is not None:
            return
        pending = len(self._decoder.getstate()[0])
        try:
            self._decoder.decode(block, final)
        except UnicodeDecodeError as exc:
            self.wrong_line = self._lines + block[: max(0, exc.start - pending)].count(b"\n")
        self._lines += block.count(b"\n")

    def finish(self) -> int | None:
        self.feed(b"", final=True)
        return self.wrong_line


def _names_columns_in_chinese(header: bytes | None) -> bool:
    try:
        names = set((header or b"").decode("gb18030").replace('"', "").strip().split(","))
    except UnicodeDecodeError:
        return False
    return bool(names & set(_CHINESE_NAMES))


def _columns(header: bytes | None, encoding: str) -> tuple[Column, ...]:
    """The columns of the header. Its words are not repeated: without a header they are somebody's data."""
    fields = _fields(header, encoding) if header else LineCode.UNREADABLE_LINE
    if isinstance(fields, LineCode):
        raise RosterRefused("the first line of the roster must name its columns")
    columns = [_NAMES.get(name.strip().lower().replace(" ", "_")) for name in fields]
    missing = [column.value for column in Column if column not in columns]
    if missing:
        raise RosterRefused(
            f"the first line of the roster must name its columns; missing: {', '.join(missing)}"
        )
    named = tuple(column for column in columns if column is not None)
    if len(named) != len(columns):
        raise RosterRefused(f"column {columns.index(None) + 1} of the roster has a name that is not known")
    if len(set(named)) != len(named):
        raise RosterRefused("the first line of the roster names a column twice")
    return named


def _read_line(file: BinaryIO) -> bytes | None:
    """The next line; empty at the end, None for one that is too long (which is skipped)."""
    line = file.readline(LONGEST_LINE_BYTES + 1)
    if len(line) <= LONGEST_LINE_BYTES or line.endswith(b"\n"):
        return line
    while (piece := file.readline(_BLOCK_BYTES)) and not piece.endswith(b"\n"):
        pass
    return None


def _fields(line: bytes, encoding: str) -> list[str] | LineCode:
    if b"\0" in line:
        return LineCode.UNREADABLE_LINE
    try:
        return next(csv.reader([line.decode(encoding).rstrip("\r\n")], strict=True))
    except (csv.Error, UnicodeDecodeError):
        return LineCode.UNREADABLE_LINE


class RosterFile:
    """The data lines of a surveyed roster, from any line that an earlier run has come to."""

    def __init__(self, path: Path, surveyed: Survey, lines_done: int, source_bytes: int) -> None:
        self._file = path.open("rb")
        self._file.seek(source_bytes or surveyed.starts_at)
        self._encoding = surveyed.encoding
        self.line_number = lines_done + FIRST_DATA_LINE

    def read(self, most: int) -> list[list[str] | LineCode]:
        """The next lines, at most `most`: their fields, or why they have none. Empty at the end."""
        lines: list[list[str] | LineCode] = []
        while len(lines) < most:
            line = _read_line(self._file)
            if line == b"":
                break
            lines.append(LineCode.LINE_TOO_LONG if line is None else _fields(line, self._encoding))
        self.line_number += len(lines)
        return lines

    @property
    def position(self) -> int:
        """The byte behind the last line read."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
