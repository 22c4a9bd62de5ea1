"""What every store keeps to, SQLite and PostgreSQL alike. All rows are synthetic; a store verifies nothing."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Iterator
from typing import Any

import pytest

from sync.errors import CentralMovedError
from sync.merge import Link
from sync.sets import COVERED, SETS
from sync.store import (
    AbsentEntry,
    Covered,
    Notice,
    SeenBatch,
    Store,
    StoredDevice,
    StoredEntry,
    StoredProject,
    Writer,
)
from tests.sync.stores.kinds import Kind

DEVICE = "d0" * 16
OTHER = "0e" * 16


def entry(seq: int, head: bytes = b"", case: str = "ca" * 16, kind: str = "record", **more: Any) -> StoredEntry:
    """A synthetic entry."""
    mine = head or bytes([seq]) * 32
    fields = {"parent": None, "withdrawal": None, "revision": 1, "device": DEVICE, **more}
    return StoredEntry(
        seq=seq, head=mine, previous=bytes([seq - 1]) * 32, record_hash=b"r" + mine[1:], case=case, kind=kind, **fields
    )


def absent(seq: int, head: bytes = b"") -> AbsentEntry:
    """The same entry, erased by its device."""
    whole = entry(seq, head)
    return AbsentEntry(whole.device, whole.seq, whole.head, whole.previous, whole.record_hash)


def fill(writer: Writer) -> None:
    """A bit of everything."""
    writer.device(StoredDevice(DEVICE, b"card" * 1000))
    writer.entries([(entry(1), b"body 1"), (entry(2, parent=b"p" * 32, withdrawal=b"t" * 32), b"body 2" * 2000)])
    writer.entries([(entry(3), None)])
    writer.absent([absent(4), absent(5)])
    writer.signature(DEVICE, 2, bytes([2]) * 32, b"signature")
    writer.batch(SeenBatch(b"m" * 32, DEVICE, 1, 2, "2026-03-01T08:00:00Z"))
    writer.tombstone(b"t" * 32, b"code")
    writer.project(StoredProject(3, b"p" * 32, b"project" * 1000))
    writer.notice(Notice("return", b"n" * 32, DEVICE, b"sealed"))
    writer.covered([Covered(DEVICE, 1, b"\x01" * 32, b"note")], "2026-03-01T08:00:00Z")


def test_adding_twice_changes_nothing(store: Store, kind: Kind) -> None:
    """Every set only grows, and only by what is new; each kind of thing is in its table afterwards."""
    with store.write() as writer:
        fill(writer)
    before = kind.contents()
    assert {name: len(rows) for name, rows in before.items()} == {
        "devices": 1, "entries": 3, "bodies": 2, "erased": 1, "absent": 2, "signatures": 1, "batches": 1,
        "tombstones": 1, "projects": 1, "notices": 1, "covered": 1, "last_backup": 1, "moved": 0,
    }  # fmt: skip
    with store.write() as writer:
        fill(writer)
        assert writer.entries([(entry(1), b"body 1"), (entry(2), b"body 2")]) == 0
        assert writer.absent([absent(4)]) == 0
        assert not writer.notice(Notice("return", b"n" * 32, DEVICE, b"sealed"))
        assert writer.entries([(entry(6), b"body 6"), (entry(6), b"body 6"), (entry(1), b"body 1")]) == 1
    with store.write() as writer:
        writer.entries([])
        writer.absent([])
        assert writer.erase([]) == 0
    after = kind.contents()
    assert len(after["entries"]) == 4
    assert {name: rows for name, rows in after.items() if name not in {"entries", "bodies"}} == {
        name: rows for name, rows in before.items() if name not in {"entries", "bodies"}
    }


def test_what_went_in_comes_out(store: Store) -> None:
    """Every field of everything, with empty parents and long cards."""
    with store.write() as writer:
        fill(writer)
    assert store.devices() == [StoredDevice(DEVICE, b"card" * 1000)]
    assert list(store.entries(DEVICE)) == [entry(1), entry(2, parent=b"p" * 32, withdrawal=b"t" * 32), entry(3)]
    assert list(store.absent(DEVICE)) == [absent(4), absent(5)]
    assert store.body(entry(2).record_hash) == b"body 2" * 2000
    assert store.body(entry(3).record_hash) is None
    assert store.signature(DEVICE, 2, bytes([2]) * 32) == b"signature"
    assert store.signature(DEVICE, 1, bytes([1]) * 32) is None
    assert list(store.signatures(DEVICE)) == [(2, bytes([2]) * 32, b"signature")]
    assert list(store.batches()) == [SeenBatch(b"m" * 32, DEVICE, 1, 2, "2026-03-01T08:00:00Z")]
    assert list(store.tombstones()) == [(b"t" * 32, b"code")]
    assert store.project() == StoredProject(3, b"p" * 32, b"project" * 1000)
    assert list(store.notices("return")) == list(store.notices("return", DEVICE))
    assert list(store.notices("return")) == [Notice("return", b"n" * 32, DEVICE, b"sealed")]
    assert list(store.notices("return", OTHER)) == list(store.notices("erasure")) == []
    assert store.covered(DEVICE) == [Covered(DEVICE, 1, b"\x01" * 32, b"note")]
    assert store.last_backup() == "2026-03-01T08:00:00Z"
    assert store.senders() == [DEVICE]
    assert store.entries_from(DEVICE, 2) == 2
    assert list(store.withdrawn_cases()) == ["ca" * 16]
    assert store.case("ca" * 16) == list(store.entries(DEVICE))
    assert store.check() == []
    found = store.counts()
    assert (found.devices, found.entries, found.bodies, found.batches, found.tombstones) == (1, 3, 2, 1, 1)
    assert (found.absent, found.erased, found.body_bytes) == (2, 1, 6 + 12_000)


def test_a_device_counts_once(store: Store) -> None:
    """However many cards it made: nothing stops it from making two."""
    with store.write() as writer:
        for device, card in ((DEVICE, b"one"), (DEVICE, b"two"), (OTHER, b"one")):
            writer.device(StoredDevice(device, card))
    assert store.counts().devices == 2


def test_a_failed_transaction_leaves_nothing(store: Store, kind: Kind) -> None:
    """All or nothing, also when it is not the database that fails, and when the rows themselves raise."""
    before = kind.contents()
    with pytest.raises(RuntimeError), store.write() as writer:
        fill(writer)
        raise RuntimeError

    def rows() -> Iterator[tuple[StoredEntry, bytes | None]]:
        yield entry(1), b"body"
        raise LookupError

    with pytest.raises(LookupError), store.write() as writer:
        writer.entries(rows())
    assert kind.contents() == before
    with store.write() as writer:
        assert writer.entries([(entry(1), b"body")]) == 1


def test_a_broken_row_is_not_swallowed(store: Store, kind: Kind) -> None:
    """Ignoring duplicates must not ignore a missing value: that would lose a record in silence."""
    for broken in (entry(1, case=None), entry(1, kind=None), entry(1, revision=None)):  # type: ignore[arg-type]
        with pytest.raises(Exception, match=r"(?i)not.null"), store.write() as writer:
            writer.entries([(entry(2), b"body"), (broken, b"body")])
    assert kind.contents()["entries"] == []


def test_a_fork_is_two_entries_at_one_position(store: Store) -> None:
    """Both stay, ordered by their heads."""
    with store.write() as writer:
        assert writer.entries([(entry(1, b"\xff" * 32), b"two"), (entry(1), b"one")]) == 2
    assert [item.head for item in store.entries(DEVICE)] == [b"\x01" * 32, b"\xff" * 32]


def test_missing_counts_what_is_not_held(store: Store, kind: Kind) -> None:
    """Held is what has its body, is erased, or is absent; an absent one whose record is at hand is missing."""
    with store.write() as writer:
        fill(writer)
    wanted = [(seq, bytes([seq]) * 32) for seq in range(1, 7)]
    assert store.missing(DEVICE, wanted) == 1
    assert store.missing(DEVICE, wanted, brought=True) == 3
    assert store.missing(DEVICE, []) == 0
    assert store.missing(OTHER, wanted) == 6
    assert store.first_without_body(DEVICE) is None
    kind.spoil("DELETE FROM bodies WHERE body = %s", b"body 1")
    assert store.missing(DEVICE, wanted) == 2
    assert store.first_without_body(DEVICE) == 1


def test_what_is_erased_stays_erased(store: Store, kind: Kind) -> None:
    """A body goes and never comes back, in whatever order the two arrive; its entry stays."""
    with store.write() as writer:
        writer.entries([(entry(1), b"first"), (entry(2), b"second")])
        assert writer.erase([entry(1).record_hash, entry(3).record_hash]) == 2
        assert writer.erase([entry(1).record_hash]) == 0
    with store.write() as writer:
        assert writer.entries([(entry(1), b"first"), (entry(3), b"third"), (entry(4), None), (entry(2), None)]) == 2
        writer.entries([(entry(4), b"fourth")])
        writer.rows(next(spec for spec in SETS if spec.name == "bodies"), [(entry(1).record_hash, b"first")])
    assert kind.contents()["bodies"] == []
    hashes = [entry(seq).record_hash for seq in range(1, 6)]
    assert store.erased(hashes) == set(hashes[:4])
    assert store.erased([]) == set()
    assert [item.seq for item in store.entries(DEVICE)] == [1, 2, 3, 4]


def test_what_must_not_be_passed_on_is_forgotten(store: Store) -> None:
    """Only those of the kind, and only those named; forgetting twice is forgetting once."""
    with store.write() as writer:
        for kind in ("return", "erasure"):
            for digest in (b"1" * 32, b"2" * 32):
                writer.notice(Notice(kind, digest, DEVICE, b"sealed"))
    with store.write() as writer:
        assert writer.forget("return", [b"1" * 32, b"9" * 32]) == 1
        assert writer.forget("return", [b"1" * 32]) == 0
        assert writer.forget("return", []) == 0
    assert [notice.digest for notice in store.notices("return")] == [b"2" * 32]
    assert len(list(store.notices("erasure"))) == 2


def test_links_are_the_union(store: Store) -> None:
    """Entries and absent ones, each head once, in order."""
    with store.write() as writer:
        writer.entries([(entry(1), b"one"), (entry(3), b"three")])
        writer.absent([absent(2), absent(3), absent(3, b"\xff" * 32)])
    assert list(store.links(DEVICE)) == [
        Link(1, b"\x01" * 32, bytes(32)),
        Link(2, b"\x02" * 32, b"\x01" * 32),
        Link(3, b"\x03" * 32, b"\x02" * 32),
        Link(3, b"\xff" * 32, b"\x02" * 32),
    ]


def test_the_newest_project_decides(store: Store) -> None:
    """Whatever the order in which versions came; of two of one number, always the same."""
    assert store.project() is None
    found = [StoredProject(5, b"5" * 32, b"V"), StoredProject(4, b"4" * 32, b"IV"), StoredProject(5, b"1" * 32, b"5")]
    with store.write() as writer:
        for project in found:
            writer.project(project)
    assert store.project() == found[0]


def test_versions_come_by_case(store: Store) -> None:
    """In order, attachments left out; bytes decide, not the language of the database."""
    cases = ("cc", "aa", "bb", "aa", "0a", "a0")
    with store.write() as writer:
        writer.entries([(entry(seq, case=case * 16), b"body %d" % seq) for seq, case in enumerate(cases, 1)])
        writer.entries([(entry(9, kind="attachment"), b"attachment")])
    assert [version.case[:2] for version in store.versions()] == ["0a", "a0", "aa", "aa", "bb", "cc"]


def test_a_backup_replaces_what_the_one_before_covered(store: Store) -> None:
    """Only the newest counts; one that covers nothing leaves nothing."""
    with store.write() as writer:
        writer.covered([Covered(DEVICE, 2, b"2" * 32), Covered(OTHER, 1, b"1" * 32)], "2026-03-01T08:00:00Z")
    with store.write() as writer:
        writer.covered([Covered(DEVICE, 3, b"4" * 32), Covered(DEVICE, 3, b"3" * 32, b"n")], "2026-03-02T08:00:00Z")
    assert store.covered(DEVICE) == [Covered(DEVICE, 3, b"3" * 32, b"n"), Covered(DEVICE, 3, b"4" * 32)]
    assert store.covered(OTHER) == []
    with store.write() as writer:
        writer.covered([], "2026-03-03T08:00:00Z")
    assert store.covered(DEVICE) == []
    assert store.last_backup() == "2026-03-03T08:00:00Z"


def test_reading_streams_and_writing_goes_on(store: Store) -> None:
    """Several iterators at once, one left halfway, a write in between: none holds another up."""
    with store.write() as writer:
        writer.entries([(entry(seq), b"body %d" % seq) for seq in range(1, 200)])
    first = store.entries(DEVICE)
    assert next(first).seq == 1
    assert [item.seq for item in store.entries(DEVICE)] == list(range(1, 200))
    with store.write() as writer:
        writer.tombstone(b"t" * 32, b"code")
    assert next(first).seq == 2
    assert sum(1 for _ in first) == 197
    left = store.versions()
    next(left)
    assert store.counts().tombstones == 1


def test_what_nobody_speaks_of_is_counted(store: Store, kind: Kind) -> None:
    """A body without an entry; erased ones are none."""
    with store.write() as writer:
        writer.entries([(entry(1), b"one"), (entry(2), b"two")])
        writer.erase([b"x" * 32])
    assert store.unclaimed_bodies() == 0
    kind.spoil("DELETE FROM entries WHERE seq = %s", 2)
    assert store.unclaimed_bodies() == 1


def test_sets_are_complete(store: Store, kind: Kind) -> None:
    """What backups and moves copy is every table there is: a table that is forgotten would be lost in a restore."""
    known = {spec.name for spec in (*SETS, COVERED)} | {"last_backup", "moved"}
    assert set(kind.contents()) == known
    with store.write() as writer:
        fill(writer)
    tables = kind.contents()
    for spec in (*SETS, COVERED):
        assert sorted(store.rows(spec), key=repr) == tables[spec.name]
        assert [row[: spec.key] for row in store.rows(spec)] == list(store.rows(spec, keys=True))
        assert tables[spec.name]


def test_rows_come_in_the_order_of_their_keys(store: Store) -> None:
    """The same order in both kinds: bytes, not languages."""
    with store.write() as writer:
        for seq in (200, 3, 40):
            for device in (OTHER, DEVICE, "aa" * 16):
                writer.signature(device, seq, hashlib.sha256(device.encode()).digest(), b"s")
    signatures = next(spec for spec in SETS if spec.name == "signatures")
    found = list(store.rows(signatures, keys=True))
    assert found == sorted(found)
    assert len(found) == 9


def test_a_snapshot_is_of_one_moment(store: Store, kind: Kind) -> None:
    """What another writer adds meanwhile is not in it, in any of its readings; afterwards it is."""
    with store.write() as writer:
        fill(writer)
    other = kind.open()
    with store.snapshot():
        before = store.counts()
        with other.write() as writer:
            writer.entries([(entry(9), b"nine")])
            writer.tombstone(b"u" * 32, b"code")
        assert store.counts() == before
        assert len(list(store.entries(DEVICE))) == before.entries
        assert len(list(store.tombstones())) == 1
    assert store.counts().entries == before.entries + 1
    other.close()


def test_a_store_that_was_left_takes_no_more(store: Store, kind: Kind) -> None:
    """Not from whoever had it open before, either; reading goes on; until it is taken up again."""
    other = kind.open()
    with store.write() as writer:
        fill(writer)
    with pytest.raises(RuntimeError), store.retire("elsewhere"):
        raise RuntimeError
    assert store.moved() is None
    with store.retire("elsewhere"):
        assert store.counts().entries == 3
    for left in (store, other):
        assert left.moved() == "elsewhere"
        with pytest.raises(CentralMovedError, match="elsewhere"), left.write() as writer:
            writer.tombstone(b"u" * 32, b"code")
    assert other.counts().tombstones == 1
    other.reopen()
    with store.write() as writer:
        writer.tombstone(b"u" * 32, b"code")
    assert store.counts().tombstones == 2
    other.close()


def _add_tombstone(kind: Kind, tag: bytes, ready: Any, outcome: Any) -> None:
    store = kind.open(wait=120)
    ready.set()
    try:
        with store.write() as writer:
            writer.tombstone(tag, b"late")
        outcome.put("written")
    except CentralMovedError:
        outcome.put("moved")


def test_a_writer_that_waits_while_a_store_is_left_does_not_write_into_it(store: Store, kind: Kind) -> None:
    """Between the last look and the switch nothing can slip in: it waits, and is then told where central is."""
    context = multiprocessing.get_context("spawn")
    ready, outcome = context.Event(), context.Queue()
    other = context.Process(target=_add_tombstone, args=(kind, b"u" * 32, ready, outcome))
    with store.retire("elsewhere"):
        other.start()
        assert ready.wait(120)
        other.join(0.3)
        assert other.is_alive()
    assert outcome.get(timeout=120) == "moved"
    other.join(120)
    assert store.counts().tombstones == 0
