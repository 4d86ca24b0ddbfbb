"""Migrations: forward, back to nothing and forward again, and the same tables that the models declare."""

from __future__ import annotations

from tortoise import Tortoise
from tortoise.fields import CharField
from tortoise.models import Model

from models import database as models_database
from models import migrating
from models.configuration import APP_LABEL
from models.constraints import CHECKS, INDEXES, UNIQUE_INDEXES
from models.database import POSTGRES_TYPES, Session
from tests.builders import make_office
from tests.engines import ENGINE
from tests.models import catalogue
from tests.models.stock import snapshot, stock

NOTHING = "__first__"
SQLITE_TYPES = {
    "UUIDField": "char(36)",
    "ForeignKeyFieldInstance": "char(36)",
    "CharField": "varchar",
    "CharEnumFieldInstance": "varchar",
    "TextField": "text",
    "BigIntField": "bigint",
    "IntField": "int",
    "BooleanField": "int",
    "DatetimeField": "timestamp",
    "DateField": "date",
    "BinaryField": "blob",
}
POSTGRES_WORDS = {
    "timestamptz": "timestamp with time zone",
    "varchar": "character varying",
}


async def _described(session: Session) -> dict[str, object]:
    """All that the catalogue says."""
    tables = await catalogue.tables(session)
    return {
        "tables": {table: await catalogue.columns(session, table) for table in sorted(tables)},
        "checks": await catalogue.checks(session),
        "indexes": await catalogue.indexes(session),
        "unique": await catalogue.unique_columns(session),
        "foreign keys": await catalogue.foreign_keys(session),
        "triggers": await catalogue.triggers(session),
    }


def _declared(model: type[Model]) -> dict[str, catalogue.Column]:
    """The columns that a model declares, in the engine's words."""
    found = {}
    for name, column in model._meta.fields_db_projection.items():
        field = model._meta.fields_map[name]
        kind = type(field).__name__
        length = f"({field.max_length})" if isinstance(field, CharField) else ""
        if ENGINE == "postgres":
            word = "varchar" if length else POSTGRES_TYPES[kind]
            word = POSTGRES_WORDS.get(word, word) + length
        else:
            word = SQLITE_TYPES[kind] + length
        if ENGINE != "postgres" and field.pk and kind == "BigIntField" and field.generated:
            word = "integer"
        found[column] = catalogue.Column(word, field.null)
    return found


async def test_the_tables_are_those_of_the_models_and_no_column_differs(database: str) -> None:
    async with models_database.reading() as session:
        found = {table: await catalogue.columns(session, table) for table in await catalogue.tables(session)}

    assert found == {model._meta.db_table: _declared(model) for model in Tortoise.apps[APP_LABEL].values()}


async def test_down_to_nothing_and_up_again_with_rows_in_the_tables_loses_no_part_of_the_schema(
    database: str,
) -> None:
    await stock(await make_office())
    async with models_database.reading() as session:
        before = await _described(session)
    assert all((await snapshot()).values())
    await models_database.disconnect()

    await migrating.migrate(database, NOTHING)
    await models_database.connect(database)
    async with models_database.reading() as session:
        emptied = await _described(session)
    await models_database.disconnect()
    await migrating.migrate(database)

    await models_database.connect(database)
    async with models_database.reading() as session:
        after = await _described(session)
    assert not any(emptied.values())
    assert after == before
    assert len(before["checks"]) == len(CHECKS)  # type: ignore[arg-type]
    assert len(before["indexes"]) == len(UNIQUE_INDEXES) + len(INDEXES)  # type: ignore[arg-type]
    await stock(await make_office())


async def test_a_second_migration_changes_nothing_and_loses_no_row(database: str) -> None:
    await stock(await make_office())
    before = await snapshot()
    await models_database.disconnect()

    await migrating.migrate(database)

    await models_database.connect(database)
    assert await snapshot() == before
    assert not await migrating.pending()


async def test_a_database_that_was_taken_back_is_told_from_one_that_lacks_nothing(database: str) -> None:
    assert not await migrating.pending()
    await models_database.disconnect()
    await migrating.migrate(database, NOTHING)

    await models_database.connect(database)

    assert await migrating.pending()
