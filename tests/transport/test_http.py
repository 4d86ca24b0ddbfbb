"""The HTTP endpoint: what it accepts, what it refuses and with which status, and that it never breaks."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from . import toy
from .service import Running

GRAPHQL = {"accept": "application/graphql-response+json"}
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.address, timeout=10) as http:
        yield http


def ask(client: httpx.Client, query: str, **rest: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/graphql", json={"query": query, **rest}).json()
    return answer


# ---------------------------------------------------------------- bodies


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"1",
        b'"x"',
        b"true",
        b"",
        b"{",
        b"\xff\xfe",
        b'{"query": "\xff"}',
        b'{"query": "{ hello }", "variables": {"n": ' + b"9" * 5_000 + b"}}x",
        b"9" * 5_000,
        b"[" * 30_000,
        b'{"a":' * 30_000,
        b'{"query": "{ hello }", "variables": {"n": ' + b"[" * 30_000 + b"]" * 30_000 + b"}}",
        b'{"query": NaN}',
        b'{"query": "\\ud800"}',
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": "{ hello }", "variables": []}',
        b'{"query": "{ hello }", "extensions": 1}',
        b'{"query": "{ hello }", "operationName": 1}',
    ],
    ids=lambda body: repr(body[:40]),
)
@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
def test_an_unreadable_body_is_refused_with_400_and_does_not_break(
    client: httpx.Client, body: bytes, accept: str
) -> None:
    answer = client.post("/graphql", content=body, headers={**JSON, "accept": accept})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == f"{accept}; charset=utf-8"
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert "data" not in answer.json()


def test_a_batch_is_refused_and_none_of_it_is_executed(client: httpx.Client) -> None:
    answer = client.post("/graphql", json=[{"query": "{ hello }"}, {"query": "{ hello }"}])

    assert answer.status_code == 400
    assert "batches are not supported" in answer.json()["errors"][0]["message"]
    assert "data" not in answer.json()


def test_a_body_of_50_megabytes_is_refused_by_its_length_and_not_read(client: httpx.Client) -> None:
    answer = client.post("/graphql", content=b" " * 50_000_000, headers=JSON)

    assert answer.status_code == 413
    assert answer.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


def test_json_that_is_100000_deep_is_refused_and_does_not_break(client: httpx.Client) -> None:
    for body in (b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000):
        assert client.post("/graphql", content=body, headers=JSON).status_code == 413


@pytest.mark.parametrize("unit", [b"[],", b"{},"])
def test_a_body_of_nothing_but_brackets_is_refused_and_not_decoded(client: httpx.Client, unit: bytes) -> None:
    body = b'{"query": "{ hello }", "extensions": {"a": [' + unit * 300_000 + b"1]}}"
    answer = client.post("/graphql", content=body, headers=JSON)

    assert answer.status_code == 413
    assert answer.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


def test_an_endless_body_is_refused_while_it_streams_and_not_kept(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n")
        raw.sendall(b"transfer-encoding: chunked\r\n\r\n")
        sent = 0
        chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
        try:
            while sent < 50_000_000:
                raw.sendall(chunk)
                sent += len(chunk)
        except OSError:
            pass

    assert sent < 20_000_000


def test_a_body_that_trickles_is_refused_with_408_and_not_waited_for(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n")
        raw.sendall(b"content-length: 99\r\n\r\n")
        raw.settimeout(5)
        assert raw.recv(4_096).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk", ""]
)
def test_another_content_type_is_refused_with_415_and_not_guessed(
    client: httpx.Client, content_type: str
) -> None:
    answer = client.post(
        "/graphql", content=b'{"query": "{ hello }"}', headers={"content-type": content_type}
    )

    assert answer.status_code == 415


def test_a_compressed_body_is_refused_and_not_unpacked(client: httpx.Client) -> None:
    answer = client.post("/graphql", content=b"x", headers={**JSON, "content-encoding": "gzip"})

    assert answer.status_code == 415


# ---------------------------------------------------------------- negotiation


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        ("application/graphql-response+json", "application/graphql-response+json"),
        ("application/graphql-response+json, application/json;q=0.9", "application/graphql-response+json"),
        ("application/json, application/graphql-response+json;q=0.5", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/graphql-response+json;charset=utf-8", "application/graphql-response+json"),
        ("*/*, application/graphql-response+json", "application/graphql-response+json"),
    ],
)
def test_the_preferred_media_type_is_answered_and_no_other(
    client: httpx.Client, accept: str, chosen: str
) -> None:
    answer = client.post("/graphql", json={"query": "{ hello }"}, headers={"accept": accept})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{chosen}; charset=utf-8"


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*"])
def test_a_media_type_that_we_do_not_have_is_refused_with_406_and_not_ignored(
    client: httpx.Client, accept: str
) -> None:
    assert client.post("/graphql", json={"query": "{ hello }"}, headers={"accept": accept}).status_code == 406


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        (None, "zh-CN"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-TW", "zh-CN"),
        ("en;q=0.5, zh;q=0.8", "zh-CN"),
        ("fr, en;q=0.2", "en"),
        ("fr", "zh-CN"),
        ("en;q=0", "zh-CN"),
        ("*", "zh-CN"),
        ("en;q=abc, , ;;", "zh-CN"),
        (",".join(["x"] * 900), "zh-CN"),
    ],
)
def test_the_language_is_the_best_that_we_speak_and_never_none(
    client: httpx.Client, wish: str | None, language: str
) -> None:
    headers = {} if wish is None else {"accept-language": wish}
    request = client.build_request("POST", "/graphql", json={"query": "{ language }"}, headers=headers)

    assert client.send(request).json() == {"data": {"language": language}}


# ---------------------------------------------------------------- statuses


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("{", 400, "BAD_REQUEST"),
        ("{ nothing }", 400, "BAD_REQUEST"),
        ("{ payments(first: 101) { nodes { id } } }", 400, "LIMIT_EXCEEDED"),
        ("{ " + "hello " * 2_500 + "}", 400, "LIMIT_EXCEEDED"),
        ("subscription { guarded }", 400, "BAD_REQUEST"),
    ],
)
def test_a_refused_document_keeps_its_4xx_and_older_clients_do_not_see_it(
    client: httpx.Client, query: str, status: int, code: str
) -> None:
    strict = client.post("/graphql", json={"query": query}, headers=GRAPHQL)
    older = client.post("/graphql", json={"query": query}, headers={"accept": "application/json"})

    assert (strict.status_code, older.status_code) == (status, 200)
    assert strict.json()["errors"][0]["extensions"]["code"] == code
    assert "data" not in strict.json()


@pytest.mark.parametrize("name", [*toy.FAULTS, "crash", "graphql"])
@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
def test_a_fault_of_a_resolver_is_in_band_and_never_a_5xx(
    client: httpx.Client, name: str, accept: str
) -> None:
    answer = client.post(
        "/graphql", json={"query": f'{{ fault(name: "{name}") hello }}'}, headers={"accept": accept}
    )

    assert answer.status_code == 200
    assert answer.json()["data"] == {"fault": None, "hello": "hello"}
    assert len(answer.json()["errors"]) == 1


def test_overloaded_says_when_to_come_again_and_does_not_hide_it(client: httpx.Client) -> None:
    answer = ask(client, '{ fault(name: "overloaded") }')

    assert answer["errors"][0]["extensions"] == {"code": "OVERLOADED", "retryable": True, "retryAfter": 2.5}


def test_a_forged_token_is_refused_with_401_and_nothing_is_executed(client: httpx.Client) -> None:
    answer = client.post("/graphql", json={"query": "{ hello }"}, headers={"authorization": "Bearer forged"})

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "data" not in answer.json()


def test_a_good_token_reaches_the_resolver_and_is_not_needed_for_the_rest(client: httpx.Client) -> None:
    headers = {"authorization": "Bearer good"}

    assert client.post("/graphql", json={"query": "{ viewer }"}, headers=headers).json() == {
        "data": {"viewer": "bank-105"}
    }
    assert ask(client, "{ hello }") == {"data": {"hello": "hello"}}


def test_a_value_that_cannot_be_answered_is_an_error_and_not_a_5xx(client: httpx.Client) -> None:
    for query in ("{ impossible }", "{ huge }"):
        answer = client.post("/graphql", json={"query": query})
        assert answer.status_code == 200


# ---------------------------------------------------------------- methods


def test_a_query_by_get_is_answered_and_not_cached(client: httpx.Client) -> None:
    parameters = {"query": "query($n: String!) { person(idNumber: $n) }", "variables": json.dumps({"n": "x"})}
    answer = client.get("/graphql", params=parameters)

    assert answer.json() == {"data": {"person": "found"}}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("operation", ["mutation { __typename }", "subscription { guarded }"])
def test_what_changes_things_is_refused_by_get_with_405_and_not_executed(
    client: httpx.Client, operation: str
) -> None:
    answer = client.get("/graphql", params={"query": operation}, headers=GRAPHQL)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_another_method_is_refused_with_405_and_not_served(client: httpx.Client, method: str) -> None:
    assert client.request(method, "/graphql").status_code == 405


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=",
        "query=%FF",
        "query={hello}&variables=x",
        "query={hello}&variables=1",
        "query={hello}&query={hello}",
        "query={hello}&extensions=[]",
        "&".join(f"a{n}=1" for n in range(100)),
    ],
)
def test_an_unreadable_query_string_is_refused_with_400_and_does_not_break(
    client: httpx.Client, server: Running, query_string: str
) -> None:
    assert client.get(f"{server.url}?{query_string}").status_code == 400


def test_headers_without_end_are_refused_and_not_read(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.settimeout(5)
        raw.sendall(b"GET /graphql HTTP/1.1\r\nx: " + b"y" * 40_000)
        raw.sendall(b"y" * 60_000)
        assert raw.recv(100).startswith(b"HTTP/1.1 431 ")


# ---------------------------------------------------------------- staying alive


async def test_a_slow_answer_does_not_hold_up_the_others(server: Running) -> None:
    async with httpx.AsyncClient(base_url=server.address, timeout=10) as http:
        slow = asyncio.create_task(http.post("/graphql", json={"query": "{ slow(seconds: 1) }"}))
        await asyncio.sleep(0.05)
        assert (await http.post("/graphql", json={"query": "{ hello }"})).status_code == 200
        assert not slow.done()
        assert (await slow).json() == {"data": {"slow": "done"}}
