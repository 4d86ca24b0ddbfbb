"""Personal data: sealed at rest by AES-GCM, looked up by a keyed hash, masked when shown.

A sealed value is: one byte of key id, twelve of nonce, ciphertext with its tag. Keys rotate by adding one with
a new id: the last seals, all open. The lookup key is one, because a hash cannot be re-keyed without the value.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BYTES = 32
LOOKUP_BYTES = 16


class WrongKeys(Exception):
    """The text of the keys cannot be read, or a value was sealed by a key that is not here."""


@dataclass(frozen=True, slots=True)
class PersonalDataKeys:
    """The keys: `sealing[key id]` for AES-GCM, the highest id seals; `lookup` for the keyed hash."""

    lookup: bytes = field(repr=False)
    sealing: dict[int, AESGCM] = field(repr=False)
    _newest: int = field(default=0)

    @classmethod
    def parse(cls, text: str) -> PersonalDataKeys:
        """Read `lookup:HEX64,1:HEX64[,2:HEX64…]`.

        Raises:
            WrongKeys: it is not of this form.
        """
        try:
            parts = [part.split(":", 1) for part in text.strip().split(",")]
            keys = {name.strip(): bytes.fromhex(value.strip()) for name, value in parts}
            lookup = keys.pop("lookup")
            named = {int(name): key for name, key in keys.items()}
        except (ValueError, KeyError) as exc:
            raise WrongKeys("PREMIA_PERSONAL_DATA_KEYS must be lookup:HEX64,1:HEX64") from exc
        if len(named) + 1 != len(parts) or not named or not all(0 < key_id < 256 for key_id in named):
            raise WrongKeys("PREMIA_PERSONAL_DATA_KEYS needs key ids from 1 to 255, each once")
        if any(len(key) != KEY_BYTES for key in (lookup, *named.values())):
            raise WrongKeys("PREMIA_PERSONAL_DATA_KEYS needs keys of 32 bytes, 64 hexadecimal digits each")
        sealing = {key_id: AESGCM(key) for key_id, key in named.items()}
        return cls(lookup, sealing, max(sealing))

    def seal(self, value: str) -> bytes:
        """Encrypt with the newest key."""
        nonce = os.urandom(NONCE_BYTES)
        return (
            bytes((self._newest,)) + nonce + self.sealing[self._newest].encrypt(nonce, value.encode(), None)
        )

    def open(self, sealed: bytes) -> str:
        """Decrypt with the key that sealed it.

        Raises:
            WrongKeys: that key is not here, or the value is damaged.
        """
        key = self.sealing.get(sealed[0])
        if key is None:
            raise WrongKeys(f"personal data was sealed by key {sealed[0]}, which is not configured")
        try:
            return key.decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], None).decode()
        except InvalidTag:
            raise WrongKeys(f"personal data does not open with key {sealed[0]}") from None

    def lookup_hash(self, value: str) -> bytes:
        """The keyed hash by which a value is found without being opened."""
        return hashlib.blake2b(value.encode(), key=self.lookup, digest_size=LOOKUP_BYTES).digest()


def generate_keys() -> str:
    """New keys, in the form that `PersonalDataKeys.parse` reads."""
    return f"lookup:{secrets.token_hex(KEY_BYTES)},1:{secrets.token_hex(KEY_BYTES)}"
