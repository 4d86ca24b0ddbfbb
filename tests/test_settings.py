"""Settings: each wrong one stops the start with one sentence that names its variable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import WrongSettings, load_settings

NAMES = (
    "DATABASE_URL",
    "REDIS_URL",
    "PREMIA_ENV",
    "PREMIA_SIGNING_KEY",
    "PREMIA_PERSONAL_DATA_KEYS",
    "PREMIA_INTROSPECTION",
    "PREMIA_LOG_LEVEL",
    "PREMIA_INTAKE_QUEUE",
)
TOO_SHORT = "a key that is too short"


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """An empty data folder, and an environment that says nothing."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREMIA_DATA_FOLDER", str(tmp_path))
    load_settings.cache_clear()
    yield tmp_path
    load_settings.cache_clear()


WRONG = [
    ("DATABASE_URL", "mysql://db/premia"),
    ("DATABASE_URL", ""),
    ("DATABASE_URL", "sqlite:///"),
    ("DATABASE_URL", "postgres://db"),
    ("DATABASE_URL", "postgres://db:many/premia"),
    ("PREMIA_ENV", "staging"),
    ("PREMIA_ENV", ""),
    ("PREMIA_SIGNING_KEY", TOO_SHORT),
    ("PREMIA_SIGNING_KEY", ""),
    ("PREMIA_SIGNING_KEY", "k" * 31),
    ("PREMIA_INTROSPECTION", "perhaps"),
    ("PREMIA_LOG_LEVEL", "loud"),
    ("PREMIA_INTAKE_QUEUE", "0"),
    ("PREMIA_INTAKE_QUEUE", "-1"),
    ("PREMIA_INTAKE_QUEUE", "100001"),
    ("PREMIA_INTAKE_QUEUE", "many"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_setting_is_one_sentence_that_names_it_and_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(WrongSettings) as raised:
        load_settings()

    sentence = str(raised.value)
    assert sentence.startswith(f"{name} is wrong: ")
    assert "\n" not in sentence
    assert len(value) < 5 or name != "PREMIA_SIGNING_KEY" or value not in sentence
    assert raised.value.__suppress_context__


def test_a_wrong_setting_in_the_data_folder_is_named_too_and_not_passed_over(folder: Path) -> None:
    (folder / "premia.env").write_text("PREMIA_LOG_LEVEL=loud\n", encoding="utf-8")

    with pytest.raises(WrongSettings, match="PREMIA_LOG_LEVEL is wrong"):
        load_settings()


def test_where_nothing_is_said_nothing_is_demanded_and_no_key_is_made_up(folder: Path) -> None:
    settings = load_settings()

    assert settings.database_url == f"sqlite://{folder / 'premia.db'}"
    assert (settings.signing_key, settings.personal_data_keys, settings.production) == (None, None, False)
    assert list(folder.iterdir()) == []


def test_the_environment_goes_before_the_data_folder_and_not_behind_it(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (folder / "premia.env").write_text(
        "PREMIA_LOG_LEVEL=error\nPREMIA_INTAKE_QUEUE=1007\nSOMETHING_ELSE=1\n", encoding="utf-8"
    )
    monkeypatch.setenv("PREMIA_LOG_LEVEL", "warning")

    settings = load_settings()

    assert (settings.log_level, settings.intake_queue) == ("warning", 1007)


def test_all_that_can_be_said_is_read_and_nothing_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "DATABASE_URL": "postgres://clerk@db/premia",
        "PREMIA_ENV": "production",
        "PREMIA_SIGNING_KEY": "k" * 32,
        "PREMIA_PERSONAL_DATA_KEYS": "lookup:00,1:00",
        "PREMIA_INTROSPECTION": "false",
        "PREMIA_LOG_LEVEL": "debug",
        "PREMIA_INTAKE_QUEUE": "100000",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)

    settings = load_settings()

    assert settings.database_url == values["DATABASE_URL"]
    assert settings.production
    assert settings.signing_key is not None
    assert settings.signing_key.get_secret_value() == values["PREMIA_SIGNING_KEY"]
    assert (settings.introspection, settings.log_level, settings.intake_queue) == (False, "debug", 100_000)


def test_settings_that_are_printed_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREMIA_SIGNING_KEY", "s" * 40)
    monkeypatch.setenv("PREMIA_PERSONAL_DATA_KEYS", "lookup:ff,1:ff")

    printed = f"{load_settings()!r} {load_settings()}"

    assert "s" * 40 not in printed
    assert "lookup:ff" not in printed
