"""Central: where the batches of all devices merge. It holds ciphertext only, and reads no record.

A batch is merged in one transaction or not at all. What is shown (logs, cases, receipts) is projected from the set
of entries and from what the newest project says of the devices; nothing is decided when something arrives.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Literal, Self

from fieldsurvey.base.clock import Clock, SystemClock
from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.base.sqlite import DatabaseDamagedError
from fieldsurvey.project.model import Project
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.log import start_head
from fieldsurvey.records.receipt import Receipt
from fieldsurvey.records.withdrawal import Tombstone
from sync.audit import AuditReport, audit
from sync.batches import Batch, read_batch
from sync.errors import ForeignProjectError
from sync.merge import CaseView, LogView, Version, project_cases, project_log, taken_back
from sync.one_chain import Seen
from sync.sqlite_store import SqliteStore
from sync.stick import Progress
from sync.store import AbsentEntry, Counts, SeenBatch, Store, StoredDevice, StoredEntry, StoredProject
from sync.vouching import Vouching

Where = Literal["enrolled", "quarantined", "revoked"]

_CASES: Final = 256
"""So many cases are asked for at once."""
_DEVICE: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Merged:
    """What merging one batch did: `new` entries of `first` … `last`; 0 when all was there already.

    `cases`: what the records in it are of, where anything is withdrawn: some may have to be erased.
    """

    device: str
    name: str
    first: int
    last: int
    new: int
    cases: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Lacks:
    """What central has not got yet of a batch. Falsy when it has everything.

    records: how many are not held; entries: how many of the others are new; absent: those that nobody told of yet.
    signature, card: whether the one over its end, and its device's card, are still to come.
    """

    records: int
    entries: int
    absent: tuple[AbsentEntry, ...]
    signature: bool
    card: bool

    def __bool__(self) -> bool:
        return bool(self.records or self.absent or self.signature or self.card)


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """A device as central sees it. `name`: the project's, else its own; `aside`: entries that do not count."""

    device: str
    name: str
    standing: Where
    aside: int
    log: LogView


@dataclass(frozen=True, slots=True)
class CaseCounts:
    """Cases that count, that are withdrawn, in conflict, with proposals, or without their first revision."""

    current: int
    withdrawn: int
    in_conflict: int
    with_proposals: int
    original_missing: int


@dataclass(frozen=True, slots=True)
class CentralStatus:
    """Everything that the status screen shows. `project`: id and newest version seen."""

    place: str
    project: tuple[str, int] | None
    counts: Counts
    devices: tuple[DeviceStatus, ...]
    cases: CaseCounts


class Central:
    """Over any sync.store.Store."""

    def __init__(self, store: Store, clock: Clock | None = None) -> None:
        self.store = store
        self.clock: Clock = clock or SystemClock()
        self.seen: dict[str, Seen] = {}  # how far a device's log was whole, for sync.one_chain
        self.trusted: Project | None = None  # the newest that a caller verified: what lies in the database nobody did
        self._read: tuple[bytes, Project] | None = None  # parsing a thousand device cards is worth doing once

    @classmethod
    def open(cls, path: Path, *, wait: float = 60.0, clock: Clock | None = None) -> Self:
        """Central in one SQLite file, made when it is not there. Raises StorageError."""
        return cls(SqliteStore(path, wait=wait), clock)

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def learn(self, project: Project) -> None:
        """Take note of a version of the project, verified by the caller; the newest one decides.

        Raises ForeignProjectError for another project than the one that this central serves.
        """
        known = self.project()
        if known is not None and known.id != project.id:
            raise ForeignProjectError(found=project.id[:8], expected=known.id[:8])
        self.trust(project)
        data = project.to_bytes()
        stored = StoredProject(project.version, hashlib.sha256(data).digest(), data)
        if self.store.project() != stored:
            with self.store.write() as writer:
                writer.project(stored)

    def trust(self, project: Project) -> None:
        """Believe what this version's keys signed, the newest of those said here; it is not noted in the database."""
        if self.trusted is None or self.trusted.version <= project.version:
            self.trusted = project

    def withdraw(self, *tombstones: Tombstone) -> None:
        """Exclude the cases with these tags from now on, those that come later too; all of them in one transaction.

        Raises ForeignProjectError, before any is entered.
        """
        known = self.project()
        for one in tombstones:
            if known is not None and known.id != one.project:
                raise ForeignProjectError(found=one.project[:8], expected=known.id[:8])
        with self.store.write() as writer:
            for one in tombstones:
                writer.tombstone(bytes.fromhex(one.tag), one.to_bytes())

    def project(self) -> Project | None:
        """The newest version of the project seen; None before the first import. Raises DatabaseDamagedError."""
        stored = self.store.project()
        if stored is None:
            return None
        if hashlib.sha256(stored.data).digest() != stored.digest:
            raise DatabaseDamagedError(place=self.store.place)
        if self._read is None or self._read[0] != stored.digest:
            self._read = (stored.digest, Project.from_bytes(stored.data))
        if self._read[1].version != stored.version:
            raise DatabaseDamagedError(place=self.store.place)
        return self._read[1]

    def merge(self, stream: BinaryIO, admit: Callable[[Batch], None] | None = None) -> Merged:
        """Merge one batch: verified whole, or central is as it was before. Raises what sync.batches raises.

        `admit` may refuse it by raising, once its manifest is verified and before anything is written.
        """
        known = self.project()
        batch = read_batch(stream, known.id if known else None)
        if admit is not None:
            admit(batch)
        lacks = self.lacks(batch)
        new, cases = lacks.entries, set[str]()
        if (
            not lacks.records
        ):  # said to be there already: still, a damaged copy is named, so that the stick is looked at
            batch.verify()
        if lacks:
            with self.store.write() as writer:
                writer.device(_card(batch))
                if lacks.records:
                    new += writer.entries(_entries(batch, self._tags(), cases))
                writer.absent(lacks.absent)
                writer.signature(batch.device, batch.last, batch.end.head, batch.end.signature)
                writer.batch(SeenBatch(batch.manifest_hash, batch.device, batch.first, batch.last, self._now()))
        return Merged(batch.device, batch.card.name, batch.first, batch.last, new, frozenset(cases))

    def lacks(self, batch: Batch) -> Lacks:
        """What this central has not got yet of a batch, before its records are read: the one word on it.

        A record that its device is said to have erased is lacking where the batch brings it all the same.
        """
        absent = self._without(batch)
        return Lacks(
            records=self.store.missing(batch.device, batch.brought, brought=True),
            entries=self.store.missing(batch.device, [(entry.seq, entry.head) for entry in absent]) if absent else 0,
            absent=tuple(absent),
            signature=self.store.signature(batch.device, batch.last, batch.end.head) is None,
            card=_card(batch) not in self.store.devices(batch.device),
        )

    def log(self, device: str, before: int | None = None) -> LogView:
        """A device's log as far as it is held; `before`: look only at positions under it."""
        project = self.project()
        self.check_id(device)
        links = (link for link in self.store.links(device) if before is None or link.seq < before)
        return project_log(device, links, start_head(project.id, device) if project else b"")

    def receipts(self, device: str) -> list[Receipt]:
        """What central can vouch for: one receipt for each unbroken history of the device's log, with its records.

        Those of level `committed` first; then `backed_up` ones up to what central's key signed for that a backup holds
        (see sync.covering; the project must be verified, by `learn` or `trust`). They name
        the entries whose records are not here because the device is said to have erased them: that is for it to judge.
        """
        return Vouching(self, device).receipts()

    def erase(self, cases: Iterable[str] | None = None) -> int:
        """Erase every record that a withdrawal takes back, attachments too; how many were not erased before.

        `cases`: of these alone, which costs a look at each and not at everything that is held.

        Their entries stay, so that logs stay whole, and no later batch brings them back. What is erased follows from
        the set of entries and tombstones alone, of devices that do not count too: a person's withdrawal does not wait
        for an enrolment. What is only excluded for want of the revision before it is erased when that comes. Raises
        StorageError.
        """
        tags = self._tags()
        new = 0
        for case in list(self.store.withdrawn_cases()) if cases is None else sorted(cases):
            hashes = _of_the_withdrawn(self.store.case(case), tags)
            todo = hashes - self.store.erased(sorted(hashes))
            if todo:
                with self.store.write() as writer:
                    new += writer.erase(sorted(todo))
        return new

    def _tags(self) -> frozenset[bytes]:
        return frozenset(tag for tag, _data in self.store.tombstones())

    def _without(self, batch: Batch) -> list[AbsentEntry]:
        """What a batch says that its device erased, and is not noted yet."""
        if not batch.erased:
            return []
        noted = {entry.head for entry in self.store.absent(batch.device)}
        return [entry for entry in _absent(batch) if entry.head not in noted]

    def cases(self) -> Iterator[CaseView]:
        """Every case that enrolled devices speak of, projected; streaming, by case id."""
        return project_cases(self.store.versions(), self._tags(), self._counts())

    def status(self) -> CentralStatus:
        """Counts, devices with their gaps and forks, cases. Reads every entry, but no record."""
        project = self.project()
        cards: dict[str, bytes] = {}
        for device in self.store.devices():
            cards.setdefault(device.device, device.card)
        devices = tuple(self._device_status(device, card, project) for device, card in cards.items())
        version = (project.id, project.version) if project else None
        return CentralStatus(self.store.place, version, self.store.counts(), devices, self._case_counts())

    def verify(self, progress: Progress | None = None) -> AuditReport:
        """Look through everything again, from the bytes up."""
        return audit(self.store, progress)

    def digest(self) -> str:
        """SHA-256 (hex) of the entries, absent ones and tombstones: two centrals that hold the same have the same."""
        found = hashlib.sha256()
        for device in sorted({item.device for item in self.store.devices()}):
            self.check_id(device)
            for entry in self.store.entries(device):
                found.update(bytes.fromhex(device) + entry.seq.to_bytes(8, "big") + entry.head)
            for absent in self.store.absent(device):
                found.update(b"absent" + bytes.fromhex(device) + absent.seq.to_bytes(8, "big") + absent.head)
        for tag, data in self.store.tombstones():
            found.update(tag + data)
        return found.hexdigest()

    def check_id(self, device: str) -> None:
        """Raises DatabaseDamagedError: a flipped bit in the file can make an id that is none."""
        if not _DEVICE.fullmatch(device):
            raise DatabaseDamagedError(place=self.store.place)

    def _now(self) -> str:
        return self.clock.now().isoformat("T", "seconds")

    def _counts(self) -> Callable[[Version], bool]:
        """Which records count: those of devices that are enrolled, up to their revocation."""
        project = self.project()
        ends = {device.id: device.revoked_from for device in project.devices} if project else {}

        def counts(version: Version) -> bool:
            end = ends.get(version.device, 0)
            return end is None or version.seq < end

        return counts

    def _device_status(self, device: str, card: bytes, project: Project | None) -> DeviceStatus:
        enrolled = project.device(device) if project else None
        log = self.log(device)
        if enrolled is None:
            return DeviceStatus(device, _name(card), "quarantined", log.entries, log)
        end = enrolled.revoked_from
        if end is None:
            return DeviceStatus(device, enrolled.name, "enrolled", 0, log)
        return DeviceStatus(device, enrolled.name, "revoked", self.store.entries_from(device, end), log)

    def _case_counts(self) -> CaseCounts:
        project = self.project()
        usual = [device.id for device in project.devices if device.revoked_from is None] if project else []
        withdrawn, counts = self._tags(), self._counts()
        found: Counter[str] = Counter()
        with self.store.snapshot():
            found["current"] = self.store.case_count()
            unusual = self.store.unusual_cases(usual)
            while names := list(islice(unusual, _CASES)):
                found["current"] -= len(names)
                records = (entry.version for entry in self.store.cases(names) if entry.kind == "record")
                for case in project_cases(records, withdrawn, counts):
                    found["current"] += case.current is not None
                    found["withdrawn"] += case.current is None and bool(case.withdrawn)
                    found["in_conflict"] += case.in_conflict
                    found["with_proposals"] += bool(case.proposals)
                    found["original_missing"] += case.original_missing
        kinds = ("current", "withdrawn", "in_conflict", "with_proposals", "original_missing")
        return CaseCounts(*(found[kind] for kind in kinds))


def _name(card: bytes) -> str:
    """What a device calls itself."""
    try:
        return DeviceCard.from_bytes(card).name
    except UntrustedError:  # damaged in the database: `verify` says so, the status still shows the rest
        return "?"


def _entries(
    batch: Batch, withdrawn: AbstractSet[bytes], cases: set[str]
) -> Iterator[tuple[StoredEntry, bytes | None]]:
    """A batch's entries as they are stored, each with its record, verified one by one to the end of the file.

    A record whose tag is `withdrawn` already is not stored at all. Whose case that may be is noted in `cases`.
    """
    device = batch.device
    for seq, head, previous, digest, header, body in batch.rows():
        case, _device, kind, parent, _project, revision, withdrawal = header
        if withdrawn:
            cases.add(case)
        tag = bytes.fromhex(withdrawal) if withdrawal else None
        before = bytes.fromhex(parent) if parent else None
        stored = StoredEntry(device, seq, head, previous, digest, case, revision, kind, before, tag)
        yield stored, None if tag in withdrawn else body


def _card(batch: Batch) -> StoredDevice:
    return StoredDevice(batch.device, batch.card.to_bytes())


def _of_the_withdrawn(entries: list[StoredEntry], withdrawn: AbstractSet[bytes]) -> set[bytes]:
    """The hashes of what is erased of one case. An attachment goes with its device's records, or by its own tag."""
    gone = taken_back((entry for entry in entries if entry.kind == "record"), withdrawn)
    return {entry.record_hash for entry in entries if entry.device in gone or entry.withdrawal in withdrawn}


def _absent(batch: Batch) -> Iterator[AbsentEntry]:
    """The entries whose record the device says that it erased."""
    for entry, link in zip(batch.entries, batch.links(), strict=True):
        if entry.seq in batch.erased:
            yield AbsentEntry(entry.device, entry.seq, entry.head, link.previous, entry.record_hash)
