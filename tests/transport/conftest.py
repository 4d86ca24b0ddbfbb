"""One running toy server for all tests that only talk to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .service import Running, running


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    with running() as process:
        yield process
