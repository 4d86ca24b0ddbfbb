"""The ASGI application: GraphQL over HTTP and websocket, health, and a plain page at the root."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from app import front_page, logs
from app.faults import Unavailable
from app.intake import Intake
from app.live.feed import Feed
from app.principal import Principal
from app.services.payments import record_payments
from app.services.transactions import reading
from app.settings import load_settings
from app.startup import opened
from app.tokens import TokenReader
from app.transport.execution import GraphQLExecutor
from app.transport.http import GraphQLHTTP
from app.transport.negotiation import RequestFacts
from app.transport.websocket import GraphQLWebSocket
from schema.context import Context, House
from schema.root import make_schema


class Server:
    """One server process: made by the first event of its lifespan."""

    def __init__(self) -> None:
        self.settings = load_settings()
        self.executor = GraphQLExecutor(make_schema(), introspection=self.settings.introspection)
        self.house: House | None = None
        self.tokens: TokenReader | None = None
        self.http = GraphQLHTTP(self.executor, self.make_context)
        self.websocket = GraphQLWebSocket(self.executor, self.make_context, self.authenticate)
        self.stopping = False

    @asynccontextmanager
    async def lifespan(self, _application: Starlette) -> AsyncIterator[None]:
        """Open the house; at the end write what was handed in, and tell subscribers to resume."""
        async with opened(self.settings) as house:
            feed = Feed()
            intake = Intake(record_payments, self.settings.intake_queue)
            self.tokens = TokenReader(house.signing_key())
            self.house = House(intake, feed, house.keys())
            await feed.start()
            intake.start()
            try:
                yield
            finally:
                self.stopping = True
                await self.websocket.close_all()
                await intake.stop()
                await feed.stop()

    def authenticate(self, token: str | None) -> Principal | None:
        """The caller behind the token of `connection_init`."""
        return self._reader().read(token) if token is not None else None

    def make_context(self, facts: RequestFacts) -> Context:
        """What resolvers find in `info.context`."""
        caller = facts.principal or self._reader().read_header(facts.authorization)
        if self.house is None:
            raise Unavailable("the server is starting")
        return Context(self.house, caller, facts.language)

    def _reader(self) -> TokenReader:
        if self.tokens is None:
            raise Unavailable("the server is starting")
        return self.tokens

    async def healthy(self, _request: Request) -> Response:
        """Whether the process lives."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """Whether it can serve: the database answers and it is not stopping."""
        if self.stopping or self.house is None:
            return JSONResponse({"status": "stopping"}, status_code=503)
        try:
            async with reading() as session:
                await session.fetch("SELECT 1 AS one")
        except Unavailable:
            return JSONResponse({"status": "database unavailable"}, status_code=503)
        counts = {"subscribers": self.house.feed.subscribers, "sockets": self.websocket.live_sockets}
        return JSONResponse({"status": "ok", **counts})

    async def page(self, _request: Request) -> Response:
        """The plain page that names the addresses."""
        return HTMLResponse(front_page.HTML, headers=front_page.HEADERS)


def create() -> Starlette:
    """The application; uvicorn calls this in each server process."""
    server = Server()
    logs.configure(server.settings.log_level)
    return Starlette(
        routes=[
            Route("/", server.page, methods=["GET"]),
            Route("/healthz", server.healthy, methods=["GET"]),
            Route("/readyz", server.ready, methods=["GET"]),
            WebSocketRoute("/graphql", server.websocket),
            Route("/graphql", server.http),
        ],
        lifespan=server.lifespan,
    )
