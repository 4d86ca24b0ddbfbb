"""Settings from the environment, and from the data folder's `premia.env` where the environment says nothing.

A wrong one stops the start with one sentence. Secrets are never printed.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.configuration import connection_settings

ROOT = Path(__file__).resolve().parent.parent
SIGNING_KEY_MINIMUM = 32


class WrongSettings(Exception):
    """A setting is missing or wrong; the message is one sentence for an operator."""


def data_folder() -> Path:
    """Where `make run` keeps the default database and the generated keys."""
    return Path(os.environ.get("PREMIA_DATA_FOLDER", ROOT / "data"))


class Settings(BaseSettings):
    """All settings. Names in the environment are those in capitals."""

    model_config = SettingsConfigDict(env_prefix="PREMIA_", extra="ignore", populate_by_name=True)

    database_url: str = Field(
        default_factory=lambda: f"sqlite://{data_folder() / 'premia.db'}",
        validation_alias=AliasChoices("DATABASE_URL"),
        description="sqlite:///path/file.db or postgres://user@host:port/name",
    )
    env: Literal["development", "production"] = "development"
    signing_key: SecretStr | None = Field(default=None, description="Signs tokens; 32 characters or more.")
    personal_data_keys: SecretStr | None = Field(
        default=None,
        description="Keys for personal data: `lookup:HEX64,1:HEX64[,2:HEX64…]`, the last one seals.",
    )
    introspection: bool = Field(default=True, description="Whether the schema may be asked for itself.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    intake_queue: int = Field(
        default=5_000, ge=1_000, le=100_000, description="Payments that may wait for the writer."
    )

    @field_validator("database_url")
    @classmethod
    def _readable_url(cls, value: str) -> str:
        connection_settings(value)
        return value

    @field_validator("signing_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SIGNING_KEY_MINIMUM:
            raise ValueError(f"needs {SIGNING_KEY_MINIMUM} characters or more")
        return value

    @property
    def production(self) -> bool:
        """Whether demonstration data is refused."""
        return self.env == "production"


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        WrongSettings: with one sentence that names the variable.
    """
    try:
        return Settings(_env_file=data_folder() / "premia.env", _env_file_encoding="utf-8")
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        name = str(first["loc"][0])
        variable = name if name.isupper() else f"PREMIA_{name.upper()}"
        message = first["msg"].removeprefix("Value error, ")
        raise WrongSettings(f"{variable} is wrong: {message}") from None
