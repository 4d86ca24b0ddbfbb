"""Region codes, and those that they replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from app.rules.refusals import ErrorCode, Refused
from app.rules.registry import rule


class RegionFacts(Protocol):
    """What the rule asks of a region; `path` holds the codes from the root, each followed by a dot."""

    @property
    def code(self) -> str: ...  # noqa: D102
    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def former_codes(self) -> tuple[str, ...]: ...  # noqa: D102


def present_codes(tree: Sequence[RegionFacts]) -> dict[str, str]:
    """Every code with the one that holds now; what lies below a renamed region was renamed with it."""
    codes = {region.code: region.code for region in tree}
    for renamed in (region for region in tree if region.former_codes):
        for region in tree:
            if region.path.startswith(renamed.path) and region.code.startswith(renamed.code):
                for former in renamed.former_codes:
                    codes.setdefault(former + region.code[len(renamed.code) :], region.code)
    return codes


@rule(
    "R35",
    zh="已停用的区划代码按现行代码处理，例如 370282 按 370215。",
    en="A region code that was replaced resolves to the present one: 370282 to 370215.",
    source="GB/T 2260 and its changes",
)
def resolve_region(present: Mapping[str, str], code: str) -> str | Refused:
    """The present code. `present`: every known code, former ones too, with the code that holds now."""
    found = present.get(code.strip())
    if found is None:
        return Refused(ErrorCode.INVALID_VALUE, rule="R35", field="regionCode")
    return found
