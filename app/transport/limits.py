"""Every limit of the transport in one place, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of anything one client, one request or one process may have."""

    # A request's text
    body_bytes: int = 1 << 20
    """Bytes of an HTTP body: 1,000 payments with all their variables take about a quarter of it."""
    query_characters: int = 20_000
    """Characters of a document: read before parsing, since comments and white space cost time as well."""
    query_tokens: int = 2_000
    """Tokens of a document: to parse and validate them takes 40 ms at most; large input goes in variables."""
    query_comments: int = 500
    """Comments of a document: the lexer keeps each of them, and no token limit counts them."""

    # A document's shape
    operations: int = 20
    """Operations in one document: a client's whole catalogue is sent piecewise."""
    fragments: int = 100
    """Fragment definitions in one document: as many as a large screen is composed of."""
    variables: int = 100
    """Variable definitions of one document: inputs are objects, so a handful is usual."""
    directives: int = 100
    """Applied directives in one document: each of them is looked up for each node."""
    depth: int = 20
    """Nested fields: the standard introspection query needs 15, the deepest useful read 12."""
    selections: int = 1_000
    """Fields, spreads and inline fragments after expansion: bounds every later pass over the document."""
    aliases: int = 100
    """Renamed fields after expansion: an alias is the cheapest way to ask the same thing many times."""
    same_response_name: int = 50
    """Selections with one response name in one place: the merge check compares each pair of them."""

    literal_fields: int = 100
    """Fields of one object literal: each error about it prints all of them."""

    # An operation's price
    cost: int = 10_000
    """Fields that one query may be expected to answer: about 40 ms of the event loop."""
    mutation_cost: int = 60_000
    """Fields that one mutation may answer over all its items; they are completed in slices."""
    introspections: int = 5
    """Questions about the schema in one document: tools ask one."""
    introspection_cost: int = 100_000
    """Fields of an introspection answer, by the true sizes of the schema; completed in slices."""
    default_list_size: int = 10
    """How many items a list without `first` is expected to have."""
    page_size: int = 100
    """Items of one page: an answer of 100 objects with 20 fields takes about 7 ms."""
    slice_items: int = 100
    """Items of a list that are completed before other requests get their turn."""
    slice_cost: int = 4_000
    """Fields that are completed before other requests get their turn: about 15 ms."""
    validation_errors: int = 10
    """Errors reported for one request: nobody reads more, and each is work."""
    cached_query_characters: int = 200_000
    """Characters of all cached documents: a parsed document takes about 100 times that in memory."""

    # Variables
    variable_values: int = 12_000
    """JSON values in the variables of one request: 1,000 payments have about 8,000."""
    json_brackets: int = 40_000
    """Opening brackets in a body: 350,000 empty lists in one megabyte took 110 ms to become objects."""
    variable_depth: int = 32
    """Nested lists and objects in variables: our inputs nest three deep."""
    bulk_items: int = 1_000
    """Items of one list in the input, literal or variable: the size of a bulk mutation."""
    variable_characters: int = 10_000
    """Characters of one string in the input: scalars match patterns against it."""

    # Connections
    connections: int = 2_048
    """Open connections of one process; the next ones are told to come again."""
    refused_connections: int = 128
    """Connections beyond the limit that still get a spoken refusal; more are dropped."""
    websocket_connections: int = 1_024
    """Websockets of one process: half of the connections, so that requests always find room."""
    subscriptions_per_socket: int = 64
    """Live operations of one websocket: a dashboard shows a dozen."""
    message_bytes: int = 256 * 1024
    """Bytes of one websocket message: bulk input goes over HTTP."""
    header_bytes: int = 64 * 1024
    """Bytes of a request's line and headers: a GET carries its document there."""
    write_buffer_bytes: int = 256 * 1024
    """Bytes written but not yet read by a client before its sender has to wait."""

    # Seconds
    header_seconds: float = 10.0
    """For sending a request's headers: sockets that trickle are closed."""
    body_seconds: float = 20.0
    """For sending a request's body."""
    send_seconds: float = 15.0
    """For reading what was sent: a client that does not read is cut off."""
    init_seconds: float = 5.0
    """For the first message of a websocket."""
    keep_alive_seconds: float = 30.0
    """For which an idle connection waits for its next request."""
    ping_seconds: float = 20.0
    """Between keep-alive pings on a websocket, and the wait for each answer."""
    close_seconds: float = 5.0
    """For the operations of a closed websocket to end."""
    shutdown_seconds: int = 20
    """For requests in flight to end after the order to stop."""
    retry_after_seconds: int = 2
    """After which a refused client may come again."""


LIMITS = Limits()
