"""Who takes part: thirteen banks, two officers, an auditor and an admin, each with a token."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Self

from app.rehearsal.bank import SimulatedBank
from app.rehearsal.book import Book
from app.rehearsal.client import GraphqlClient

CLEARING_BANKS = ("102", "105", "314")
HANDLING_BANKS = ("103", "104", "301", "302", "303", "305", "308", "309", "313", "403")
WATCHING_BANKS = ("103", "313", "403")
REGION = "370200"
OFFICER_1 = "officer-1"
OFFICER_2 = "officer-2"
AUDITOR = "auditor"
ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens."""

    host: str
    port: int

    @property
    def http(self) -> str:
        """The address of operations over HTTP."""
        return f"http://{self.host}:{self.port}/graphql"

    @property
    def websocket(self) -> str:
        """The address of subscriptions."""
        return f"ws://{self.host}:{self.port}/graphql"

    @property
    def ready(self) -> str:
        """The address that tells when the server takes requests."""
        return f"http://{self.host}:{self.port}/readyz"


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody who talks to the server.

    Attributes:
        tokens: by name: the bank's code, "officer-1", "officer-2", "auditor", "admin".
        nobody: a caller without a token.
        forger: a caller whose token is not ours.
    """

    tokens: dict[str, str]
    banks: dict[str, SimulatedBank]
    officer_1: GraphqlClient
    officer_2: GraphqlClient
    auditor: GraphqlClient
    admin: GraphqlClient
    nobody: GraphqlClient
    forger: GraphqlClient

    @classmethod
    def assemble(cls, address: Address, tokens: dict[str, str], book: Book, seed: int) -> Self:
        """Give everybody a client."""

        def client(name: str, token: str | None) -> GraphqlClient:
            return GraphqlClient(address.http, token, book.findings, book.troubles, f"{seed}-{name}-client")

        codes = CLEARING_BANKS + HANDLING_BANKS
        return cls(
            tokens=tokens,
            banks={code: SimulatedBank(code, client(code, tokens[code]), book, seed) for code in codes},
            officer_1=client(OFFICER_1, tokens[OFFICER_1]),
            officer_2=client(OFFICER_2, tokens[OFFICER_2]),
            auditor=client(AUDITOR, tokens[AUDITOR]),
            admin=client(ADMIN, tokens[ADMIN]),
            nobody=client("nobody", None),
            forger=client("forger", _forged(tokens[AUDITOR])),
        )

    async def leave(self) -> None:
        """Close every connection."""
        others = (self.officer_1, self.officer_2, self.auditor, self.admin, self.nobody, self.forger)
        clients = [bank.client for bank in self.banks.values()]
        await asyncio.gather(*(client.close() for client in (*clients, *others)))


def _forged(token: str) -> str:
    """Change the signature of a token: the middle of it, where every character counts."""
    head, _, signature = token.rpartition(".")
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    return f"{head}.{signature[:middle]}{other}{signature[middle + 1 :]}"
