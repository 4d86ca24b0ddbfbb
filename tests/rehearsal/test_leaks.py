"""What may not stand in a log is noticed, and what only looks like it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.rehearsal.leaks import leaks_in_file, leaks_in_lines

HARMLESS = [
    '{"event": "payments recorded", "count": 500, "batch": "20191008-105-01", "seconds": 0.013800138000123}',
    "019e2d6c-7a11-7000-8b13-138001380001 POST /graphql 200",
    "incident 91350100000100434f amount 13800138000.00",
    "epoch 1574380800000000000 and 1574380800.123456",
]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("payer 11010519491231002X was refused", "an id number"),
        ('{"idNumber":"440524188001010014"}', "an id number"),
        ("sent to 13800138000", "a mobile number"),
        ('"phone": "19912345678",', "a mobile number"),
        ("authorization Bearer eyJhbGciOiJIUzI1NiJ9.e30.x", "a token"),
    ],
)
def test_a_leak_is_named_by_its_line_and_kind_and_not_repeated(line: str, kind: str) -> None:
    assert leaks_in_lines(["harmless", line]) == [f"line 2 shows {kind}"]


def test_ids_sums_and_times_are_no_leaks() -> None:
    assert leaks_in_lines(HARMLESS) == []


def test_a_secret_of_this_run_is_noticed_whatever_it_looks_like(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("started\nkey=0123abcd4567\n")

    assert leaks_in_file(log) == []
    assert leaks_in_file(log, ["0123abcd4567"]) == ["line 2 shows a secret of this run"]
