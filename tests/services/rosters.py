"""A registry with one village, rosters to import into it, and what came of them."""

import csv
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

from app.personal_data import PersonalDataKeys
from app.rules.identity import check_character
from app.services.rosters import ImportProgress, ImportSummary, import_roster
from models.database import reading, transaction

KEY_TEXT = f"lookup:{'ab' * 32},1:{'cd' * 32}"
KEYS = PersonalDataKeys.parse(KEY_TEXT)
HEADER = "id_number,name,phone,region_code,scheme,category_or_tier"
XIYUANZHUANG = "370215001201"
DAY = date(2019, 10, 8)


async def clear() -> None:
    async with transaction() as session:
        for table in ("dues", "payers", "roster_imports"):
            await session.execute(f"DELETE FROM {table}")


def person(number: int, born: str = "19800101") -> str:
    """A valid id number that nobody has."""
    digits = f"999998{born}{number:03}"
    return digits + check_character(digits)


def line(number: int = 1, **changes: str) -> str:
    columns = {
        "id_number": person(number),
        "name": "王小明",
        "phone": "15400000001",
        "region_code": XIYUANZHUANG,
        "scheme": "MEDICAL",
        "category_or_tier": "ADULT_TIER_1",
    }
    return ",".join((columns | changes).values())


def write(path: Path, lines: Iterable[str], encoding: str = "utf-8", header: str = HEADER) -> Path:
    path.write_bytes("".join(f"{text}\n" for text in (header, *lines)).encode(encoding))
    return path


async def take(
    path: Path, chunk_size: int = 100, progress: Callable[[ImportProgress], None] = lambda _progress: None
) -> ImportSummary:
    return await import_roster(
        path, results_of(path), benefit_year=2020, keys=KEYS, chunk_size=chunk_size, progress=progress
    )


def results_of(path: Path) -> Path:
    return path.with_suffix(".result.csv")


def outcomes(path: Path) -> list[tuple[str, str, str]]:
    """(status, rule, code) of each line."""
    with results_of(path).open(encoding="utf-8") as file:
        return [(row["status"], row["rule"], row["code"]) for row in csv.DictReader(file)]


async def rows(sql: str, *values: Any) -> list[Any]:
    async with reading() as session:
        return [tuple(row) for row in await session.fetch(sql, *values)]


async def owed() -> list[Any]:
    """Everything that imports make, without ids and ciphertexts."""
    return await rows(
        "SELECT y.id_number_lookup, y.name, r.code, c.scheme, d.category, d.personal_amount, d.status FROM payers y"
        " JOIN regions r ON r.id = y.region_id LEFT JOIN dues d ON d.payer_id = y.id"
        " LEFT JOIN collection_periods c ON c.id = d.period_id ORDER BY y.id_number_lookup, c.scheme"
    )


ACCEPTED = ("ACCEPTED", "", "")

REFUSALS = [
    (line() + ",", "", "WRONG_COLUMNS"),
    (line().removesuffix(",ADULT_TIER_1"), "", "WRONG_COLUMNS"),
    ("", "", "WRONG_COLUMNS"),
    (line(id_number=person(1)[:-1] + "z"), "R01", "INVALID_ID_NUMBER"),
    (line(id_number="110105491231002"), "R01", "INVALID_ID_NUMBER"),
    (line(id_number=person(1, "20191009")), "R01", "INVALID_ID_NUMBER"),
    (line(name=""), "", "INVALID_NAME"),
    (line(name="   "), "", "INVALID_NAME"),
    (line(name="王" * 61), "", "INVALID_NAME"),
    (line(name="王\u202e明"), "", "INVALID_NAME"),
    (line(phone="12800000000"), "", "INVALID_PHONE"),
    (line(phone="1540000000"), "", "INVALID_PHONE"),
    (line(region_code="999999"), "R35", "UNKNOWN_REGION"),
    (line(region_code="370200"), "", "REGION_TOO_WIDE"),
    (line(scheme="HOUSING"), "", "UNKNOWN_SCHEME"),
    (line(category_or_tier="ADULT_TIER_3"), "R05", "UNKNOWN_CATEGORY"),
    (line(scheme="PENSION", category_or_tier="300.0"), "R04", "INVALID_AMOUNT"),
    (line(scheme="PENSION", category_or_tier="3e2"), "R04", "INVALID_AMOUNT"),
    (line(scheme="PENSION", category_or_tier="-300"), "R04", "INVALID_AMOUNT"),
    (line(scheme="PENSION", category_or_tier="301"), "R15", "TIER_NOT_ALLOWED"),
    (line(scheme="PENSION", category_or_tier="100"), "R15", "TIER_NOT_ALLOWED"),
    (
        line(id_number=person(1, "20040101"), scheme="PENSION", category_or_tier="300"),
        "R21",
        "AGE_NOT_ALLOWED",
    ),
    (
        line(id_number=person(1, "19591008"), scheme="PENSION", category_or_tier="300"),
        "R21",
        "AGE_NOT_ALLOWED",
    ),
    (line(name='"王小明'), "", "UNREADABLE_LINE"),
    (line(name="王\0明"), "", "UNREADABLE_LINE"),
    (line(name="王" * 5_000), "", "LINE_TOO_LONG"),
]
