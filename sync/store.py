"""What central needs from a database, as a small protocol: grow-only sets, written in one transaction a batch.

It holds ciphertext, clear headers and signatures; it knows no keys, verifies nothing and decides nothing: batches.py
verifies, merge.py projects. SQLite is the default (sqlite_store.py); another database takes its place behind this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sync.merge import Link, Version


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One log entry, with what the clear header of its record says. Hashes are 32 bytes, ids 32 hexadecimal digits."""

    device: str
    seq: int
    head: bytes
    previous: bytes
    record_hash: bytes
    case: str
    revision: int
    kind: str
    parent: bytes | None
    withdrawal: bytes | None

    @property
    def link(self) -> Link:
        """The entry as a link of its chain."""
        return Link(self.seq, self.head, self.previous)


@dataclass(frozen=True, slots=True)
class StoredDevice:
    """A device that sent something, and a card of its own making (nothing stops it from making two)."""

    device: str
    card: bytes


@dataclass(frozen=True, slots=True)
class StoredProject:
    """A version of the project: its model's bytes, and their SHA-256."""

    version: int
    digest: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class SeenBatch:
    """A batch that was merged: the hash of its manifest names it, whatever its file was called."""

    manifest: bytes
    device: str
    first: int
    last: int
    seen: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is there."""

    devices: int
    entries: int
    bodies: int
    body_bytes: int
    batches: int
    tombstones: int


class Writer(Protocol):
    """Inside one transaction. Adding what is there already changes nothing."""

    def device(self, device: StoredDevice) -> None:
        """A device's card."""
        ...

    def entry(self, entry: StoredEntry, body: bytes) -> bool:
        """An entry and its record; True if the entry is new."""
        ...

    def signature(self, device: str, seq: int, head: bytes, signature: bytes) -> None:
        """A signature that was verified: it covers the chain up to `head`."""
        ...

    def batch(self, batch: SeenBatch) -> None:
        """That a batch was merged."""
        ...

    def tombstone(self, tag: bytes, data: bytes) -> None:
        """A withdrawal that was verified."""
        ...

    def project(self, project: StoredProject) -> None:
        """A version of the project that was verified."""
        ...


class Store(Protocol):
    """Central's database. Every iterator streams; raises StorageError."""

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        ...

    def write(self) -> AbstractContextManager[Writer]:
        """One transaction: all of it or nothing. Waits for another writer, then raises CentralBusyError."""
        ...

    def missing(self, device: str, wanted: Sequence[tuple[int, bytes]]) -> int:
        """How many of these (seq, head) are not held with their body; `wanted` is ordered by seq."""
        ...

    def devices(self) -> list[StoredDevice]:
        """Every device that sent something, by id and card."""
        ...

    def project(self) -> StoredProject | None:
        """The newest version seen; None before the first import."""
        ...

    def entries(self, device: str) -> Iterator[StoredEntry]:
        """A device's entries by (seq, head)."""
        ...

    def signatures(self, device: str) -> Iterator[tuple[int, bytes, bytes]]:
        """(seq, head, signature), by (seq, head)."""
        ...

    def signature(self, device: str, seq: int, head: bytes) -> bytes | None:
        """The verified signature at that entry, if a batch ended there."""
        ...

    def body(self, record_hash: bytes) -> bytes | None:
        """A sealed record."""
        ...

    def senders(self) -> list[str]:
        """The devices that signatures are kept of."""
        ...

    def first_without_body(self, device: str) -> int | None:
        """The first position of a log whose record is not held."""
        ...

    def unclaimed_bodies(self) -> int:
        """How many bodies no entry speaks of."""
        ...

    def check(self) -> list[str]:
        """What the database's own check of its file has to say; empty when nothing."""
        ...

    def versions(self) -> Iterator[Version]:
        """Every record (not attachments), ordered by case; standings are the caller's to apply."""
        ...

    def entries_from(self, device: str, seq: int) -> int:
        """How many entries of a device there are from `seq` on."""
        ...

    def tombstones(self) -> Iterator[tuple[bytes, bytes]]:
        """Every withdrawal: (tag, data). One tag may have several."""
        ...

    def batches(self) -> Iterator[SeenBatch]:
        """What was merged, in no particular order."""
        ...

    def counts(self) -> Counts:
        """How much is there."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...
