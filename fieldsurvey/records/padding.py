"""Padmé: a length shows only its magnitude (Nikitin et al. 2019, "Reducing Metadata Leakage from Encrypted Files")."""

from __future__ import annotations

from typing import Final

FLOOR: Final = 1024
LENGTH_BYTES: Final = 4


def padme(length: int) -> int:
    """The padded length of `length` bytes: at most 12 % more, never under 1 KiB."""
    if length <= FLOOR:
        return FLOOR
    exponent = length.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (length + mask) & ~mask


def pad(data: bytes) -> bytes:
    """Length (4 bytes, big-endian), data, zeros; the whole is padme(4 + len(data)) long."""
    used = LENGTH_BYTES + len(data)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data + bytes(padme(used) - used)


def unpad(padded: bytes) -> bytes | None:
    """The data, or None when `padded` is not what `pad` makes."""
    length = int.from_bytes(padded[:LENGTH_BYTES], "big")
    used = LENGTH_BYTES + length
    if len(padded) < LENGTH_BYTES or len(padded) != padme(used) or any(padded[used:]):
        return None
    return padded[LENGTH_BYTES:used]
