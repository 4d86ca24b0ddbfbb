"""Fixtures of the services' tests."""

from __future__ import annotations

import pytest

from app.demonstration.city import make_city
from tests.services.rosters import KEYS, clear


@pytest.fixture
async def registry(database: str) -> str:
    """A database with regions, banks and periods, and nobody registered; its URL."""
    await make_city(
        payers=1,
        seed=1,
        pace=1.0,
        keys=KEYS,
        carried_signing_key=None,
        carried_personal_data_keys=None,
        progress=lambda _made, _payers: None,
    )
    await clear()
    return database
