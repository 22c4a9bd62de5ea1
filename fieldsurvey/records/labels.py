"""Every purpose for which something is signed, hashed, derived or wrapped, and the one way labels are bound.

The digit is the format's version byte. A label is used for one purpose only: a signature over a batch can never be
shown as one over a receipt.
"""

from __future__ import annotations

import hashlib
from typing import Final

# hashes and identities
RECIPIENT_ID: Final = "fieldsurvey/1/recipient id"
KEY_ID: Final = "fieldsurvey/1/key id"
DEVICE_ID: Final = "fieldsurvey/1/device id"
LOG_START: Final = "fieldsurvey/1/log start"
LOG_HEAD: Final = "fieldsurvey/1/log head"
LEDGER_LINE: Final = "fieldsurvey/1/ledger line"
WITHDRAWAL_TAG: Final = "fieldsurvey/1/withdrawal tag"
TOMBSTONE_CHECK: Final = "fieldsurvey/1/tombstone check"
# signatures
SIGN_LOG_ENTRY: Final = "fieldsurvey/1/sign log entry"
SIGN_DEVICE_CARD: Final = "fieldsurvey/1/sign device card"
SIGN_NEW_LOG: Final = "fieldsurvey/1/sign new log"
SIGN_CONTAINER: Final = "fieldsurvey/1/sign container"  # followed by "/" and the container's kind
SIGN_REQUEST: Final = "fieldsurvey/1/sign request"
SIGN_SUCCESSION: Final = "fieldsurvey/1/sign succession"
SIGN_LEDGER: Final = "fieldsurvey/1/sign ledger"
# sealing and derivation
RECORD_WRAP: Final = "fieldsurvey/1/record wrap"
RECORD_BODY: Final = "fieldsurvey/1/record body"
RETURN_WRAP: Final = "fieldsurvey/1/return wrap"
RETURN_BODY: Final = "fieldsurvey/1/return body"
ROUND_LOCK: Final = "fieldsurvey/1/round lock"
ROOT_SEED: Final = "fieldsurvey/1/root seed"


def bind(label: str, *parts: bytes) -> bytes:
    """`label` and `parts` as one byte string that no other label and parts give: each with its length before it.

    The label's length is two bytes, each part's four, big-endian.
    """
    name = label.encode("ascii")
    pieces = [len(name).to_bytes(2, "big"), name]
    for part in parts:
        pieces += (len(part).to_bytes(4, "big"), part)
    return b"".join(pieces)


def hash_of(label: str, *parts: bytes) -> bytes:
    """SHA-256 of `bind(label, *parts)`; 32 bytes."""
    return hashlib.sha256(bind(label, *parts)).digest()


def sequence(number: int) -> bytes:
    """A sequence number as eight bytes, big-endian."""
    return number.to_bytes(8, "big")
