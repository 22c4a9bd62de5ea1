"""Central: whatever the order, the copies and the carrier, one state; nothing lost, doubled, forged or half merged."""

from __future__ import annotations

import io
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldsurvey.base.errors import RefusedError, StorageError, UntrustedError
from fieldsurvey.base.sqlite import DatabaseDamagedError
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import record_hash
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.central import Central
from sync.errors import ForeignProjectError
from tests.sync.current import records
from tests.sync.dumps import Dump, dump, spoil
from tests.sync.laptops import CREATED, OTHER_PROJECT, PROJECT, laptop
from tests.sync.projects import SyntheticProject, enrol


def merge(central: Central, *batches: bytes) -> int:
    """Merge them in turn; how many entries were new."""
    return sum(central.merge(io.BytesIO(data)).new for data in batches)


def test_merging_twice_changes_nothing(central: Central, tmp_path: Path) -> None:
    """A replay brings no new entry and does not touch a single row."""
    device = laptop(5)
    enrol(central, device)
    assert merge(central, device.batch()) == 5
    before = dump(tmp_path / "central.db")
    assert merge(central, device.batch(), device.batch()) == 0
    assert dump(tmp_path / "central.db") == before
    assert {blob for _entry, blob in records(central)} == {record for _entry, record in device.log}


def test_overlapping_batches_merge_to_the_union(central: Central) -> None:
    """1–3, then 2–5: two are new."""
    device = laptop(5)
    enrol(central, device)
    assert merge(central, device.batch(1, 3)) == 3
    assert merge(central, device.batch(2, 5)) == 2
    assert central.log(device.device).whole_to == 5


def test_a_damaged_batch_leaves_central_as_it_was(central: Central, tmp_path: Path) -> None:
    """Truncated or altered, at the front or in its last record: refused whole. The whole one then merges (control)."""
    device, earlier = laptop(4, name="damaged"), laptop(2)
    enrol(central, device, earlier)
    merge(central, earlier.batch())
    data = device.batch()
    before = dump(tmp_path / "central.db")
    mutants = [data[:length] for length in range(0, len(data), 997)] + [data[:-1], data + b"\0", data + data]
    mutants += [data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :] for at in range(3, len(data), 499)]
    for mutant in mutants:
        with pytest.raises((UntrustedError, RefusedError)):
            merge(central, mutant)
    assert dump(tmp_path / "central.db") == before
    assert merge(central, data) == 4


def test_a_refused_batch_leaves_the_file_byte_for_byte(tmp_path: Path) -> None:
    """Not only the rows: the database file itself is the same after a refusal."""
    device = laptop(3)
    path = tmp_path / "c.db"
    with Central.open(path) as central:
        enrol(central, device)
    before = path.read_bytes()
    with Central.open(path) as central, pytest.raises(UntrustedError):
        merge(central, device.batch()[:-1])
    assert path.read_bytes() == before


def test_a_batch_of_another_project_is_refused(central: Central) -> None:
    """Central serves one project."""
    enrol(central)
    with pytest.raises(ForeignProjectError):
        merge(central, laptop(1, project=OTHER_PROJECT).batch())
    with pytest.raises(ForeignProjectError):
        central.learn(SyntheticProject(OTHER_PROJECT).model())


def test_a_device_not_enrolled_is_kept_aside_until_it_is(central: Central) -> None:
    """Nothing is lost and nothing counts; enrolling it later brings its records in without another import."""
    device = laptop(3)
    enrol(central)
    merge(central, device.batch())
    assert list(records(central)) == []
    (status,) = central.status().devices
    assert (status.standing, status.aside, status.log.whole_to) == ("quarantined", 3, 3)
    enrol(central, device, version=2)
    assert len(list(records(central))) == 3
    assert central.status().devices[0].aside == 0


def test_a_revoked_device_counts_up_to_its_revocation(central: Central) -> None:
    """Entries from the position named on are kept aside."""
    device = laptop(4)
    enrol(central, device)
    merge(central, device.batch())
    enrol(central, device, version=2, status="revoked", revoked_from=3)
    assert [entry.seq for entry, _blob in sorted(records(central), key=lambda item: item[0].seq)] == [1, 2]
    (status,) = central.status().devices
    assert (status.standing, status.aside) == ("revoked", 2)
    enrol(central, device, version=3, status="revoked", revoked_from=1)
    assert list(records(central)) == []


def test_an_older_project_does_not_bring_back_what_was_revoked(central: Central) -> None:
    """The newest version seen decides, whatever is shown later."""
    device = laptop(1)
    enrol(central, device, version=5, status="revoked", revoked_from=1)
    merge(central, device.batch())
    enrol(central, device, version=4)
    assert list(records(central)) == []


def test_a_cloned_laptop_is_seen_and_nothing_of_either_is_lost(central: Central) -> None:
    """Two histories after entry 2: both kept, the fork shown, a receipt for each."""
    original = laptop(2)
    twin = original.clone()
    original.seal()
    twin.seal()
    twin.seal()
    enrol(central, original)
    assert merge(central, original.batch(), twin.batch()) == 5
    log = central.log(original.device)
    assert log.forks == (3,)
    assert {(receipt.up_to, receipt.head) for receipt in central.receipts(original.device)} == {
        (3, original.log[-1][0].head.hex()),
        (4, twin.log[-1][0].head.hex()),
    }
    assert len(list(records(central))) == 5


def test_a_receipt_vouches_only_for_the_unbroken_beginning(central: Central) -> None:
    """Entries 1–2 and 4–5 are held: the receipt says 2, the gap is shown; the missing batch closes it."""
    device = laptop(5)
    enrol(central, device)
    merge(central, device.batch(1, 2), device.batch(4, 5))
    assert central.log(device.device).gaps == ((3, 3),)
    (receipt,) = central.receipts(device.device)
    assert (receipt.up_to, receipt.head) == (2, device.log[1][0].head.hex())
    merge(central, device.batch(3, 3))
    assert [item.up_to for item in central.receipts(device.device)] == [5]


def test_two_cards_of_one_laptop_are_both_kept_whichever_came_first(tmp_path: Path) -> None:
    """The same log under two names: what is shown does not depend on the order, though the second brings no entry."""
    device = laptop(2)
    other = device.clone()
    other.card = DeviceCard.make(
        device.key,
        project=PROJECT,
        name="another name",
        carrier=device.carrier.public,
        recipient=RecipientPrivate.generate().public,
        created=CREATED,
    )
    rows: list[Dump] = []
    names: list[str] = []
    for order in ((device, other), (other, device)):
        path = tmp_path / f"{len(rows)}.db"
        with Central.open(path) as central:
            enrol(central)
            merge(central, *(one.batch() for one in order))
            names.append(central.status().devices[0].name)
        rows.append(dump(path, "batches", "_sqlite_migrations"))
    assert rows[0] == rows[1]
    assert len(rows[0]["devices"]) == 2
    assert names[0] == names[1]


def test_a_lost_record_is_not_vouched_for_and_can_be_brought_back(central: Central, tmp_path: Path) -> None:
    """Damage in central: the receipt stops before it, `verify` says so, and importing again heals it."""
    device = laptop(3)
    enrol(central, device)
    merge(central, device.batch())
    spoil(tmp_path / "central.db", "DELETE FROM bodies WHERE hash = ?", device.log[1][0].record_hash)
    assert [item.up_to for item in central.receipts(device.device)] == [1]
    assert not central.verify().sound
    merge(central, device.batch())
    assert len(list(records(central))) == 3
    assert central.verify().sound


def test_revisions_conflicts_and_proposals_are_counted(central: Central) -> None:
    """Two offline revisions of one record are both kept; another device's is a proposal; each is counted once."""
    device, other = laptop(1), laptop(1)
    case = "ab" * 16
    first = device.seal(case)
    device.seal(case, revision=2, parent=record_hash(first).hex())
    device.seal(case, revision=2, parent=record_hash(first).hex())
    other.seal(case, revision=2, parent=record_hash(first).hex())
    enrol(central, device, other)
    merge(central, other.batch(), device.batch())
    cases = central.status().cases
    assert (cases.current, cases.in_conflict, cases.with_proposals, cases.original_missing) == (3, 1, 1, 0)
    assert len(list(records(central))) == 3


def test_a_tombstone_excludes_whatever_comes_later(central: Central) -> None:
    """No resurrection by a late batch: the withdrawn case stays out, whichever came first."""
    device = laptop(1)
    code = WithdrawalCode.generate()
    device.seal("ab" * 16, withdrawal=code.tag(PROJECT))
    enrol(central, device)
    central.withdraw(Tombstone(project=PROJECT, code=code.raw, requested="2026-03-03"))
    with pytest.raises(ForeignProjectError):
        central.withdraw(Tombstone(project=OTHER_PROJECT, code=code.raw, requested="2026-03-03"))
    merge(central, device.batch())
    assert [entry.seq for entry, _blob in records(central)] == [1]
    assert central.status().cases.withdrawn == 1


def test_a_signature_forged_inside_a_run_is_never_kept(central: Central) -> None:
    """Only the last signature of a run is verified, so only that one is stored: central stays verifiable."""
    device = laptop(3)
    enrol(central, device)
    manifest = device.manifest()
    manifest["entries"][0]["signature"] = "01" + "00" * 64
    merge(central, device.resign(manifest, [record for _entry, record in device.log]))
    assert central.verify().sound
    merge(central, device.batch(1, 1))
    assert central.verify().sound
    first, _record = device.log[0]
    assert central.store.signature(device.device, 1, first.head) == first.signature


def test_verify_finds_what_was_planted(central: Central, tmp_path: Path) -> None:
    """Control for `verify`: each kind of damage is named, and only it."""
    path = tmp_path / "central.db"
    device = laptop(4)
    enrol(central, device)
    merge(central, device.batch(1, 2), device.batch(3, 4))
    code = WithdrawalCode.generate()
    central.withdraw(Tombstone(project=PROJECT, code=code.raw, requested="2026-03-03"))
    assert central.verify().sound
    plants = {
        "the record was altered": (
            "UPDATE bodies SET body = CAST(body || x'00' AS BLOB) WHERE hash = ?",
            device.log[0][0].record_hash,
        ),
        "the record is missing": ("DELETE FROM bodies WHERE hash = ?", device.log[0][0].record_hash),
        "the chain is broken": ("UPDATE entries SET previous = zeroblob(32) WHERE seq = ?", 3),
        "the signature does not hold": ("UPDATE signatures SET signature = x'0100' WHERE seq = ?", 2),
        "a signature of no entry": ("UPDATE signatures SET seq = ? WHERE seq = 2", 1),
        "entries or signatures of a device that is not known": ("UPDATE signatures SET device = ? WHERE seq = 2", "x"),
        "no signature covers it": ("DELETE FROM signatures WHERE seq = ?", 4),
        "what is noted of the record is not what it says": ("UPDATE entries SET revision = 7 WHERE seq = ?", 1),
        "the device card does not hold": ("UPDATE devices SET card = x'7b7d' WHERE device = ?", device.device),
        "records that no log entry speaks of": ("DELETE FROM entries WHERE seq = ?", 4),
        "a withdrawal does not hold": ("UPDATE tombstones SET data = CAST(? AS BLOB)", "{}"),
        "the project was altered": (
            "UPDATE projects SET data = CAST(replace(CAST(data AS TEXT), ?, 'X') AS BLOB)",
            "syn",
        ),
        "the log does not begin at its beginning": ("UPDATE entries SET previous = zeroblob(32) WHERE seq = ?", 1),
    }
    for what, (statement, value) in plants.items():
        copy = tmp_path / "copy.db"
        copy.unlink(missing_ok=True)
        _copy(path, copy)
        spoil(copy, statement, value)
        with Central.open(copy) as spoiled:
            found = {problem.what for problem in spoiled.verify().problems}
        assert what in found, (what, found)


def _copy(source: Path, target: Path) -> None:
    connection = sqlite3.connect(source)
    connection.execute("VACUUM INTO ?", (str(target),))
    connection.close()


_DEVICES = [laptop(6) for _ in range(2)]
_CLONE = _DEVICES[0].clone()
for _made in (*_DEVICES, _CLONE):
    _made.seal("cc" * 16)
    _made.seal("cc" * 16)
_BATCHES = [
    data for device in (*_DEVICES, _CLONE) for data in (*device.batches(1, 8, max_entries=3), device.batch(2, 5))
]


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_order_and_any_copies_give_one_state(data: st.DataObject) -> None:
    """Permutations × duplicates of batches, damaged ones between them → one state, row by row, and one projection."""
    numbers = range(len(_BATCHES))
    order = data.draw(st.permutations([*numbers, *data.draw(st.lists(st.sampled_from(numbers), max_size=6))]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "central.db"
        with Central.open(path) as central:
            enrol(central, *_DEVICES)
            for batch in (_BATCHES[number] for number in order):
                if data.draw(st.booleans()):
                    with pytest.raises((UntrustedError, RefusedError)):
                        central.merge(io.BytesIO(batch[: data.draw(st.integers(0, len(batch) - 1))]))
                merge(central, batch)
            state = (central.digest(), [entry for entry, _blob in records(central)], central.status().cases)
            assert central.verify().sound
        rows = dump(path, "batches", "_sqlite_migrations")
    if not _SEEN:
        _SEEN.append((state, rows))
    assert (state, rows) == _SEEN[0], "another order gave another state"


_SEEN: list[object] = []


def test_a_pulled_stick_in_the_middle_of_a_batch_leaves_nothing(central: Central, tmp_path: Path) -> None:
    """The medium fails while records are being read: rolled back; the same file merges later."""
    device = laptop(4)
    enrol(central, device)
    data = device.batch()
    before = dump(tmp_path / "central.db")

    class Pulled(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > len(data) - 3000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    with pytest.raises(OSError, match="Input/output"):
        central.merge(Pulled(data))
    assert dump(tmp_path / "central.db") == before
    assert merge(central, data) == 4


def test_it_refuses_what_is_not_a_database(tmp_path: Path) -> None:
    """A file that is something else is left alone and named."""
    path = tmp_path / "central.db"
    path.write_bytes(b"this is a shopping list, and a long one at that" * 50)
    with pytest.raises(StorageError) as caught:
        Central.open(path)
    assert str(path) in caught.value.message
    assert path.read_bytes().startswith(b"this is a shopping list")


def test_a_device_id_that_is_none_is_damage(tmp_path: Path) -> None:
    """A flipped bit in a device's id gives the typed error, not a failure of ours."""
    path = tmp_path / "central.db"
    device = laptop(2)
    with Central.open(path) as central:
        enrol(central, device)
        merge(central, *device.batches())
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE devices SET device = '`' || substr(device, 2)")
    with Central.open(path) as central, pytest.raises(DatabaseDamagedError):
        central.status()
