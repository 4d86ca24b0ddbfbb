"""The command `premia`: everything that operators and scripts call."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from app.faults import Fault
from app.principal import Role
from app.settings import Settings, WrongSettings, load_settings
from models.failures import DatabaseUnavailable

Result = TypeVar("Result")

command = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Premia: resident premiums, collected through many banks and cleared through three. "
    "The database is the one of DATABASE_URL.",
)

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")]
Workers = Annotated[
    int, typer.Option(min=1, max=64, help="Server processes; more than one needs PostgreSQL.")
]
Payers = Annotated[int, typer.Option(min=1, max=5_000_000, help="How many people live in the city.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same city.")]
Pace = Annotated[float, typer.Option(help="How many seconds of the city's clock pass in one.")]


def main() -> None:
    """Run the command; a known trouble ends with one sentence and exit status 1."""
    try:
        command()
    except (WrongSettings, Fault) as trouble:
        _fail(str(trouble))
    except DatabaseUnavailable as trouble:
        _fail(f"the database of DATABASE_URL cannot be reached ({trouble})")


def _fail(sentence: str) -> NoReturn:
    print(f"premia: {sentence}", file=sys.stderr)
    sys.exit(1)


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


@command.command()
def migrate(
    target: Annotated[
        str | None, typer.Option(help="A migration to go to, also backwards: 0001_first_light.")
    ] = None,
) -> None:
    """Bring the database to the newest tables."""
    from models import migrating  # noqa: PLC0415 - commands load what they need

    _run(migrating.migrate(load_settings().database_url, target))
    print("The database is up to date." if target is None else f"The database is at {target}.")


@command.command()
def demo(
    payers: Payers = 10_000,
    seed: Seed = 2019,
    pace: Pace = 1.0,
    fresh: Annotated[bool, typer.Option(help="Refuse a database that already holds a city.")] = False,
) -> None:
    """Make the demonstration city in an empty database (which is migrated first)."""
    from app.commands import demonstration as demonstration_command  # noqa: PLC0415

    try:
        print(_run(demonstration_command.make(load_settings(), payers, seed, pace, fresh=fresh)))
    except demonstration_command.NotMade as trouble:
        _fail(str(trouble))


@command.command(name="import")
def import_roster(
    roster: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The roster, CSV.")],
    benefit_year: Annotated[int, typer.Option(help="The benefit year that the dues are for.")] = 2020,
    result: Annotated[
        Path | None, typer.Option(help="The result file; the roster's name with .result.csv.")
    ] = None,
) -> None:
    """Import a roster: each line ends accepted or refused, with its reason in the result file."""
    from app.commands import roster as roster_command  # noqa: PLC0415

    result = result or roster.with_suffix(".result.csv")
    try:
        print(_run(roster_command.run(load_settings(), roster, result, benefit_year)))
    except roster_command.FileRefused as trouble:
        _fail(str(trouble))


@command.command()
def token(
    role: Annotated[str, typer.Option(help="payer, bank, officer, auditor or admin.")],
    bank: Annotated[str | None, typer.Option(help="Bank code, for role bank.")] = None,
    name: Annotated[
        str | None, typer.Option(help="How the audit trail names the holder; for an officer needed.")
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Region code, for role officer; the city when left out.")
    ] = None,
    id_number: Annotated[str | None, typer.Option(help="Citizen id number, for role payer.")] = None,
    seconds: Annotated[int, typer.Option(min=1, help="How long the token is valid.")] = 30 * 86_400,
) -> None:
    """Print a token and nothing else."""
    from app.commands import tokens as token_command  # noqa: PLC0415

    try:
        wanted = Role(role.upper())
    except ValueError:
        _fail(f"--role {role}: must be payer, bank, officer, auditor or admin")
    request = token_command.TokenRequest(wanted, bank, name, region, id_number, timedelta(seconds=seconds))
    try:
        print(_run(token_command.issue_token(load_settings(), request)))
    except token_command.NotIssued as trouble:
        _fail(str(trouble))


def _refuse_several_on_sqlite(settings: Settings, workers: int) -> None:
    if workers > 1 and settings.database_url.startswith("sqlite"):
        raise WrongSettings("SQLite serves one process: use --workers 1, or PostgreSQL in DATABASE_URL")


async def _check_start(settings: Settings) -> None:
    from app.startup import opened  # noqa: PLC0415

    async with opened(settings) as house:
        house.keys()
        house.signing_key()


@command.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000, workers: Workers = 1) -> None:
    """Serve the API."""
    from app.commands.only_server import only_server  # noqa: PLC0415
    from app.transport.server import serve as run_server  # noqa: PLC0415

    settings = load_settings()
    _refuse_several_on_sqlite(settings, workers)
    _run(_check_start(settings))
    try:
        with only_server(settings.database_url):
            run_server("app.asgi:create", host, port, workers)
    except OSError as trouble:
        _fail(f"cannot listen on {host}:{port} ({trouble.strerror})")


@command.command()
def run(host: Host = "127.0.0.1", port: Port = 8000, payers: Payers = 10_000) -> None:
    """What `make run` does: migrate, make the demonstration city once, print addresses and tokens, serve."""
    from app.commands import demonstration as demonstration_command  # noqa: PLC0415
    from app.commands.keys import keep_keys  # noqa: PLC0415

    keep_keys()
    settings = load_settings()
    try:
        print(_run(demonstration_command.make(settings, payers, 2019, 1.0)))
    except demonstration_command.NotMade as trouble:
        if not trouble.city_is_there:
            _fail(str(trouble))
        print("The demonstration city is already here; its data is kept.")
    print(_run(demonstration_command.introduction(settings, host, port)), flush=True)
    serve(host, port, 1)


@command.command()
def keys() -> None:
    """Print new keys as settings. Nothing is stored."""
    from app.commands.keys import new_keys  # noqa: PLC0415

    print(new_keys(), end="")


@command.command()
def rehearse(
    payers: Payers = 10_000,
    seed: Seed = 2019,
    days: Annotated[int, typer.Option(min=1, max=60, help="Clearing days of the season.")] = 5,
    workers: Workers = 1,
    keep: Annotated[
        bool, typer.Option(help="Leave the temporary database and the server's log in place.")
    ] = False,
) -> None:
    """Play a whole season against a real server by simulated partners, then verify; status 0 when all holds."""
    from app.rehearsal.options import RehearsalOptions  # noqa: PLC0415
    from app.rehearsal.stage import run as run_rehearsal  # noqa: PLC0415

    options = RehearsalOptions(payers=payers, seed=seed, days=days, workers=workers, keep=keep)
    sys.exit(run_rehearsal(options))


@command.command()
def verify() -> None:
    """Check every invariant of the database; exit status 0 when all hold, else each broken one is named."""
    from app.commands import verification as verify_command  # noqa: PLC0415

    sys.exit(_run(verify_command.run(load_settings())))


@command.command()
def schema() -> None:
    """Print the schema as SDL."""
    from schema.root import make_schema  # noqa: PLC0415

    print(make_schema().as_str())


if __name__ == "__main__":
    main()
