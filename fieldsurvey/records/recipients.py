"""Recipients: hybrid HPKE key pairs (X-Wing: ML-KEM-768 with X25519) and the wrapping of a body key to one of them.

Who the recipients are is said by the signed project only; nothing here decides it. The hybrid classes of
`cryptography` have neither serialisation nor equality, so a public key is kept as its 1,216 bytes and a private one
as its 32-byte seed (draft-connolly-cfrg-xwing-kem; HPKE KEM identifier 0x647a).
"""

from __future__ import annotations

import hashlib
import secrets
from functools import cached_property
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from fieldsurvey.records.errors import AlteredError, KeyFormatError
from fieldsurvey.records.labels import RECIPIENT_ID, hash_of

MLKEM_BYTES: Final = 1184
PUBLIC_BYTES: Final = MLKEM_BYTES + 32
SEED_BYTES: Final = 32
ID_BYTES: Final = 8
SECRET_BYTES: Final = 32
WRAP_BYTES: Final = 1120 + SECRET_BYTES + 16

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_MODULUS = 3329  # FIPS 203, section 2.3
_COEFFICIENTS_BYTES = MLKEM_BYTES - 32


class RecipientPublic:
    """To whom something can be sealed. Compares by its bytes."""

    __slots__ = ("__dict__", "bytes")

    def __init__(self, data: bytes) -> None:
        """Raises KeyFormatError for a wrong length, coefficients out of range, all zeros or a weak X25519 point."""
        self.bytes = bytes(data)
        _check_mlkem(self.bytes)
        _check_x25519(self.bytes[MLKEM_BYTES:])

    @cached_property
    def id(self) -> bytes:
        """Eight bytes that name it in a record's header."""
        return hash_of(RECIPIENT_ID, self.bytes)[:ID_BYTES]

    def wrap(self, secret: bytes, info: bytes) -> bytes:
        """`secret` (32 bytes) sealed to the holder of the seed, who needs the same `info`: 1,168 bytes."""
        return _SUITE.encrypt(secret, self._native, info)

    @cached_property
    def _native(self) -> MLKEM768X25519PublicKey:
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(self.bytes[:MLKEM_BYTES]),
            X25519PublicKey.from_public_bytes(self.bytes[MLKEM_BYTES:]),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecipientPublic) and other.bytes == self.bytes

    def __hash__(self) -> int:
        return hash(self.bytes)

    def __repr__(self) -> str:
        return f"RecipientPublic({self.id.hex()})"


class RecipientPrivate:
    """A 32-byte seed and what follows from it: SHAKE256 to 96 bytes, 64 for ML-KEM-768 and 32 for X25519."""

    __slots__ = ("_native", "public", "seed")

    def __init__(self, seed: bytes) -> None:
        """Raises KeyFormatError unless `seed` is 32 bytes."""
        if len(seed) != SEED_BYTES:
            raise KeyFormatError(reason="seed length")
        self.seed = bytes(seed)
        expanded = hashlib.shake_256(self.seed).digest(96)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
        self._native = MLKEM768X25519PrivateKey(mlkem, x25519)
        self.public = RecipientPublic(mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> RecipientPrivate:
        """A new one, from the system's randomness."""
        return cls(secrets.token_bytes(SEED_BYTES))

    @property
    def id(self) -> bytes:
        """The id of its public half."""
        return self.public.id

    def unwrap(self, wrapped: bytes, info: bytes) -> bytes:
        """The secret of `RecipientPublic.wrap`; AlteredError when it does not open, whatever the cause."""
        try:
            return _SUITE.decrypt(wrapped, self._native, info)
        except InvalidTag:
            raise AlteredError from None

    def __repr__(self) -> str:
        return f"RecipientPrivate({self.id.hex()})"  # never the seed


def _check_mlkem(data: bytes) -> None:
    if len(data) != PUBLIC_BYTES:
        raise KeyFormatError(reason="length")
    coefficients = data[:_COEFFICIENTS_BYTES]
    if not any(coefficients):  # the library takes it; encapsulating to it would hide nothing
        raise KeyFormatError(reason="zero")
    # FIPS 203, 7.2: twelve-bit coefficients, each below the modulus. The library does not look.
    for i in range(0, _COEFFICIENTS_BYTES, 3):
        low, middle, high = coefficients[i : i + 3]
        if low | (middle & 0x0F) << 8 >= _MODULUS or middle >> 4 | high << 4 >= _MODULUS:
            raise KeyFormatError(reason="coefficient")


def _check_x25519(data: bytes) -> None:
    # A point of small order gives the all-zero secret with every private key (RFC 7748, section 6.1).
    try:
        X25519PrivateKey.from_private_bytes(b"\x01" * 32).exchange(X25519PublicKey.from_public_bytes(data))
    except ValueError:
        raise KeyFormatError(reason="weak point") from None
