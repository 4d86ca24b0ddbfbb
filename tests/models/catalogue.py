"""What a migrated database says of itself, read from its own catalogue, in the same words on both engines."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.database import Row, Session

# Tortoise's own book of applied migrations is no table of ours.
FOREIGN_TABLES = {"tortoise_migrations", "sqlite_sequence"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its type in the engine's words, and whether it may be empty."""

    kind: str
    nullable: bool


def _squeezed(text: str) -> str:
    return re.sub(r"[\s\"]+", "", text)


async def tables(session: Session) -> set[str]:
    """The names of our tables."""
    rows = await session.fetch(
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
        if session.postgres
        else "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
    return {row["name"] for row in rows} - FOREIGN_TABLES


async def columns(session: Session, table: str) -> dict[str, Column]:
    """The columns of one table."""
    if session.postgres:
        rows = await session.fetch(
            "SELECT column_name AS name, data_type AS kind, character_maximum_length AS length,"
            " is_nullable = 'YES' AS nullable FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = $1",
            table,
        )
        return {row["name"]: Column(_kind(row), row["nullable"]) for row in rows}
    rows = await session.fetch(f"PRAGMA table_info('{table}')")
    return {row["name"]: Column(row["type"].lower(), not (row["notnull"] or row["pk"])) for row in rows}


def _kind(row: Row) -> str:
    return f"{row['kind']}({row['length']})" if row["length"] else str(row["kind"])


async def checks(session: Session) -> dict[str, tuple[str, str]]:
    """Every CHECK by its name: its table and what it says."""
    if session.postgres:
        rows = await session.fetch(
            "SELECT conname AS name, conrelid::regclass::text AS place, pg_get_constraintdef(oid) AS definition"
            " FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
        )
        return {row["name"]: (row["place"], row["definition"]) for row in rows}
    found = {}
    for row in await session.fetch("SELECT name, sql FROM sqlite_master WHERE type = 'table'"):
        for name, definition in _sqlite_checks(row["sql"]):
            assert name not in found, f"{name} is written twice"
            found[name] = (row["name"], definition)
    return found


def _sqlite_checks(sql: str) -> list[tuple[str, str]]:
    """The named CHECKs in the text of a table; an unnamed one is told as such."""
    found = []
    for match in re.finditer(r"(?:CONSTRAINT\s+\"?(\w+)\"?\s+)?CHECK\s*\(", sql):
        depth, end = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        found.append((match[1] or "unnamed", _squeezed(sql[match.end() : end - 1])))
    return found


async def declared_check(session: Session, table: str, definition: str) -> str:
    """A declared CHECK in the words of the engine's catalogue."""
    if not session.postgres:
        return _squeezed(definition)
    await session.execute(f"CREATE TEMPORARY TABLE probe (LIKE {table})")
    await session.execute(f"ALTER TABLE probe ADD CONSTRAINT probed CHECK ({definition})")
    row = await session.fetch_one(
        "SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE conname = 'probed'"
    )
    await session.execute("DROP TABLE probe")
    assert row is not None
    return str(row["definition"])


async def indexes(session: Session) -> dict[str, str]:
    """Every index that was made by name, and what makes it."""
    if session.postgres:
        rows = await session.fetch(
            "SELECT i.indexname AS name, i.indexdef AS definition FROM pg_indexes i WHERE i.schemaname = 'public'"
            " AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)"
        )
    else:
        rows = await session.fetch(
            "SELECT name, sql AS definition FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        )
    found = {row["name"]: str(row["definition"]) for row in rows if "tortoise" not in row["definition"]}
    return found if session.postgres else {name: _squeezed(text) for name, text in found.items()}


async def declared_index(session: Session, name: str, definition: str, *, unique: bool) -> str:
    """A declared index in the words of the engine's catalogue."""
    kind = "UNIQUE INDEX" if unique else "INDEX"
    if not session.postgres:
        return _squeezed(f"CREATE {kind} {name} ON {definition}")
    await session.execute(f"CREATE {kind} probed_index ON {definition}")
    row = await session.fetch_one("SELECT indexdef FROM pg_indexes WHERE indexname = 'probed_index'")
    await session.execute("DROP INDEX probed_index")
    assert row is not None
    return str(row["indexdef"]).replace("probed_index", name)


async def unique_columns(session: Session) -> set[tuple[str, str]]:
    """The columns that are unique by themselves, as (table, column): the primary keys apart."""
    if session.postgres:
        rows = await session.fetch(
            "SELECT c.conrelid::regclass::text AS place, a.attname AS name FROM pg_constraint c"
            " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
            " WHERE c.contype = 'u' AND c.connamespace = 'public'::regnamespace"
        )
        return {(row["place"], row["name"]) for row in rows if row["place"] not in FOREIGN_TABLES}
    found = set()
    for table in await tables(session):
        for index in await session.fetch(f"PRAGMA index_list('{table}')"):
            if index["origin"] == "u":
                [column] = await session.fetch(f"PRAGMA index_info('{index['name']}')")
                found.add((table, column["name"]))
    return found


async def foreign_keys(session: Session) -> set[tuple[str, str, str]]:
    """Every foreign key as (table, column, table that it points at); none may cascade."""
    if session.postgres:
        rows = await session.fetch(
            "SELECT c.conrelid::regclass::text AS place, a.attname AS name, c.confrelid::regclass::text AS target,"
            " c.confdeltype::text AS on_delete FROM pg_constraint c"
            " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
            " WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace"
        )
        assert {row["on_delete"] for row in rows} <= {"r", "a"}
        return {(row["place"], row["name"], row["target"]) for row in rows}
    found = set()
    for table in await tables(session):
        for row in await session.fetch(f"PRAGMA foreign_key_list('{table}')"):
            assert row["on_delete"] in {"RESTRICT", "NO ACTION"}
            found.add((table, row["from"], row["table"]))
    return found


async def triggers(session: Session) -> set[tuple[str, str, str]]:
    """Every trigger as (table, name, what sets it off)."""
    if session.postgres:
        rows = await session.fetch(
            "SELECT tgrelid::regclass::text AS place, tgname AS name, pg_get_triggerdef(oid) AS definition"
            " FROM pg_trigger WHERE NOT tgisinternal"
        )
        return {
            (row["place"], row["name"], verb)
            for row in rows
            for verb in ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
            if verb in row["definition"].split(" ON ")[0]
        }
    rows = await session.fetch("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {
        (row["tbl_name"], row["name"], re.findall(r"UPDATE|DELETE|INSERT", row["sql"])[0]) for row in rows
    }
