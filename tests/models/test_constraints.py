"""The last judge: what the database itself refuses, read from its catalogue and then violated, one by one."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from tortoise import Tortoise
from tortoise.fields.relational import ForeignKeyFieldInstance
from uuid_utils.compat import uuid7

from models import database
from models.configuration import APP_LABEL
from models.constraints import CHECKS, IMMUTABLE_TABLES, INDEXES, UNIQUE_INDEXES
from models.failures import ConstraintViolated
from tests.builders import NOW, Office
from tests.engines import ENGINE
from tests.models import catalogue
from tests.models.stock import insert_like, snapshot, stock

NOBODY = UUID(int=7)
UNIQUE_COLUMNS = {
    ("regions", "code"),
    ("regions", "path"),
    ("banks", "code"),
    ("clearing_batches", "number"),
    ("roster_imports", "content_hash"),
}
# What breaks each CHECK, and nothing else.
BREAKS_CHECK: dict[str, list[dict[str, Any]]] = {
    "region_level": [{"level": "PROVINCE"}, {"level": ""}],
    "bank_role": [{"role": "CENTRAL"}],
    "route_period": [{"valid_until": date(2019, 9, 1)}, {"valid_until": date(2019, 8, 31)}],
    "period_scheme": [{"scheme": "HOUSING"}],
    "period_days": [{"closes_on": date(2019, 8, 31)}],
    "due_personal_amount": [{"personal_amount": -1, "subsidy_amount": 2}],
    "due_subsidy_amount": [{"personal_amount": 2, "subsidy_amount": -1}],
    "due_amount": [{"personal_amount": 0, "subsidy_amount": 0}],
    "due_status": [{"status": "SETTLED"}, {"status": "open"}],
    "due_hold": [
        {"status": "HELD"},
        {"status": "HELD", "held_by": "order 7"},
        {"status": "HELD", "held_until": NOW},
        {"status": "OPEN", "held_by": "order 7"},
        {"status": "OPEN", "held_until": NOW},
        {"status": "OPEN", "held_by": "order 7", "held_until": NOW},
    ],
    "payment_amount": [{"amount": 0}, {"amount": -1}],
    "payment_status": [{"status": "SETTLED"}, {"status": "CLEARED"}],
    "payment_reference": [{"bank_reference": ""}],
    "batch_status": [{"status": "CLOSED"}],
    "batch_scheme": [{"scheme": "HOUSING"}],
    "batch_totals": [{"payment_count": -1}, {"total_amount": -1}, {"payment_count": 2, "receipts_issued": 1}],
    "handling_totals": [{"payment_count": -1}, {"total_amount": -1}],
    "transfer_amount": [{"amount": 0}, {"amount": -1}],
    "transfer_accounts": [{"debit_account": "bank:103", "credit_account": "bank:103"}],
    "demonstration_single": [{"id": 2}],
}
# What must be new about a row so that only the one unique index stands against it.
BREAKS_INDEX: dict[str, tuple[str, dict[str, Any]]] = {
    "one_bank_for_newcomers": ("clears_for_newcomers", {"code": "999"}),
    "one_route_per_day": ("1 = 1", {}),
    "one_period_per_scheme_and_year": ("1 = 1", {}),
    "one_payer_per_id_number": ("1 = 1", {}),
    "one_due_per_payer_and_period": ("1 = 1", {}),
    "one_live_payment_per_due": ("status = 'ACCEPTED'", {"bank_reference": "new", "receipt_number": "new"}),
    "one_payment_per_bank_reference": ("1 = 1", {"status": "REVERSED", "receipt_number": "new"}),
    "one_payment_per_receipt": ("1 = 1", {"status": "REVERSED", "bank_reference": "new"}),
    "one_open_batch": ("status = 'OPEN'", {"number": "new", "sequence": 99}),
    "one_batch_per_sequence": ("status = 'OPEN'", {"number": "new", "status": "CUT"}),
    "one_total_per_handling_bank": ("1 = 1", {}),
}
# What must be new about a row so that it meets no other row.
FRESH: dict[str, dict[str, Any]] = {
    "regions": {"code": "new", "path": "new."},
    "clearing_routes": {"valid_from": date(2019, 9, 2)},
    "payers": {"id_number_lookup": b"new"},
    "payments": {"bank_reference": "new", "receipt_number": "new", "status": "REVERSED"},
    "clearing_batches": {"number": "new", "sequence": 98, "status": "CUT"},
}


@pytest.fixture
async def stocked(office: Office) -> Office:
    await stock(office)
    return office


def foreign_keys() -> list[tuple[str, str, str]]:
    """What the models declare, as (table, column, table that it points at)."""
    found = []
    for model in Tortoise.apps[APP_LABEL].values():
        for name in model._meta.fk_fields:
            field = model._meta.fields_map[name]
            assert isinstance(field, ForeignKeyFieldInstance)
            found.append((model._meta.db_table, str(field.source_field), field.related_model._meta.db_table))
    return found


async def test_the_checks_of_the_catalogue_are_those_that_are_declared_and_none_is_missing(
    database: str,
) -> None:
    async with _transaction() as session:
        found = await catalogue.checks(session)
        declared = {
            name: (table, await catalogue.declared_check(session, table, definition))
            for name, (table, definition) in CHECKS.items()
        }

    assert found == declared


async def test_the_indexes_of_the_catalogue_are_those_that_are_declared_and_none_is_missing(
    database: str,
) -> None:
    async with _transaction() as session:
        found = await catalogue.indexes(session)
        declared = {
            name: await catalogue.declared_index(session, name, definition, unique=group is UNIQUE_INDEXES)
            for group in (UNIQUE_INDEXES, INDEXES)
            for name, definition in group.items()
        }
        unique_columns = await catalogue.unique_columns(session)

    assert found == declared
    assert unique_columns == UNIQUE_COLUMNS


async def test_every_relation_of_the_models_is_a_foreign_key_and_none_cascades(database: str) -> None:
    async with _transaction() as session:
        found = await catalogue.foreign_keys(session)

    assert found == set(foreign_keys())


async def test_the_immutable_tables_and_no_others_have_their_triggers(database: str) -> None:
    async with _transaction() as session:
        found = {(table, verb) for table, _, verb in await catalogue.triggers(session) if verb != "INSERT"}

    verbs = {"UPDATE", "DELETE", "TRUNCATE"} if ENGINE == "postgres" else {"UPDATE", "DELETE"}
    assert found == {(table, verb) for table in IMMUTABLE_TABLES for verb in verbs}


def test_every_declared_constraint_is_violated_below_and_none_is_left_out() -> None:
    assert BREAKS_CHECK.keys() == CHECKS.keys()
    assert BREAKS_INDEX.keys() == UNIQUE_INDEXES.keys()


@pytest.mark.parametrize(
    ("name", "changes"),
    [(name, changes) for name, group in BREAKS_CHECK.items() for changes in group],
    ids=lambda value: value if isinstance(value, str) else "-".join(f"{k}={v}" for k, v in value.items()),
)
async def test_a_row_that_breaks_a_check_is_refused_and_nothing_is_written(
    stocked: Office, name: str, changes: dict[str, Any]
) -> None:
    table = CHECKS[name][0]
    before = await snapshot()
    fresh = {} if table == "demonstration" else {"id": uuid7()}

    with pytest.raises(ConstraintViolated, match=name):
        await insert_like(table, {**fresh, **changes})

    assert await snapshot() == before


@pytest.mark.parametrize("name", UNIQUE_INDEXES)
async def test_a_row_that_meets_a_unique_index_is_refused_and_nothing_is_written(
    stocked: Office, name: str
) -> None:
    table, columns = _parts(UNIQUE_INDEXES[name])
    where, changes = BREAKS_INDEX[name]
    before = await snapshot()

    with pytest.raises(ConstraintViolated, match=_unique_message(name, table, columns)):
        await insert_like(table, {"id": uuid7(), **changes}, where)

    assert await snapshot() == before


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("one_live_payment_per_due", {"bank_reference": "n", "receipt_number": "n", "status": "REVERSED"}),
        ("one_open_batch", {"number": "n", "sequence": 99, "status": "CUT"}),
        ("one_bank_for_newcomers", {"code": "999", "clears_for_newcomers": False}),
    ],
)
async def test_a_row_outside_the_condition_of_a_partial_index_is_not_refused(
    stocked: Office, name: str, changes: dict[str, Any]
) -> None:
    table, _ = _parts(UNIQUE_INDEXES[name])
    where, _ = BREAKS_INDEX[name]
    before = len((await snapshot())[table])

    await insert_like(table, {"id": uuid7(), **changes}, where)

    assert len((await snapshot())[table]) == before + 1


@pytest.mark.parametrize(("table", "column"), sorted(UNIQUE_COLUMNS))
async def test_a_second_row_with_the_same_code_is_refused_and_nothing_is_written(
    stocked: Office, table: str, column: str
) -> None:
    before = await snapshot()
    others = {**FRESH.get(table, {}), **({"clears_for_newcomers": False} if table == "banks" else {})}
    changes = {name: value for name, value in others.items() if name != column}

    with pytest.raises(ConstraintViolated, match=column):
        await insert_like(table, {"id": uuid7(), **changes})

    assert await snapshot() == before


async def test_a_row_that_points_at_nothing_is_refused_and_nothing_is_written(stocked: Office) -> None:
    before = await snapshot()

    for table, column, _ in foreign_keys():
        with pytest.raises(ConstraintViolated, match=r"(?i)foreign key"):
            await insert_like(table, {"id": uuid7(), **FRESH.get(table, {}), column: NOBODY})

    assert await snapshot() == before


async def test_a_row_that_others_point_at_is_not_deleted(stocked: Office) -> None:
    before = await snapshot()

    for table in ("banks", "regions", "payers", "dues", "clearing_batches", "collection_periods"):
        with pytest.raises(ConstraintViolated, match=r"(?i)foreign key"):
            async with _transaction() as session:
                await session.execute(f"DELETE FROM {table}")

    assert await snapshot() == before


STATEMENTS = {
    "transfers": ("UPDATE transfers SET amount = amount + 1", "DELETE FROM transfers"),
    "state_changes": ("UPDATE state_changes SET actor = 'nobody'", "DELETE FROM state_changes"),
}


@pytest.mark.parametrize("table", IMMUTABLE_TABLES)
async def test_rows_of_an_immutable_table_are_neither_changed_nor_deleted(
    stocked: Office, table: str
) -> None:
    statements = [*STATEMENTS[table], f"DELETE FROM {table} WHERE id = (SELECT id FROM {table} LIMIT 1)"]
    if ENGINE == "postgres":
        statements += [f"TRUNCATE {table}", f"TRUNCATE {table} CASCADE"]
    before = await snapshot()
    assert before[table]

    for statement in statements:
        with pytest.raises(ConstraintViolated, match="immutable"):
            async with _transaction() as session:
                await session.execute(statement)

    assert await snapshot() == before


def _transaction() -> Any:
    return database.transaction()


def _parts(definition: str) -> tuple[str, list[str]]:
    match = re.match(r"(\w+) \(([^)]*)\)", definition)
    assert match is not None
    return match[1], match[2].split(", ")


def _unique_message(name: str, table: str, columns: list[str]) -> str:
    return name if ENGINE == "postgres" else ", ".join(f"{table}.{column}" for column in columns)
