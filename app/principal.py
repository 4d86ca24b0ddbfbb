"""Who is calling: the frozen facts that a token proves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.faults import Forbidden


class Role(StrEnum):
    """What kind of user a token stands for."""

    PAYER = "PAYER"
    BANK = "BANK"
    OFFICER = "OFFICER"
    AUDITOR = "AUDITOR"
    ADMIN = "ADMIN"


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request.

    Attributes:
        name: how the audit trail names the caller: "officer-1", "bank-105"; never personal data.
        bank_code: set for BANK, the three-digit class or twelve-digit CNAPS number.
        region_code: set for OFFICER, the root of the subtree that the officer sees.
        payer_id: set for PAYER.
        expires_at: when the token ends (UTC); None for principals made inside the system.
    """

    role: Role
    name: str
    bank_code: str | None = None
    region_code: str | None = None
    payer_id: UUID | None = None
    expires_at: datetime | None = None

    def require(self, *roles: Role) -> None:
        """Raise `Forbidden` unless the caller has one of `roles`."""
        if self.role not in roles:
            raise Forbidden(f"this operation is not open to {self.role.value}")
