"""The contract's scalars: Money, Date, DateTime.

In input, an unreadable Money or DateTime becomes a refusal that stands on its item, so that one bad item does not
fail its whole list.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import NewType

import strawberry
from graphql import GraphQLError

from app.rules.money import format_money, parse_money
from app.rules.refusals import ErrorCode, Refused

Money = NewType("Money", int)
Day = NewType("Day", date)
Instant = NewType("Instant", datetime)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:?[0-9]{2})",
    re.ASCII,
)


def _parse_day(value: object) -> date:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise GraphQLError("Date must be a calendar day: 2019-12-31")


def parse_instant(value: object) -> datetime | Refused:
    """UTC for an ISO 8601 instant with an offset; anything else is refused."""
    refused = Refused(ErrorCode.INVALID_TIME)
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return refused
    text = re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", value.upper())
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return refused


def _show_instant(value: datetime) -> str:
    text = value.astimezone(UTC).isoformat()
    return text.replace("+00:00", "Z")


MONEY = strawberry.scalar(
    name="Money",
    description='Yuan with exactly two decimals, as a string: "395.00". Stored as integer fen. '
    "Never a float, never an exponent.",
    serialize=format_money,
    parse_value=parse_money,
)
DAY = strawberry.scalar(
    name="Date",
    description="A calendar day in the collection office's time zone (Asia/Shanghai), ISO 8601: 2019-12-31.",
    serialize=lambda value: value.isoformat(),
    parse_value=_parse_day,
)
INSTANT = strawberry.scalar(
    name="DateTime",
    description="An instant, ISO 8601 with an offset; answered in UTC.",
    serialize=_show_instant,
    parse_value=parse_instant,
)
SCALARS: dict[object, object] = {Money: MONEY, Day: DAY, Instant: INSTANT}
