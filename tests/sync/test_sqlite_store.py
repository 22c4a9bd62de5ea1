"""The SQLite store: grow-only sets, one transaction a batch, several writers, migrations."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync import store as stores
from sync.errors import CentralBusyError
from sync.sqlite_store import SqliteStore
from sync.store import AbsentEntry, Covered, Notice, SeenBatch, Store, StoredDevice, StoredEntry, StoredProject, Writer
from tests.sync.dumps import dump, spoil

DEVICE = "d0" * 16


def entry(seq: int, head: bytes = b"", case: str = "ca" * 16, kind: str = "record") -> StoredEntry:
    """A synthetic entry; the store verifies nothing."""
    mine = head or bytes([seq]) * 32
    return StoredEntry(DEVICE, seq, mine, bytes([seq - 1]) * 32, b"r" + mine[1:], case, 1, kind, None, None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty one."""
    made = SqliteStore(tmp_path / "central.db", wait=0.2)
    yield made
    made.close()


def fill(writer: Writer) -> None:
    """A bit of everything."""
    writer.device(StoredDevice(DEVICE, b"card"))
    writer.entries((entry(seq), b"body %d" % seq) for seq in (1, 2))
    writer.signature(DEVICE, 2, bytes([2]) * 32, b"signature")
    writer.batch(SeenBatch(b"m" * 32, DEVICE, 1, 2, "2026-03-01T08:00:00Z"))
    writer.tombstone(b"t" * 32, b"code")
    writer.project(StoredProject(3, b"p" * 32, b"project"))


def test_it_keeps_the_protocol(store: SqliteStore) -> None:
    """SQLite stands behind the protocol that another database will stand behind too."""
    behind: Store = store
    assert behind.counts().entries == 0


def test_adding_twice_changes_nothing(store: SqliteStore, tmp_path: Path) -> None:
    """Every set only grows, and only by what is new."""
    with store.write() as writer:
        fill(writer)
    before = dump(tmp_path / "central.db")
    with store.write() as writer:
        fill(writer)
        assert writer.entries([(entry(1), b"body 1")]) == 0
    assert dump(tmp_path / "central.db") == before
    counts = store.counts()
    assert (counts.devices, counts.entries, counts.bodies, counts.batches, counts.tombstones) == (1, 2, 2, 1, 1)


def test_a_failed_transaction_leaves_nothing(store: SqliteStore, tmp_path: Path) -> None:
    """All or nothing, also when it is not the database that fails."""
    before = dump(tmp_path / "central.db")
    with pytest.raises(RuntimeError), store.write() as writer:
        fill(writer)
        raise RuntimeError
    assert dump(tmp_path / "central.db") == before


def test_a_broken_row_is_not_swallowed(store: SqliteStore) -> None:
    """Ignoring duplicates must not ignore a missing value: that would lose a record in silence."""
    broken = StoredEntry(DEVICE, 1, b"h" * 32, b"p" * 32, None, "c", 1, "record", None, None)  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError), store.write() as writer:
        writer.entries([(broken, b"body")])


def test_a_fork_is_two_entries_at_one_position(store: SqliteStore) -> None:
    """Both stay."""
    with store.write() as writer:
        assert writer.entries([(entry(1), b"one"), (entry(1, b"\xff" * 32), b"two")]) == 2
    assert [item.head for item in store.entries(DEVICE)] == [b"\x01" * 32, b"\xff" * 32]


def test_missing_counts_entries_without_their_body(store: SqliteStore, tmp_path: Path) -> None:
    """What is held with its body is not missing; a lost body is."""
    with store.write() as writer:
        fill(writer)
    wanted = [(seq, bytes([seq]) * 32) for seq in (1, 2, 3)]
    assert store.missing(DEVICE, wanted) == 1
    assert store.missing(DEVICE, []) == 0
    spoil(tmp_path / "central.db", "DELETE FROM bodies WHERE body = ?", b"body 1")
    assert store.first_without_body(DEVICE) == 1
    assert store.missing(DEVICE, wanted) == 2


def test_the_newest_project_decides(store: SqliteStore) -> None:
    """Whatever the order in which versions came; of two of one number, always the same."""
    assert store.project() is None
    found = [
        StoredProject(5, b"5" * 32, b"five"),
        StoredProject(4, b"4" * 32, b"four"),
        StoredProject(5, b"1" * 32, b"5"),
    ]
    with store.write() as writer:
        for project in found:
            writer.project(project)
    assert store.project() == found[0]


def test_versions_come_by_case_without_sorting_in_memory(store: SqliteStore, tmp_path: Path) -> None:
    """The index gives the order (a million records must not be sorted in memory); attachments are left out."""
    with store.write() as writer:
        writer.entries(
            (entry(seq, case=case * 16), b"body %d" % seq) for seq, case in enumerate(("cc", "aa", "bb", "aa"), 1)
        )
        writer.entries([(entry(9, kind="attachment"), b"attachment")])
    assert [version.case[:2] for version in store.versions()] == ["aa", "aa", "bb", "cc"]
    connection = sqlite3.connect(tmp_path / "central.db")
    seen: list[str] = []
    connection.set_trace_callback(seen.append)
    store._connection.set_trace_callback(seen.append)
    list(store.versions())
    plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + seen[-1])]
    connection.close()
    assert plan
    assert not any("TEMP B-TREE" in step for step in plan)


def test_reading_streams(store: SqliteStore) -> None:
    """Two iterators at once, one left halfway: neither holds the other up."""
    with store.write() as writer:
        writer.entries((entry(seq), b"body %d" % seq) for seq in range(1, 9))
    first = store.entries(DEVICE)
    assert next(first).seq == 1
    assert [item.seq for item in store.entries(DEVICE)] == list(range(1, 9))
    assert next(first).seq == 2


def _hold(path: Path, ready: Any, done: Any) -> None:
    store = SqliteStore(path)
    with store.write() as writer:
        writer.tombstone(b"h" * 32, b"held")
        ready.set()
        done.wait(20)


def test_a_second_writer_is_told_who_holds_it(store: SqliteStore, tmp_path: Path) -> None:
    """It waits, then names the process; when the other is done, it goes on."""
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "central.db", ready, done))
    other.start()
    try:
        assert ready.wait(20)
        with pytest.raises(CentralBusyError) as caught, store.write():
            pytest.fail("two writers at once")
        assert str(other.pid) in caught.value.message
    finally:
        done.set()
        other.join(20)
    with store.write() as writer:
        writer.tombstone(b"m" * 32, b"mine")
    assert list(store.tombstones()) == [(b"h" * 32, b"held"), (b"m" * 32, b"mine")]
    assert not (tmp_path / "central.db.holder").exists()


def test_what_is_erased_is_held_and_never_comes_back(store: SqliteStore, tmp_path: Path) -> None:
    """Erased after it came or before, or brought as erased: the entry stays, the body is gone for good."""
    hashes = [entry(seq).record_hash for seq in (1, 2, 3)]
    with store.write() as writer:
        writer.entries([(entry(1), b"body 1")])
        assert writer.erase([hashes[0], hashes[1]]) == 2
        assert writer.erase(hashes[:1]) == 0
        assert writer.entries([(entry(1), b"body 1"), (entry(2), b"body 2"), (entry(3), None)]) == 2
    with store.write() as writer:
        assert writer.entries((entry(seq), b"body %d" % seq) for seq in (1, 2, 3, 4)) == 1
    assert [store.body(digest) for digest in hashes] == [None, None, None]
    assert store.body(entry(4).record_hash) == b"body 4"
    assert store.erased([*hashes, entry(4).record_hash]) == set(hashes)
    assert store.first_without_body(DEVICE) is None
    assert store.missing(DEVICE, [(seq, bytes([seq]) * 32) for seq in (1, 2, 3, 4, 5)]) == 1
    assert (store.counts().erased, store.counts().bodies) == (3, 1)
    assert b"body 1" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"body 4" in b"".join(path.read_bytes() for path in tmp_path.iterdir()), "the search finds what is there"


def test_what_a_device_erased_is_held_unless_its_record_is_at_hand(store: SqliteStore) -> None:
    """An absent entry closes the chain; a batch that brings the record is still taken, and then the entry counts."""
    absent = [AbsentEntry(DEVICE, seq, bytes([seq]) * 32, bytes([seq - 1]) * 32, b"r" * 32) for seq in (2, 3)]
    with store.write() as writer:
        writer.entries([(entry(1), b"body 1")])
        assert writer.absent(absent) == 2
        assert writer.absent(absent) == 0
    wanted = [(seq, bytes([seq]) * 32) for seq in (1, 2, 3)]
    assert store.missing(DEVICE, wanted) == 0
    assert store.missing(DEVICE, wanted, brought=True) == 2
    assert [link.seq for link in store.links(DEVICE)] == [1, 2, 3]
    with store.write() as writer:
        writer.entries([(entry(2), b"body 2")])
    assert store.missing(DEVICE, wanted, brought=True) == 1
    assert [link.seq for link in store.links(DEVICE)] == [1, 2, 3], "the union has each head once"
    assert [item.seq for item in store.absent(DEVICE)] == [2, 3]
    assert store.counts().absent == 2


def test_links_are_merged_and_not_sorted(store: SqliteStore) -> None:
    """The union of entries and absent ones comes in order from their keys: no sorting in memory."""
    steps = list(
        store._rows(
            """EXPLAIN QUERY PLAN SELECT seq, head, previous FROM entries WHERE device = ?1
               UNION SELECT seq, head, previous FROM absent WHERE device = ?1 ORDER BY seq, head""",
            (DEVICE,),
        )
    )
    assert any("MERGE" in step[3] for step in steps)


def test_withdrawn_cases_are_found_in_one_look(store: SqliteStore) -> None:
    """Each once, by id, in one pass over the entries as they lie: by the index of cases it takes ten times as long."""
    tagged = [entry(seq, case=case * 16)._replace(withdrawal=tag) for seq, case, tag in _TAGGED]
    with store.write() as writer:
        writer.entries((item, b"body") for item in tagged)
        assert list(store.withdrawn_cases()) == []
        writer.tombstone(b"t" * 32, b"code")
        writer.tombstone(b"u" * 32, b"code")
    seen: list[str] = []
    store._connection.set_trace_callback(seen.append)
    assert list(store.withdrawn_cases()) == ["aa" * 16, "cc" * 16]
    store._connection.set_trace_callback(None)
    (step, *_rest) = store._rows("EXPLAIN QUERY PLAN " + seen[-1])
    assert step[3] == "SCAN entries"


_TAGGED = (
    (1, "cc", b"t" * 32),
    (2, "aa", b"u" * 32),
    (3, "cc", None),
    (4, "aa", b"u" * 32),
    (5, "bb", b"v" * 32),
    (6, "dd", None),
)


def test_rows_are_written_in_bounded_chunks(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows there are and however large, only so many are held before they are written."""
    monkeypatch.setattr(stores, "CHUNK_ROWS", 4)
    monkeypatch.setattr(stores, "CHUNK_BYTES", 30)
    sizes = [10, 10, 10, 10, 1, 1, 1, 1, 1, 100, 1]
    cut = [[row[0].seq for row in chunk] for chunk in stores.chunks(_sized(sizes))]
    assert cut == [[1, 2, 3], [4, 5, 6, 7], [8, 9], [10], [11]]
    with store.write() as writer:
        assert writer.entries(_sized(sizes)) == len(sizes)
    assert store.counts().body_bytes == sum(sizes)


def _sized(sizes: list[int]) -> Iterator[tuple[StoredEntry, bytes | None]]:
    return ((entry(seq), bytes(size)) for seq, size in enumerate(sizes, 1))


def test_notices_are_kept_once_and_found_by_whom_they_are_for(store: SqliteStore) -> None:
    """Grow-only by digest; one kind does not show among the other."""
    found = [Notice("return", bytes([n]) * 32, DEVICE if n < 3 else "", b"%d" % n) for n in (1, 2, 3)]
    with store.write() as writer:
        assert [writer.notice(item) for item in (*found, found[0])] == [True, True, True, False]
        assert writer.notice(Notice("erasure", b"\x01" * 32, "", b"report"))
    assert list(store.notices("return")) == found
    assert list(store.notices("return", DEVICE)) == found[:2]
    assert [item.data for item in store.notices("erasure")] == [b"report"]


def test_the_newest_backup_takes_the_place_of_the_one_before(store: SqliteStore) -> None:
    """What it holds, and when it was made; none at first."""
    assert (store.last_backup(), store.covered(DEVICE)) == (None, [])
    with store.write() as writer:
        writer.covered([Covered(DEVICE, 2, b"2" * 32), Covered(DEVICE, 3, b"3" * 32)], "2026-03-01T08:00:00Z")
    assert store.covered(DEVICE) == [Covered(DEVICE, 2, b"2" * 32), Covered(DEVICE, 3, b"3" * 32)]
    last = Covered(DEVICE, 5, b"5" * 32, b"note")
    with store.write() as writer:
        writer.covered([last], "2026-03-02T08:00:00Z")
    assert (store.covered(DEVICE), store.last_backup()) == ([last], "2026-03-02T08:00:00Z")
