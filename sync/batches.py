"""Batch files: consecutive log entries of one device, with their sealed records, in an FSB1 container.

Writing needs no passphrase: the carrier key signs the manifest, the entries carry the device's own signatures.
Reading verifies, and accepts nothing: the caller merges inside a transaction and rolls it back if the reading of the
records raises. One record is in memory at a time, and the entries of one batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, BinaryIO, ClassVar, Final, Literal, Protocol

from pydantic import Field, ValidationError

from fieldsurvey.records.container import Container, Frame, Signer, open_container, write_container
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import Header, read_header, record_hash
from fieldsurvey.records.log import MAX_SEQ, LogEntry, verify_run
from fieldsurvey.records.wire import Hash, Id, Wire, field_error
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
    """One log entry in a manifest. Its record is the frame of that address."""

    what: ClassVar[str] = "batch"

    seq: Annotated[int, Field(ge=1, le=MAX_SEQ)]
    head: Hash
    record: Hash
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{130}$")]


class BatchManifest(Wire):
    """What a batch says of itself. `previous` is the head before the first entry."""

    what: ClassVar[str] = "batch"

    format: Literal["fieldsurvey batch"] = "fieldsurvey batch"
    format_version: Literal[1] = 1
    project: Id
    card: DeviceCard
    previous: Hash
    entries: Annotated[list[BatchEntry], Field(min_length=1, max_length=16_384)]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one batch will hold: its entries, the length of each one's record, and the head before them."""

    entries: tuple[LogEntry, ...]
    sizes: tuple[int, ...]
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
        return sum(self.sizes)


def plan_batches(
    log: LogSource, first: int, last: int, *, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES
) -> Iterator[Plan]:
    """Cut entries first … last into batches within the bounds; a single large record still gets one of its own.

    An entry whose record is gone or damaged is left out, and the next batch begins after it: all others still travel.
    """
    entries: list[LogEntry] = []
    sizes: list[int] = []
    previous = b""
    for entry, record in log.entries(first, last):
        if record_hash(record) != entry.record_hash:
            continue
        full = len(entries) == max_entries or sum(sizes) + len(record) > max_bytes
        if entries and (full or entry.seq != entries[-1].seq + 1):
            yield Plan(tuple(entries), tuple(sizes), previous)
            entries, sizes = [], []
        if not entries:
            previous = log.head_at(entry.seq - 1)
        entries.append(entry)
        sizes.append(len(record))
    if entries:
        yield Plan(tuple(entries), tuple(sizes), previous)


def write_batch(log: LogSource, plan: Plan) -> Iterator[bytes]:
    """The file in pieces. The same plan gives the same bytes. Raises ContainerError."""
    card = log.device_card()
    manifest = BatchManifest(
        project=card.project,
        card=card,
        previous=plan.previous.hex(),
        entries=[
            BatchEntry(
                seq=entry.seq, head=entry.head.hex(), record=entry.record_hash.hex(), signature=entry.signature.hex()
            )
            for entry in plan.entries
        ],
    )
    records = (record for _entry, record in log.entries(plan.first, plan.last))
    frames = [
        Frame(entry.record_hash, size, lambda: next(records))  # the container asks for them in this order
        for entry, size in zip(plan.entries, plan.sizes, strict=True)
    ]
    return write_container("batch", manifest.content(), frames, log.carrier)


class Batch:
    """A batch whose manifest has been verified: its card, its chain, its signatures. The records are still to come."""

    def __init__(self, container: Container, manifest: BatchManifest, entries: tuple[LogEntry, ...]) -> None:
        self._container = container
        self.card = manifest.card
        self.previous = bytes.fromhex(manifest.previous)
        self.entries = entries
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

    def records(self) -> Iterator[tuple[LogEntry, Header, bytes]]:
        """Each entry with its record's clear header and its bytes, verified one by one. Once only.

        Raises BatchError, RecordFormatError, FieldError, and ContainerError at the end when the file is short or
        longer than it says: nothing may be kept unless the iteration came to its end.
        """
        # The frames come first, so that their iteration reaches its end: there it refuses what follows the last one.
        for (_address, record), entry in zip(self._container.frames(), self.entries, strict=True):
            header = read_header(record)
            if header.device != self.device:
                raise BatchError(reason="a record of another device")
            if header.project != self.project:
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
    try:
        manifest = BatchManifest.model_validate(container.manifest)
    except ValidationError as error:
        raise field_error(BatchManifest.what, error) from None
    if manifest.content() != container.manifest:  # a default left out: two spellings of one manifest
        raise BatchError(reason="encoding")
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
    if [address for address, _size in container.table] != [entry.record_hash for entry in entries]:
        raise BatchError(reason="records and entries differ")
    verify_run(card.sign_key, card.project, card.device, bytes.fromhex(manifest.previous), entries)
    return Batch(container, manifest, entries)
