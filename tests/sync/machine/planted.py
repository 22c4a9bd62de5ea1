"""Faults that somebody could make in the program one day; the machine must find each of them.

A fault is a patch of the one function that would have it. What is patched is named here by where it is looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any, BinaryIO, Final

import pytest

from fieldsurvey.base.canonical import canonical
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.project.signed import read_project as read_project_rightly
from fieldsurvey.records.container import Container, open_container
from fieldsurvey.records.receipt import Level, Receipt, Role
from fieldsurvey.records.returned import SealedReturn, read_return
from fieldsurvey.vault import SealedLog
from sync import central, merge
from sync.batches import Batch, read_batch
from sync.central import Central
from sync.merge import CaseView, Link, LogView, Version
from sync.sqlite_store import SqliteStore, SqliteWriter
from sync.store import StoredEntry
from tests.sync.machine import kit

Patch = pytest.MonkeyPatch
Fault = Callable[[Patch], None]


def _file(holder: SqliteWriter | SqliteStore) -> str:
    """Which database it is."""
    found: str = holder._connection.execute("PRAGMA database_list").fetchone()[2]
    return found


def merge_ignores_tombstones(patch: Patch) -> None:
    """Withdrawn cases go on counting."""
    rightly = merge.project_cases

    def project_cases(versions: Iterable[Version], _withdrawn: object, *rest: Any) -> Iterator[CaseView]:
        return rightly(versions, set(), *rest)

    patch.setattr("sync.central.project_cases", project_cases)


def a_tombstone_takes_only_what_is_there(patch: Patch) -> None:
    """The first design's mistake: a withdrawal that came before its record had no effect on it."""
    rightly = SqliteStore.versions

    def tombstone(self: SqliteWriter, tag: bytes, data: bytes) -> None:
        put(self, tag, data)
        there = self._run("SELECT head FROM entries WHERE withdrawal = ?", (tag,)).fetchall()
        struck.setdefault(_file(self), set()).update(head for (head,) in there)

    def versions(self: SqliteStore) -> Iterator[Version]:
        taken = struck.get(_file(self), set())
        for version in rightly(self):
            yield version if version.head in taken else replace(version, withdrawal=None)

    struck: dict[str, set[bytes]] = {}
    put = SqliteWriter.tombstone
    patch.setattr(SqliteWriter, "tombstone", tombstone)
    patch.setattr(SqliteStore, "versions", versions)


def a_store_forgets_a_body(patch: Patch) -> None:
    """The last record of a batch is not written."""
    rightly = SqliteWriter.entries

    def entries(self: SqliteWriter, rows: Iterable[tuple[Any, bytes | None]]) -> int:
        kept = list(rows)
        found = rightly(self, kept)
        if len(kept) > 1:
            self._run("DELETE FROM bodies WHERE hash = ?", (kept[-1][0].record_hash,))
        return found

    patch.setattr(SqliteWriter, "entries", entries)


def the_last_writer_wins(patch: Patch) -> None:
    """One entry at each position of a log: a clone's overwrites its original's."""
    rightly = SqliteWriter.entries

    def entries(self: SqliteWriter, rows: Iterable[tuple[Any, bytes | None]]) -> int:
        kept = list(rows)
        for entry, _body in kept:
            values = (entry.device, entry.seq, entry.head)
            self._run("DELETE FROM entries WHERE device = ? AND seq = ? AND head <> ?", values)
        return rightly(self, kept)

    patch.setattr(SqliteWriter, "entries", entries)


def receipts_overclaim(patch: Patch) -> None:
    """A receipt speaks of the last entry, whatever lies before it."""

    def tips(device: str, links: Iterable[Link], genesis: bytes) -> LogView:
        held = list(links)
        view = rightly(device, held, genesis)
        ends = tuple((link.seq, link.head) for link in held[-1:])
        return replace(view, tips=ends)

    rightly = merge.project_log
    patch.setattr("sync.central.project_log", tips)


def forks_are_not_listed(patch: Patch) -> None:
    """A clone goes unseen."""
    patch.setattr(merge, "_diverges", lambda *_args, **_kwargs: False)


def a_revision_made_offline_is_dropped(patch: Patch) -> None:
    """Of two revisions of one record, the one that does not win counts as superseded."""
    patch.setattr(merge, "_concurrent", lambda *_args: [])


def the_last_to_arrive_counts(patch: Patch) -> None:
    """Of two revisions in conflict, the one that central heard of last is current."""

    def entries(self: SqliteWriter, rows: Iterable[tuple[Any, bytes | None]]) -> int:
        kept = list(rows)
        arrived.setdefault(_file(self), []).extend(entry.head for entry, _body in kept)
        return put(self, kept)

    def versions(self: SqliteStore) -> Iterator[Version]:
        asked[:] = arrived.get(_file(self), [])
        return read(self)

    def project_cases(versions: Iterable[Version], *rest: Any) -> Iterator[CaseView]:
        for view in rightly(versions, *rest):
            ends = [one for one in (view.current, *view.concurrent) if one and one.head in asked]
            last = max(ends, key=lambda one: asked.index(one.head), default=view.current)
            others = tuple(one for one in ends if one is not last)
            yield replace(view, current=last, concurrent=others)

    arrived: dict[str, list[bytes]] = {}
    asked: list[bytes] = []
    rightly, put, read = merge.project_cases, SqliteWriter.entries, SqliteStore.versions
    patch.setattr(SqliteStore, "versions", versions)
    patch.setattr(SqliteWriter, "entries", entries)
    patch.setattr("sync.central.project_cases", project_cases)


def a_laptop_purges_what_is_only_committed(patch: Patch) -> None:
    """The receipt's level is not looked at."""

    def purge_records(log: SealedLog, _before: datetime) -> int:
        up_to = max(log.acknowledged().values(), default=0)
        with log.store.write() as connection:
            gone = connection.execute(
                "DELETE FROM outbox WHERE seq > ? AND seq <= ?", (log.first_row, log.first_row + up_to)
            )
            return gone.rowcount

    patch.setattr("fieldsurvey.fieldwork.retention.purge_records", purge_records)


def any_receipt_is_believed(patch: Patch) -> None:
    """Its signature is not verified."""

    def read_receipt(data: bytes, _keys: object) -> Receipt:
        return Receipt.from_bytes(canonical(open_container(data, "receipt").manifest))

    patch.setattr("sync.folder.read_receipt", read_receipt)


def any_root_is_followed(patch: Patch) -> None:
    """A laptop does not compare a project's root with the one it pinned."""

    def read_project(source: Any, **_checks: object) -> SignedProject:
        return read_project_rightly(source)

    def move_pin(self: SealedLog, root: str, version: int, *_rest: object, **_roots: object) -> None:
        with self.store.write() as connection:
            connection.execute("UPDATE device SET root = ?, project_version = ?", (root, version))

    patch.setattr("sync.folder.read_project", read_project)
    patch.setattr("fieldsurvey.fieldwork.laptop.read_project", read_project)
    patch.setattr(SealedLog, "move_pin", move_pin)


def a_cut_batch_is_taken(patch: Patch) -> None:
    """A file that ends early, or goes on after its end, passes as far as it goes."""

    def frames(self: Container) -> Iterator[tuple[bytes, bytes]]:
        stream = self._stream
        assert stream is not None
        for address, size in self.table:
            data = stream.read(size)
            if len(data) == size:
                yield address, data

    patch.setattr(Container, "frames", frames)
    patch.setattr("sync.batches.zip", lambda *parts, strict: zip(*parts, strict=False), raising=False)
    patch.setattr("sync.central.zip", lambda *parts, strict: zip(*parts, strict=False), raising=False)


def any_project_is_served(patch: Patch) -> None:
    """The batch's project is not compared with central's."""

    def read(stream: BinaryIO, _project: str | None = None) -> Batch:
        return read_batch(stream)

    patch.setattr("sync.central.read_batch", read)


def what_was_copied_is_not_sent_again(patch: Patch) -> None:
    """An export begins after what was copied once, whether it arrived or not."""
    rightly = SealedLog.acknowledged

    def acknowledged(self: SealedLog) -> dict[str, int]:
        copied = max((copy.up_to for copy in self.copied()), default=0)
        return {**rightly(self), Level.COMMITTED.value: copied}

    patch.setattr(SealedLog, "acknowledged", acknowledged)


def a_gap_is_bridged(patch: Patch) -> None:
    """Gaps are not listed, and receipts run over them."""
    rightly = merge.project_log

    def project_log(device: str, links: Iterable[Link], genesis: bytes) -> LogView:
        return replace(rightly(device, links, genesis), gaps=())

    patch.setattr("sync.central.project_log", project_log)


def a_merge_stops_half_way(patch: Patch) -> None:
    """A refused batch leaves what was read of it before the damage."""
    rightly = SqliteWriter.entries

    def entries(self: SqliteWriter, rows: Iterable[tuple[Any, bytes | None]]) -> int:
        new = 0
        for row in rows:
            new += rightly(self, [row])
            self._connection.execute("COMMIT")
            self._connection.execute("BEGIN IMMEDIATE")
        return new

    patch.setattr(SqliteWriter, "entries", entries)


def what_was_erased_comes_back(patch: Patch) -> None:
    """A late batch brings the body of a withdrawn record again."""
    patch.setattr("sync.central._entries", _with_every_body)
    patch.setattr(SqliteWriter, "_noted", lambda *_args: set())
    patch.setattr(Central, "erase", _erase_once)


def _with_every_body(batch: Batch, _withdrawn: object, _cases: object) -> Iterator[tuple[StoredEntry, bytes | None]]:
    return _entries_rightly(batch, frozenset(), set())


_entries_rightly, _erase_rightly = central._entries, Central.erase


def _erase_once(one: Central, _cases: object = None) -> int:
    """Only when a tombstone is new, not after each batch."""
    known = one.store.counts()
    return _erase_rightly(one) if known.tombstones and not known.erased else 0


def a_restored_central_forgets_withdrawals(patch: Patch) -> None:
    """What was withdrawn since the backup comes back with it."""
    patch.setattr("sync.backups.Withdrawals", lambda _home: [])


def an_absent_entry_is_a_gap(patch: Patch) -> None:
    """What a laptop erased breaks its log at central, and the rest is never vouched for."""
    patch.setattr(SqliteWriter, "absent", lambda *_args: 0)


def anybody_may_return_work(patch: Patch) -> None:
    """A return's signature is not verified."""

    def read(data: bytes, _keys: object) -> SealedReturn:
        return read_return(data, [(Role.HMU, kit.FOREIGN.public), (Role.HMU, kit.OFFICE.public)])

    patch.setattr("fieldsurvey.fieldwork.returned.read_return", read)


def a_relay_vouches_like_central(patch: Patch) -> None:
    """A laptop takes a relay's word for central's: what is sent starts after it, though the relay is lost."""
    patch.setattr("sync.folder.at_central", lambda log: max(log.acknowledged().values(), default=0))


def a_relay_keeps_what_was_withdrawn(patch: Patch) -> None:
    """Withdrawals do not reach the batches that a relay holds."""
    patch.setattr("sync.relay.Relay.erase", lambda *_args, **_kwargs: ())


def a_relay_lets_others_go_too(patch: Patch) -> None:
    """A batch goes at once for one withdrawn record, with the others in it that nobody else has."""
    patch.setattr("sync.relay.waits_until", lambda *_args, **_kwargs: None)


def a_relay_waits_for_ever(patch: Patch) -> None:
    """What waits to be handed on is not erased when its days are over."""
    patch.setattr("sync.relay.waits_until", lambda *_args, **_kwargs: date.max)


FAULTS: Final[tuple[Fault, ...]] = (
    merge_ignores_tombstones,
    a_tombstone_takes_only_what_is_there,
    a_store_forgets_a_body,
    the_last_writer_wins,
    receipts_overclaim,
    forks_are_not_listed,
    a_revision_made_offline_is_dropped,
    the_last_to_arrive_counts,
    a_laptop_purges_what_is_only_committed,
    any_receipt_is_believed,
    any_root_is_followed,
    a_cut_batch_is_taken,
    any_project_is_served,
    what_was_copied_is_not_sent_again,
    a_gap_is_bridged,
    a_merge_stops_half_way,
    what_was_erased_comes_back,
    a_restored_central_forgets_withdrawals,
    an_absent_entry_is_a_gap,
    anybody_may_return_work,
    a_relay_vouches_like_central,
    a_relay_keeps_what_was_withdrawn,
    a_relay_lets_others_go_too,
    a_relay_waits_for_ever,
)
