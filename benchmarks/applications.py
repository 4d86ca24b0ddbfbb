"""The servers that are measured, on Premia's own transport, so that only the way to the data differs.

`measured` is Premia itself with one more mutation, which is empty. `naive` is Premia with the naive mutations, and
without the live feed, which would cost the naive way more than the other.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any, cast
from uuid import UUID

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.schema.config import StrawberryConfig

from app.asgi import Server
from app.intake import Intake
from app.live.feed import Feed
from app.services.payments import record_payments
from app.startup import opened
from app.tokens import TokenReader
from app.transport.execution import GraphQLExecutor
from app.transport.http import GraphQLHTTP
from app.transport.server import serve
from app.vocabulary import Channel, PaymentStatus, Scheme
from benchmarks.naive import NaiveMutation
from models.payments import PaymentRow
from schema.clearing import ClearingBatch
from schema.context import House, Info
from schema.payments import Payment, RecordPaymentInput, RecordPaymentPayload, payment
from schema.root import Mutation, Query
from schema.scalars import SCALARS

_NOBODY = UUID(int=0)
_CONSTANT = RecordPaymentPayload(
    payment=payment(
        PaymentRow(
            id=_NOBODY,
            due_id=_NOBODY,
            amount=39_500,
            channel=Channel.BANK_COUNTER,
            status=PaymentStatus.ACCEPTED,
            handling_bank_id=_NOBODY,
            clearing_bank_id=_NOBODY,
            clearing_batch_id=_NOBODY,
            bank_reference="B000000000001",
            collection_point_code=None,
            paid_at=datetime(2019, 10, 8, 2, 0, tzinfo=UTC),
            accepted_at=datetime(2019, 10, 8, 2, 0, tzinfo=UTC),
            business_date=date(2019, 10, 8),
            receipt_number="105M20191008010000001",
            scheme=Scheme.MEDICAL,
        )
    ),
    already_recorded=False,
    user_errors=[],
)


@strawberry.type(name="Mutation", description="Premia's mutations, and an empty one.")
class MeasuredMutation(Mutation):
    """Premia's mutations, and an empty one."""

    @strawberry.mutation(description="Takes what recordPayment takes and answers a constant.")
    async def empty_payment(self, info: Info, input: RecordPaymentInput) -> RecordPaymentPayload:  # noqa: A002
        """Do nothing."""
        return _CONSTANT


class MeasuredServer(Server):
    """Premia's server with other mutations."""

    def __init__(self, mutation: type) -> None:
        super().__init__()
        schema = strawberry.Schema(
            query=Query,
            mutation=mutation,
            types=[Payment, ClearingBatch],
            config=StrawberryConfig(scalar_map=cast("Any", SCALARS)),
        )
        self.executor = GraphQLExecutor(schema)
        self.http = GraphQLHTTP(self.executor, self.make_context)


class NaiveServer(MeasuredServer):
    """Without intake and feed at work."""

    @asynccontextmanager
    async def lifespan(self, _application: Starlette) -> AsyncIterator[None]:
        """Open the database, no more."""
        async with opened(self.settings) as house:
            self.tokens = TokenReader(house.signing_key())
            self.house = House(Intake(record_payments, 1), Feed(), house.keys())
            yield


def _application(server: Server) -> Starlette:
    routes = [Route("/readyz", server.ready), Route("/graphql", server.http)]
    return Starlette(routes=routes, lifespan=server.lifespan)


def measured() -> Starlette:
    """Premia with an empty mutation."""
    return _application(MeasuredServer(MeasuredMutation))


def naive() -> Starlette:
    """Premia with the naive mutations."""
    return _application(NaiveServer(NaiveMutation))


def main() -> None:
    """Serve one of the two applications."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("application", choices=("measured", "naive"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    serve(f"benchmarks.applications:{given.application}", given.host, given.port)


if __name__ == "__main__":
    main()
