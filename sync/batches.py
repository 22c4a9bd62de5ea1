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
from binascii import unhexlify
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import BinaryIO, Final, NamedTuple, Protocol

from fieldsurvey.records.container import Container, Frame, Signer, open_container, write_container
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import ClearHeader, read_clear, record_hash
from fieldsurvey.records.errors import LogError
from fieldsurvey.records.log import LogEntry, heads_of, start_head, verify_entry, verify_run
from sync.errors import BatchError, ErasedMeanwhileError, ForeignProjectError
from sync.manifests import BatchEntry, BatchManifest, Columns, ManifestReader, Said
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
    """The file in pieces. The same plan gives the same bytes. Raises ContainerError, ErasedMeanwhileError."""
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
    records = ((entry.seq, record) for entry, record in log.entries(plan.first, plan.last) if entry.seq in present)
    frames = [
        Frame(entry.record_hash, present[entry.seq], partial(_record, records, entry.seq))  # asked for in this order
        for entry in plan.entries
        if entry.seq in present
    ]
    return write_container("batch", manifest.content(), frames, log.carrier)


def _record(records: Iterator[tuple[int, bytes]], seq: int) -> bytes:
    found, record = next(records, (0, b""))
    if found != seq:
        raise ErasedMeanwhileError
    return record


class Row(NamedTuple):
    """An entry of a batch that comes with its record, verified; `previous` is the head before it."""

    seq: int
    head: bytes
    previous: bytes
    record_hash: bytes
    header: ClearHeader
    record: bytes


class Batch:
    """A batch whose manifest has been verified: its card, its chain, its signatures. The records are still to come.

    `erased` are the positions of the entries whose record the device erased.
    """

    def __init__(self, container: Container, said: Said) -> None:
        self._container = container
        self._columns = said.columns
        self.card = said.manifest.card
        self.previous = bytes.fromhex(said.manifest.previous)
        self.erased = said.erased
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
        return self._columns.seqs[0]

    @property
    def last(self) -> int:
        """Its last position in the log."""
        return self._columns.seqs[-1]

    @property
    def end(self) -> LogEntry:
        """Its last entry, the one whose signature was verified."""
        return _entry(self.card, self._columns, -1)

    @cached_property
    def entries(self) -> tuple[LogEntry, ...]:
        """All of them, in order. Made when asked for: a merge has no use for them."""
        return tuple(_entry(self.card, self._columns, at) for at in range(len(self._columns.seqs)))

    @property
    def positions(self) -> list[tuple[int, bytes]]:
        """(seq, head) of all of them, in order."""
        return list(zip(self._columns.seqs, self._columns.heads, strict=True))

    @property
    def brought(self) -> list[tuple[int, bytes]]:
        """(seq, head) of those that come with their record, in order."""
        every = self.positions
        return [place for place in every if place[0] not in self.erased] if self.erased else every

    def links(self) -> Iterator[Link]:
        """The entries as links, in order."""
        return map(Link, self._columns.seqs, self._columns.heads, (self.previous, *self._columns.heads))

    @property
    def present(self) -> tuple[LogEntry, ...]:
        """The entries that come with their record."""
        return tuple(entry for entry in self.entries if entry.seq not in self.erased) if self.erased else self.entries

    def rows(self) -> Iterator[Row]:
        """Each entry that comes with its record, with that and its clear header, verified one by one. Once only.

        Raises BatchError, RecordFormatError, FieldError, and ContainerError at the end when the file is short or
        longer than it says: nothing may be kept unless the iteration came to its end.
        """
        device, project, erased = self.device, self.project, self.erased
        seqs, heads, hashes = self._columns.seqs, self._columns.heads, self._columns.hashes
        places = zip(seqs, heads, (self.previous, *heads[:-1]), hashes, strict=True)
        present = (place for place in places if place[0] not in erased) if erased else places
        # The frames come first, so that their iteration reaches its end: there it refuses what follows the last one.
        for (_address, record), (seq, head, previous, digest) in zip(self._container.frames(), present, strict=True):
            header = read_clear(record)
            if header.device != device:
                raise BatchError(reason="a record of another device")
            if header.project != project:
                raise BatchError(reason="a record of another project")
            yield Row(seq, head, previous, digest, header, record)

    def records(self) -> Iterator[tuple[LogEntry, ClearHeader, bytes]]:
        """The same as whole entries. Once only; raises what `rows` raises."""
        return ((entry, row.header, row.record) for row, entry in zip(self.rows(), self.present, strict=True))

    def verify(self) -> None:
        """Read to the end and keep nothing. Raises what `rows` raises."""
        for _ in self.rows():
            pass


def read_batch(stream: BinaryIO, project: str | None = None) -> Batch:
    """Open a batch and verify its manifest: shape, card, carrier's signature, chain and the device's last signature.

    `project`: the id it must belong to. Raises ContainerError, NotCanonicalError, FieldError, KeyFormatError,
    SignatureError, LogError, BatchError, ForeignProjectError.
    """
    reader = ManifestReader()
    container = open_container(stream, "batch", read=reader.read)
    said = reader.said(container.manifest)
    card = said.manifest.card
    if said.manifest.project != card.project:
        raise BatchError(reason="a card of another project")
    if project is not None and card.project != project:
        raise ForeignProjectError(found=card.project[:8], expected=project[:8])
    if len(container.signatures) != 1:  # any other would be bytes that nobody verified
        raise BatchError(reason="signatures")
    container.verify(card.carrier_key)
    batch = Batch(container, said)
    _verify_chain(batch, said.columns)
    present = [
        digest for seq, digest in zip(said.columns.seqs, said.columns.hashes, strict=True) if seq not in said.erased
    ]
    if [address for address, _size in container.table] != present:
        raise BatchError(reason="records and entries differ")
    return batch


def _verify_chain(batch: Batch, columns: Columns) -> None:
    """The whole chain at once, and the signature that covers it. What does not hold is said entry by entry.

    Raises LogError.
    """
    card, first = batch.card, batch.first
    whole = (
        list(columns.seqs) == list(range(first, first + len(columns.seqs)))
        and list(columns.heads) == heads_of(batch.previous, first, columns.hashes)
        and (first > 1 or batch.previous == start_head(card.project, card.device))
    )
    if whole:
        verify_entry(card.sign_key, batch.end)
    else:
        verify_run(card.sign_key, card.project, card.device, batch.previous, batch.entries)
        raise LogError(device=card.device, seq=first, reason="chain")  # the two must agree


def _entry(card: DeviceCard, columns: Columns, at: int) -> LogEntry:
    return LogEntry(
        card.project,
        card.device,
        columns.seqs[at],
        columns.hashes[at],
        columns.heads[at],
        unhexlify(columns.signatures[at]),
    )
