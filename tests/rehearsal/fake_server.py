"""Serves a premia in memory over HTTP and graphql-transport-ws."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.rehearsal.cast import Address
from tests.rehearsal.fake_premia import FakePremia, Faulted, Json


@asynccontextmanager
async def served(premia: FakePremia) -> AsyncIterator[Address]:
    """Serve a fake on a free port of 127.0.0.1."""

    async def graphql(request: Request) -> Response:
        answer: Json
        try:
            body = orjson.loads(await request.body())
            caller = premia.caller(request.headers.get("authorization", ""))
            answer = {"data": premia.answer(caller, body)}
        except Faulted as fault:
            answer = {"errors": [{"message": "fault", "extensions": {"code": str(fault)}}], "data": None}
        except (ValueError, TypeError, KeyError):
            return Response("{}", 400, media_type="application/json")
        return Response(orjson.dumps(answer), media_type="application/json")

    async def updates(socket: WebSocket) -> None:
        await socket.accept(subprotocol="graphql-transport-ws")
        caller = premia.caller((await socket.receive_json())["payload"]["authorization"])
        await socket.send_json({"type": "connection_ack"})
        request = await socket.receive_json()
        sending = asyncio.create_task(send(socket, premia.follow(caller, request["payload"])))
        try:
            while (await socket.receive_json())["type"] != "complete":
                pass
        except WebSocketDisconnect:
            pass
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def send(socket: WebSocket, answers: AsyncIterator[Json]) -> None:
        async for data in answers:
            await socket.send_json({"id": "1", "type": "next", "payload": {"data": data}})

    routes = [Route("/graphql", graphql, methods=["POST"]), WebSocketRoute("/graphql", updates)]
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        Starlette(routes=routes), log_level="critical", lifespan="off", ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield Address("127.0.0.1", listener.getsockname()[1])
    finally:
        server.should_exit = server.force_exit = True
        await serving
        listener.close()
