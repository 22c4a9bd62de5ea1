"""Central after withdrawals: what is taken back is gone for good, logs stay whole over it, whatever comes first."""

from __future__ import annotations

import io
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from fieldsurvey.records.envelope import record_hash
from fieldsurvey.records.receipt import Level
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.central import Central
from sync.sqlite_store import SqliteStore
from tests.sync.current import records
from tests.sync.dumps import Dump, dump, spoil
from tests.sync.laptops import PROJECT, SyntheticLaptop, laptop
from tests.sync.projects import enrol, noted

CODE, OTHER_CODE = WithdrawalCode.generate(), WithdrawalCode.generate()
TAG = CODE.tag(PROJECT)
CASE = "ab" * 16


def stone(code: WithdrawalCode = CODE) -> Tombstone:
    """A withdrawal."""
    return Tombstone(project=PROJECT, code=code.raw, requested="2026-03-03")


def merge(central: Central, *batches: bytes) -> int:
    """Merge them in turn; how many entries were new."""
    return sum(central.merge(io.BytesIO(data)).new for data in batches)


def withdrawable() -> SyntheticLaptop:
    """Six entries: a case with a code, a picture and a revision of it between two of other people's."""
    device = laptop(1)
    device.seal(CASE, kind="attachment", withdrawal=TAG)
    first = device.seal(CASE, withdrawal=TAG)
    device.seal()
    device.seal(CASE, kind="attachment")
    device.seal(CASE, revision=2, parent=record_hash(first).hex())
    return device


def held(central: Central, device: SyntheticLaptop) -> list[int]:
    """The positions whose record is in central."""
    return [entry.seq for entry, _record in device.log if central.store.body(entry.record_hash) is not None]


@pytest.mark.parametrize("told_first", [True, False])
def test_a_withdrawal_erases_every_revision_and_attachment(central: Central, told_first: bool) -> None:
    """Known before the records come or after: they are gone, tag or none; the log stays whole and is confirmed."""
    device = withdrawable()
    enrol(central, device)
    if told_first:
        central.withdraw(stone())
    assert merge(central, device.batch()) == 6
    if not told_first:
        assert central.erase() == 0
        assert held(central, device) == [1, 2, 3, 4, 5, 6]
        central.withdraw(stone())
    assert central.erase() > 0
    assert central.erase() == 0, "there is nothing left to erase"
    assert held(central, device) == [1, 4]
    assert {entry.seq for entry, _blob in records(central)} == {1, 4}
    assert [receipt.up_to for receipt in central.receipts(device.device)] == [6]
    assert central.verify().sound
    assert merge(central, device.batch(), device.batch(2, 3)) == 0
    assert held(central, device) == [1, 4], "a late batch brings nothing back"
    counts = central.status().counts
    assert (counts.entries, counts.bodies, counts.erased) == (6, 2, 4)


def test_what_is_known_to_be_withdrawn_never_reaches_the_disk(tmp_path: Path) -> None:
    """Its bytes are in no file of central's; without the tombstone they are (control)."""
    device = withdrawable()
    found = []
    for name, known in (("known", True), ("unknown", False)):
        path = tmp_path / name / "central.db"
        path.parent.mkdir()
        with Central.open(path) as central:
            enrol(central, device)
            if known:
                central.withdraw(stone())
            merge(central, device.batch())
            files = b"".join(file.read_bytes() for file in path.parent.iterdir())
            found.append(device.log[2][1][-900:-500] in files)
    assert found == [False, True]


def test_what_was_erased_is_gone_from_the_files(tmp_path: Path) -> None:
    """Merged, then withdrawn and erased: nothing of it is left in the database or its journal (control: before)."""
    device = withdrawable()
    path = tmp_path / "central.db"
    with Central.open(path) as central:
        enrol(central, device)
        merge(central, device.batch())
        canary = device.log[2][1][-900:-500]
        # a record lies in pages of 4 KiB: a piece of it is searched for, and found as long as it is there
        assert canary[:100] in b"".join(file.read_bytes() for file in tmp_path.iterdir())
        central.withdraw(stone())
        central.erase()
        assert canary[:100] not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert device.log[0][1][-900:-800] in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_a_withdrawal_does_not_wait_for_an_enrolment(central: Central) -> None:
    """The laptop is not enrolled, its record does not count: erased all the same, and what was built on it."""
    stranger, device = laptop(0), laptop(0)
    first = stranger.seal(CASE, withdrawal=TAG)
    device.seal(CASE, revision=2, parent=record_hash(first).hex())
    enrol(central, device)
    merge(central, stranger.batch(), device.batch())
    central.withdraw(stone())
    assert central.erase() == 2
    assert list(records(central)) == []
    assert central.verify().sound


def test_nobody_can_withdraw_somebody_elses_case(central: Central) -> None:
    """A tag of one's own on a revision of another's record, or on a claim to have made the case, erases only that."""
    device, thief = laptop(0), laptop(0)
    first = device.seal(CASE, withdrawal=TAG)
    thief.seal(CASE, withdrawal=OTHER_CODE.tag(PROJECT))
    thief.seal(CASE, revision=2, parent=record_hash(first).hex(), withdrawal=OTHER_CODE.tag(PROJECT))
    enrol(central, device, thief)
    merge(central, thief.batch(), device.batch())
    central.withdraw(stone(OTHER_CODE))
    assert central.erase() == 2
    assert held(central, device) == [1]
    assert [entry.device for entry, _blob in records(central)] == [device.device]


def test_what_the_laptop_erased_itself_closes_the_log(central: Central) -> None:
    """Entries without records, some known before with theirs: confirmed to the end, and sound."""
    device = laptop(6)
    enrol(central, device)
    merge(central, device.batch(1, 2))
    device.erase(2, 4, 5)
    assert merge(central, device.batch()) == 4
    log = central.log(device.device)
    assert (log.entries, log.whole_to, log.gaps, log.forks) == (6, 6, (), ())
    assert [receipt.up_to for receipt in central.receipts(device.device)] == [6]
    assert {entry.seq for entry, _blob in records(central)} == {1, 2, 3, 6}
    assert central.verify().sound
    assert merge(central, device.batch()) == 0


def test_a_backup_is_confirmed_up_to_what_it_holds(central: Central, tmp_path: Path) -> None:
    """Beside what is committed; no further than the backup, and not at all where central has lost something since."""
    device = laptop(4)
    enrol(central, device)
    merge(central, device.batch(1, 2))
    tips = central.log(device.device).tips
    assert [receipt.level for receipt in central.receipts(device.device)] == [Level.COMMITTED]
    with central.store.write() as writer:
        writer.covered([noted(device.device, seq, head, "2026-03-02T08:00:00Z") for seq, head in tips], "-")
    merge(central, device.batch(3, 4))
    given_out = [(receipt.level, receipt.up_to, receipt.head) for receipt in central.receipts(device.device)]
    heads = {entry.seq: entry.head.hex() for entry, _record in device.log}
    assert given_out == [(Level.COMMITTED, 4, heads[4]), (Level.BACKED_UP, 2, heads[2])]
    spoil(tmp_path / "central.db", "DELETE FROM bodies WHERE hash = ?", device.log[1][0].record_hash)
    assert [(item.level, item.up_to) for item in central.receipts(device.device)] == [(Level.COMMITTED, 1)]


def test_a_backup_of_another_history_confirms_nothing(central: Central) -> None:
    """A head that central does not hold in an unbroken log."""
    device = laptop(3)
    enrol(central, device)
    merge(central, device.batch())
    with central.store.write() as writer:
        writer.covered([noted(device.device, seq, bytes(32), "2026-03-02T08:00:00Z") for seq in (2, 9)], "-")
    assert [receipt.level for receipt in central.receipts(device.device)] == [Level.COMMITTED]


def test_verify_finds_what_was_erased_without_right(central: Central, tmp_path: Path) -> None:
    """A record that is gone is in order only by a withdrawal that holds, or its device's word; each breach is named."""
    path = tmp_path / "central.db"
    device = withdrawable()
    device.seal()
    device.erase(4)
    enrol(central, device)
    central.withdraw(stone())
    merge(central, device.batch())
    central.erase()
    assert central.verify().sound
    first = device.log[0][0].record_hash
    plants: list[tuple[str, list[tuple[str, object]]]] = [
        (
            "the record was erased, and nobody withdrew it",
            [("DELETE FROM bodies WHERE hash = ?", first), ("INSERT INTO erased VALUES (?)", first)],
        ),
        ("the record was erased, and nobody withdrew it", [("DELETE FROM tombstones WHERE tag <> ?", b"")]),
        ("the record was erased, and is still there", [("INSERT INTO erased VALUES (?)", first)]),
        ("the record is missing", [("DELETE FROM bodies WHERE hash = ?", first)]),
        ("the chain is broken", [("UPDATE absent SET record_hash = zeroblob(32) WHERE seq = ?", 4)]),
        ("no signature covers it", [("DELETE FROM absent WHERE seq = ?", 4)]),
    ]
    for what, statements in plants:
        copy = tmp_path / "copy.db"
        copy.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        for statement, value in statements:
            spoil(copy, statement, value)
        with Central.open(copy) as spoiled:
            assert what in {problem.what for problem in spoiled.verify().problems}, what


Step = Callable[[Central], object]


def _steps() -> dict[str, Step]:
    """What may reach central, in any order: batches from before and after an erasure, forks, proposals, tombstones."""
    device, other = withdrawable(), laptop(1)
    twin = device.clone()
    twin.seal(CASE, revision=3, parent=device.log[5][0].record_hash.hex())
    device.seal()
    other.seal(CASE, revision=3, parent=device.log[5][0].record_hash.hex())
    other.seal(CASE, revision=4, parent=other.log[1][0].record_hash.hex(), withdrawal=OTHER_CODE.tag(PROJECT))
    other.seal(CASE)
    batches = [*device.batches(max_entries=3), twin.batch(5, 7), *other.batches(max_entries=2)]
    device.erase(2, 3)
    twin.erase(5, 7)
    batches += [device.batch(1, 4), twin.batch(4, 7)]
    steps: dict[str, Step] = {
        f"batch {number}": lambda central, data=data: merge(central, data)  # type: ignore[misc]
        for number, data in enumerate(batches)
    }
    steps["tombstone"] = lambda central: central.withdraw(stone())
    steps["other tombstone"] = lambda central: central.withdraw(stone(OTHER_CODE))
    _ENROLLED[:] = [device, other]
    return steps


_ENROLLED: list[SyntheticLaptop] = []
_STEPS = _steps()


def state(order: Sequence[str], erase_after: Sequence[bool], kind: type[SqliteStore] = SqliteStore) -> Dump:
    """Every row after these steps, with erasures between them and one at the end; `batches` tells times, and is not."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "central.db"
        with Central(kind(path)) as central:
            enrol(central, *_ENROLLED)
            for name, erase in zip(order, erase_after, strict=True):
                _STEPS[name](central)
                if erase:
                    central.erase()
            central.erase()
            assert central.verify().sound
            rows = dump(path, "batches", "_sqlite_migrations")
            rows["shown"] = [(entry, blob) for entry, blob in records(central)]
            rows["given"] = [(item.up_to, item.head) for one in _ENROLLED for item in central.receipts(one.device)]
    return rows


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_order_and_any_erasures_between_give_one_state(data: st.DataObject) -> None:
    """Batches with and without the erased records, tombstones, erasures, copies: permuted, one state, row by row."""
    order = data.draw(st.permutations([*_STEPS, *data.draw(st.lists(st.sampled_from(sorted(_STEPS)), max_size=3))]))
    erase = data.draw(st.lists(st.booleans(), min_size=len(order), max_size=len(order)))
    found = state(order, erase)
    if not _SEEN:
        _SEEN.append(state(list(_STEPS), [False] * len(_STEPS)))
        assert _SEEN[0]["erased"]
        assert _SEEN[0]["absent"]
        assert _SEEN[0]["shown"]
    assert found == _SEEN[0], "another order gave another state"


_SEEN: list[Dump] = []


class _AbsentIsEnough(SqliteStore):
    """Planted: what a device said it erased counts as held even when its record is at hand."""

    def missing(self, device: str, wanted: Sequence[tuple[int, bytes]], *, brought: bool = False) -> int:
        """Forgets `brought`."""
        return super().missing(device, wanted)


def test_a_store_that_depends_on_the_order_is_noticed() -> None:
    """Control for the search above: with a planted mistake some order gives another state."""
    straight = state(list(_STEPS), [False] * len(_STEPS), _AbsentIsEnough)

    def differs(order: list[str]) -> bool:
        return state(order, [False] * len(order), _AbsentIsEnough) != straight

    find(st.permutations(list(_STEPS)), differs, settings=settings(max_examples=200, deadline=None))
