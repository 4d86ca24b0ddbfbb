"""What a request's headers ask for: the language of sentences, the media type of the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from app.principal import Principal

Language = Literal["zh-CN", "en"]
Transport = Literal["http", "websocket"]

DEFAULT_LANGUAGE: Language = "zh-CN"
GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"

_HEADER_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What the transport knows of a request that its resolvers need.

    Attributes:
        authorization: the raw header; on a websocket "Bearer " and the token of `connection_init`.
        principal: on a websocket, who the token of `connection_init` was found to stand for; elsewhere None.
    """

    authorization: str | None
    language: Language
    transport: Transport
    principal: Principal | None = None


MakeContext = Callable[[RequestFacts], object]


@lru_cache(maxsize=256)
def choose_language(accept_language: str) -> Language:
    """The language with the highest quality that we speak; zh-CN where none is asked for."""
    best: tuple[float, Language] = (0.0, DEFAULT_LANGUAGE)
    for name, quality in _weighted(accept_language):
        language = _language(name)
        if language is not None and quality > best[0]:
            best = (quality, language)
    return best[1]


def _language(name: str) -> Language | None:
    primary = name.lower().partition("-")[0]
    if primary in ("zh", "*"):
        return "zh-CN"
    return "en" if primary == "en" else None


@lru_cache(maxsize=256)
def choose_media_type(accept: str) -> str | None:
    """The media type to answer in; None where we have none that is accepted."""
    if not accept.strip():
        return JSON
    best: tuple[float, int, str | None] = (0.0, 0, None)
    for name, quality in _weighted(accept):
        media_type, exactness = _media_type(name.lower())
        if media_type is not None and quality > 0 and (quality, exactness) > best[:2]:
            best = (quality, exactness, media_type)
    return best[2]


def _media_type(name: str) -> tuple[str | None, int]:
    if name in (JSON, GRAPHQL_RESPONSE):
        return name, 2
    return (JSON, 1) if name in ("*/*", "application/*") else (None, 0)


def _weighted(header: str) -> Iterator[tuple[str, float]]:
    """The entries of a header with their quality; unreadable ones count nothing."""
    for entry in header[:_HEADER_CHARACTERS].split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        if name:
            yield name, _quality(parameters)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                return max(0.0, min(1.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
