"""Public keys that are weak, malformed or of another algorithm are refused; signatures hold for one label only."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fieldsurvey.records.errors import AlteredError, KeyFormatError, SignatureError
from fieldsurvey.records.labels import bind
from fieldsurvey.records.recipients import PUBLIC_BYTES, RecipientPrivate, RecipientPublic
from fieldsurvey.records.signing import _WEAK_Y, RootKey, SigningKey, VerifyKey
from tests.records.conftest import Actors, seed

_P = 2**255 - 19


def test_an_all_zero_recipient_is_refused(actors: Actors) -> None:
    """An all-zero ML-KEM key, which the library takes, is refused; the control is the key it was made from."""
    good = actors.operational.public.bytes
    assert RecipientPublic(good) == actors.operational.public
    for bad in (bytes(1184) + good[1184:], bytes(1152) + good[1152:], good[:1184] + bytes(32), bytes(PUBLIC_BYTES)):
        with pytest.raises(KeyFormatError):
            RecipientPublic(bad)


@pytest.mark.parametrize("size", [0, 1, 32, 1184, PUBLIC_BYTES - 1, PUBLIC_BYTES + 1])
def test_a_recipient_of_another_length_is_refused(actors: Actors, size: int) -> None:
    """There is one suite: no classical recipient has the right length."""
    with pytest.raises(KeyFormatError):
        RecipientPublic((actors.operational.public.bytes * 2)[:size])


def test_coefficients_above_the_modulus_are_refused(actors: Actors) -> None:
    """FIPS 203's modulus check: coefficient 3329 in any of a triple's two places is refused."""
    good = actors.operational.public.bytes
    high_low = (3329 & 0xFF, 3329 >> 8)
    first = bytes([high_low[0], high_low[1] | good[1] & 0xF0])
    second = bytes([good[1] & 0x0F | (3329 & 0x0F) << 4, 3329 >> 4])
    for bad in (first + good[2:], good[:1] + second + good[3:]):
        with pytest.raises(KeyFormatError, match="key"):
            RecipientPublic(bad)


def test_wrapping_is_bound_to_its_info(actors: Actors) -> None:
    """A wrap opens under the same info only, and for its own recipient only."""
    wrapped = actors.operational.public.wrap(b"s" * 32, b"info")
    assert actors.operational.unwrap(wrapped, b"info") == b"s" * 32
    for private, info in ((actors.operational, b"other"), (actors.escrow, b"info")):
        with pytest.raises(AlteredError):
            private.unwrap(wrapped, info)


def test_the_weak_points_are_those_of_small_order() -> None:
    """The listed y coordinates are those of the eight points whose order divides 8, by the curve's own arithmetic."""
    d = -121665 * pow(121666, -1, _P) % _P

    def add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
        cross = d * a[0] * b[0] * a[1] * b[1] % _P
        x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + cross, -1, _P) % _P
        return x, (a[1] * b[1] + a[0] * b[0]) * pow(1 - cross, -1, _P) % _P

    def root(square: int) -> int | None:
        x = pow(square, (_P + 3) // 8, _P)
        if x * x % _P == square:
            return x
        x = x * pow(2, (_P - 1) // 4, _P) % _P
        return x if x * x % _P == square else None

    found = set()
    for y in {y % _P for y in _WEAK_Y}:
        x = root((y * y - 1) * pow(d * y * y + 1, -1, _P) % _P)
        assert x is not None
        for point in {(x, y), (-x % _P, y)}:
            double = add(point, point)
            quadruple = add(double, double)
            assert add(quadruple, quadruple) == (0, 1)
            found.add(point)
    assert len(found) == 8


def test_a_key_of_small_order_is_refused() -> None:
    """The identity point verifies any message in the library (the control), so it is refused as a key."""
    identity = (1).to_bytes(32, "little")
    Ed25519PublicKey.from_public_bytes(identity).verify(identity + bytes(32), b"anything at all")
    for y in _WEAK_Y:
        for sign in (0, 1 << 255):
            with pytest.raises(KeyFormatError):
                VerifyKey(b"\x01" + (y | sign).to_bytes(32, "little"))


@pytest.mark.parametrize(
    "data", [b"", b"\x00" + b"k" * 32, b"\x03" + b"k" * 32, b"\x01" + b"k" * 31, b"\x02" + b"k" * 32]
)
def test_unknown_algorithms_and_lengths_are_refused(data: bytes) -> None:
    """The algorithm byte decides the length; there is no default."""
    with pytest.raises(KeyFormatError):
        VerifyKey(data)


@pytest.mark.parametrize("key", [SigningKey(seed("a")), RootKey(seed("a"))])
def test_a_signature_holds_for_its_label_data_and_key_only(key: SigningKey | RootKey) -> None:
    """Another label, other data, another key, another algorithm byte, a cut: each is refused."""
    signature = key.sign("fieldsurvey/1/sign request", b"data")
    key.public.verify("fieldsurvey/1/sign request", b"data", signature)
    other = type(key)(seed("b")).public
    for verifier, label, data, given in (
        (key.public, "fieldsurvey/1/sign log entry", b"data", signature),
        (key.public, "fieldsurvey/1/sign request", b"dat", signature),
        (other, "fieldsurvey/1/sign request", b"data", signature),
        (key.public, "fieldsurvey/1/sign request", b"data", signature[:-1]),
        (key.public, "fieldsurvey/1/sign request", b"data", bytes([signature[0] ^ 3]) + signature[1:]),
        (key.public, "fieldsurvey/1/sign request", b"data", b""),
    ):
        with pytest.raises(SignatureError):
            verifier.verify(label, data, given)


def test_both_halves_of_the_root_must_hold() -> None:
    """A root signature with one half of another root's is refused, whichever half."""
    root, other = RootKey(seed("root")), RootKey(seed("other root"))
    mine, theirs = root.sign("l", b"project"), other.sign("l", b"project")
    for mixed in (mine[:65] + theirs[65:], theirs[:65] + mine[65:]):
        with pytest.raises(SignatureError):
            root.public.verify("l", b"project", mixed)
    root.public.verify("l", b"project", mine)


def test_keys_come_back_from_their_bytes() -> None:
    """A key restored from its seed signs as the same key, and the seed never shows in repr."""
    for key in (SigningKey(seed("x")), RootKey(seed("x"))):
        assert type(key).from_bytes(key.to_bytes()).public == key.public
        assert key.to_bytes().hex() not in repr(key)
    private = RecipientPrivate(seed("x"))
    assert private.seed.hex() not in repr(private)
    assert len({SigningKey.generate().public, SigningKey.generate().public, RootKey.generate().public}) == 3


def test_bound_parts_cannot_slide_into_each_other() -> None:
    """Moving a byte from one part to the next changes what is signed."""
    assert bind("l", b"ab", b"c") != bind("l", b"a", b"bc") != bind("la", b"", b"bc")
