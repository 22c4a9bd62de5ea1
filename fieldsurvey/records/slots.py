"""Key slots: a secret that a passphrase opens. Argon2id (RFC 9106) makes the key, AES-256-GCM-SIV (RFC 8452) locks it.

A slot is one canonical byte string, big-endian, nothing optional:

    "FSK" | version 1 | memory KiB (4) | iterations (1) | lanes (1) | salt (16) | nonce (12) | secret and tag (n + 16)
    | check (8)

Everything before the secret, and a label that says what the slot is for, is bound to it. The check, over all before it,
tells damage from a wrong passphrase without deriving anything; it keeps nobody out who can compute it. The parameters
are checked before a byte is allocated, so a hostile slot cannot make a laptop run out of memory. Whatever makes a
passphrase not open a whole slot (the words, the purpose, a slot made to deceive) is the same UnlockError.
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from fieldsurvey.base.errors import RefusedError, StorageError, UnlockError, UntrustedError
from fieldsurvey.records.wire import check_magic
from fieldsurvey.records.words import normalise_passphrase

_MAGIC: Final = b"FSK\x01"
_PARAMETERS: Final = struct.Struct(">IBB")
_SALT = 16
_NONCE = 12
_TAG = 16
_CHECK = 8
_HEAD: Final = len(_MAGIC) + _PARAMETERS.size + _SALT + _NONCE
MAX_SECRET = 64 * 1024
"""Bytes: a slot holds keys, not documents."""

_MEMORY_KIB = (19 * 1024, 512 * 1024)
_ITERATIONS = (2, 16)
_LANES = (1, 8)


class SlotParametersError(UntrustedError):
    """Argon2id parameters outside the bounds; nothing was derived."""

    code = "slot.parameters"
    template = "A key slot asks for Argon2id settings that are not allowed ({reason})."
    hint = (
        "Nothing was opened and nothing was changed. The file was altered or is not ours: use another copy or a backup."
    )


class SlotDamagedError(UntrustedError):
    """Not the bytes of a slot."""

    code = "slot.damaged"
    template = "A key slot is damaged ({reason})."
    hint = "Nothing was changed. Other slots still open; else restore a backup of this file."


class SlotMemoryError(StorageError):
    """This machine has too little memory for the slot's parameters."""

    code = "slot.memory"
    template = "This machine has too little memory to check the passphrase ({needed} MiB are needed)."
    hint = "Nothing was changed. Close other programs and try again, or open it on a machine with more memory."


class EmptyPassphraseError(RefusedError):
    """A slot without a passphrase would be no lock."""

    code = "slot.empty"
    template = "An empty passphrase locks nothing."
    hint = "Nothing was changed. Give a passphrase of six words."


@dataclass(frozen=True, slots=True)
class Argon2Params:
    """Cost of one guess: `memory_kib` KiB (19 MiB to 512 MiB), `iterations` (2 to 16), `lanes` (1 to 8)."""

    memory_kib: int
    iterations: int
    lanes: int

    def check(self) -> None:
        """Raises SlotParametersError outside the bounds, SlotMemoryError above a quarter of this machine's memory."""
        for name, value, (low, high) in (
            ("memory", self.memory_kib, _MEMORY_KIB),
            ("iterations", self.iterations, _ITERATIONS),
            ("lanes", self.lanes, _LANES),
        ):
            if not low <= value <= high:
                raise SlotParametersError(reason=f"{name} {value}")
        if self.memory_kib > ceiling_kib():
            raise SlotMemoryError(needed=self.memory_kib // 1024)


FLOOR: Final = Argon2Params(19 * 1024, 2, 1)
"""The least that is accepted (OWASP's minimum); tests use it."""
DEFAULT: Final = Argon2Params(64 * 1024, 3, 4)
"""RFC 9106, section 4: the second recommended option."""


def ceiling_kib() -> int:
    """The most memory a slot may ask of this machine: 512 MiB or a quarter of its memory, never under the floor."""
    quarter = _machine_memory() // 4 // 1024
    return max(_MEMORY_KIB[0], min(_MEMORY_KIB[1], quarter))


def calibrate(measure: Callable[[Argon2Params], float] | None = None) -> Argon2Params:
    """Parameters that take this machine between 0.5 and 1 s, as near as the bounds allow.

    `measure` gives the seconds of one derivation; by default it derives.
    """
    seconds = measure or _measure
    ceiling = ceiling_kib()
    chosen = Argon2Params(min(DEFAULT.memory_kib, ceiling), DEFAULT.iterations, DEFAULT.lanes)
    took = seconds(chosen)
    while took < 0.5:
        if chosen.memory_kib * 2 <= ceiling:
            heavier = Argon2Params(chosen.memory_kib * 2, chosen.iterations, chosen.lanes)
        elif chosen.iterations < _ITERATIONS[1]:
            heavier = Argon2Params(chosen.memory_kib, chosen.iterations + 1, chosen.lanes)
        else:
            return chosen
        took = seconds(heavier)
        if took > 1:
            return chosen
        chosen = heavier
    while took > 1:
        if chosen.iterations > _ITERATIONS[0]:
            chosen = Argon2Params(chosen.memory_kib, chosen.iterations - 1, chosen.lanes)
        elif chosen.memory_kib > _MEMORY_KIB[0]:
            chosen = Argon2Params(max(chosen.memory_kib // 2, _MEMORY_KIB[0]), chosen.iterations, chosen.lanes)
        else:
            return chosen
        took = seconds(chosen)
    return chosen


def lock_slot(secret: bytes, passphrase: str, *, label: str, params: Argon2Params | None = None) -> bytes:
    """The slot's bytes: `secret` (at most 64 KiB) locked by `passphrase` for the purpose `label`.

    Raises SlotParametersError, SlotMemoryError, EmptyPassphraseError.
    """
    if len(secret) > MAX_SECRET:
        raise ValueError("a slot holds at most 64 KiB")
    if not normalise_passphrase(passphrase):
        raise EmptyPassphraseError
    chosen = params or DEFAULT
    chosen.check()
    nonce = os.urandom(_NONCE)
    head = _MAGIC + _PARAMETERS.pack(chosen.memory_kib, chosen.iterations, chosen.lanes) + os.urandom(_SALT) + nonce
    locked = head + AESGCMSIV(_derive(head, passphrase, chosen)).encrypt(nonce, secret, _bind(head, label))
    return locked + _check_of(locked)


def open_slot(slot: bytes, passphrase: str, *, label: str) -> bytes:
    """The secret. Raises UnlockError for whatever keeps the passphrase from opening it, and before that
    SlotDamagedError, SlotParametersError or SlotMemoryError for bytes that no passphrase could open here.
    """
    params = read_params(slot)
    head = slot[:_HEAD]
    key = _derive(head, passphrase, params)
    try:
        return AESGCMSIV(key).decrypt(head[-_NONCE:], slot[_HEAD:-_CHECK], _bind(head, label))
    except InvalidTag:
        raise UnlockError from None


def read_params(slot: bytes) -> Argon2Params:
    """The slot's parameters, checked. Raises SlotDamagedError, SlotParametersError, SlotMemoryError."""
    check_magic("key slot", _MAGIC, slot)
    if not slot.startswith(_MAGIC):
        raise SlotDamagedError(reason="magic")
    if not _HEAD + _TAG + _CHECK <= len(slot) <= _HEAD + _TAG + MAX_SECRET + _CHECK:
        raise SlotDamagedError(reason="length")
    if slot[-_CHECK:] != _check_of(slot[:-_CHECK]):
        raise SlotDamagedError(reason="check")
    params = Argon2Params(*_PARAMETERS.unpack_from(slot, len(_MAGIC)))
    params.check()
    return params


def _check_of(locked: bytes) -> bytes:
    return hashlib.sha256(b"fieldsurvey slot v1 check" + locked).digest()[:_CHECK]


def _bind(head: bytes, label: str) -> bytes:
    return head + b"fieldsurvey slot v1 " + label.encode("utf-8")


def _derive(head: bytes, passphrase: str, params: Argon2Params) -> bytes:
    words = normalise_passphrase(passphrase).encode("utf-8", "surrogatepass")
    salt = head[-_NONCE - _SALT : -_NONCE]
    try:
        return Argon2id(
            salt=salt, length=32, iterations=params.iterations, lanes=params.lanes, memory_cost=params.memory_kib
        ).derive(words)
    except MemoryError:
        raise SlotMemoryError(needed=params.memory_kib // 1024) from None


def _measure(params: Argon2Params) -> float:
    started = time.perf_counter()
    _derive(bytes(_HEAD), "calibration", params)
    return time.perf_counter() - started


def _machine_memory() -> int:
    """Bytes of physical memory."""
    if sys.platform == "win32":
        return _windows_memory()
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _windows_memory() -> int:
    import ctypes  # only here: POSIX start-up does without it

    class Status(ctypes.Structure):
        """MEMORYSTATUSEX of the Windows API."""

        _fields_ = [
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "p", "pf", "v", "vf", "e")),
        ]

    status = Status()
    status.length = ctypes.sizeof(Status)
    kernel = ctypes.CDLL("kernel32")
    kernel.GlobalMemoryStatusEx(ctypes.byref(status))
    return int(status.total)
