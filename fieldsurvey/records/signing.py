"""Signatures: an algorithm byte, then the key or the signature. 1 = Ed25519; 2 = Ed25519 and ML-DSA-65, both must hold.

What is signed is always `bind(label, data)`: see labels.py. It does not know what the things signed mean.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final, NewType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from fieldsurvey.records.errors import KeyFormatError, SignatureError
from fieldsurvey.records.labels import KEY_ID, ROOT_SEED, bind, hash_of

Signature = NewType("Signature", bytes)

ED25519: Final = 1
ED25519_MLDSA65: Final = 2
KEY_BYTES: Final = {ED25519: 33, ED25519_MLDSA65: 33 + 1952}
SIGNATURE_BYTES: Final = {ED25519: 65, ED25519_MLDSA65: 65 + 3309}
KEY_ID_BYTES: Final = 8
SEED_BYTES: Final = 32

_P = 2**255 - 19
# The y coordinates of the eight points of small order, and their two spellings above p. OpenSSL accepts such a key,
# and then one "signature" verifies for every message (Chalkias, Garillot, Nikolaenko 2020, "Taming the many EdDSAs").
_ORDER_8_Y = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_WEAK_Y = {0, 1, _P - 1, _P, _P + 1, _ORDER_8_Y, _P - _ORDER_8_Y}


class VerifyKey:
    """A public key that verifies. Compares by its bytes, the algorithm byte included."""

    __slots__ = ("_ed", "_mldsa", "bytes")

    def __init__(self, data: bytes) -> None:
        """Raises KeyFormatError: unknown algorithm, wrong length, weak point."""
        self.bytes = bytes(data)
        if not data or data[0] not in KEY_BYTES:
            raise KeyFormatError(reason="algorithm")
        if len(data) != KEY_BYTES[data[0]]:
            raise KeyFormatError(reason="length")
        y = int.from_bytes(self.bytes[1:33], "little") & (2**255 - 1)
        if y in _WEAK_Y:
            raise KeyFormatError(reason="weak point")
        self._ed = Ed25519PublicKey.from_public_bytes(self.bytes[1:33])
        self._mldsa = MLDSA65PublicKey.from_public_bytes(self.bytes[33:]) if data[0] == ED25519_MLDSA65 else None

    @property
    def algorithm(self) -> int:
        """ED25519 or ED25519_MLDSA65."""
        return self.bytes[0]

    @property
    def fingerprint(self) -> str:
        """SHA-256 under its own label, 64 hexadecimal digits."""
        return hash_of(KEY_ID, self.bytes).hex()

    @property
    def id(self) -> bytes:
        """The first eight bytes of the fingerprint."""
        return hash_of(KEY_ID, self.bytes)[:KEY_ID_BYTES]

    def verify(self, label: str, data: bytes, signature: bytes, what: str = "file") -> None:
        """Raises SignatureError unless every part of `signature` holds. `what` names the thing in the message."""
        if len(signature) != SIGNATURE_BYTES[self.algorithm] or signature[0] != self.algorithm:
            raise SignatureError(what=what)
        message = bind(label, data)
        try:
            self._ed.verify(signature[1:65], message)
            if self._mldsa is not None:
                self._mldsa.verify(signature[65:], message, label.encode("ascii"))
        except InvalidSignature:
            raise SignatureError(what=what) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifyKey) and other.bytes == self.bytes

    def __hash__(self) -> int:
        return hash(self.bytes)

    def __repr__(self) -> str:
        return f"VerifyKey({self.id.hex()})"


class SigningKey:
    """Ed25519, from a 32-byte seed (RFC 8032)."""

    __slots__ = ("_ed", "_seed", "public")

    def __init__(self, seed: bytes) -> None:
        """Raises KeyFormatError unless `seed` is 32 bytes."""
        if len(seed) != SEED_BYTES:
            raise KeyFormatError(reason="seed length")
        self._seed = bytes(seed)
        self._ed = Ed25519PrivateKey.from_private_bytes(self._seed)
        self.public = VerifyKey(bytes([ED25519]) + self._ed.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> SigningKey:
        """A new one, from the system's randomness."""
        return cls(secrets.token_bytes(SEED_BYTES))

    @classmethod
    def from_bytes(cls, data: bytes) -> SigningKey:
        """The inverse of `to_bytes`."""
        return cls(data)

    def to_bytes(self) -> bytes:
        """The seed: a secret."""
        return self._seed

    def sign(self, label: str, data: bytes) -> Signature:
        """65 bytes over `bind(label, data)`."""
        return Signature(bytes([ED25519]) + self._ed.sign(bind(label, data)))

    def __repr__(self) -> str:
        return f"SigningKey({self.public.id.hex()})"


class RootKey:
    """Ed25519 and ML-DSA-65 (FIPS 204) from one 32-byte seed, so that one secret is split among people."""

    __slots__ = ("_ed", "_mldsa", "_seed", "public")

    def __init__(self, seed: bytes) -> None:
        """Raises KeyFormatError unless `seed` is 32 bytes."""
        if len(seed) != SEED_BYTES:
            raise KeyFormatError(reason="seed length")
        self._seed = bytes(seed)
        expanded = hashlib.shake_256(bind(ROOT_SEED, self._seed)).digest(64)
        self._ed = Ed25519PrivateKey.from_private_bytes(expanded[:32])
        self._mldsa = MLDSA65PrivateKey.from_seed_bytes(expanded[32:])
        self.public = VerifyKey(
            bytes([ED25519_MLDSA65])
            + self._ed.public_key().public_bytes_raw()
            + self._mldsa.public_key().public_bytes_raw()
        )

    @classmethod
    def generate(cls) -> RootKey:
        """A new one, from the system's randomness."""
        return cls(secrets.token_bytes(SEED_BYTES))

    @classmethod
    def from_bytes(cls, data: bytes) -> RootKey:
        """The inverse of `to_bytes`."""
        return cls(data)

    def to_bytes(self) -> bytes:
        """The seed: a secret."""
        return self._seed

    def sign(self, label: str, data: bytes) -> Signature:
        """3,374 bytes over `bind(label, data)`; ML-DSA takes the label as its context too."""
        message = bind(label, data)
        return Signature(
            bytes([ED25519_MLDSA65]) + self._ed.sign(message) + self._mldsa.sign(message, label.encode("ascii"))
        )

    def __repr__(self) -> str:
        return f"RootKey({self.public.id.hex()})"
