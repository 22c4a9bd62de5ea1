"""What central needs from a database, as a small protocol: grow-only sets, written in one transaction a batch.

It holds ciphertext, clear headers and signatures; it knows no keys, verifies nothing and decides nothing: batches.py
verifies, merge.py projects. SQLite is the default (sqlite_store.py); another database takes its place behind this.

What is erased stays in the sets as a hash: a body is removed, and never stored again, but its entry stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from sync.merge import Link, Version
from sync.sets import Row, SetSpec

CHUNK_ROWS: Final = 512
CHUNK_BYTES: Final = 1 << 20
"""A store writes rows in bulk, so many at a time: what is in memory does not grow with a batch."""


class StoredEntry(NamedTuple):
    """One log entry, with what the clear header of its record says. Hashes are 32 bytes, ids 32 hexadecimal digits.

    A tuple: a store writes and reads it as a row, a million of them without a step between.
    """

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

    @property
    def version(self) -> Version:
        """A record as its case is projected from it."""
        at = self.seq, self.head
        return Version(self.case, self.revision, self.device, self.record_hash, self.parent, self.withdrawal, *at)


@dataclass(frozen=True, slots=True)
class AbsentEntry:
    """A log entry whose record its own device erased before it travelled: the chain goes on over it.

    Where an entry with the same head is held too, that one says more, and counts.
    """

    device: str
    seq: int
    head: bytes
    previous: bytes
    record_hash: bytes

    @property
    def link(self) -> Link:
        """The entry as a link of its chain."""
        return Link(self.seq, self.head, self.previous)


@dataclass(frozen=True, slots=True)
class Notice:
    """A small signed file that central passes on. `digest`: SHA-256 of `data`, which makes it the same file twice.

    kind: "return" (work for a device) or "erasure" (a report); `device`: whom it is for, "" where it is for everybody.
    """

    kind: str
    digest: bytes
    device: str
    data: bytes


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
    """How much is there. `devices`: each once, however many cards it made; `absent`: entries that a device erased
    itself; `erased`: hashes of records erased here.
    """

    devices: int
    entries: int
    bodies: int
    body_bytes: int
    batches: int
    tombstones: int
    absent: int
    erased: int


class Covered(NamedTuple):
    """Up to where the newest backup holds a log. `note`: what central signed of it, see records.backup; None: nothing.

    Whoever believes it reads the note: see sync.covering.
    """

    device: str
    seq: int
    head: bytes
    note: bytes | None = None


class Writer(Protocol):
    """Inside one transaction. Adding what is there already changes nothing."""

    def device(self, device: StoredDevice) -> None:
        """A device's card."""
        ...

    def entries(self, rows: Iterable[tuple[StoredEntry, bytes | None]]) -> int:
        """Entries with their records, in bulk; how many of the entries are new.

        `rows` is read once, lazily, and may raise: then the transaction is rolled back. At most CHUNK_ROWS rows or
        CHUNK_BYTES of bodies (or one larger body) are held at a time, and while they are written as many more. A body
        that is None is erased: its hash is noted as by `erase`. A body whose hash was noted before, here or by another
        writer, is not stored. An entry that is held already still gets its body, if that is missing and not erased.
        """
        ...

    def absent(self, rows: Iterable[AbsentEntry]) -> int:
        """Entries whose record their own device erased; how many are new to this set."""
        ...

    def erase(self, hashes: Iterable[bytes]) -> int:
        """Remove the bodies with these hashes and note the hashes for ever; how many are newly noted.

        A hash without a body is noted too: its body will not be stored when it comes.
        """
        ...

    def discard(self, hashes: Iterable[bytes]) -> int:
        """Remove the bodies with these hashes, which are damaged: nothing is noted, the true ones may come again."""
        ...

    def notice(self, notice: Notice) -> bool:
        """A signed file that was verified; True if it is new."""
        ...

    def forget(self, kind: str, digests: Iterable[bytes]) -> int:
        """Remove files that must not be passed on any more; how many. The caller sees that they do not come back."""
        ...

    def covered(self, rows: Iterable[Covered], at: str) -> None:
        """What the newest backup holds, in place of what was noted before: unbroken beginnings of logs.

        `at`: when it was made, ISO 8601. No rows: there is no backup any more that holds anything.
        """
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

    def rows(self, spec: SetSpec, rows: Iterable[Row]) -> int:
        """Rows of any set as they are in another store; how many are new. What is erased stays erased."""
        ...


class Store(Protocol):
    """Central's database. Every iterator streams; raises StorageError."""

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        ...

    @property
    def identity(self) -> str:
        """Names the database itself: two stores with one identity are the same one, however it was called."""
        ...

    def write(self) -> AbstractContextManager[Writer]:
        """One transaction: all of it or nothing. Waits for another writer, then raises CentralBusyError.

        Raises CentralMovedError after `retire`. What the block reads from the store may be as it was before the block.
        """
        ...

    def rows(self, spec: SetSpec, *, keys: bool = False) -> Iterator[Row]:
        """A whole set by its keys (see sync.sets), or only the keys: the same in every kind of store."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Everything that is read in the block is of one moment. Nothing is written through this store meanwhile."""
        ...

    def retire(self, to: str) -> AbstractContextManager[None]:
        """Keep every other writer out for the length of the block; when it ends well, for good: central is at `to`.

        Reading goes on. Raises CentralBusyError, CentralMovedError.
        """
        ...

    def reopen(self) -> None:
        """Take writes again after `retire`."""
        ...

    def moved(self) -> str | None:
        """Where it was moved to, after `retire`."""
        ...

    def missing(self, device: str, wanted: Sequence[tuple[int, bytes]], *, brought: bool = False) -> int:
        """How many of these (seq, head) are not held; `wanted` is ordered by seq.

        An entry is held with its body, or where its record is erased, or where it is absent. `brought`: their records
        are at hand, so that one that is merely absent is missing: whichever of the two came first, the state is one.
        """
        ...

    def devices(self, device: str | None = None) -> list[StoredDevice]:
        """Every device that sent something, by id and card; `device`: only this one's cards."""
        ...

    def project(self) -> StoredProject | None:
        """The newest version seen; None before the first import."""
        ...

    def entries(self, device: str) -> Iterator[StoredEntry]:
        """A device's entries by (seq, head)."""
        ...

    def absent(self, device: str) -> Iterator[AbsentEntry]:
        """What a device erased itself, by (seq, head), held as entries too or not."""
        ...

    def links(self, device: str, after: int = 0) -> Iterator[Link]:
        """The union of a device's entries and absent ones, each head once, by (seq, head); those `after` a position."""
        ...

    def case(self, case: str) -> list[StoredEntry]:
        """Every entry of one case, attachments too, by (device, seq, head)."""
        ...

    def cases(self, names: Sequence[str]) -> list[StoredEntry]:
        """The same of several cases, by (case, device, seq, head): a few hundred at a time, for all are in memory."""
        ...

    def withdrawn_cases(self) -> Iterator[str]:
        """Each case of which at least one entry carries a tag that a tombstone has revealed, once, by id."""
        ...

    def erased(self, hashes: Sequence[bytes]) -> set[bytes]:
        """Which of these are noted as erased."""
        ...

    def notices(self, kind: str, device: str | None = None) -> Iterator[Notice]:
        """Those of a kind, by digest; `device`: only those for it."""
        ...

    def covered(self, device: str) -> list[Covered]:
        """Up to where the newest backup holds this device's log, by (seq, head); more than one in forks."""
        ...

    def last_backup(self) -> str | None:
        """When the newest backup was made, as it was noted: sync.covering says whether that counts."""
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

    def mark(self) -> tuple[int, int] | None:
        """Where two of them are equal, nobody removed or altered anything in between; None: that cannot be told."""
        ...

    def first_without_body(self, device: str) -> int | None:
        """The first position of a log that is held as an entry only: its record is lost, neither erased nor absent."""
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

    def case_count(self) -> int:
        """How many cases entries speak of, attachments too."""
        ...

    def unusual_cases(self, usual: Collection[str]) -> Iterator[str]:
        """The cases, each once, that have more to them than one first record, not withdrawn, of a device of `usual`.

        What is left of all cases needs no looking at: such a record is what counts.
        """
        ...

    def held(self, device: str, seq: int) -> tuple[int, int]:
        """How many entries of a device there are up to `seq`, and how many absent ones; by their keys alone."""
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


def chunks(rows: Iterable[tuple[StoredEntry, bytes | None]]) -> Iterator[list[tuple[StoredEntry, bytes | None]]]:
    """The rows in lists within the bounds; a body that would break the bound begins the next."""
    chunk: list[tuple[StoredEntry, bytes | None]] = []
    size = 0
    for row in rows:
        length = len(row[1] or b"")
        if chunk and (len(chunk) == CHUNK_ROWS or size + length > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += length
    if chunk:
        yield chunk
