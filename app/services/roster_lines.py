"""Judging one line of a roster: pure, by the collection rules. No sentence repeats what stood in the line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from app.rules.dues import MedicalRates, medical_amount, pension_age, pension_tier
from app.rules.identity import birth_date, parse_id_number, parse_phone
from app.rules.money import parse_money
from app.rules.refusals import Refused
from app.rules.regions import resolve_region
from app.vocabulary import Scheme

LONGEST_NAME = 60
_WHOLE_YUAN = re.compile(r"[1-9][0-9]{0,7}", re.ASCII)
_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SCHEMES = {
    **dict.fromkeys(("PENSION", "养老", "养老保险", "居民养老保险", "城乡居民养老保险"), Scheme.PENSION),
    **dict.fromkeys(("MEDICAL", "医疗", "医疗保险", "居民医疗保险", "城乡居民医疗保险"), Scheme.MEDICAL),
}


class Column(StrEnum):
    """What a roster says of each person."""

    ID_NUMBER = "id_number"
    NAME = "name"
    PHONE = "phone"
    REGION_CODE = "region_code"
    SCHEME = "scheme"
    CATEGORY_OR_TIER = "category_or_tier"


class LineCode(StrEnum):
    """Why a line was refused, or what is to be known of an accepted one; stable and machine-readable."""

    LINE_TOO_LONG = "LINE_TOO_LONG"
    UNREADABLE_LINE = "UNREADABLE_LINE"
    WRONG_COLUMNS = "WRONG_COLUMNS"
    INVALID_ID_NUMBER = "INVALID_ID_NUMBER"
    INVALID_NAME = "INVALID_NAME"
    INVALID_PHONE = "INVALID_PHONE"
    UNKNOWN_REGION = "UNKNOWN_REGION"
    REGION_TOO_WIDE = "REGION_TOO_WIDE"
    UNKNOWN_SCHEME = "UNKNOWN_SCHEME"
    UNKNOWN_CATEGORY = "UNKNOWN_CATEGORY"
    INVALID_AMOUNT = "INVALID_AMOUNT"
    TIER_NOT_ALLOWED = "TIER_NOT_ALLOWED"
    AGE_NOT_ALLOWED = "AGE_NOT_ALLOWED"
    NAME_DIFFERS = "NAME_DIFFERS"
    DUE_EXISTS = "DUE_EXISTS"
    DUE_DIFFERS = "DUE_DIFFERS"
    REGION_KEPT = "REGION_KEPT"


SENTENCES: dict[LineCode, str] = {
    LineCode.LINE_TOO_LONG: "本行过长。The line is longer than 4,096 bytes.",
    LineCode.UNREADABLE_LINE: "本行无法读取：引号未在行内闭合，或含有空字符。"
    "The line cannot be read: a quotation mark is not closed on it, or it holds a NUL.",
    LineCode.WRONG_COLUMNS: "列数与表头不符。The line has not as many columns as the header.",
    LineCode.INVALID_ID_NUMBER: "证件号码无效。The id number is not valid.",
    LineCode.INVALID_NAME: "姓名为空、过长或含有控制字符。"
    "The name is empty, longer than 60 characters, or holds control characters.",
    LineCode.INVALID_PHONE: "手机号无效。The phone is no mainland mobile number.",
    LineCode.UNKNOWN_REGION: "区划代码不存在。The region code is not known.",
    LineCode.REGION_TOO_WIDE: "区划须在市级以下。The region must lie below the city.",
    LineCode.UNKNOWN_SCHEME: "险种须为 PENSION 或 MEDICAL。The scheme must be PENSION or MEDICAL.",
    LineCode.UNKNOWN_CATEGORY: "该年度缴费标准表中没有此类别。"
    "The year's table of rates has no such category.",
    LineCode.INVALID_AMOUNT: "档次须写作 300 或 300.00。The tier must be written as 300 or 300.00.",
    LineCode.TIER_NOT_ALLOWED: "没有此档次，或仅限特定人群。"
    "There is no such tier, or it is for special groups only.",
    LineCode.AGE_NOT_ALLOWED: "未满 16 周岁或已满 60 周岁。Pension is for people who are 16 to 59 years old.",
    LineCode.NAME_DIFFERS: "该证件号码已登记为另一姓名。"
    "This id number is registered with another name, which was kept.",
    LineCode.DUE_EXISTS: "该应缴已存在，内容相同。The due is there already, with the same content.",
    LineCode.DUE_DIFFERS: "该应缴已存在，内容不同。"
    "The due is there already with other content, which was kept.",
    LineCode.REGION_KEPT: "此人已登记在另一区划。The person is registered in another region, which was kept.",
}


@dataclass(frozen=True, slots=True)
class LineRefused:
    """A line that makes nothing; `rule` where a collection rule refused it."""

    code: LineCode
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that may become a due; `amount` in fen."""

    id_number: str
    name: str
    phone: str | None
    region_id: UUID
    scheme: Scheme
    category: str
    amount: int


@dataclass(frozen=True, slots=True)
class RosterFacts:
    """What lines are judged by.

    Attributes:
        today: the office's day, on which ages are counted.
        present_codes: every region code, former ones too, with the code that holds now.
        region_ids: the regions below the city, by present code.
        rates: fen by (benefit year, medical category).
        restricted: each pension tier (fen), and whether it is for special groups only.
    """

    benefit_year: int
    today: date
    present_codes: Mapping[str, str]
    region_ids: Mapping[str, UUID]
    rates: MedicalRates
    restricted: Mapping[int, bool]


def judge(fields: Sequence[str], columns: Sequence[Column], facts: RosterFacts) -> Entry | LineRefused:
    """What a line says, or the first reason against it. `columns`: what the header calls each field."""
    if len(fields) != len(columns):
        return LineRefused(LineCode.WRONG_COLUMNS)
    line = {column: field.strip() for column, field in zip(columns, fields, strict=True)}
    person = _person(line, facts)
    if isinstance(person, LineRefused):
        return person
    owed = _owed(line[Column.SCHEME], line[Column.CATEGORY_OR_TIER], person[0], facts)
    return owed if isinstance(owed, LineRefused) else Entry(*person, *owed)


def _person(
    line: Mapping[Column, str], facts: RosterFacts
) -> tuple[str, str, str | None, UUID] | LineRefused:
    """Id number, name, phone and region."""
    id_number = _id_number(line[Column.ID_NUMBER], facts.today)
    if isinstance(id_number, LineRefused):
        return id_number
    if not _is_name(line[Column.NAME]):
        return LineRefused(LineCode.INVALID_NAME)
    phone = parse_phone(line[Column.PHONE])
    if line[Column.PHONE] and phone is None:
        return LineRefused(LineCode.INVALID_PHONE)
    region_id = _region(line[Column.REGION_CODE], facts)
    if isinstance(region_id, LineRefused):
        return region_id
    return id_number, line[Column.NAME], phone, region_id


def _id_number(value: str, today: date) -> str | LineRefused:
    id_number = parse_id_number(value)
    if isinstance(id_number, Refused) or birth_date(id_number) > today:
        return LineRefused(LineCode.INVALID_ID_NUMBER, "R01")
    return id_number


def _is_name(name: str) -> bool:
    if not 1 <= len(name) <= LONGEST_NAME:
        return False
    # Rare characters of names may be younger than our Unicode tables: only controls are refused.
    return name.isprintable() or not any(unicodedata.category(character) in _CONTROLS for character in name)


def _region(code: str, facts: RosterFacts) -> UUID | LineRefused:
    present = resolve_region(facts.present_codes, code)
    if isinstance(present, Refused):
        return LineRefused(LineCode.UNKNOWN_REGION, present.rule)
    region_id = facts.region_ids.get(present)
    return LineRefused(LineCode.REGION_TOO_WIDE) if region_id is None else region_id


def _owed(
    scheme_name: str, value: str, id_number: str, facts: RosterFacts
) -> tuple[Scheme, str, int] | LineRefused:
    """The scheme, the category as dues keep it, and fen."""
    scheme = _SCHEMES.get(scheme_name.upper())
    if scheme is None:
        return LineRefused(LineCode.UNKNOWN_SCHEME)
    if scheme is Scheme.PENSION:
        tier = _tier(value, id_number, facts)
        return tier if isinstance(tier, LineRefused) else (scheme, f"TIER_{tier}", tier)
    category = value.upper()
    amount = medical_amount(facts.rates, facts.benefit_year, category)
    if isinstance(amount, Refused):
        return LineRefused(LineCode.UNKNOWN_CATEGORY, amount.rule)
    return scheme, category, amount


def _tier(value: str, id_number: str, facts: RosterFacts) -> int | LineRefused:
    money = parse_money(f"{value}.00" if _WHOLE_YUAN.fullmatch(value) else value)
    if isinstance(money, Refused):
        return LineRefused(LineCode.INVALID_AMOUNT, money.rule)
    tier = pension_tier(facts.restricted, money, special_group=False)
    if isinstance(tier, Refused):
        return LineRefused(LineCode.TIER_NOT_ALLOWED, tier.rule)
    too_young_or_old = pension_age(birth_date(id_number), facts.today)
    return LineRefused(LineCode.AGE_NOT_ALLOWED, too_young_or_old.rule) if too_young_or_old else tier
