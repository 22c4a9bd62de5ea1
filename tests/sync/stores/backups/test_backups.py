"""Backups of central, and getting one back. All records are synthetic."""

from __future__ import annotations

import hashlib
import io
import secrets
import stat
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.signed import read_project
from fieldsurvey.records.receipt import Level
from sync.backups import (
    BackupReport,
    NoProjectGivenError,
    back_up,
    restore,
    signed_beside,
)
from sync.central import Central
from sync.errors import ForeignProjectError
from sync.place import Place, open_central, read_place
from sync.sets import PROJECTS
from sync.sqlite_store import SqliteStore
from sync.store import StoredProject
from tests.sync.laptops import laptop
from tests.sync.projects import CENTRAL, SyntheticProject, enrol, published
from tests.sync.stores.backups.kit import bodies
from tests.sync.stores.filled import Filled, fill_central
from tests.sync.stores.kinds import SqliteKind


def test_what_is_backed_up_comes_back(
    central: Central, home: Path, place: Place, disk: Path, tmp_path: Path, clock: FixedClock
) -> None:
    """Into an empty home: everything, of both kinds; one private file, its sum beside it, nothing left at home."""
    fill_central(central.store)
    seen: list[tuple[int, int, str]] = []
    report = back_up(central, home, disk, clock=clock, progress=lambda *step: seen.append(step))
    path = Path(report.path)
    assert sorted(item.name for item in disk.iterdir()) == [path.name, path.name + ".sha256"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.with_name(path.name + ".sha256").read_text() == f"{report.sha256}  {path.name}\n"
    assert not list(home.glob("*.part*"))
    assert seen
    other = tmp_path / "other"
    other.mkdir()
    done = restore(path, other, project=central.project())
    with open_central(other) as back:
        assert back.digest() == central.digest()
        assert bodies(back) == bodies(central)
        assert back.verify().sound
        assert back.status().cases == central.status().cases
        assert back.store.last_backup() is None
    assert done.added > 30
    assert done.logs.keys() == {device.device for device in central.store.devices()}


def test_a_backup_makes_receipts_of_what_it_holds(central: Central, home: Path, disk: Path, clock: FixedClock) -> None:
    """BACKED_UP up to what is in it, no further; what comes later waits for the next one."""
    item = laptop(3)
    enrol(central, item)
    central.merge(io.BytesIO(item.batch()))
    assert {receipt.level for receipt in central.receipts(item.device)} == {Level.COMMITTED}
    report = back_up(central, home, disk, key=CENTRAL, clock=clock)
    assert report.signed
    assert central.store.last_backup() == report.at == "2026-03-02T09:00:00Z"
    item.seal()
    central.merge(io.BytesIO(item.batch(4)))
    assert {(receipt.level, receipt.up_to) for receipt in central.receipts(item.device)} == {
        (Level.COMMITTED, 4),
        (Level.BACKED_UP, 3),
    }


def test_a_gap_is_not_covered(central: Central, home: Path, disk: Path, clock: FixedClock) -> None:
    """Only unbroken beginnings are: what follows a gap could belong to another history."""
    item = laptop(5)
    enrol(central, item)
    for first, last in ((1, 2), (4, 5)):
        central.merge(io.BytesIO(item.batch(first, last)))
    back_up(central, home, disk, clock=clock)
    assert central.store.covered(item.device) == [(item.device, 2, item.log[1][0].head, None)]


def test_restoring_brings_nothing_withdrawn_back(
    central: Central, home: Path, disk: Path, tmp_path: Path, clock: FixedClock
) -> None:
    """What was withdrawn after the backup: known at home, or at the central that is restored into."""
    made: Filled = fill_central(central.store)
    held = bodies(central)
    report = back_up(central, home, disk, clock=clock)
    tag = made.codes[1].tag(central.project().id).encode()  # type: ignore[union-attr]
    central.withdraw(made.tombstone(made.codes[1]))
    assert central.erase() > 0
    after = bodies(central)
    assert after < held
    assert restore(Path(report.path), home).erased == 0
    assert bodies(central) == after
    again = tmp_path / "again"
    again.mkdir()
    with open_central(again) as back:  # the records are here as well as in the backup: each counts once
        back.learn(central.project())  # type: ignore[arg-type]
        restore(Path(report.path), again)
    Withdrawals(again).enter(made.tombstone(made.codes[1]))
    restored = restore(Path(report.path), again)
    other = tmp_path / "other"
    other.mkdir()
    Withdrawals(other).enter(made.tombstone(made.codes[1]))
    done = restore(Path(report.path), other, project=central.project())
    assert done.erased == len(held - after) == restored.erased
    with open_central(other) as back:
        assert bodies(back) == after
        assert back.digest() == central.digest()
        assert back.verify().sound
    empty = tmp_path / "empty"
    empty.mkdir()
    restore(
        Path(report.path), empty, project=central.project()
    )  # the control: without the withdrawal they do come back
    with open_central(empty) as back:
        assert bodies(back) == held
    assert tag


def test_a_restore_takes_nothing_away(central: Central, home: Path, disk: Path, clock: FixedClock) -> None:
    """A union: what came after the backup stays, a record that was lost comes back; twice changes nothing more."""
    fill_central(central.store)
    report = back_up(central, home, disk, clock=clock)
    lost = next(iter(bodies(central)))
    late = laptop(2)
    central.merge(io.BytesIO(late.batch()))
    before, held = central.digest(), bodies(central)
    place = read_place(home)
    if place.path:
        SqliteKind(place.path).spoil("DELETE FROM bodies WHERE hash = %s", lost)
    else:
        from tests.sync.stores.kinds import PostgresKind

        PostgresKind(place.dsn or "").spoil("DELETE FROM bodies WHERE hash = %s", lost)
    assert bodies(central) == held - {lost}
    assert restore(Path(report.path), home).added == 1
    assert bodies(central) == held
    assert central.digest() == before
    assert restore(Path(report.path), home).added == 0


def test_old_backups_go_and_nothing_else(central: Central, home: Path, disk: Path, clock: FixedClock) -> None:
    """After ten days, with their sums and what was left half written; never another file, never before a new one."""
    fill_central(central.store, laptops=1)
    first = Path(back_up(central, home, disk, clock=clock).path)
    (disk / "central-notes.db").write_text("somebody's")
    (disk / "central-0123abcd-20200101T000000Z.db.bak").write_text("somebody's")
    half = f"{first.name[: first.name.rindex('-')]}-20260301T000000Z.db.part"
    (disk / half).write_text("half")
    (disk / half.replace("20260301", "20261332").removesuffix(".part")).write_text("no day")
    clock.move(days=10)
    report = back_up(central, home, disk, clock=clock)
    assert first.exists()
    assert report.removed == (half.removesuffix(".part"),)
    clock.move(seconds=1)
    report = back_up(central, home, disk, clock=clock)
    assert report.removed == (first.name,)
    assert not list(disk.glob(f"{first.name}*"))
    clock.move(days=-4000)  # a clock that is wrong removes no newer ones
    report = back_up(central, home, disk, clock=clock)
    assert report.removed == ()
    assert (disk / "central-notes.db").exists()
    assert (disk / "central-0123abcd-20200101T000000Z.db.bak").exists()


def test_a_backup_dated_in_the_future_goes_days_after_it_was_noticed(
    central: Central, home: Path, disk: Path, clock: FixedClock
) -> None:
    """Made by a clock that was ten years ahead: the first backup by a right one notes it, ten days later it goes."""
    fill_central(central.store, laptops=1, records=1)
    clock.move(days=3650)
    wrong = Path(back_up(central, home, disk, clock=clock).path)
    clock.move(days=-3650, minutes=1)
    assert back_up(central, home, disk, clock=clock).removed == ()
    assert (disk / f"{wrong.name}.noticed").read_text() == clock.now().strftime("%Y%m%dT%H%M%SZ\n")
    clock.move(days=10)
    assert back_up(central, home, disk, clock=clock).removed == ()
    clock.move(seconds=1)
    assert wrong.name in back_up(central, home, disk, clock=clock).removed
    assert not list(disk.glob(f"{wrong.name}*"))


def test_a_clock_that_falls_back_takes_no_backup(central: Central, home: Path, disk: Path, clock: FixedClock) -> None:
    """Of twenty years ago, for longer than backups are kept: when it is right again, their own dates count again."""
    fill_central(central.store, laptops=1, records=1)
    good = Path(back_up(central, home, disk, clock=clock).path)
    clock.move(days=-7300)
    back_up(central, home, disk, clock=clock)
    clock.move(days=7300 + 9)
    back_up(central, home, disk, clock=clock)
    assert good.exists()
    clock.move(days=2)
    assert good.name in back_up(central, home, disk, clock=clock).removed


@pytest.mark.parametrize("said", [b"", b"\xff\xff", b"29991231T000000Z", b"19700101"])
def test_a_note_that_says_nothing_is_written_again(
    central: Central, home: Path, disk: Path, clock: FixedClock, said: bytes
) -> None:
    """Damaged, or itself dated in the future: from now on, then."""
    fill_central(central.store, laptops=1, records=1)
    clock.move(days=400)
    wrong = back_up(central, home, disk, clock=clock).path
    clock.move(days=-400)
    Path(wrong + ".noticed").write_bytes(said)
    assert back_up(central, home, disk, clock=clock).removed == ()
    assert Path(wrong + ".noticed").read_text() == "20260302T090000Z\n"


def test_another_projects_only_backup_stays(tmp_path: Path, home: Path, disk: Path, clock: FixedClock) -> None:
    """Two centrals on one disk, of which one is backed up each day and the other was long ago."""
    for project in (SyntheticProject(), SyntheticProject()):
        with Central.open(tmp_path / f"{project.id}.db", clock=clock) as one:
            one.learn(project.model())
            assert back_up(one, home, disk, clock=clock).removed == ()
        clock.move(days=11)
    assert len(list(disk.glob("*.db"))) == 2


def test_nothing_that_nobody_signed_is_believed(backup: BackupReport, central: Central, tmp_path: Path) -> None:
    """Into a home without a project only with one that was verified; nothing is made there before. Where central knows
    one it stays, though the backup's own says that it is newer.
    """
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(NoProjectGivenError):
        restore(Path(backup.path), other)
    assert not list(other.iterdir())
    open_central(other).close()
    with pytest.raises(NoProjectGivenError):
        restore(Path(backup.path), other)
    known = central.project()
    assert known is not None
    with SqliteStore(Path(backup.path)).write() as writer:
        data = known.model_copy(update={"version": 99}).to_bytes()
        writer.project(StoredProject(99, hashlib.sha256(data).digest(), data))
    with open_central(other) as back:
        back.learn(known)
        assert restore(Path(backup.path), other).added > 0
        assert back.project() == known


def test_the_signed_project_lies_beside_and_goes_with_its_backup(
    central: Central, home: Path, disk: Path, clock: FixedClock
) -> None:
    """As it was signed, byte for byte."""
    fill_central(central.store, laptops=1, records=1)
    signed = published()
    path = Path(back_up(central, home, disk, project=signed, clock=clock).path)
    beside = signed_beside(path)
    assert read_project(beside, pinned=signed.root_fingerprint).data == signed.data
    clock.move(days=11)
    back_up(central, home, disk, clock=clock)
    assert not list(disk.glob(f"{path.name}*"))


def test_the_project_of_a_backup_does_not_displace_the_verified_one(
    backup: BackupReport, central: Central, home: Path, tmp_path: Path
) -> None:
    """A backup carries no signature: what the caller verified counts; another project's backup is refused."""
    known = central.project()
    assert known is not None
    other = tmp_path / "other"
    other.mkdir()
    newer = SyntheticProject(known.id).model(version=7)
    restore(Path(backup.path), other, project=newer)
    with open_central(other) as back:
        assert back.project() == newer
        assert [row[0] for row in back.store.rows(PROJECTS)] == [7]
    with pytest.raises(ForeignProjectError):
        restore(Path(backup.path), other, project=SyntheticProject().model())


def test_names_are_not_trusted(central: Central, home: Path, disk: Path, clock: FixedClock) -> None:
    """A link with an old backup's name is not followed and not removed."""
    fill_central(central.store, laptops=1, records=1)
    precious = home / f"precious-{secrets.token_hex(2)}"
    precious.write_text("somebody's")
    (disk / "central-0123abcd-20200101T000000Z.db").symlink_to(precious)
    report = back_up(central, home, disk, clock=clock)
    assert report.removed == ()
    assert precious.read_text() == "somebody's"
    with pytest.raises(FieldsurveyError):
        restore(disk / "nothing.db", home)
