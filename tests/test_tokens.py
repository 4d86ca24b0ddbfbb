"""Tokens: what proves a caller, and what proves nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
import time_machine

from app import tokens
from app.faults import Unauthenticated
from app.principal import Principal, Role
from app.tokens import TOKEN_CHARACTERS, TokenReader, issue
from tests.builders import SIGNING_KEY

OTHER_KEY = "the signing key of somebody else, long enough"
PERSON = UUID(int=7)
PRINCIPALS = [
    Principal(Role.BANK, "bank-105", bank_code="105"),
    Principal(Role.OFFICER, "officer-1", region_code="370215"),
    Principal(Role.PAYER, "payer-7", payer_id=PERSON),
    Principal(Role.AUDITOR, "auditor"),
    Principal(Role.ADMIN, "admin"),
]
NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def reader() -> TokenReader:
    return TokenReader(SIGNING_KEY)


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims, changed; None leaves one out."""
    now = datetime.now(UTC)
    values = {
        "iss": "premia",
        "sub": "bank-105",
        "role": "BANK",
        "bank": "105",
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=1)).timestamp()),
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def signed(key: str = SIGNING_KEY, algorithm: str = "HS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm)


@pytest.mark.parametrize("principal", PRINCIPALS, ids=lambda principal: principal.role.value)
def test_a_token_proves_the_caller_it_was_issued_to_and_nobody_else(
    reader: TokenReader, principal: Principal
) -> None:
    read = reader.read(issue(principal, SIGNING_KEY))

    assert read.expires_at is not None
    shown = (read.role, read.name, read.bank_code, read.region_code, read.payer_id)
    assert shown == (
        principal.role, principal.name, principal.bank_code, principal.region_code, principal.payer_id,
    )  # fmt: skip


def test_a_token_that_was_made_by_hand_with_the_right_key_is_read_so_the_refusals_below_mean_something(
    reader: TokenReader,
) -> None:
    assert reader.read(signed()).bank_code == "105"


FORGED: dict[str, str] = {
    "nothing": "",
    "no token": "garbage",
    "dots": "..",
    "another key": signed(OTHER_KEY),
    "another algorithm": signed("k" * 64, "HS512"),
    "the right key with another algorithm": signed(SIGNING_KEY + "k" * 64, "HS384"),
    "unsigned": jwt.encode(claims(), "", algorithm="none"),
    "another issuer": signed(iss="somebody"),
    "no issuer": signed(iss=None),
    "no end": signed(exp=None),
    "an end that is no number": signed(exp=None).rsplit(".", 1)[0],
    "no subject": signed(sub=None),
    "no role": signed(role=None),
    "another role": signed(role="TREASURER"),
    "a payer that is no id": signed(role="PAYER", payer="somebody"),
    "not yet begun": signed(nbf=int((datetime.now(UTC) + timedelta(hours=1)).timestamp())),
    "not text": "é\u4e00\U0001f600",
    "with a line end": signed() + "\n.",
}


@pytest.mark.parametrize("name", FORGED)
def test_what_is_no_token_of_ours_proves_nobody_and_is_not_repeated(reader: TokenReader, name: str) -> None:
    with pytest.raises(Unauthenticated) as raised:
        reader.read(FORGED[name])

    assert raised.value.detail == "the token is not valid"
    assert raised.value.__cause__ is None


def test_a_token_whose_claims_were_changed_under_its_signature_is_not_believed(reader: TokenReader) -> None:
    header, _, signature = signed().split(".")
    _, body, _ = signed(OTHER_KEY, role="ADMIN").split(".")

    with pytest.raises(Unauthenticated):
        reader.read(f"{header}.{body}.{signature}")


def test_a_token_that_is_too_long_is_not_even_decoded(
    reader: TokenReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = signed(note="x" * TOKEN_CHARACTERS)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(jwt, "decode", never)

    with pytest.raises(Unauthenticated, match="not valid"):
        reader.read(long)


def test_an_expired_token_says_so_and_proves_nobody(reader: TokenReader) -> None:
    token = issue(PRINCIPALS[0], SIGNING_KEY, timedelta(seconds=-1))

    with pytest.raises(Unauthenticated, match="the token has expired"):
        reader.read(token)


def test_a_token_holds_until_its_end_and_a_remembered_one_not_longer(reader: TokenReader) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        token = issue(PRINCIPALS[0], SIGNING_KEY, timedelta(seconds=10))
        assert reader.read(token).role is Role.BANK

        clock.shift(9)
        assert reader.read(token).role is Role.BANK
        clock.shift(1)
        for _ in range(3):
            with pytest.raises(Unauthenticated, match="the token has expired"):
                reader.read(token)
        clock.shift(3_600)
        with pytest.raises(Unauthenticated, match="the token has expired"):
            TokenReader(SIGNING_KEY).read(token)


def test_a_remembered_token_is_the_same_caller_and_no_more_are_remembered_than_said(
    reader: TokenReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "REMEMBERED", 3)
    made = [issue(Principal(Role.BANK, f"bank-{n}", bank_code=str(n)), SIGNING_KEY) for n in range(10)]

    first = [reader.read(token) for token in made]
    again = [reader.read(token) for token in made]

    assert first == again
    assert len(reader._remembered) == 3


def test_a_refused_token_is_not_remembered(reader: TokenReader) -> None:
    for token in FORGED.values():
        with pytest.raises(Unauthenticated):
            reader.read(token)

    assert not reader._remembered


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (None, "no token: send Authorization: Bearer …"),
        ("", "the Authorization header must be: Bearer …"),
        ("Basic dXNlcjpwYXNz", "the Authorization header must be: Bearer …"),
        ("Bearer", "the token is not valid"),
        ("Bearer ", "the token is not valid"),
        ("Bearer a b", "the token is not valid"),
    ],
)
def test_a_header_without_a_good_token_is_told_why_and_opens_nothing(
    reader: TokenReader, header: str | None, sentence: str
) -> None:
    caller = reader.read_header(header)

    assert isinstance(caller, Unauthenticated)
    assert caller.detail == sentence


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_the_scheme_of_a_header_is_read_in_any_case_and_no_space_hides_the_token(
    reader: TokenReader, scheme: str
) -> None:
    caller = reader.read_header(f"{scheme} {issue(PRINCIPALS[0], SIGNING_KEY)}")

    assert isinstance(caller, Principal)
    assert caller.bank_code == "105"


def test_a_token_holds_no_personal_data() -> None:
    body = jwt.decode(issue(PRINCIPALS[2], SIGNING_KEY), options={"verify_signature": False})

    assert body.keys() == {"iss", "sub", "role", "iat", "exp", "payer"}
    assert body["payer"] == str(PERSON)
