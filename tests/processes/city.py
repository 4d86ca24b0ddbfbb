"""A demonstration city for attacks: its commands, its tokens, its open dues."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path

from models import database
from schema.node import global_id
from tests.processes.premia import Premia

# Half an hour before the city's clock begins.
PAID_AT = "2019-10-08T09:30:00+08:00"


@dataclass(frozen=True)
class OpenDue:
    """A due that waits to be paid, as clients name it."""

    id: str
    amount: str


@dataclass
class City:
    """A city in a database of its own. A due is taken once."""

    premia: Premia
    dues: list[OpenDue]
    tokens: dict[str, str] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def take(self, count: int) -> list[OpenDue]:
        """Dues that no other part of the test pays."""
        assert count <= len(self.dues), "the city is too small for this test"
        taken, self.dues = self.dues[:count], self.dues[count:]
        return taken

    def payment(self, due: OpenDue) -> dict[str, object]:
        """The input that pays `due` under a reference of its own."""
        return {
            "dueId": due.id,
            "amount": due.amount,
            "channel": "MOBILE_APP",
            "bankReference": f"P{next(self._numbers):06}",
            "paidAt": PAID_AT,
        }

    def payments(self, count: int) -> list[dict[str, object]]:
        """Inputs that pay `count` dues."""
        return [self.payment(due) for due in self.take(count)]

    async def bank(self, code: str) -> str:
        """A bank's token."""
        return await self._token(f"bank {code}", "bank", "--bank", code)

    async def officer(self, name: str = "officer-1") -> str:
        """An officer's token."""
        return await self._token(name, "officer", "--name", name)

    async def auditor(self) -> str:
        """The auditor's token."""
        return await self._token("auditor", "auditor")

    async def _token(self, holder: str, role: str, *arguments: str) -> str:
        if holder not in self.tokens:
            self.tokens[holder] = await self.premia.token(role, *arguments)
        return self.tokens[holder]


async def make_city(url: str, folder: Path, payers: int = 300) -> City:
    """Make the city in the database of `url`, through the command that users have."""
    premia = Premia(folder, DATABASE_URL=url)
    await premia.must("demo", "--payers", str(payers), "--seed", "7")
    return City(premia, await _open_dues(url))


async def _open_dues(url: str) -> list[OpenDue]:
    await database.connect(url)
    try:
        async with database.reading() as session:
            rows = await session.fetch(
                "SELECT id, personal_amount FROM dues WHERE status = 'OPEN' AND personal_amount > 0 ORDER BY id"
            )
        return [
            OpenDue(global_id("Due", database.as_id(row["id"])), f"{row['personal_amount'] / 100:.2f}")
            for row in rows
        ]
    finally:
        await database.disconnect()
