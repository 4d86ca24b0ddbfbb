"""GraphQL over HTTP, judged by the audits of graphql-http: MUST, SHOULD and MAY."""

from __future__ import annotations

import json

import pytest

from .audits import HERE, missing_tools, run_audits
from .service import Running


@pytest.mark.skipif(missing_tools() is not None, reason=str(missing_tools()))
def test_all_audits_hold_and_none_fails(server: Running) -> None:
    assert run_audits(server.url) == []


def test_the_lock_file_names_packages_and_no_addresses() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))

    packages = [entry for name, entry in lock["packages"].items() if name]

    assert all(entry["integrity"] for entry in packages)
    assert not any("resolved" in entry for entry in packages)
