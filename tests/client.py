"""The whole server in this process, spoken to over HTTP by any principal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from app.intake import Intake
from app.live.feed import Feed
from app.principal import Principal
from app.services.payments import record_payments
from app.tokens import TokenReader, issue
from app.transport.execution import GraphQLExecutor
from app.transport.http import GraphQLHTTP
from app.transport.negotiation import RequestFacts
from schema.context import Context
from schema.context import House as Parts
from schema.root import make_schema
from tests.builders import SIGNING_KEY, Office

SCHEMA = make_schema()


@dataclass(frozen=True)
class Answer:
    """An answer: its data, and the codes of its errors."""

    data: dict[str, Any] | None
    errors: list[dict[str, Any]]

    @property
    def codes(self) -> list[str]:
        """The codes of the errors."""
        return [error["extensions"]["code"] for error in self.errors]


@dataclass(frozen=True)
class House:
    """A running server and the office behind it."""

    office: Office
    http: httpx.AsyncClient
    intake: Intake
    feed: Feed

    async def ask(
        self, caller: Principal | None, query: str, /, language: str = "en", **variables: Any
    ) -> Answer:
        """Send one operation as `caller`."""
        headers = {"accept-language": language}
        if caller is not None:
            headers["authorization"] = f"Bearer {issue(caller, SIGNING_KEY)}"
        response = await self.http.post(
            "/graphql", json={"query": query, "variables": variables}, headers=headers
        )
        body = response.json()
        return Answer(body.get("data"), body.get("errors", []))

    async def send(
        self, token: str | None, query: str, /, language: str = "en", **variables: Any
    ) -> httpx.Response:
        """Send one operation with any text as token; the raw answer."""
        headers = {"accept-language": language}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return await self.http.post(
            "/graphql", json={"query": query, "variables": variables}, headers=headers
        )

    async def data(self, caller: Principal | None, query: str, /, **variables: Any) -> dict[str, Any]:
        """Send one operation that must succeed; its data."""
        answer = await self.ask(caller, query, **variables)
        assert answer.errors == []
        assert answer.data is not None
        return answer.data


@asynccontextmanager
async def running(office: Office) -> AsyncIterator[House]:
    """The server over the open database of `office`."""
    feed, intake = Feed(), Intake(record_payments, 5_000)
    parts = Parts(intake, feed, office.keys)
    tokens = TokenReader(SIGNING_KEY)

    def make_context(facts: RequestFacts) -> Context:
        return Context(parts, tokens.read_header(facts.authorization), facts.language)

    application = Starlette(routes=[Route("/graphql", GraphQLHTTP(GraphQLExecutor(SCHEMA), make_context))])
    await feed.start()
    intake.start()
    transport = httpx.ASGITransport(application)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://premia.test") as http:
            yield House(office, http, intake, feed)
    finally:
        await intake.stop()
        await feed.stop()
