"""Tokens: signed JWTs with role and scope inside. They hold no personal data."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt

from app.faults import Unauthenticated
from app.principal import Principal, Role

ALGORITHM = "HS256"
ISSUER = "premia"
DEFAULT_LIFETIME = timedelta(days=30)
TOKEN_CHARACTERS = 4_096
REMEMBERED = 4_096


def issue(principal: Principal, signing_key: str, lifetime: timedelta = DEFAULT_LIFETIME) -> str:
    """A token that proves `principal` until `lifetime` (real time) has passed."""
    now = datetime.now(UTC)
    claims: dict[str, str | int] = {
        "iss": ISSUER,
        "sub": principal.name,
        "role": principal.role.value,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    if principal.bank_code is not None:
        claims["bank"] = principal.bank_code
    if principal.region_code is not None:
        claims["region"] = principal.region_code
    if principal.payer_id is not None:
        claims["payer"] = str(principal.payer_id)
    return jwt.encode(claims, signing_key, algorithm=ALGORITHM)


class TokenReader:
    """Reads tokens; the last ones read are remembered until they expire."""

    def __init__(self, signing_key: str) -> None:
        self._signing_key = signing_key
        self._remembered: OrderedDict[str, Principal] = OrderedDict()

    def read(self, token: str) -> Principal:
        """The principal that a token proves.

        Raises:
            Unauthenticated: expired, forged, or not readable.
        """
        known = self._remembered.get(token)
        if known is None:
            known = self._decode(token)
            self._remembered[token] = known
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        elif known.expires_at is not None and known.expires_at <= datetime.now(UTC):
            del self._remembered[token]
            raise Unauthenticated("the token has expired")
        return known

    def read_header(self, header: str | None) -> Principal | Unauthenticated:
        """The caller of a request by its Authorization header, or why there is none."""
        if header is None:
            return Unauthenticated("no token: send Authorization: Bearer …")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            return Unauthenticated("the Authorization header must be: Bearer …")
        try:
            return self.read(token.strip())
        except Unauthenticated as exc:
            return exc

    def _decode(self, token: str) -> Principal:
        if len(token) > TOKEN_CHARACTERS:
            raise Unauthenticated("the token is not valid")
        try:
            claims = jwt.decode(
                token,
                self._signing_key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                options={"require": ["exp", "iss", "sub"]},
            )
            return Principal(
                role=Role(claims["role"]),
                name=claims["sub"],
                bank_code=claims.get("bank"),
                region_code=claims.get("region"),
                payer_id=UUID(claims["payer"]) if "payer" in claims else None,
                expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("the token has expired") from None
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
            raise Unauthenticated("the token is not valid") from None
