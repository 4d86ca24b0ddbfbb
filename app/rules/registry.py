"""The registry of collection rules: each rule is one function with an id, a text in two languages and a source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar


@dataclass(frozen=True, slots=True)
class Rule:
    """What is told of a rule. `source`: law or public notice, or "configurable" for an office's own decision."""

    id: str
    text_zh: str
    text_en: str
    source: str
    configurable: bool


Function = TypeVar("Function", bound=Callable[..., Any])
RULES: dict[str, Rule] = {}


def rule(
    rule_id: str, *, zh: str, en: str, source: str, configurable: bool = False
) -> Callable[[Function], Function]:
    """Register a function as the one place where a rule is decided."""

    def register(function: Function) -> Function:
        if rule_id in RULES:
            raise ValueError(f"rule {rule_id} is defined twice")
        RULES[rule_id] = Rule(rule_id, zh, en, source, configurable)
        return function

    return register
