"""What the server refuses to start with: one sentence, exit status 1, no traceback."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from app.personal_data import generate_keys
from tests.engines import ENGINE
from tests.processes.city import City
from tests.processes.premia import HOST, Ended, Premia, free_port, serving

KEYS = {
    "PREMIA_SIGNING_KEY": "a signing key for tests, long enough",
    "PREMIA_PERSONAL_DATA_KEYS": generate_keys(),
}


def assert_one_sentence(ended: Ended, *words: str) -> None:
    assert ended.status == 1, ended
    assert ended.output == ""
    [line] = ended.complaints.splitlines()
    assert line.startswith("premia: ")
    assert all(word in line for word in words), line
    assert "Traceback" not in line


async def refusal(premia: Premia, *arguments: str) -> Ended:
    return await premia.run("serve", "--port", str(free_port()), *arguments)


async def test_several_workers_on_sqlite_are_refused_and_none_is_started(tmp_path: Path) -> None:
    premia = Premia(tmp_path, DATABASE_URL=f"sqlite://{tmp_path / 'city.db'}", **KEYS)

    assert_one_sentence(await refusal(premia, "--workers", "2"), "SQLite", "--workers 1")
    assert not (tmp_path / "city.db").exists()


async def test_a_second_server_on_one_sqlite_file_is_refused_and_the_first_is_not_disturbed(
    tmp_path: Path,
) -> None:
    premia = Premia(tmp_path, DATABASE_URL=f"sqlite://{tmp_path / 'city.db'}")
    await premia.must("demo", "--payers", "10")

    async with serving(premia) as server:
        assert_one_sentence(await refusal(premia), "SQLite", "another server process")
        assert await server.readiness() is not None
        server.kill()
        await server.start()


async def test_a_database_without_tables_is_refused_and_not_migrated(
    empty_database_url: str, tmp_path: Path
) -> None:
    premia = Premia(tmp_path, DATABASE_URL=empty_database_url, **KEYS)

    assert_one_sentence(await refusal(premia), "premia migrate")
    assert_one_sentence(await refusal(premia), "premia migrate")


@pytest.mark.parametrize("command", ["serve", "verify", "migrate", "demo", "token --role auditor"])
async def test_a_postgresql_that_does_not_answer_is_named_and_nothing_is_thrown_at_the_operator(
    tmp_path: Path, command: str
) -> None:
    premia = Premia(tmp_path, DATABASE_URL=f"postgres://premia@{HOST}:{free_port()}/premia", **KEYS)

    assert_one_sentence(await premia.run(*command.split()), "DATABASE_URL", "reached")


async def test_a_database_that_postgresql_does_not_have_is_named_and_nothing_is_thrown_at_the_operator(
    database_url: str, tmp_path: Path
) -> None:
    absent = f"{database_url}_absent" if ENGINE == "postgres" else f"sqlite://{tmp_path}/no/such/folder/a.db"
    premia = Premia(tmp_path, DATABASE_URL=absent, **KEYS)

    assert_one_sentence(await refusal(premia), "DATABASE_URL")


async def test_production_refuses_a_demonstration_city_and_does_not_serve_it(city: City) -> None:
    assert_one_sentence(
        await refusal(city.premia.but(PREMIA_ENV="production", **KEYS)), "PREMIA_ENV", "demonstration"
    )


@pytest.mark.parametrize("missing", sorted(KEYS))
async def test_without_a_key_the_server_does_not_start(
    database_url: str, tmp_path: Path, missing: str
) -> None:
    given = {name: value for name, value in KEYS.items() if name != missing}

    ended = await refusal(Premia(tmp_path, DATABASE_URL=database_url, **given))

    assert_one_sentence(ended, missing, "not set")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "mysql://premia@127.0.0.1/premia"),
        ("DATABASE_URL", "premia.db"),
        ("DATABASE_URL", "postgres://premia@127.0.0.1"),
        ("DATABASE_URL", "postgres://premia@127.0.0.1:port/premia"),
        ("DATABASE_URL", "sqlite://"),
        ("PREMIA_SIGNING_KEY", "short"),
        ("PREMIA_PERSONAL_DATA_KEYS", "not keys"),
        ("PREMIA_ENV", "staging"),
        ("PREMIA_INTAKE_QUEUE", "many"),
        ("PREMIA_INTAKE_QUEUE", "-7"),
    ],
)
async def test_a_setting_that_cannot_be_read_is_named_and_its_value_is_not_printed(
    database_url: str, tmp_path: Path, variable: str, value: str
) -> None:
    premia = Premia(tmp_path, **{"DATABASE_URL": database_url, **KEYS, variable: value})

    ended = await refusal(premia)

    assert_one_sentence(ended, variable)
    assert value not in ended.complaints.removesuffix("sqlite:///path/file.db\n")


async def test_a_port_in_use_is_named_and_its_holder_is_not_disturbed(city: City) -> None:
    with socket.create_server((HOST, 0)) as holder:
        port = holder.getsockname()[1]
        ended = await city.premia.run("serve", "--port", str(port))

        assert_one_sentence(ended, f"{HOST}:{port}")
        with socket.create_connection((HOST, port)):
            pass


async def test_an_address_of_another_machine_is_refused_and_not_listened_on(city: City) -> None:
    assert_one_sentence(await refusal(city.premia, "--host", "192.0.2.1"), "192.0.2.1")
