"""Identifiers of people, and how they are masked."""

from __future__ import annotations

import re
from datetime import date

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from app.rules.refusals import ErrorCode, Refused
from app.rules.registry import rule

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)


def check_character(first_seventeen: str) -> str:
    """The eighteenth character by MOD 11-2 (GB 11643)."""
    remainder = sum(int(d) * w for d, w in zip(first_seventeen, _WEIGHTS, strict=True)) % 11
    return "10X98765432"[remainder]


@rule(
    "R01",
    zh="公民身份号码须为 18 位，出生日期有效，校验码正确；小写 x 自动改为大写，15 位旧号不接受。",
    en="A citizen id number has 18 characters, a real birth date and a right check character; "
    "a lower-case x is normalised, the old 15 digits are refused.",
    source="GB 11643-1999",
)
def parse_id_number(value: str, field: str = "idNumber") -> str | Refused:
    """The normalised id number. Obsolete address codes are valid: only date and check character are judged."""
    number = value.strip().upper()
    refused = Refused(ErrorCode.INVALID_ID_NUMBER, rule="R01", field=field)
    if not _ID_NUMBER.fullmatch(number) or check_character(number[:17]) != number[17]:
        return refused
    try:
        ric.get_birth_date(number)
    except ValidationError:
        return refused
    return number


def birth_date(id_number: str) -> date:
    """The birth date in a valid id number."""
    return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))


def parse_phone(value: str) -> str | None:
    """A mainland mobile number, or None when it is not one."""
    phone = value.strip()
    return phone if _MOBILE.fullmatch(phone) else None


@rule(
    "R31",
    zh="默认脱敏：证件号留前三后四，手机号留前三后四，姓名留姓氏。",
    en="Masked by default: id numbers show the first 3 and last 4, phones 3 and 4, names the surname.",
    source="configurable: data protection practice (PIPL)",
    configurable=True,
)
def mask_id_number(value: str) -> str:
    """110***********002X for 11010519491231002X."""
    return f"{value[:3]}{'*' * (len(value) - 7)}{value[-4:]}"


def mask_phone(value: str) -> str:
    """138****5678."""
    return f"{value[:3]}{'*' * (len(value) - 7)}{value[-4:]}"


def mask_name(value: str) -> str:
    """The surname and a star for each further character."""
    return value[:1] + "*" * (len(value) - 1)
