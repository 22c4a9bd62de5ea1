"""The vault's keys: what a slot holds, and one derived key for each purpose.

    passphrase → Argon2id → slot: vault key ‖ person key ‖ person's code
    vault key  → HKDF-SHA256 → device's secrets; who has which slot; the tally, and its rows' names
    person key → HKDF-SHA256 → owner tag; what locks each draft's own random key

Nothing here is kept: callers hold the keys while the vault is unlocked, and locking ends their process.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fieldsurvey.base.errors import RefusedError
from fieldsurvey.records.labels import bind
from fieldsurvey.vault.errors import VaultDamagedError

SLOT_LABEL: Final = "vault"
KEY_BYTES: Final = 32
MAX_CODE: Final = 64
_NONCE: Final = 12

DEVICE_SECRETS: Final = "fieldsurvey/1/vault/device secrets"
PEOPLE: Final = "fieldsurvey/1/vault/people"
RECOVERY: Final = "fieldsurvey/1/vault/recovery"
OWNER: Final = "fieldsurvey/1/vault/owner"
DRAFT: Final = "fieldsurvey/1/vault/draft"
DRAFT_KEY: Final = "fieldsurvey/1/vault/draft key"
DRAFT_HEAD: Final = "fieldsurvey/1/vault/draft head"
DRAFT_SNAPSHOT: Final = "fieldsurvey/1/vault/draft snapshot"
DRAFT_CHANGE: Final = "fieldsurvey/1/vault/draft change"
TALLY: Final = "fieldsurvey/1/vault/tally"
TALLY_CASE: Final = "fieldsurvey/1/vault/tally case"


class PersonCodeError(RefusedError):
    """A person's code that no slot can hold."""

    code = "vault.person_code"
    template = "{person!r} cannot be a person's code: 1 to 64 plain letters, digits, dots, hyphens or underscores."
    hint = "Nothing was changed. Use the code that the project gives to this person."


@dataclass(frozen=True, slots=True)
class SlotContent:
    """What a passphrase opens. Always the same length, so that a slot does not show the code's."""

    vault_key: bytes = field(repr=False)
    person_key: bytes = field(repr=False)
    person: str

    def to_bytes(self) -> bytes:
        """Both keys, the code's length, the code, zeros: 129 bytes."""
        code = code_bytes(self.person)
        return self.vault_key + self.person_key + bytes([len(code)]) + code.ljust(MAX_CODE, b"\0")

    @classmethod
    def from_bytes(cls, data: bytes) -> SlotContent:
        """The inverse. Raises VaultDamagedError."""
        if len(data) != 2 * KEY_BYTES + 1 + MAX_CODE or data[64] > MAX_CODE or any(data[65 + data[64] :]):
            raise VaultDamagedError(what="slot")
        return cls(data[:32], data[32:64], data[65 : 65 + data[64]].decode("ascii"))


def code_bytes(person: str) -> bytes:
    """The code as it is stored. Raises PersonCodeError."""
    if not 1 <= len(person) <= MAX_CODE or not person.isascii() or not person[0].isalnum():
        raise PersonCodeError(person=person)
    if not all(letter.isalnum() or letter in "_.-" for letter in person):
        raise PersonCodeError(person=person)
    return person.encode("ascii")


def new_key() -> bytes:
    """32 bytes from the system's randomness."""
    return os.urandom(KEY_BYTES)


def derive(key: bytes, label: str, *parts: bytes) -> bytes:
    """32 bytes for one purpose: HKDF-SHA256 (RFC 5869) of `key` with `bind(label, *parts)` as info."""
    return HKDF(SHA256(), KEY_BYTES, None, bind(label, *parts)).derive(key)


def lock_box(key: bytes, plaintext: bytes, label: str, *bound: bytes) -> bytes:
    """Nonce and AES-256-GCM-SIV of `plaintext`, which opens only with the same label and bound parts."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCMSIV(key).encrypt(nonce, plaintext, bind(label, *bound))


def open_box(key: bytes, box: bytes, label: str, *bound: bytes) -> bytes:
    """The inverse. Raises VaultDamagedError, naming the label's last words."""
    try:
        return AESGCMSIV(key).decrypt(box[:_NONCE], box[_NONCE:], bind(label, *bound))
    except (InvalidTag, ValueError):  # ValueError: shorter than a nonce and a tag
        raise VaultDamagedError(what=label.rpartition("/")[2]) from None
