"""Whose word it is that a backup holds a record: that of central's key, not of whoever writes to its database.

All records are synthetic.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.project.model import RoleKey
from fieldsurvey.records.receipt import Level, Role
from fieldsurvey.records.signing import SigningKey
from sync.backups import back_up
from sync.central import Central
from sync.covering import Backing, backing
from sync.importing import is_unbacked
from sync.place import DATABASE, Place
from sync.store import AbsentEntry, Covered, StoredProject
from tests.sync.laptops import OTHER_PROJECT, SyntheticLaptop, laptop
from tests.sync.projects import CENTRAL, enrol, noted
from tests.sync.stores.backups.conftest import NOW
from tests.sync.stores.kinds import Kind, PostgresKind, SqliteKind

TODAY = NOW.isoformat()
FORGER = SigningKey.generate()


@pytest.fixture
def kind(home: Path, place: Place) -> Kind:
    """Somebody who can write to central's database."""
    return PostgresKind(place.dsn) if place.dsn else SqliteKind(home / DATABASE)


@pytest.fixture
def item(central: Central) -> SyntheticLaptop:
    """A laptop of which central has three records."""
    made = laptop(3)
    enrol(central, made)
    central.merge(io.BytesIO(made.batch()))
    return made


def plant(central: Central, *rows: Covered, at: str = TODAY) -> None:
    """What somebody writes into the database."""
    with central.store.write() as writer:
        writer.covered(rows, at)


def safe(central: Central, device: str) -> list[tuple[int, tuple[tuple[int, int], ...]]]:
    """Up to where receipts say "backed up", and what they say is not."""
    return [(one.up_to, one.absent) for one in central.receipts(device) if one.level is Level.BACKED_UP]


def head(item: SyntheticLaptop, seq: int = 3) -> bytes:
    """Of its log."""
    return item.log[seq - 1][0].head


def forged(item: SyntheticLaptop) -> Iterable[tuple[str, Covered]]:
    """Rows that nobody signed for this log of this project."""
    true = noted(item.device, 3, head(item), TODAY)
    assert true.note is not None
    yield "nothing signed", Covered(item.device, 3, head(item))
    yield "another's key", noted(item.device, 3, head(item), TODAY, key=FORGER)
    yield "another project's", noted(item.device, 3, head(item), TODAY, project=OTHER_PROJECT)
    yield "another laptop's", noted(item.device, 3, head(item), TODAY, device="ab" * 16)
    yield "another history's", noted(item.device, 3, head(item), TODAY, head="ab" * 32)
    yield "beyond the log", noted(item.device, 3, head(item), TODAY, up_to=4)
    yield "altered", true._replace(note=true.note.replace(b'"up_to":3', b'"up_to":2'))
    yield "cut", true._replace(note=true.note[:-1])
    yield "no note", true._replace(note=b"")


def test_what_nobody_signed_is_not_believed(central: Central, item: SyntheticLaptop) -> None:
    """Whatever is written into the database: no receipt says "backed up". The control, a signed row: one does."""
    for what, row in forged(item):
        plant(central, row)
        assert safe(central, item.device) == [], what
    plant(central, noted(item.device, 3, head(item), TODAY))
    assert safe(central, item.device) == [(3, ())]
    assert backing(central) == Backing(TODAY, counts=True)


def test_one_false_row_takes_nothing_from_a_true_one(central: Central, item: SyntheticLaptop) -> None:
    """Both are read, each by itself."""
    plant(central, noted(item.device, 2, head(item, 2), TODAY), noted(item.device, 3, head(item), TODAY, key=FORGER))
    assert safe(central, item.device) == [(2, ())]


def test_a_project_in_the_database_names_no_key(central: Central, item: SyntheticLaptop) -> None:
    """A newer version with the forger's key as central's: what was verified outside the database counts."""
    known = central.project()
    assert known is not None
    mine = RoleKey(role=Role.CENTRAL, label="central", public=FORGER.public.bytes.hex())
    data = known.model_copy(update={"version": 99, "roles": (mine,)}).to_bytes()
    plant(central, noted(item.device, 3, head(item), TODAY, key=FORGER))
    with central.store.write() as writer:
        writer.project(StoredProject(99, hashlib.sha256(data).digest(), data))
    now = central.project()
    assert now is not None
    assert now.roles == (mine,)
    assert safe(central, item.device) == []


def test_without_a_verified_project_nothing_is_believed(central: Central, place: Place, item: SyntheticLaptop) -> None:
    """Nobody here can tell: no receipt, and no alarm either."""
    plant(central, noted(item.device, 3, head(item), TODAY))
    fresh = Central(place.store(), central.clock)
    assert safe(fresh, item.device) == []
    assert backing(fresh) == Backing(TODAY, counts=None)
    fresh.close()


def test_a_note_is_believed_as_long_as_its_backup_is_kept(
    central: Central, item: SyntheticLaptop, clock: FixedClock
) -> None:
    """Put back after its backup was replaced, or thrown away: it says what was true, and no longer than ten days."""
    old = noted(item.device, 2, head(item, 2), TODAY)
    plant(central, old)
    clock.move(days=9)
    plant(central, noted(item.device, 3, head(item), clock.now().isoformat()))
    assert safe(central, item.device) == [(3, ())]
    plant(central, old)
    assert safe(central, item.device) == [(2, ())]
    clock.move(days=1)
    assert safe(central, item.device) == [(2, ())]
    clock.move(seconds=1)
    assert safe(central, item.device) == []


def test_what_is_no_time_is_no_backup(central: Central, item: SyntheticLaptop) -> None:
    """Written into the database by somebody: central goes on, and warns as if there were none. The control: a
    time that nobody signed is said as such.
    """
    for text in ("", "yesterday", "2026-13-01T00:00:00Z"):
        plant(central, Covered(item.device, 3, head(item)), at=text)
        assert backing(central) == Backing()
        assert is_unbacked(backing(central), central.clock.now())
    plant(central, Covered(item.device, 3, head(item)))
    assert backing(central) == Backing(TODAY, counts=False)


@pytest.mark.parametrize(("ahead", "counts"), [(timedelta(hours=24), True), (timedelta(hours=25), False)])
def test_a_backup_dated_in_the_future_is_not_believed(
    central: Central, item: SyntheticLaptop, ahead: timedelta, *, counts: bool
) -> None:
    """Its clock was wrong, and nobody knows how old it is. Time zones, and clocks of two sites, may differ a little."""
    at = (NOW + ahead).isoformat()
    plant(central, noted(item.device, 3, head(item), at), at=at)
    assert safe(central, item.device) == ([(3, ())] if counts else [])
    assert backing(central) == Backing(at, counts=True, ahead=not counts)


def test_a_replaced_key_is_not_believed_until_the_next_backup(
    central: Central, item: SyntheticLaptop, home: Path, disk: Path, clock: FixedClock
) -> None:
    """As laptops take no receipt of a key that was replaced: somebody else may have it."""
    back_up(central, home, disk, key=CENTRAL, clock=clock)
    assert safe(central, item.device) == [(3, ())]
    known = central.project()
    assert known is not None
    retired = [role.model_copy(update={"retired": TODAY}) for role in known.roles if role.key == CENTRAL.public]
    new = SigningKey.generate()
    mine = RoleKey(role=Role.CENTRAL, label="central", public=new.public.bytes.hex())
    central.learn(known.model_copy(update={"version": known.version + 1, "roles": (*retired, mine)}))
    assert safe(central, item.device) == []
    assert backing(central).counts is False
    clock.move(hours=1)
    back_up(central, home, disk, key=new, clock=clock)
    assert safe(central, item.device) == [(3, ())]


def test_without_centrals_key_a_backup_is_made_and_frees_nobody(
    central: Central, item: SyntheticLaptop, home: Path, disk: Path, clock: FixedClock
) -> None:
    """It is there, and the report says that it does not count for the laptops."""
    report = back_up(central, home, disk, clock=clock)
    assert Path(report.path).exists()
    assert not report.signed
    assert safe(central, item.device) == []
    assert backing(central) == Backing(report.at, counts=False)


def test_what_a_backup_lacks_is_signed_too(
    central: Central, item: SyntheticLaptop, kind: Kind, home: Path, disk: Path, clock: FixedClock
) -> None:
    """A record is taken out and called erased by its laptop while the backup is made, and put back afterwards: the
    receipt names it, so that its laptop does not let go of it.
    """
    entry, record = item.log[1]
    kind.spoil("DELETE FROM bodies WHERE hash = %s", entry.record_hash)
    with central.store.write() as writer:
        writer.absent([AbsentEntry(item.device, 2, entry.head, item.head_at(1), entry.record_hash)])
    back_up(central, home, disk, key=CENTRAL, clock=clock)
    kind.spoil("DELETE FROM absent WHERE seq = %s", 2)
    assert central.merge(io.BytesIO(item.batch())).new == 0
    assert central.store.body(entry.record_hash) == record
    assert safe(central, item.device) == [(3, ((2, 2),))]


def test_the_date_beside_signed_notes_says_nothing(central: Central, item: SyntheticLaptop, kind: Kind) -> None:
    """Somebody could write a later one there, so that nobody is told to back up."""
    plant(central, noted(item.device, 3, head(item), TODAY))
    kind.spoil("UPDATE last_backup SET at = %s", datetime(2026, 3, 2, 23, tzinfo=UTC).isoformat())
    assert backing(central).at == TODAY
