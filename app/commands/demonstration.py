"""`premia demo`, and what `premia run` prints."""

from __future__ import annotations

import secrets
import sys

from app.commands.tokens import TokenRequest, principal_of
from app.demonstration.city import CityExists, NoSuchPayer, make_city, sample_payer_id_number
from app.demonstration.production import MakingFailed
from app.personal_data import PersonalDataKeys, generate_keys
from app.principal import Role
from app.settings import Settings
from app.startup import Opened, opened
from app.tokens import issue
from models import migrating


class NotMade(Exception):
    """No city was made. `city_is_there`: because there is one already."""

    def __init__(self, sentence: str, *, city_is_there: bool = False) -> None:
        super().__init__(sentence)
        self.city_is_there = city_is_there


async def make(settings: Settings, payers: int, seed: int, pace: float, *, fresh: bool = False) -> str:
    """Migrate, and make the city; a closing line. The same city again is left as it is, unless `fresh`.

    Raises:
        NotMade: the database holds something else, or production refuses demonstrations.
    """
    if settings.production:
        raise NotMade("PREMIA_ENV=production refuses a demonstration city")
    await migrating.migrate(settings.database_url)
    async with opened(settings) as house:
        city = house.demonstration
        if city is not None and (city.payers, city.seed) == (payers, seed) and not fresh:
            return f"The demonstration city of {payers:,} payers (seed {seed}) is already here."
        if city is not None:
            sentence = f"the database already holds a city of {city.payers:,} payers (seed {city.seed})"
            raise NotMade(sentence, city_is_there=True)
        return await _make(house, payers, seed, pace)


async def _make(house: Opened, payers: int, seed: int, pace: float) -> str:
    # What the settings do not give, the city carries itself: it holds synthetic people only.
    given = house.settings.personal_data_keys
    carried_keys = None if given else generate_keys()
    carried_signing_key = None if house.settings.signing_key else secrets.token_urlsafe(48)
    text = carried_keys or (given.get_secret_value() if given else "")
    try:
        summary = await make_city(
            payers=payers,
            seed=seed,
            pace=pace,
            keys=PersonalDataKeys.parse(text),
            carried_signing_key=carried_signing_key,
            carried_personal_data_keys=carried_keys,
            progress=_show,
        )
    except (CityExists, MakingFailed, ValueError) as trouble:
        raise NotMade(str(trouble)) from trouble
    finally:
        print(file=sys.stderr)
    return (
        f"Made a city of {summary.payers:,} payers with {summary.dues:,} dues in {summary.regions:,} regions."
    )


def _show(made: int, payers: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{made:,} of {payers:,} payers", end="", file=sys.stderr, flush=True)


async def introduction(settings: Settings, host: str, port: int) -> str:
    """The addresses, and one token for each role."""
    async with opened(settings) as house:
        requests = {
            "bank 105 (clears)": TokenRequest(Role.BANK, bank="105"),
            "bank 103 (handles)": TokenRequest(Role.BANK, bank="103"),
            "officer": TokenRequest(Role.OFFICER, name="officer-1"),
            "officer (second)": TokenRequest(Role.OFFICER, name="officer-2"),
            "auditor": TokenRequest(Role.AUDITOR),
            "admin": TokenRequest(Role.ADMIN),
        }
        try:
            id_number = await sample_payer_id_number(house.keys())
            requests = {"payer": TokenRequest(Role.PAYER, id_number=id_number), **requests}
        except NoSuchPayer:
            pass
        lines = [
            "",
            f"  page       http://{host}:{port}/",
            f"  GraphQL    http://{host}:{port}/graphql",
            f"  updates    ws://{host}:{port}/graphql  (graphql-transport-ws)",
            "",
        ]
        for label, request in requests.items():
            principal = await principal_of(house, request)
            lines += [f"  {label}", f"    {issue(principal, house.signing_key())}"]
        return "\n".join([*lines, ""])
