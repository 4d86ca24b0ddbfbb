"""Where one rehearsal keeps its files: the server's log, and the database where none is given."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.rehearsal.options import RehearsalOptions
from app.settings import load_settings


@dataclass(slots=True)
class Workplace:
    """One rehearsal's folder and database. Keys come from the environment, or from the demonstration city.

    Attributes:
        keep: leave the folder in place, because it was wished or because something failed.
    """

    folder: Path
    database_url: str
    keep: bool

    @property
    def log(self) -> Path:
        """Where the server writes."""
        return self.folder / "server.log"

    @property
    def environment(self) -> dict[str, str]:
        """What premia's commands need beyond the environment."""
        return {"DATABASE_URL": self.database_url}


@contextmanager
def workplace(options: RehearsalOptions) -> Iterator[Workplace]:
    """Make the folder, and take it away again unless it is to be kept."""
    folder = Path(tempfile.mkdtemp(prefix="premia-rehearsal-"))
    url = options.database_url or os.environ.get("DATABASE_URL") or f"sqlite://{folder / 'rehearsal.db'}"
    place = Workplace(folder, url, options.keep)
    try:
        yield place
    finally:
        if not place.keep:
            shutil.rmtree(folder, ignore_errors=True)


def keys_in_use() -> list[str]:
    """Give the keys that the environment names: none of them may appear in a log.

    Raises:
        WrongSettings: the environment is wrong; one sentence.
    """
    settings = load_settings()
    given = [settings.signing_key, settings.personal_data_keys]
    texts = [key.get_secret_value() for key in given if key is not None]
    return [part.rpartition(":")[2] for text in texts for part in text.split(",") if part]
