"""Opening the house: database, demonstration clock, keys. Each wrong thing stops the start with one sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app import clock
from app.clock import Clock
from app.personal_data import PersonalDataKeys, WrongKeys
from app.services import reference
from app.settings import Settings, WrongSettings
from models import database, demonstration, migrating
from models.configuration import sqlite_path
from models.demonstration import DemonstrationFacts
from models.failures import DatabaseUnavailable


@dataclass(frozen=True, slots=True)
class Opened:
    """The open database of this process, and the keys that go with it."""

    settings: Settings
    demonstration: DemonstrationFacts | None

    def keys(self) -> PersonalDataKeys:
        """The keys for personal data: a demonstration city's own, else those of the settings.

        Raises:
            WrongSettings: there are none, or they cannot be read.
        """
        carried = self.demonstration.personal_data_keys if self.demonstration else None
        given = self.settings.personal_data_keys
        text = carried or (given.get_secret_value() if given else None)
        if text is None:
            raise WrongSettings("PREMIA_PERSONAL_DATA_KEYS is not set")
        try:
            return PersonalDataKeys.parse(text)
        except WrongKeys as exc:
            raise WrongSettings(str(exc)) from None

    def signing_key(self) -> str:
        """The key that signs tokens: of the settings, else a demonstration city's own.

        Raises:
            WrongSettings: there is none.
        """
        given = self.settings.signing_key
        carried = self.demonstration.signing_key if self.demonstration else None
        key = given.get_secret_value() if given else carried
        if key is None:
            raise WrongSettings("PREMIA_SIGNING_KEY is not set")
        return key


def _lacks_its_file(database_url: str) -> bool:
    return database_url.startswith("sqlite") and not Path(sqlite_path(database_url)).exists()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Opened]:
    """The migrated database of `settings`, with its clock set.

    Raises:
        WrongSettings: not reachable, not migrated, or a demonstration city in production.
    """
    if _lacks_its_file(settings.database_url):
        raise WrongSettings("the SQLite file of DATABASE_URL does not exist: run `premia migrate`")
    try:
        await database.connect(settings.database_url)
        reference.forget()
        if await migrating.pending():
            raise WrongSettings("the database is not migrated: run `premia migrate`")
        async with database.reading() as session:
            city = await demonstration.load(session)
    except DatabaseUnavailable as exc:
        await database.disconnect()
        raise WrongSettings(f"the database of DATABASE_URL cannot be reached ({exc})") from exc
    except BaseException:
        await database.disconnect()
        raise
    try:
        if city is not None and settings.production:
            raise WrongSettings("PREMIA_ENV=production refuses a demonstration database")
        clock.set_clock(Clock(city.starts_at, city.made_at, city.pace) if city else Clock())
        yield Opened(settings, city)
    finally:
        await database.disconnect()
