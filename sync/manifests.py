"""What the manifest of a batch says: a model of it, strict in every field, and a reader for the many.

A merge reads as many entries as there are records, and they are all of one spelling. So the strict reader reads the
manifest cut to its first entry and first frame, and the others are taken by their spelling. Whatever that does not
fit, or the strict reader refuses, is read again whole by the strict one, which refuses it and says why: a manifest is
accepted here only if it is accepted there, and says the same.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, ValidationError

from fieldsurvey.base.canonical import MAX_ITEMS
from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.records.container import MAX_FRAME, MAX_FRAMES, Kind, Table, read_manifest
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.log import MAX_SEQ
from fieldsurvey.records.wire import Hash, Id, Since, Wire, field_error
from sync.errors import BatchError


class BatchEntry(Wire):
    """One log entry in a manifest. Its record is the frame of that address; of an erased one there is no frame."""

    what: ClassVar[str] = "batch"

    seq: Annotated[int, Field(ge=1, le=MAX_SEQ)]
    head: Hash
    record: Hash
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{130}$")]
    erased: Annotated[bool, Since(2)] = False


class BatchManifest(Wire):
    """What a batch says of itself. `previous` is the head before the first entry."""

    what: ClassVar[str] = "batch"

    format: Literal["fieldsurvey batch"] = "fieldsurvey batch"
    format_version: Literal[1, 2] = 1
    project: Id
    card: DeviceCard
    previous: Hash
    entries: Annotated[list[BatchEntry], Field(min_length=1, max_length=16_384)]


_FIELDS: Final = {
    1: {"seq", "head", "record", "signature"},
    2: {"seq", "head", "record", "signature", "erased"},
}
"""Of an entry, by version."""

# An entry of version 1 and a frame, as canonical JSON writes them, each with the comma after it. That what stands
# between quotation marks is hexadecimal is looked at for all of them at once.
_ENTRY: Final = re.compile(
    rb'\{"head":"(.{64})","record":"(.{64})","seq":([1-9][0-9]{0,15}),"signature":"(.{130})"\},', re.DOTALL
)
_FRAME: Final = re.compile(rb'\["(.{64})",(0|[1-9][0-9]{0,7})\],', re.DOTALL)
_HEXADECIMAL: Final = b"0123456789abcdef"
_ENTRY_BYTES: Final = len('{"head":"","record":"","seq":,"signature":""},') + 64 + 64 + 130
_FRAME_BYTES: Final = len('["",],') + 64


@dataclass(frozen=True, slots=True)
class Columns:
    """The entries of a batch, one list for each of their fields. Signatures stay as they are written."""

    seqs: Sequence[int]
    heads: Sequence[bytes]
    hashes: Sequence[bytes]
    signatures: Sequence[str | bytes]

    @classmethod
    def of(cls, entries: Sequence[BatchEntry]) -> Self:
        """Entries that were read one by one."""
        return cls(
            [entry.seq for entry in entries],
            [bytes.fromhex(entry.head) for entry in entries],
            [bytes.fromhex(entry.record) for entry in entries],
            [entry.signature for entry in entries],
        )


@dataclass(frozen=True, slots=True)
class Said:
    """A manifest that was read: `manifest` may be cut to its first entry, `columns` and `erased` are of all of them."""

    manifest: BatchManifest
    columns: Columns
    erased: frozenset[int]


class ManifestReader:
    """Reads one manifest for `open_container`, and keeps what it says."""

    def __init__(self) -> None:
        self._said: Said | None = None

    def read(self, kind: Kind, data: bytes) -> tuple[dict[str, Any], Table]:
        """What `read_manifest` gives, the content perhaps with no more than its first entry. Raises the same."""
        found = _quickly(kind, data)
        if found is None:
            return read_manifest(kind, data)
        self._said, content, table = found
        return content, table

    def said(self, content: dict[str, Any]) -> Said:
        """What it says of the batch. Raises FieldError, FormatVersionError, BatchError."""
        if self._said is not None:
            return self._said
        manifest = strict(content)
        erased = frozenset(entry.seq for entry in manifest.entries if entry.erased)
        return Said(manifest, Columns.of(manifest.entries), erased)


def strict(content: dict[str, Any]) -> BatchManifest:
    """What the content says, where it says it in the one spelling. Raises FieldError, FormatVersionError, BatchError.

    The container has compared its bytes with their encoding; what is left are defaults that are not spelled out.
    """
    try:
        manifest = BatchManifest.model_validate(content)
    except ValidationError as error:
        raise field_error(BatchManifest.what, error, known=max(_FIELDS)) from None
    fields = _FIELDS[manifest.format_version]
    rest = manifest.model_copy(update={"entries": []}).content()
    if rest != {**content, "entries": []} or any(entry.keys() != fields for entry in content["entries"]):
        raise BatchError(reason="encoding")
    if (manifest.format_version > 1) != any(entry.erased for entry in manifest.entries):
        raise BatchError(reason="version")
    return manifest


def _quickly(kind: Kind, data: bytes) -> tuple[Said, dict[str, Any], Table] | None:
    """What the manifest says, if it is of version 1 and sound; None where the strict reader has to look at it whole."""
    start = data.find(b'"entries":[') + len(b'"entries":[')
    end = data.find(b"]", start)
    table_start = data.find(b'"frames":[', end) + len(b'"frames":[')
    table_end = data.find(b"]]", table_start) + 1
    entries = _ENTRY.findall(entries_bytes := data[start:end] + b",")
    frames = _FRAME.findall(frames_bytes := data[table_start:table_end] + b",")
    if not entries or not frames or not start <= end < table_start <= table_end or data.count(b",") >= MAX_ITEMS:
        return None
    heads, records, digits, signatures = zip(*entries, strict=True)
    addresses, sizes = zip(*frames, strict=True)
    if (
        sum(map(len, digits)) + len(entries) * _ENTRY_BYTES != len(entries_bytes)  # nothing between them
        or sum(map(len, sizes)) + len(frames) * _FRAME_BYTES != len(frames_bytes)
        or b"".join((*heads, *records, *signatures)).translate(None, _HEXADECIMAL)
        or addresses != records
        or not len(set(addresses)) == len(addresses) <= MAX_FRAMES
    ):
        return None
    seqs, lengths = list(map(int, digits)), list(map(int, sizes))
    if max(seqs) > MAX_SEQ or max(lengths) > MAX_FRAME:
        return None
    first, frame = entries_bytes[: entries_bytes.index(b"}") + 1], frames_bytes[: frames_bytes.index(b"]") + 1]
    cut = data[:start] + first + data[end:table_start] + frame + data[table_end:]
    hashes = tuple(map(unhexlify, records))
    try:
        content, table = read_manifest(kind, cut)
        manifest = strict(content)
    except UntrustedError:
        return None
    # That what was cut out stood where an entry and a frame now stand: the only ones.
    if manifest.format_version != 1 or [entry.head for entry in manifest.entries] != [heads[0].decode()]:
        return None
    if table != ((hashes[0], lengths[0]),):
        return None
    columns = Columns(seqs, tuple(map(unhexlify, heads)), hashes, signatures)
    return Said(manifest, columns, frozenset()), content, tuple(zip(hashes, lengths, strict=True))
