"""The real server, judged by all 61 audits of graphql-http, and by what its page and health say."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.processes.city import City
from tests.processes.premia import serving
from tests.transport.audits import missing_tools, run_audits


@pytest.mark.skipif(missing_tools() is not None, reason=str(missing_tools()))
async def test_every_audit_of_graphql_over_http_holds_on_the_real_server_and_none_fails(city: City) -> None:
    async with serving(city.premia) as server:
        failing = await asyncio.to_thread(run_audits, server.url)

    assert failing == []


async def test_the_page_names_the_addresses_and_nothing_is_loaded_from_elsewhere(city: City) -> None:
    async with serving(city.premia) as server, httpx.AsyncClient(base_url=server.address) as http:
        page = await http.get("/")
        health, readiness = await http.get("/healthz"), await http.get("/readyz")

    assert (health.status_code, readiness.status_code) == (200, 200)
    assert "/graphql" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "http://" not in page.text
    assert "https://" not in page.text
