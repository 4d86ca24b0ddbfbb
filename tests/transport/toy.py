"""A small schema with one of everything that the transport must carry."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from app.faults import BadInput, Forbidden, Overloaded, SlowReader, Unauthenticated, Unavailable
from app.principal import Principal

ID_NUMBER = "370212199001011234"

Money = NewType("Money", int)


def parse_money(value: object) -> int:
    if not isinstance(value, str) or not value.replace(".", "", 1).isdigit() or value[-3:-2] != ".":
        raise BadInput("Money is a string with exactly two decimals")
    return int(value.replace(".", ""))


def print_money(value: int) -> str:
    return f"{value // 100}.{value % 100:02d}"


def parse_boom(value: object) -> str:
    raise ValueError(f"the scalar echoes {value}")


Boom = NewType("Boom", str)


@strawberry.enum
class Channel(enum.Enum):
    COUNTER = "counter"
    KIOSK = "kiosk"


@dataclass
class ToyContext:
    """What the resolvers share; also the tests' window into what happened."""

    principal: Principal | None = None
    language: str = "zh-CN"
    closed_streams: list[str] = field(default_factory=list)


ToyInfo = strawberry.Info[ToyContext, None]


@strawberry.type
class UserError:
    code: str
    message: str


@strawberry.type
class Payment:
    id: strawberry.ID
    amount: Money
    channel: Channel
    bank_reference: str
    status: str = "ACCEPTED"
    receipt_number: str = "R-1"
    clearing_bank: str = "105"
    handling_bank: str = "104"

    @strawberry.field
    async def due(self) -> Due:
        return Due(id=strawberry.ID("due-1"))

    @strawberry.field
    def payments(self, first: int, after: str | None = None) -> PaymentConnection:
        return make_connection(first)


@strawberry.type
class Due:
    id: strawberry.ID
    title: str = "medical 2020"

    @strawberry.field
    async def payment(self) -> Payment:
        return make_payment("1")


@strawberry.type
class PageInfo:
    has_next_page: bool = False


@strawberry.type
class PaymentEdge:
    cursor: str
    node: Payment


@strawberry.type
class PaymentConnection:
    edges: list[PaymentEdge]
    nodes: list[Payment]
    page_info: PageInfo


def make_payment(number: str) -> Payment:
    return Payment(
        id=strawberry.ID(number), amount=Money(39500), channel=Channel.KIOSK, bank_reference=f"B{number}"
    )


def make_connection(first: int) -> PaymentConnection:
    nodes = [make_payment(str(number)) for number in range(first)]
    edges = [PaymentEdge(cursor=str(number), node=node) for number, node in enumerate(nodes)]
    return PaymentConnection(edges=edges, nodes=nodes, page_info=PageInfo())


@strawberry.input
class RecordPaymentInput:
    due_id: strawberry.ID
    amount: Money
    channel: Channel
    bank_reference: str
    note: str | None = None


@strawberry.input
class Nested:
    child: Nested | None = None
    children: list[Nested] | None = None
    number: int | None = None


@strawberry.input
class RecordPaymentsInput:
    payments: list[RecordPaymentInput]


@strawberry.type
class RecordPaymentPayload:
    payment: Payment | None
    already_recorded: bool
    user_errors: list[UserError]


@strawberry.type
class RecordPaymentsPayload:
    results: list[RecordPaymentPayload]
    accepted_count: int


FAULTS = {
    "unauthenticated": Unauthenticated("a token is needed"),
    "forbidden": Forbidden("not open to you"),
    "overloaded": Overloaded("the queue is full", retry_after=2.5),
    "unavailable": Unavailable("the database did not answer"),
    "bad": BadInput("the cursor cannot be read"),
}


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "hello"

    @strawberry.field
    def language(self, info: ToyInfo) -> str:
        return info.context.language

    @strawberry.field
    def viewer(self, info: ToyInfo) -> str:
        if info.context.principal is None:
            raise Unauthenticated("a token is needed")
        return info.context.principal.name

    @strawberry.field
    def payments(self, first: int, after: str | None = None) -> PaymentConnection:
        return make_connection(first)

    @strawberry.field
    def channels(self) -> list[Channel]:
        return list(Channel)

    @strawberry.field
    def nodes(self, ids: list[strawberry.ID]) -> list[Payment]:
        return [make_payment(identifier) for identifier in ids]

    @strawberry.field
    def many(self, count: int) -> list[Payment]:
        return [make_payment(str(number)) for number in range(count)]

    @strawberry.field
    def person(self, id_number: str, channel: Channel | None = None, amount: Money | None = None) -> str:
        return "found"

    @strawberry.field
    def years(self, year: int, ratio: float = 1.0, flag: bool = False, boom: Boom | None = None) -> int:
        return year

    @strawberry.field
    def nest(self, value: Nested) -> str:
        return "nested"

    @strawberry.field
    def fault(self, name: str) -> str | None:
        if name == "crash":
            raise ValueError(f"could not read {ID_NUMBER}")
        if name == "graphql":
            raise GraphQLError(f"could not read {ID_NUMBER}")
        raise FAULTS[name]

    @strawberry.field
    async def slow(self, seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "done"

    @strawberry.field
    def huge(self) -> Money:
        return Money(10**30)

    @strawberry.field
    def impossible(self) -> str:
        return None  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def record_payment(self, input: RecordPaymentInput) -> RecordPaymentPayload:  # noqa: A002
        return RecordPaymentPayload(
            payment=Payment(
                id=input.due_id,
                amount=input.amount,
                channel=input.channel,
                bank_reference=input.bank_reference,
            ),
            already_recorded=False,
            user_errors=[],
        )

    @strawberry.mutation
    async def record_payments(self, input: RecordPaymentsInput) -> RecordPaymentsPayload:  # noqa: A002
        results = [
            RecordPaymentPayload(payment=make_payment(str(number)), already_recorded=False, user_errors=[])
            for number, _ in enumerate(input.payments)
        ]
        return RecordPaymentsPayload(results=results, accepted_count=len(results))


live_streams: set[str] = set()


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, until: int, name: str = "count", pause: float = 0.0) -> AsyncGenerator[int, None]:
        live_streams.add(name)
        try:
            for number in range(until):
                yield number
                await asyncio.sleep(pause)
        finally:
            live_streams.discard(name)

    @strawberry.subscription
    async def floods(self, size: int) -> AsyncGenerator[str, None]:
        live_streams.add("floods")
        try:
            while True:
                yield "x" * size
                await asyncio.sleep(0)
        finally:
            live_streams.discard("floods")

    @strawberry.subscription
    async def slow_reader(self) -> AsyncGenerator[int, None]:
        yield 1
        raise SlowReader("resume with `after`")

    @strawberry.subscription
    async def breaks(self) -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError(f"broke at {ID_NUMBER}")

    @strawberry.subscription
    async def guarded(self, info: ToyInfo) -> AsyncGenerator[str, None]:
        if info.context.principal is None:
            raise Unauthenticated("a token is needed")
        yield info.context.principal.name


def make_schema() -> strawberry.Schema:
    """The toy schema, with its scalars."""
    scalars: dict[object, ScalarDefinition] = {
        Money: strawberry.scalar(name="Money", serialize=print_money, parse_value=parse_money),
        Boom: strawberry.scalar(name="Boom", serialize=str, parse_value=parse_boom),
    }
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=scalars),
    )
