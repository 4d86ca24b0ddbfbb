"""Builders: an office, people, dues, commands. Each writes rows directly, as a migrated database holds them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from app.personal_data import PersonalDataKeys, generate_keys
from app.principal import Principal, Role
from app.rules.identity import check_character
from app.services import reference
from app.services.payments import RecordPayment
from app.vocabulary import BankRole, Channel, DueStatus, RegionLevel, Scheme
from models.banks import Bank, ClearingRoute
from models.collection_periods import CollectionPeriod
from models.dues import Due
from models.payers import Payer
from models.regions import Region

# 2019-10-08 10:00 in Asia/Shanghai.
NOW = datetime(2019, 10, 8, 2, 0, tzinfo=UTC)
PAID_AT = NOW - timedelta(minutes=30)
SIGNING_KEY = "a signing key for tests, long enough"

_numbers = itertools.count(1)


def make_id_number(born: date = date(1980, 1, 2)) -> str:
    """A valid, plainly synthetic id number that no other call gives."""
    first = f"999999{born:%Y%m%d}{next(_numbers) % 1000:03}"
    return first + check_character(first)


@dataclass
class Office:
    """What `make_office` has written."""

    regions: dict[str, UUID]
    banks: dict[str, UUID]
    periods: dict[Scheme, UUID]
    keys: PersonalDataKeys = field(default_factory=lambda: PersonalDataKeys.parse(generate_keys()))

    async def payer(
        self, region: str = "370215", *, household: UUID | None = None, id_number: str | None = None
    ) -> Payer:
        """A resident of `region`."""
        number = id_number or make_id_number(date(1950 + next(_numbers) % 40, 1 + next(_numbers) % 12, 1))
        return await Payer.create(
            id=uuid7(),
            name="于小满",
            id_number=self.keys.seal(number),
            id_number_lookup=self.keys.lookup_hash(number),
            phone=self.keys.seal("15400001234"),
            household_id=household or uuid7(),
            region_id=self.regions[region],
        )

    async def due(
        self,
        payer: Payer | None = None,
        *,
        scheme: Scheme = Scheme.MEDICAL,
        amount: int = 39_500,
        **columns: Any,
    ) -> Due:
        """An open due."""
        owner = payer or await self.payer()
        values: dict[str, Any] = {
            "category": "ADULT_TIER_2",
            "personal_amount": amount,
            "subsidy_amount": 0,
            "status": DueStatus.OPEN,
        }
        return await Due.create(
            id=uuid7(), payer_id=owner.id, period_id=self.periods[scheme], **{**values, **columns}
        )

    async def dues(self, count: int, **options: Any) -> list[Due]:
        """Several open dues of several people."""
        return [await self.due(**options) for _ in range(count)]

    def command(self, due: Due, bank: str = "103", **changes: Any) -> RecordPayment:
        """Pay `due` in full at the counter of `bank`."""
        values: dict[str, Any] = {
            "bank_id": self.banks[bank],
            "due_id": due.id,
            "amount": due.personal_amount,
            "channel": Channel.BANK_COUNTER,
            "bank_reference": f"R{next(_numbers)}",
            "paid_at": PAID_AT,
            "collection_point_code": None,
            "actor": f"bank-{bank}",
        }
        return RecordPayment(**{**values, **changes})


def bank_principal(code: str) -> Principal:
    """A bank as caller."""
    return Principal(Role.BANK, f"bank-{code}", bank_code=code)


def officer(name: str = "officer-1", region: str = "370200") -> Principal:
    """An officer as caller."""
    return Principal(Role.OFFICER, name, region_code=region)


def payer_principal(payer: Payer) -> Principal:
    """A resident as caller."""
    return Principal(Role.PAYER, f"payer-{payer.id}", payer_id=payer.id)


AUDITOR = Principal(Role.AUDITOR, "auditor")
ADMIN = Principal(Role.ADMIN, "admin")


async def make_office() -> Office:
    """Qingdao with two districts, two clearing banks, two handling banks, both periods of the season."""
    office = Office({}, {}, {})
    tree = (("370200", None), ("370203", "370200"), ("370215", "370200"), ("370215001", "370215"))
    paths: dict[str, str] = {}
    for code, parent in tree:
        office.regions[code] = uuid7()
        paths[code] = f"{paths[parent] if parent else ''}{code}."
        level = {None: RegionLevel.CITY, "370200": RegionLevel.DISTRICT}.get(parent, RegionLevel.SUBDISTRICT)
        await Region.create(
            id=office.regions[code],
            code=code,
            name=f"区域{code}",
            level=level,
            parent_id=office.regions[parent] if parent else None,
            path=paths[code],
            former_codes="370282" if code == "370215" else "",
        )
    for code, role in (("105", "CLEARING"), ("314", "CLEARING"), ("103", "HANDLING"), ("104", "HANDLING")):
        office.banks[code] = uuid7()
        await Bank.create(
            id=office.banks[code],
            code=code,
            name=f"银行{code}",
            name_english=f"Bank {code}",
            role=BankRole(role),
            clears_for_newcomers=code == "314",
        )
    await ClearingRoute.create(
        id=uuid7(),
        handling_bank_id=office.banks["104"],
        clearing_bank_id=office.banks["105"],
        valid_from=date(2019, 9, 1),
    )
    for scheme in Scheme:
        office.periods[scheme] = uuid7()
        await CollectionPeriod.create(
            id=office.periods[scheme],
            scheme=scheme,
            benefit_year=2020,
            opens_on=date(2019, 9, 1),
            closes_on=date(2019, 12, 31),
        )
    reference.forget()
    return office
