"""Batch files: consecutive log entries of one device, with their sealed records, in an FSB1 container.

Writing needs no passphrase: the carrier key signs the manifest, the entries carry the device's own signatures.
Reading verifies, and accepts nothing: the caller merges inside a transaction and rolls it back if the reading of the
records raises. One record is in memory at a time, and the entries of one batch.

Version 2 has entries without a record: the device erased it after a withdrawal, and says so. A batch without any such
entry is written, and read, in version 1 only.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, BinaryIO, ClassVar, Final, Literal, Protocol

from pydantic import Field, ValidationError

from fieldsurvey.records.container import Container, Frame, Signer, open_container, write_container
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import ClearHeader, read_clear, record_hash
from fieldsurvey.records.log import MAX_SEQ, LogEntry, verify_run
from fieldsurvey.records.wire import Hash, Id, Since, Wire, field_error
from sync.errors import BatchError, ForeignProjectError
from sync.merge import Link

# Under the container's own bounds (16,384 frames, 64 MiB, manifest 4 MiB), so that a stick pulled out in the middle
# costs little and a manifest stays small in memory. At some 4.5 KB a record the first one is reached first.
MAX_ENTRIES: Final = 1_024
MAX_BYTES: Final = 32 << 20


class LogSource(Protocol):
    """A device's sealed log: a locked vault is one."""

    def device_card(self) -> DeviceCard:
        """The card that certifies the carrier key."""
        ...

    @property
    def carrier(self) -> Signer:
        """Signs the manifest; needs no passphrase."""
        ...

    def head_at(self, seq: int) -> bytes:
        """The head after entry `seq`; 0 gives the start."""
        ...

    def entries(self, from_seq: int, to_seq: int) -> Iterator[tuple[LogEntry, bytes]]:
        """Entries with their records, both ends included, in order, streaming."""
        ...


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


@dataclass(frozen=True, slots=True)
class Plan:
    """What one batch will hold: its entries, the length of each one's record, and the head before them.

    A length is None where the device erased the record.
    """

    entries: tuple[LogEntry, ...]
    sizes: tuple[int | None, ...]
    previous: bytes

    @property
    def first(self) -> int:
        """Its first position in the log."""
        return self.entries[0].seq

    @property
    def last(self) -> int:
        """Its last position in the log."""
        return self.entries[-1].seq

    @property
    def size(self) -> int:
        """The records' bytes."""
        return sum(size or 0 for size in self.sizes)


def plan_batches(
    log: LogSource,
    first: int,
    last: int,
    *,
    erased: Iterable[LogEntry] = (),
    max_entries: int = MAX_ENTRIES,
    max_bytes: int = MAX_BYTES,
) -> Iterator[Plan]:
    """Cut entries first … last into batches within the bounds; a single large record still gets one of its own.

    `erased`: those of them, in order, whose record the device itself erased; they travel without it. An entry whose
    record is gone otherwise, or damaged, is left out, and the next batch begins after it: all others still travel.
    """
    entries: list[LogEntry] = []
    sizes: list[int | None] = []
    total = 0
    previous = b""
    for entry, size in _sized(log, first, last, erased):
        full = len(entries) == max_entries or total + (size or 0) > max_bytes
        if entries and (full or entry.seq != entries[-1].seq + 1):
            yield Plan(tuple(entries), tuple(sizes), previous)
            entries, sizes, total = [], [], 0
        if not entries:
            previous = log.head_at(entry.seq - 1)
        entries.append(entry)
        sizes.append(size)
        total += size or 0
    if entries:
        yield Plan(tuple(entries), tuple(sizes), previous)


def _sized(log: LogSource, first: int, last: int, erased: Iterable[LogEntry]) -> Iterator[tuple[LogEntry, int | None]]:
    """Entries that can travel, by position, each with its record's length; an erased one's record is not looked for."""
    gone = [(entry, None) for entry in erased if first <= entry.seq <= last]
    without = {entry.seq for entry, _none in gone}
    whole = (
        (entry, len(record))
        for entry, record in log.entries(first, last)
        if entry.seq not in without and record_hash(record) == entry.record_hash
    )
    return heapq.merge(whole, gone, key=lambda found: found[0].seq)


def write_batch(log: LogSource, plan: Plan) -> Iterator[bytes]:
    """The file in pieces. The same plan gives the same bytes. Raises ContainerError."""
    card = log.device_card()
    manifest = BatchManifest(
        format_version=2 if None in plan.sizes else 1,
        project=card.project,
        card=card,
        previous=plan.previous.hex(),
        entries=[
            BatchEntry(
                seq=entry.seq,
                head=entry.head.hex(),
                record=entry.record_hash.hex(),
                signature=entry.signature.hex(),
                erased=size is None,
            )
            for entry, size in zip(plan.entries, plan.sizes, strict=True)
        ],
    )
    present = {entry.seq: size for entry, size in zip(plan.entries, plan.sizes, strict=True) if size is not None}
    records = (record for entry, record in log.entries(plan.first, plan.last) if entry.seq in present)
    frames = [
        Frame(entry.record_hash, present[entry.seq], lambda: next(records, b""))  # asked for in this order
        for entry in plan.entries
        if entry.seq in present
    ]
    return write_container("batch", manifest.content(), frames, log.carrier)


class Batch:
    """A batch whose manifest has been verified: its card, its chain, its signatures. The records are still to come.

    `entries` are all of them; `erased` are the positions of those whose record the device erased.
    """

    def __init__(self, container: Container, manifest: BatchManifest, entries: tuple[LogEntry, ...]) -> None:
        self._container = container
        self.card = manifest.card
        self.previous = bytes.fromhex(manifest.previous)
        self.entries = entries
        self.erased = frozenset(entry.seq for entry in manifest.entries if entry.erased)
        self.manifest_hash = hashlib.sha256(container.manifest_bytes).digest()

    @property
    def project(self) -> str:
        """The project's id."""
        return self.card.project

    @property
    def device(self) -> str:
        """The id of the device whose log it is."""
        return self.card.device

    @property
    def first(self) -> int:
        """Its first position in the log."""
        return self.entries[0].seq

    @property
    def last(self) -> int:
        """Its last position in the log."""
        return self.entries[-1].seq

    def links(self) -> Iterator[Link]:
        """The entries as links, in order."""
        previous = self.previous
        for entry in self.entries:
            yield Link(entry.seq, entry.head, previous)
            previous = entry.head

    @property
    def present(self) -> tuple[LogEntry, ...]:
        """The entries that come with their record."""
        return tuple(entry for entry in self.entries if entry.seq not in self.erased) if self.erased else self.entries

    def records(self) -> Iterator[tuple[LogEntry, ClearHeader, bytes]]:
        """Each entry that has one with its record's clear header and its bytes, verified one by one. Once only.

        Raises BatchError, RecordFormatError, FieldError, and ContainerError at the end when the file is short or
        longer than it says: nothing may be kept unless the iteration came to its end.
        """
        device, project = self.device, self.project
        # The frames come first, so that their iteration reaches its end: there it refuses what follows the last one.
        for (_address, record), entry in zip(self._container.frames(), self.present, strict=True):
            header = read_clear(record)
            if header.device != device:
                raise BatchError(reason="a record of another device")
            if header.project != project:
                raise BatchError(reason="a record of another project")
            yield entry, header, record

    def verify(self) -> None:
        """Read to the end and keep nothing. Raises what `records` raises."""
        for _ in self.records():
            pass


def read_batch(stream: BinaryIO, project: str | None = None) -> Batch:
    """Open a batch and verify its manifest: shape, card, carrier's signature, chain and the device's last signature.

    `project`: the id it must belong to. Raises ContainerError, NotCanonicalError, FieldError, KeyFormatError,
    SignatureError, LogError, BatchError, ForeignProjectError.
    """
    container = open_container(stream, "batch")
    manifest = _manifest(container)
    card = manifest.card
    if manifest.project != card.project:
        raise BatchError(reason="a card of another project")
    if project is not None and card.project != project:
        raise ForeignProjectError(found=card.project[:8], expected=project[:8])
    if len(container.signatures) != 1:  # any other would be bytes that nobody verified
        raise BatchError(reason="signatures")
    container.verify(card.carrier_key)
    entries = tuple(
        LogEntry(
            card.project,
            card.device,
            entry.seq,
            bytes.fromhex(entry.record),
            bytes.fromhex(entry.head),
            bytes.fromhex(entry.signature),
        )
        for entry in manifest.entries
    )
    verify_run(card.sign_key, card.project, card.device, bytes.fromhex(manifest.previous), entries)
    batch = Batch(container, manifest, entries)
    if [address for address, _size in container.table] != [entry.record_hash for entry in batch.present]:
        raise BatchError(reason="records and entries differ")
    return batch


def _manifest(container: Container) -> BatchManifest:
    """What the manifest says, where it says it in the one spelling. Raises FieldError, FormatVersionError, BatchError.

    The container has compared its bytes with their encoding; what is left are defaults that are not spelled out.
    """
    content = container.manifest
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
