"""`premia keys`, and the keys that `premia run` keeps in the data folder."""

from __future__ import annotations

import os
import secrets

from app.personal_data import generate_keys
from app.settings import data_folder


def new_keys() -> str:
    """New keys as lines of settings."""
    return f"PREMIA_SIGNING_KEY={secrets.token_urlsafe(48)}\nPREMIA_PERSONAL_DATA_KEYS={generate_keys()}\n"


def keep_keys() -> None:
    """Write new keys into the data folder, readable by its owner only, unless keys are there already."""
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(folder / "premia.env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(new_keys())
