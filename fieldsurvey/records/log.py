"""A device's log: a chain of hashes over its records, each head signed by the device.

    head(n) = H(label, head(n-1), n, SHA-256(record n)),  head(0) = H(label, project, device)

Who edits, leaves out, inserts or reorders an entry changes every later head. A withheld suffix cannot be seen here:
receipts and later exports show it. It does not store anything.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fieldsurvey.records.errors import LogError, SignatureError
from fieldsurvey.records.labels import LOG_HEAD, LOG_START, SIGN_LOG_ENTRY, bind, hash_of, sequence
from fieldsurvey.records.signing import SIGNATURE_BYTES, Signature, SigningKey, VerifyKey

HASH_BYTES: Final = 32
MAX_SEQ: Final = 2**53 - 1  # what every JSON reader keeps exact
_ENTRY_SIGNATURE: Final = SIGNATURE_BYTES[1]
# What `bind` puts before each part of a head; they are of fixed lengths.
_BEFORE_HEAD: Final = bind(LOG_HEAD) + HASH_BYTES.to_bytes(4, "big")
_BEFORE_SEQ: Final = (8).to_bytes(4, "big")
_BEFORE_HASH: Final = HASH_BYTES.to_bytes(4, "big")
ENTRY_BYTES: Final = 16 + 16 + 8 + HASH_BYTES + HASH_BYTES + _ENTRY_SIGNATURE


@dataclass(frozen=True, slots=True)
class LogEntry:
    """Entry `seq` (from 1) of a device's log. `project` and `device` are 32 hexadecimal digits."""

    project: str
    device: str
    seq: int
    record_hash: bytes
    head: bytes
    signature: bytes

    def to_bytes(self) -> bytes:
        """169 bytes: project 16, device 16, seq 8, record hash 32, head 32, signature 65."""
        ids = bytes.fromhex(self.project) + bytes.fromhex(self.device)
        return ids + sequence(self.seq) + self.record_hash + self.head + self.signature

    @classmethod
    def from_bytes(cls, data: bytes) -> LogEntry:
        """The inverse; raises LogError for a wrong length or number. Nothing is verified: see `verify_run`."""
        seq = int.from_bytes(data[32:40], "big")
        if len(data) != ENTRY_BYTES or not 1 <= seq <= MAX_SEQ:
            raise LogError(device=data[16:32].hex(), seq=0, reason="length or number")
        return cls(data[:16].hex(), data[16:32].hex(), seq, data[40:72], data[72:104], data[104:])


def start_head(project: str, device: str) -> bytes:
    """The head before the first entry."""
    return hash_of(LOG_START, bytes.fromhex(project), bytes.fromhex(device))


def next_head(previous_head: bytes, seq: int, record_hash: bytes) -> bytes:
    """The head that entry `seq` gives."""
    return hash_of(LOG_HEAD, previous_head, sequence(seq), record_hash)


def next_entry(key: SigningKey, project: str, device: str, previous: LogEntry | None, record_hash: bytes) -> LogEntry:
    """The entry after `previous` (None: the first) for a record, signed by the device's key."""
    if previous is not None and (previous.project, previous.device) != (project, device):
        raise LogError(device=device, seq=previous.seq, reason="another log")
    seq = 1 if previous is None else previous.seq + 1
    before = start_head(project, device) if previous is None else previous.head
    head = next_head(before, seq, record_hash)
    return LogEntry(
        project, device, seq, record_hash, head, key.sign(SIGN_LOG_ENTRY, _signed(project, device, seq, head))
    )


def heads_of(previous_head: bytes, first: int, record_hashes: Iterable[bytes]) -> list[bytes]:
    """The heads that consecutive entries from `first` on give, as `next_head` gives each: of a thousand at a time."""
    found = []
    head = previous_head
    for seq, record_hash in enumerate(record_hashes, first):
        parts = (_BEFORE_HEAD, head, _BEFORE_SEQ, seq.to_bytes(8, "big"), _BEFORE_HASH, record_hash)
        head = hashlib.sha256(b"".join(parts)).digest()
        found.append(head)
    return found


def verify_run(
    verify_key: VerifyKey,
    project: str,
    device: str,
    previous_head: bytes | None,
    entries: Sequence[LogEntry],
    *,
    every_signature: bool = False,
) -> bytes:
    """Check consecutive entries and return the last head. Raises LogError with the first seq that fails.

    `previous_head` is the head before the first of them, which the caller already trusts; None when they start at 1.
    The chain and the last signature cover the whole run; `every_signature` checks each one all the same.
    """
    if not entries:
        raise LogError(device=device, seq=0, reason="empty")
    seq = entries[0].seq
    if previous_head is None:
        previous_head = start_head(project, device)
        if seq != 1:
            raise LogError(device=device, seq=seq, reason="not the first")
    elif seq == 1 and previous_head != start_head(project, device):
        raise LogError(device=device, seq=seq, reason="start")
    head = previous_head
    for entry in entries:
        if (entry.project, entry.device) != (project, device):
            raise LogError(device=device, seq=seq, reason="another log")
        if entry.seq != seq:
            raise LogError(device=device, seq=seq, reason="sequence")
        head = next_head(head, seq, entry.record_hash)
        if not hmac.compare_digest(head, entry.head):
            raise LogError(device=device, seq=seq, reason="chain")
        if every_signature:
            verify_entry(verify_key, entry)
        seq += 1
    verify_entry(verify_key, entries[-1])
    return head


def verify_entry(verify_key: VerifyKey, entry: LogEntry) -> None:
    """Check one entry's own signature, not its place in the chain. Raises LogError."""
    message = _signed(entry.project, entry.device, entry.seq, entry.head)
    try:
        verify_key.verify(SIGN_LOG_ENTRY, message, Signature(entry.signature))
    except SignatureError:
        raise LogError(device=entry.device, seq=entry.seq, reason="signature") from None


def _signed(project: str, device: str, seq: int, head: bytes) -> bytes:
    return bytes.fromhex(project) + bytes.fromhex(device) + sequence(seq) + head
