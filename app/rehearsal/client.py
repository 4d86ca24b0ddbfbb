"""A lean GraphQL client over HTTP, as patient as a real partner's."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import httpx
import orjson

from app.rehearsal.findings import Check, Findings
from app.rehearsal.instructions import Json
from app.rehearsal.operations import Operation
from app.rehearsal.setbacks import GaveUp

ATTEMPTS = 8
REQUEST_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
PAGE_SIZE = 100
PAGES_AT_MOST = 50_000
_NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Only this machine is talked to, without TLS: reading the authorities for each client would cost seconds."""
RETRYABLE = frozenset({"UNAVAILABLE", "OVERLOADED"})


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one operation.

    Attributes:
        faults: `extensions.code` of each GraphQL error.
        attempts: how often the request was sent until this answer came.
        seconds: how long the last attempt took.
    """

    status: int
    data: Json | None
    faults: tuple[str, ...]
    retry_after: float
    seconds: float
    attempts: int = 1

    @property
    def retryable(self) -> bool:
        """Whether the same request can succeed later."""
        return bool(self.faults) and RETRYABLE.issuperset(self.faults)

    def field(self, name: str) -> Any:
        """Give one root field; a fault in its place is given up on.

        Raises:
            GaveUp: the answer has no such field.
        """
        if self.data is None or self.data.get(name) is None:
            raise GaveUp(
                f"no {name} in the answer: status {self.status}, {', '.join(self.faults) or 'no fault'}"
            )
        return self.data[name]


class GraphqlClient:
    """One caller with one token; connections are kept and shared by its requests."""

    def __init__(
        self, url: str, token: str | None, findings: Findings, troubles: Counter[str], seed: str
    ) -> None:
        headers = {"Content-Type": "application/json", "Accept": "application/graphql-response+json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.AsyncClient(
            headers=headers,
            timeout=REQUEST_SECONDS,
            trust_env=False,
            verify=_NO_AUTHORITIES,
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=8),
        )
        self._url = url
        self._findings = findings
        self._troubles = troubles
        self._random = random.Random(seed)  # noqa: S311 - jitter, not a secret

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def execute(self, operation: Operation, variables: Mapping[str, object]) -> Answer:
        """Ask until there is an answer, with bounded and jittered pauses.

        Raises:
            GaveUp: every attempt met a broken connection or a retryable fault.
        """
        for attempt in range(1, ATTEMPTS + 1):
            wish = 0.0
            try:
                answer = await self.ask_once(operation, variables)
            except httpx.TransportError as trouble:
                self._troubles[type(trouble).__name__] += 1
            else:
                if not answer.retryable:
                    return replace(answer, attempts=attempt)
                self._troubles[answer.faults[0]] += 1
                wish = answer.retry_after
            await asyncio.sleep(self._pause(attempt, wish))
        raise GaveUp(f"{operation.name}: no answer in {ATTEMPTS} attempts")

    async def ask_once(self, operation: Operation, variables: Mapping[str, object]) -> Answer:
        """Send one request and read its answer."""
        body = {"query": operation.text, "operationName": operation.name, "variables": variables}
        started = time.perf_counter()
        response = await self._http.post(self._url, content=orjson.dumps(body))
        seconds = time.perf_counter() - started
        answer = _read(response, seconds)
        if "INTERNAL" in answer.faults or (answer.status >= 500 and not answer.retryable):
            self._findings.add(
                Check.NO_SERVER_ERROR, f"{operation.name}: status {answer.status} {answer.faults}"
            )
        return answer

    async def abandon(
        self, operation: Operation, variables: Mapping[str, object], after_seconds: float
    ) -> None:
        """Send a request and hang up, whether or not the answer has come."""
        with suppress(TimeoutError, httpx.TransportError):
            async with asyncio.timeout(after_seconds):
                await self.ask_once(operation, variables)

    async def post_raw(self, body: bytes) -> int:
        """Send bytes that may be anything; the status of the answer, 0 where none came."""
        try:
            response = await self._http.post(self._url, content=body)
        except httpx.TransportError:
            return 0
        if response.status_code >= 500:
            self._findings.add(Check.NO_SERVER_ERROR, f"{body[:40]!r}: status {response.status_code}")
        return response.status_code

    async def pages(
        self, operation: Operation, root: str, variables: Mapping[str, object]
    ) -> AsyncIterator[Json]:
        """Walk a connection under the root field `root` (or `node.payments`), node by node.

        Raises:
            GaveUp: a page could not be read, or there is no end of pages.
        """
        after: str | None = None
        for _ in range(PAGES_AT_MOST):
            answer = await self.execute(operation, {**variables, "first": PAGE_SIZE, "after": after})
            connection = _connection(answer, root)
            for node in connection["nodes"]:
                yield node
            if not connection["pageInfo"]["hasNextPage"]:
                return
            after = connection["pageInfo"]["endCursor"]
        raise GaveUp(f"{operation.name}: more than {PAGES_AT_MOST} pages")

    def _pause(self, attempt: int, wish: float) -> float:
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt)
        return float(min(LONGEST_PAUSE_SECONDS, wish) + longest * self._random.random())


def _connection(answer: Answer, root: str) -> Json:
    found: Json | None = answer.data
    for name in root.split("."):
        found = None if found is None else found.get(name)
    if found is None:
        raise GaveUp(
            f"no {root} in the answer: status {answer.status}, {', '.join(answer.faults) or 'no fault'}"
        )
    return found


def _read(response: httpx.Response, seconds: float) -> Answer:
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    extensions = [error.get("extensions") or {} for error in body.get("errors") or ()]
    return Answer(
        status=response.status_code,
        data=body.get("data"),
        faults=tuple(str(each.get("code", "NO_CODE")) for each in extensions),
        retry_after=max((float(each.get("retryAfter") or 0) for each in extensions), default=0.0),
        seconds=seconds,
    )
