"""A secret locked by a passphrase, as the bytes of a file: the steward's root, operational and escrow keys.

Bytes in, bytes out; where the file lies is somebody else's business. The format is that of a key slot.
"""

from __future__ import annotations

from fieldsurvey.records.slots import Argon2Params, lock_slot, open_slot

_LABEL = "key file"


def lock_secret(secret: bytes, passphrase: str, params: Argon2Params | None = None) -> bytes:
    """The file's bytes: `secret` (at most 64 KiB) locked by `passphrase`. Raises what `slots.lock_slot` raises."""
    return lock_slot(secret, passphrase, label=_LABEL, params=params)


def unlock_secret(blob: bytes, passphrase: str) -> bytes:
    """The secret. Raises UnlockError for whatever keeps the passphrase from opening it; see `slots.open_slot`."""
    return open_slot(blob, passphrase, label=_LABEL)
