"""FSE1: one record sealed to between one and eight recipients.

    magic 5 | header_len 2 | n_recipients 1 | header | recipient ids 8 each | wraps 1168 each | body

The header is the whole of what a carrier or central can read. It does not decide who the recipients are, and does
not look into the payload. Reading never allocates by a declared length: every length is checked against the bytes.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Final, Literal, NamedTuple, Self

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from pydantic import Field, model_validator

from fieldsurvey.records.errors import AlteredError, FieldError, NoRecipientError, NotARecipientError, RecordFormatError
from fieldsurvey.records.labels import RECORD_BODY, RECORD_WRAP, bind
from fieldsurvey.records.padding import pad, padme, unpad
from fieldsurvey.records.recipients import ID_BYTES, SECRET_BYTES, WRAP_BYTES, RecipientPrivate, RecipientPublic
from fieldsurvey.records.wire import Hash, Id, Wire, check_magic

VERSION: Final = 1
MAGIC: Final = b"FSE1" + bytes([VERSION])
PREFIX_BYTES: Final = len(MAGIC) + 3
MAX_HEADER: Final = 1024
MAX_RECIPIENTS: Final = 8
MAX_PAYLOAD: Final = 8 << 20
MAX_REVISION: Final = 1 << 20
# Cobblestone-256 (c2sp.org/chunked-encryption): 24 bytes of nonce and 32 of commitment, then chunks of 16 KiB, each
# with a tag of 16; a message that fills its last chunk is followed by an empty one.
_BODY_FIXED: Final = 56
_CHUNK: Final = 16 << 10
_TAG: Final = 16


# The one spelling of a header, as canonical JSON writes it. What does not match is read, and refused, the long way.
# That what stands for a digit is one is seen by how many bytes of the whole are none: see `_others`.
_SPELLING: Final = re.compile(
    r'\{"case":"(.{32})","device":"(.{32})","kind":"(record|attachment)",'
    r'"parent":(?:null|"(.{64})"),"project":"(.{32})","revision":([1-9][0-9]{0,6}),'
    r'"withdrawal":(?:null|"(.{64})")\}',
    re.DOTALL,
)
_HEXADECIMAL: Final = b"0123456789abcdef"


def _others(kind: str, *, parent: bool, withdrawal: bool) -> int:
    """How many bytes of a header are not hexadecimal digits."""
    hashes = ['""' if there else "null" for there in (parent, withdrawal)]
    header = '{"case":"","device":"","kind":"%s","parent":%s,"project":"","revision":,"withdrawal":%s}'
    return len((header % (kind, *hashes)).encode().translate(None, _HEXADECIMAL))


_OTHERS: Final = {
    (kind, parent, withdrawal): _others(kind, parent=parent, withdrawal=withdrawal)
    for kind in ("record", "attachment")
    for parent in (False, True)
    for withdrawal in (False, True)
}


class Header(Wire):
    """What a record shows without any key: an allow-list. Which form it is stays inside.

    `case` is 128 random bits shared by all revisions of a case. `parent` is the record hash of the revision before,
    None in revision 1. `withdrawal` is the tag of the case's withdrawal code, or None.
    """

    what = "record header"
    max_bytes = MAX_HEADER

    project: Id
    device: Id
    case: Id
    revision: Annotated[int, Field(ge=1, le=MAX_REVISION)] = 1
    kind: Literal["record", "attachment"] = "record"
    parent: Hash | None = None
    withdrawal: Hash | None = None

    @model_validator(mode="after")
    def _parent_fits(self) -> Self:
        if self.kind == "record" and (self.parent is None) != (self.revision == 1):
            raise ValueError("parent")
        return self


class ClearHeader(NamedTuple):
    """A header's fields as plain values: what a merge, which reads as many as there are records, needs of one."""

    case: str
    device: str
    kind: str
    parent: str | None
    project: str
    revision: int
    withdrawal: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A record that opened: the header is authentic, `payload` is as it was sealed."""

    header: Header
    payload: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A record's parts, bounds checked, nothing opened."""

    header: Header
    header_bytes: bytes
    recipient_ids: tuple[bytes, ...]
    wraps: bytes
    body: bytes


def record_hash(blob: bytes) -> bytes:
    """A record's identity, and its address as a frame of a container: SHA-256 of all its bytes; 32 bytes."""
    return hashlib.sha256(blob).digest()


def seal(header: Header, payload: bytes, recipients: Sequence[RecipientPublic]) -> bytes:
    """A record. The order of `recipients` and repetitions in it do not matter.

    Raises NoRecipientError unless they are 1 to 8, and FieldError for a payload over 8 MiB.
    """
    ordered = sorted(set(recipients), key=lambda recipient: recipient.id)
    ids = b"".join(recipient.id for recipient in ordered)
    if not 1 <= len(ordered) <= MAX_RECIPIENTS or len({recipient.id for recipient in ordered}) != len(ordered):
        raise NoRecipientError(count=len(ordered))
    if len(payload) > MAX_PAYLOAD:
        raise FieldError(what="record", field="payload", reason="too long")
    header_bytes = header.to_bytes()
    key = secrets.token_bytes(SECRET_BYTES)
    digest = _digest(header_bytes, ids)
    wraps = b"".join(recipient.wrap(key, _info(digest, recipient.id)) for recipient in ordered)
    encryptor = Cobblestone256Encryptor(key, _context(header_bytes, ids, wraps))
    body = encryptor.update(pad(payload)) + encryptor.finalize()
    prefix = MAGIC + len(header_bytes).to_bytes(2, "big") + bytes([len(ordered)])
    return b"".join((prefix, header_bytes, ids, wraps, body))


def open_record(blob: bytes, *privates: RecipientPrivate) -> Opened:
    """The payload, with whichever of the keys it is sealed to.

    Raises RecordFormatError, FieldError, NotARecipientError or AlteredError.
    """
    envelope = read_envelope(blob)
    private = next((key for key in privates if key.id in envelope.recipient_ids), None)
    if private is None:
        raise NotARecipientError
    place = envelope.recipient_ids.index(private.id) * WRAP_BYTES
    ids = b"".join(envelope.recipient_ids)
    info = _info(_digest(envelope.header_bytes, ids), private.id)
    key = private.unwrap(envelope.wraps[place : place + WRAP_BYTES], info)
    decryptor = Cobblestone256Decryptor(key, _context(envelope.header_bytes, ids, envelope.wraps))
    try:
        # update() releases text before truncation is known: nothing is looked at until finalize() has passed.
        padded = decryptor.update(envelope.body) + decryptor.finalize()
    except InvalidTag:
        raise AlteredError from None
    payload = unpad(padded)
    if payload is None:
        raise RecordFormatError(reason="padding")
    return Opened(envelope.header, payload)


def read_header(blob: bytes) -> Header:
    """What is readable without a key, after checking the whole structure. Raises RecordFormatError or FieldError.

    It is not authentic by itself: the log entry over the record's hash makes it so.
    """
    header_end, _count = _bounds(blob)
    return Header.from_bytes(blob[PREFIX_BYTES:header_end])


def read_clear(blob: bytes) -> ClearHeader:
    """The same as `read_header`, checked as exactly, some ten times faster. Raises RecordFormatError or FieldError."""
    start, header_end = blob[:PREFIX_BYTES], PREFIX_BYTES + int.from_bytes(blob[5:7], "big")
    ids = blob[header_end : header_end + start[-1] * ID_BYTES] if len(start) == PREFIX_BYTES else b""
    header_bytes = blob[PREFIX_BYTES:header_end]
    found = _SPELLING.fullmatch(header_bytes.decode("latin-1"))
    if found is not None and _is_around_a_header(start, ids, len(blob)):
        case, device, kind, parent, project, digits, withdrawal = found.groups()
        revision = int(digits)
        others = len(header_bytes.translate(None, _HEXADECIMAL))
        if (
            others == _OTHERS[kind, parent is not None, withdrawal is not None]
            and revision <= MAX_REVISION
            and (kind != "record" or (parent is None) == (revision == 1))
        ):
            return ClearHeader(case, device, kind, parent, project, revision, withdrawal)
    header_end, _count = _bounds(blob)
    header = Header.from_bytes(blob[PREFIX_BYTES:header_end])  # refuses it and says why
    return ClearHeader(**{name: getattr(header, name) for name in ClearHeader._fields})


def read_envelope(blob: bytes) -> Envelope:
    """The parts of a record. Raises RecordFormatError or FieldError."""
    header_end, count = _bounds(blob)
    ids_end = header_end + count * ID_BYTES
    wraps_end = ids_end + count * WRAP_BYTES
    ids = tuple(blob[i : i + ID_BYTES] for i in range(header_end, ids_end, ID_BYTES))
    header_bytes = bytes(blob[PREFIX_BYTES:header_end])
    return Envelope(Header.from_bytes(header_bytes), header_bytes, ids, blob[ids_end:wraps_end], blob[wraps_end:])


def _bounds(blob: bytes) -> tuple[int, int]:
    """Where the header ends, and for how many recipients; everything but the header's text is checked.

    Raises RecordFormatError.
    """
    return _bounds_of(blob, len(blob))


def _bounds_of(blob: bytes, length: int) -> tuple[int, int]:
    """The same of a record of `length` bytes, of which `blob` has those up to its recipients' ids."""
    if len(blob) < PREFIX_BYTES:
        raise RecordFormatError(reason="truncated")
    if blob[: len(MAGIC)] != MAGIC:
        check_magic("record", MAGIC, blob)
        raise RecordFormatError(reason="magic")
    header_end = PREFIX_BYTES + int.from_bytes(blob[5:7], "big")
    count = blob[7]
    if not PREFIX_BYTES < header_end <= PREFIX_BYTES + MAX_HEADER:
        raise RecordFormatError(reason="header length")
    if not 1 <= count <= MAX_RECIPIENTS:
        raise RecordFormatError(reason="recipients")
    ids_end = header_end + count * ID_BYTES
    wraps_end = ids_end + count * WRAP_BYTES
    if not _is_body_length(length - wraps_end):
        raise RecordFormatError(reason="body length")
    ids = [blob[i : i + ID_BYTES] for i in range(header_end, ids_end, ID_BYTES)]
    if len(ids) > 1 and any(left >= right for left, right in pairwise(ids)):
        raise RecordFormatError(reason="recipients not in order")
    return header_end, count


@lru_cache(maxsize=1024)  # few recipients and few lengths: a merge meets each a thousand times
def _is_around_a_header(start: bytes, ids: bytes, length: int) -> bool:
    """Whether `_bounds` accepts a record of `length` bytes with this prefix and these recipients' ids."""
    header = bytes(int.from_bytes(start[5:7], "big"))
    blob_start = start + header + ids
    try:
        _bounds_of(blob_start, length)
    except RecordFormatError:
        return False
    return True


def body_length(payload: int) -> int:
    """The length of the body that seals `payload` bytes."""
    padded = padme(payload + 4)
    return _BODY_FIXED + padded + (padded // _CHUNK + 1) * _TAG


_LEAST, _MOST = body_length(0), body_length(MAX_PAYLOAD)


@lru_cache(maxsize=1024)  # padding leaves few lengths, and a merge meets each a thousand times
def _is_body_length(length: int) -> bool:
    if not _LEAST <= length <= _MOST:
        return False
    chunks, rest = divmod(length - _BODY_FIXED, _CHUNK + _TAG)
    padded = chunks * _CHUNK + rest - _TAG
    return rest >= _TAG and padme(padded) == padded


def _digest(header_bytes: bytes, ids: bytes) -> bytes:
    return hashlib.sha256(header_bytes + ids).digest()


def _info(digest: bytes, recipient_id: bytes) -> bytes:
    return bind(RECORD_WRAP, digest, recipient_id)


def _context(header_bytes: bytes, ids: bytes, wraps: bytes) -> bytes:
    return bind(RECORD_BODY, hashlib.sha256(header_bytes + ids + wraps).digest())
