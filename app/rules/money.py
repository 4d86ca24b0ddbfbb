"""Money: integer fen inside, yuan with exactly two decimals at the edges."""

from __future__ import annotations

import re

from app.rules.refusals import ErrorCode, Refused
from app.rules.registry import rule

# Nineteen digits fit a 64-bit integer; a city collects far less in a century.
_MONEY = re.compile(r"(0|[1-9][0-9]{0,13})\.([0-9]{2})", re.ASCII)


@rule(
    "R04",
    zh="金额须为带两位小数的文本，例如 “395.00”；不接受负数、指数或更多小数位。",
    en='Money is text with exactly two decimals, "395.00": no sign, no exponent, no more or fewer decimals.',
    source="house rule: integer fen, no rounding",
)
def parse_money(value: object, field: str = "amount") -> int | Refused:
    """Fen for "395.00"; anything else is refused, never rounded."""
    match = _MONEY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return Refused(ErrorCode.INVALID_AMOUNT, rule="R04", field=field)
    return int(match[1]) * 100 + int(match[2])


def format_money(fen: int) -> str:
    """Yuan with two decimals for an amount in fen."""
    sign = "-" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), 100)
    return f"{sign}{yuan}.{rest:02}"
