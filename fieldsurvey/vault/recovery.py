"""The recovery slot, where the project's policy asks for one: what a person's words open, sealed to the escrow key.

    escrow's public key → HPKE → a random key → AES-256-GCM-SIV → the slot's content

It is as long for everybody. Whoever holds the escrow key opens it, and gives the person new words.
"""

from __future__ import annotations

from typing import Final

from fieldsurvey.records.errors import AlteredError
from fieldsurvey.records.labels import bind
from fieldsurvey.records.recipients import ID_BYTES, WRAP_BYTES, RecipientPrivate, RecipientPublic
from fieldsurvey.vault.errors import RecoveryKeyError
from fieldsurvey.vault.keys import RECOVERY, SlotContent, lock_box, new_key, open_box

_HEAD: Final = ID_BYTES + WRAP_BYTES


def seal_recovery(content: SlotContent, escrow: RecipientPublic, project: str) -> bytes:
    """Recipient's id, the wrapped key, the locked content."""
    key = new_key()
    wrap = escrow.wrap(key, _info(project, escrow))
    return escrow.id + wrap + lock_box(key, content.to_bytes(), RECOVERY, bytes.fromhex(project))


def open_recovery(box: bytes, escrow: RecipientPrivate, project: str) -> SlotContent:
    """The inverse. Raises RecoveryKeyError for another key's or an altered one, VaultDamagedError."""
    if not is_sealed_to(box, escrow.public):
        raise RecoveryKeyError
    try:
        key = escrow.unwrap(box[ID_BYTES:_HEAD], _info(project, escrow.public))
    except AlteredError:
        raise RecoveryKeyError from None
    return SlotContent.from_bytes(open_box(key, box[_HEAD:], RECOVERY, bytes.fromhex(project)))


def is_sealed_to(box: bytes | None, escrow: RecipientPublic) -> bool:
    """Whether it says that it is for this key."""
    return box is not None and box[:ID_BYTES] == escrow.id


def _info(project: str, escrow: RecipientPublic) -> bytes:
    return bind(RECOVERY, bytes.fromhex(project), escrow.id)
