"""Look through all of central: every chain, signature and body, from the bytes up. It repairs nothing.

SQLite's own check says "ok" for nearly every single flipped bit; the chain, the signatures and the hashes do not.
A record that is not there is in order only where its own device said that it erased it, or where a withdrawal that
holds takes it back: which that is, is worked out here anew. What the entry of an erased record notes of it cannot be
checked any more.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import groupby

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.base.i18n import n_
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import read_header
from fieldsurvey.records.log import LogEntry, next_head, start_head, verify_entry
from fieldsurvey.records.signing import VerifyKey
from fieldsurvey.records.withdrawal import Tombstone
from sync.stick import Progress
from sync.store import AbsentEntry, Store, StoredDevice, StoredEntry


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not hold. `what` is a message id; `seq` is 0 where it is not about one entry."""

    device: str
    seq: int
    what: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was looked at and what does not hold."""

    devices: int
    entries: int
    problems: tuple[Problem, ...]

    @property
    def sound(self) -> bool:
        """Everything holds."""
        return not self.problems


@dataclass
class _Frontier:
    """The heads at one position, and whether a signature at that very entry was verified."""

    seq: int
    signed: dict[bytes, bool] = field(default_factory=dict)


def audit(store: Store, progress: Progress | None = None) -> AuditReport:
    """Re-verify everything. `progress` counts entries. Raises StorageError when the database cannot be read."""
    if found := store.check():  # what is read from such a file may not even be of the right type
        return AuditReport(0, 0, tuple(Problem("", 0, what) for what in found))
    problems: list[Problem] = []
    counts = store.counts()
    total = counts.entries + counts.absent
    done = 0
    tombstones = list(store.tombstones())
    tags = {tag for tag, data in tombstones if _is_of(tag, data)}
    devices: dict[str, StoredDevice] = {}
    for device in store.devices():
        devices.setdefault(device.device, device)
    for device in devices.values():
        for problem in _audit_log(store, device, tags):
            if problem is None:
                done += 1
                if progress and done % 64 == 0:
                    progress(done, total, device.device)
            else:
                problems.append(problem)
    if total > done or any(device not in devices for device in store.senders()):
        problems.append(Problem("", 0, n_("entries or signatures of a device that is not known")))
    if store.unclaimed_bodies():
        problems.append(Problem("", 0, n_("records that no log entry speaks of")))
    problems += [Problem("", 0, n_("a withdrawal does not hold")) for tag, data in tombstones if not _is_of(tag, data)]
    stored = store.project()
    if stored and hashlib.sha256(stored.data).digest() != stored.digest:
        problems.append(Problem("", 0, n_("the project was altered")))
    if progress:
        progress(total, total, "")
    return AuditReport(len(devices), done, tuple(problems))


def _audit_log(store: Store, device: StoredDevice, tags: AbstractSet[bytes]) -> Iterator[Problem | None]:
    """Problems of one log as they are met, and None for each row looked at."""
    try:
        card = DeviceCard.from_bytes(device.card)
    except UntrustedError:
        yield Problem(device.device, 0, n_("the device card does not hold"))
        return
    if card.device != device.device:
        yield Problem(device.device, 0, n_("the device card is another device's"))
    signatures = {(seq, head): signature for seq, head, signature in store.signatures(device.device)}
    start = start_head(card.project, card.device)
    before = _Frontier(0, {start: True})
    here = _Frontier(0)
    for rows in _positions(store, device.device):
        yield from (None for _row in rows)
        row = rows[0]
        if row.seq != here.seq:
            yield from _uncovered(device.device, before)
            before, here = here, _Frontier(row.seq)
        if row.seq == 1 and row.previous != start:
            yield Problem(row.device, 1, n_("the log does not begin at its beginning"))
        if any(next_head(one.previous, one.seq, one.record_hash) != one.head for one in rows):
            yield Problem(row.device, row.seq, n_("the chain is broken"))
        signature = signatures.pop((row.seq, row.head), None)
        here.signed[row.head] = signature is not None and _holds(card, row, signature)
        if signature is not None and not here.signed[row.head]:
            yield Problem(row.device, row.seq, n_("the signature does not hold"))
        before.signed.pop(row.previous, None)  # what follows it vouches for it
        if isinstance(row, StoredEntry) and (what := _body_problem(store, card, row, tags, rows)) is not None:
            yield Problem(row.device, row.seq, what)
    yield from _uncovered(device.device, before)
    yield from _uncovered(device.device, here)
    for seq, _head in signatures:
        yield Problem(device.device, seq, n_("a signature of no entry"))


def _positions(store: Store, device: str) -> Iterator[list[StoredEntry | AbsentEntry]]:
    """What is held of each (seq, head): an entry, an absent one, or the entry and then the absent one."""
    both: Iterator[StoredEntry | AbsentEntry] = heapq.merge(
        store.entries(device), store.absent(device), key=lambda row: (row.seq, row.head)
    )
    for _key, rows in groupby(both, key=lambda row: (row.seq, row.head)):
        yield list(rows)


def _uncovered(device: str, ends: _Frontier) -> Iterator[Problem]:
    """Heads that nothing follows must have been signed themselves; the head before the first entry need not."""
    for signed in ends.signed.values():
        if not signed:
            yield Problem(device, ends.seq, n_("no signature covers it"))


def _is_of(tag: bytes, data: bytes) -> bool:
    try:
        return bytes.fromhex(Tombstone.from_bytes(data).tag) == tag
    except UntrustedError:
        return False


def _holds(card: DeviceCard, entry: StoredEntry | AbsentEntry, signature: bytes) -> bool:
    key: VerifyKey = card.sign_key
    try:
        verify_entry(key, LogEntry(card.project, card.device, entry.seq, entry.record_hash, entry.head, signature))
    except UntrustedError:
        return False
    return True


def _body_problem(
    store: Store, card: DeviceCard, entry: StoredEntry, tags: AbstractSet[bytes], rows: Sequence[object]
) -> str | None:
    """What does not hold of an entry's record. `rows`: all that is held of its position; two where it is absent too."""
    body = store.body(entry.record_hash)
    noted = bool(store.erased([entry.record_hash])) if body is None or tags else False
    if body is None:
        if len(rows) > 1 or _is_withdrawn(store.case(entry.case), entry, tags):
            return None
        return n_("the record was erased, and nobody withdrew it") if noted else n_("the record is missing")
    if noted:
        return n_("the record was erased, and is still there")
    if hashlib.sha256(body).digest() != entry.record_hash:
        return n_("the record was altered")
    try:
        header = read_header(body)
    except UntrustedError:
        return n_("the record is not well formed")
    said = (
        card.project,
        entry.device,
        entry.case,
        entry.revision,
        entry.kind,
        _hex(entry.parent),
        _hex(entry.withdrawal),
    )
    found = (
        header.project,
        header.device,
        header.case,
        header.revision,
        header.kind,
        header.parent,
        header.withdrawal,
    )
    return None if said == found else n_("what is noted of the record is not what it says")


def _is_withdrawn(case: Sequence[StoredEntry], entry: StoredEntry, tags: AbstractSet[bytes]) -> bool:
    """Whether a withdrawal takes a record back: by its own tag, or because its device's records of the case are out.

    A device's are when one of them has a withdrawn tag, or revises a record of a device whose are.
    """
    if entry.withdrawal in tags:
        return True
    records = [one for one in case if one.kind == "record"]
    out = {one.device for one in records if one.withdrawal in tags}
    for _ in records:  # each time round at least one more device, or none is left
        hashes = {one.record_hash for one in records if one.device in out}
        out |= {one.device for one in records if one.parent in hashes}
    return entry.device in out


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
