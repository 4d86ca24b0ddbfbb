"""Addresses of databases: what is understood, and what is refused in one sentence."""

from __future__ import annotations

import pytest

from models.configuration import connection_settings, sqlite_path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///srv/premia/premia.db", "/srv/premia/premia.db"),
        ("sqlite:////srv/premia/premia.db", "/srv/premia/premia.db"),
        ("sqlite:///./premia.db", "./premia.db"),
        ("sqlite://premia.db", "premia.db"),
        ("sqlite://data/premia.db", "data/premia.db"),
        ("sqlite:///srv/with%20space/premia.db", "/srv/with space/premia.db"),
        ("sqlite:///srv/%E7%A4%BE%E4%BF%9D.db", "/srv/社保.db"),
        ("sqlite:///srv/premia.db?mode=ro", "/srv/premia.db"),
    ],
)
def test_a_file_is_named_by_its_url_and_by_nothing_else(url: str, path: str) -> None:
    assert sqlite_path(url) == path
    assert connection_settings(url)["credentials"] == {"file_path": path}


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///srv/", "sqlite://?mode=ro"])
def test_a_sqlite_url_without_a_file_is_not_accepted(url: str) -> None:
    with pytest.raises(ValueError, match=r"DATABASE_URL names no file: sqlite:///path/file\.db"):
        connection_settings(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://clerk@db.internal:6432/premia", ("db.internal", 6432, "clerk", None, "premia")),
        ("postgresql://clerk:p%40ss%2Fword@db/premia", ("db", 5432, "clerk", "p@ss/word", "premia")),
        ("postgres:///premia", ("127.0.0.1", 5432, "postgres", None, "premia")),
        ("postgres://[::1]:5433/premia", ("::1", 5433, "postgres", None, "premia")),
        ("postgres://db/pre%20mia", ("db", 5432, "postgres", None, "pre mia")),
    ],
)
def test_the_parts_of_a_postgres_url_are_read_and_none_is_guessed(
    url: str, expected: tuple[str, int, str, str | None, str]
) -> None:
    credentials = connection_settings(url)["credentials"]

    names = ("host", "port", "user", "password", "database")
    assert tuple(credentials[name] for name in names) == expected


@pytest.mark.parametrize("url", ["postgres://db", "postgres://db/", "postgresql://clerk@db:5432"])
def test_a_postgres_url_without_a_database_is_not_accepted(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL names no database"):
        connection_settings(url)


@pytest.mark.parametrize(
    "url", ["", "premia.db", "mysql://db/premia", "sqlite", "http://db/premia", "/srv/premia.db"]
)
def test_another_kind_of_database_is_not_accepted(url: str) -> None:
    with pytest.raises(ValueError, match="must begin with sqlite:// or postgres://"):
        connection_settings(url)


def test_a_port_that_is_no_number_is_not_accepted() -> None:
    with pytest.raises(ValueError, match=r"(?i)port"):
        connection_settings("postgres://db:many/premia")
