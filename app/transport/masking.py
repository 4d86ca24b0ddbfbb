"""Error messages of the GraphQL library without the values that they repeat.

graphql-core writes input into its messages: `Variable '$idNumber' has invalid value: … '3702…'`. A message
keeps the names of variables, types and fields, and where the fault is; what was sent is cut out.
"""

from __future__ import annotations

import re

MASK = "…"
TOO_LONG = 300

_VARIABLE = re.compile(r"^(Variable '\$\w+' has invalid (?:default )?value[^:]*): (.*)$", re.DOTALL)
_ENUM_VALUE = re.compile(r"^(.*?: )?Value '.*' does not exist in '(\w+)' enum.*$", re.DOTALL)

# What follows one of these is the value that was sent, in whatever notation.
_BEFORE_VALUE = re.compile(
    r"(?P<noun> values?| numbers?)?: .*$"
    r"|,? but encountered error\b.*$"
    r"|[,;.]? ?\bfound: .*$"
    r"|[,;] found\b.*$",
    re.IGNORECASE | re.DOTALL,
)
_TOKEN = re.compile(r"\b(Name|Int|Float|String|BlockString|Comment) ['\"].*?(?=, found |\.$|$)", re.DOTALL)
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_NAME = re.compile(r"^[$@]?[\[_A-Za-z][_0-9A-Za-z.\[\]!()$:]{0,80}$|^[{}()\[\]:=!|&$@]$|^\.\.\.$")
_DIGITS = re.compile(r"\d{5,}")


def mask_message(message: str) -> str:
    """The message, with names kept and values cut out."""
    if message.startswith("Syntax Error: "):
        return _mask_quotes(_TOKEN.sub(rf"\1 {MASK}", message))
    variable = _VARIABLE.match(message)
    if variable:
        return _mask_quotes(f"{variable.group(1)}: {_cut_value(variable.group(2))}")
    return _mask_quotes(_cut_value(message))


def _cut_value(message: str) -> str:
    enum = _ENUM_VALUE.match(message)
    if enum:
        return f"The value does not exist in '{enum.group(2)}' enum."
    value = _BEFORE_VALUE.search(message)
    if value is None:
        return message
    return message[: value.start()].rstrip(" ,;:") + (value.group("noun") or "") + "."


def _mask_quotes(message: str) -> str:
    """What stands in quotes is kept where it can only be a name."""
    masked = _QUOTED.sub(_keep_name, message)
    return _DIGITS.sub(MASK, masked)[:TOO_LONG]


def _keep_name(quoted: re.Match[str]) -> str:
    text = quoted.group(1) if quoted.group(1) is not None else quoted.group(2)
    return f"'{text}'" if _NAME.match(text) else f"'{MASK}'"
