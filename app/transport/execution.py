"""Runs operations: read once per text, priced per request, executed without strawberry's own wrapping.

Strawberry builds the schema and its resolvers; what it adds around each execution (extensions, a context
object, result conversion) is not needed here, so graphql-core's executor is built directly from the cached
document.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    specified_rules,
    validate,
)
from graphql.execution import (
    create_source_event_stream,
    default_field_resolver,
    default_type_resolver,
    get_variable_values,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.execute import map_source_to_response_event
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from app.faults import Fault
from app.transport.cost import CostPlan, Price, SchemaSizes
from app.transport.faults import (
    FormattedError,
    RequestRefused,
    describe_error,
    describe_exception,
    describe_request_error,
)
from app.transport.inputs import compile_inputs
from app.transport.lean import LeanExecutor, find_leaves, is_awaitable
from app.transport.limits import LIMITS, Limits
from app.transport.validation import check_document, check_variables, parse_document

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """What a client asks for. A read-only request (GET) may not hold a mutation."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one operation that was executed, or to one event of a subscription."""

    data: dict[str, Any] | None
    errors: list[FormattedError] = field(default_factory=list)

    def payload(self) -> dict[str, Any]:
        """The answer as it is sent."""
        return {"data": self.data, "errors": self.errors} if self.errors else {"data": self.data}

    def to_json(self) -> bytes:
        """The answer as JSON; a value that JSON cannot hold is an incident, not a crash."""
        try:
            return orjson.dumps(self.payload())
        except (TypeError, ValueError, RecursionError) as error:
            return orjson.dumps({"data": None, "errors": [describe_exception(error, "answer")]})


@dataclass(frozen=True, slots=True)
class _Document:
    """A valid document, ready to execute."""

    operations: dict[str | None, OperationDefinitionNode]
    fragment_definitions: dict[str, FragmentDefinitionNode]
    fragments: dict[str, FragmentDetails]
    plans: dict[str | None, CostPlan]


@dataclass(frozen=True, slots=True)
class Prepared:
    """One operation with its variables, checked and priced: executing it is all that is left."""

    document: _Document
    operation: OperationDefinitionNode
    variable_values: Any
    price: Price

    @property
    def kind(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.operation.operation


class GraphQLExecutor:
    """Executes operations of one schema within the limits."""

    def __init__(
        self, schema: strawberry.Schema, *, introspection: bool = True, limits: Limits = LIMITS
    ) -> None:
        self.schema: GraphQLSchema = schema._schema
        self.limits = limits
        self.introspection = introspection
        compile_inputs(schema)
        self._sizes = SchemaSizes(self.schema)
        self._leaves = find_leaves(self.schema)
        self._documents: OrderedDict[str, _Document] = OrderedDict()
        self._cached_characters = 0

    def prepare(self, request: OperationRequest) -> Prepared:
        """Check everything about a request that can be checked before it is executed.

        Raises:
            RequestRefused: with the errors to send.
        """
        try:
            return self._prepare(request)
        except Fault as fault:
            raise RequestRefused.of(fault) from None
        except GraphQLError as error:
            raise RequestRefused([describe_request_error(error)]) from None

    async def execute(self, request: OperationRequest, context: object) -> Answer:
        """Execute a query or mutation.

        Raises:
            RequestRefused: the request was not executed.
        """
        prepared = self.prepare(request)
        if prepared.kind is OperationType.SUBSCRIPTION:
            raise RequestRefused.malformed("a subscription has no single answer")
        return await self.run(prepared, context)

    async def subscribe(self, request: OperationRequest, context: object) -> AsyncIterator[Answer]:
        """Start a subscription.

        Raises:
            RequestRefused: there is no stream of events.
        """
        prepared = self.prepare(request)
        if prepared.kind is not OperationType.SUBSCRIPTION:
            raise RequestRefused.malformed("only a subscription has events")
        return await self.stream(prepared, context)

    async def run(self, prepared: Prepared, context: object) -> Answer:
        """Execute a prepared query or mutation."""
        try:
            result: Any = self._executor(prepared, context).execute_operation()
            if is_awaitable(result):
                result = await result
        except Exception as error:  # whatever fails, the caller gets an answer
            return Answer(None, [describe_exception(error, "operation")])
        return self._answer(cast("ExecutionResult", result))

    async def stream(self, prepared: Prepared, context: object) -> AsyncGenerator[Answer, None]:
        """Start a prepared subscription: its events, which the caller must close.

        Raises:
            RequestRefused: the source of events could not be opened.
        """
        executor = self._executor(prepared, context)
        source: Any = create_source_event_stream(executor)
        if is_awaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            raise RequestRefused([describe_error(error) for error in source.errors or ()])
        return self._events(executor, cast("AsyncIterable[Any]", source))

    async def _events(
        self, executor: LeanExecutor, source: AsyncIterable[Any]
    ) -> AsyncGenerator[Answer, None]:
        async with aclosing(map_source_to_response_event(executor, source)) as results:
            async for result in results:
                yield self._answer(result)

    def _answer(self, result: ExecutionResult) -> Answer:
        return Answer(
            result.data, [describe_error(error) for error in result.errors] if result.errors else []
        )

    def _prepare(self, request: OperationRequest) -> Prepared:
        variables = request.variables or {}
        check_variables(variables, self.limits)
        document = self._documents.get(request.query)
        if document is None:
            document = self._remember(request.query, self._read(request.query))
        else:
            self._documents.move_to_end(request.query)
        name, operation = _choose(document, request.operation_name)
        if request.read_only and operation.operation is not OperationType.QUERY:
            raise RequestRefused.malformed("only queries can be sent with GET", 405)
        price = document.plans[name].price(variables)
        values = get_variable_values(
            self.schema,
            operation.variable_definitions or (),
            variables,
            max_errors=self.limits.validation_errors,
            hide_suggestions=True,
        )
        if isinstance(values, list):
            raise RequestRefused([describe_request_error(error) for error in values])
        return Prepared(document, operation, values, price)

    def _read(self, query: str) -> _Document:
        """Parse and validate a text."""
        node = parse_document(query, self.limits)
        check_document(node, self.limits, introspection=self.introspection)
        errors = validate(
            self.schema,
            node,
            RULES,
            max_errors=self.limits.validation_errors,
            hide_suggestions=not self.introspection,
        )
        if errors:
            raise RequestRefused([describe_request_error(error) for error in errors])
        return self._compile(node)

    def _compile(self, node: DocumentNode) -> _Document:
        definitions = {
            each.name.value: each for each in node.definitions if isinstance(each, FragmentDefinitionNode)
        }
        operations = {
            each.name.value if each.name else None: each
            for each in node.definitions
            if isinstance(each, OperationDefinitionNode)
        }
        return _Document(
            operations,
            definitions,
            {name: FragmentDetails(each, None) for name, each in definitions.items()},
            {
                name: CostPlan(self._sizes, self.limits, each, definitions)
                for name, each in operations.items()
            },
        )

    def _remember(self, query: str, document: _Document) -> _Document:
        self._documents[query] = document
        self._cached_characters += len(query)
        while self._cached_characters > self.limits.cached_query_characters:
            oldest, _ = self._documents.popitem(last=False)
            self._cached_characters -= len(oldest)
        return document

    def _executor(self, prepared: Prepared, context: object) -> LeanExecutor:
        document = prepared.document
        executor = LeanExecutor(
            self.schema,
            document.fragment_definitions,
            document.fragments,
            None,
            context,
            prepared.operation,
            prepared.variable_values,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            is_awaitable=is_awaitable,
            hide_suggestions=True,
        )
        executor.leaves = self._leaves
        executor.slice_items = prepared.price.slice_items
        return executor


def _choose(document: _Document, name: str | None) -> tuple[str | None, OperationDefinitionNode]:
    if name is not None:
        operation = document.operations.get(name)
        if operation is None:
            raise RequestRefused.malformed("the document has no operation of the given operationName")
        return name, operation
    if len(document.operations) != 1:
        raise RequestRefused.malformed("the document has several operations: operationName must choose one")
    return next(iter(document.operations.items()))
