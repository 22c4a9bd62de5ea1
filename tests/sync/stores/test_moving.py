"""Moving central between SQLite and PostgreSQL: all of it, or none of it, and never two of it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.files import NoSpaceError
from sync import copying, moving
from sync.central import Central
from sync.copying import contents_digest, extra
from sync.errors import CentralMovedError
from sync.moving import MoveDiffersError, NotEmptyError, SamePlaceError, move_central
from sync.place import DATABASE, FILE, Place, open_central, read_place, write_place
from sync.postgres_store import PostgresStore
from sync.postgres_writer import PostgresWriter
from sync.sets import BODIES
from sync.sqlite_store import SqliteStore, SqliteWriter
from sync.store import Covered, Store
from tests.sync.laptops import laptop
from tests.sync.stores.filled import fill_central
from tests.sync.stores.kinds import PostgresKind, SqliteKind
from tests.sync.stores.servers import change


class CutError(BaseException):
    """The machine stops here."""


def digest_of(store: Store) -> str:
    """Of all that is in it."""
    return contents_digest(store, lambda _count: None)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a filled central.db."""
    made = tmp_path / "home"
    made.mkdir()
    with open_central(made) as central:
        fill_central(central.store)
        with central.store.write() as writer:
            device = central.store.devices()[0].device
            writer.covered([Covered(device, 1, b"1" * 32, b"note")], "2026-03-01T08:00:00Z")
    return made


def test_there_and_back_again_loses_nothing(home: Path, dsn: str) -> None:
    """Every table is the same, read past our code; what central projects is the same; both are sound."""
    sqlite, postgres = SqliteKind(home / DATABASE), PostgresKind(dsn)
    before = sqlite.contents()
    with open_central(home) as central:
        shown, status = central.digest(), central.status()
    seen: list[tuple[int, int, str]] = []
    report = move_central(home, Place.named(dsn), progress=lambda *step: seen.append(step))
    assert report.digest
    assert read_place(home).dsn == dsn
    after = postgres.contents()
    assert {name: rows for name, rows in after.items() if name != "moved"} == {
        name: rows for name, rows in before.items() if name != "moved"
    }
    with open_central(home) as central:
        assert isinstance(central.store, PostgresStore)
        assert (central.digest(), central.status().cases) == (shown, status.cases)
        assert central.verify().sound
    with pytest.raises(CentralMovedError), Central.open(home / DATABASE) as old:
        old.merge(io.BytesIO(laptop(1).batch()))
    move_central(home, Place(path=home / DATABASE))
    assert not (home / FILE).exists()
    assert sqlite.contents() == before
    with open_central(home) as central:
        central.merge(io.BytesIO(laptop(1).batch()))
    assert postgres.contents()["moved"] == [(str(home / DATABASE),)]


def test_what_came_meanwhile_is_there_too(home: Path, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another import between the copying and the closing, and an erasure of what was copied already."""
    real = copying.copy_sets
    late = laptop(4)

    def copy_and_merge(source: Store, target: Store, tick: Any) -> int:
        done = real(source, target, tick)
        if source.moved() is None and late.device not in source.senders():
            with Central.open(home / DATABASE) as other:
                other.merge(io.BytesIO(late.batch()))
                body = next(iter(other.store.rows(BODIES, keys=True)))
                with other.store.write() as writer:
                    writer.erase([body[0]])
        return done

    monkeypatch.setattr(moving, "copy_sets", copy_and_merge)
    move_central(home, Place.named(dsn))
    with open_central(home) as central:
        assert late.device in central.store.senders()
    assert_same(home / DATABASE, dsn)


def assert_same(path: Path, dsn: str) -> None:
    """Both hold the same, but for the mark that one was left."""
    ours, theirs = SqliteKind(path).contents(), PostgresKind(dsn).contents()
    assert {n: r for n, r in ours.items() if n != "moved"} == {n: r for n, r in theirs.items() if n != "moved"}


def cut_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """The machine stops at the nth thing that a move does to a store or to its file."""
    left = [step]

    def counted(place: Any, name: str) -> None:
        real = getattr(place, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise CutError
            return real(*args, **kwargs)

        monkeypatch.setattr(place, name, call)

    for writer in (SqliteWriter, PostgresWriter):
        counted(writer, "rows")
        counted(writer, "covered")
    for store in (SqliteStore, PostgresStore):
        counted(store, "reopen")
        counted(store, "retire")
    counted(moving, "write_place")
    counted(moving, "contents_digest")


def empty(kind: SqliteKind | PostgresKind) -> None:
    """As if nothing had ever been copied to it."""
    for name, rows in kind.contents().items():
        if rows and not (name == "erased" and isinstance(kind, PostgresKind)):
            kind.spoil(f"DELETE FROM {name}")


@pytest.mark.parametrize(
    ("back", "stride"),
    [(False, 4), pytest.param(False, 1, marks=pytest.mark.long), pytest.param(True, 1, marks=pytest.mark.long)],
)
def test_interrupted_anywhere_it_starts_again(
    home: Path, dsn: str, monkeypatch: pytest.MonkeyPatch, back: bool, stride: int
) -> None:
    """At each step: central is whole where it is said to be, and the same command ends what it began."""
    before = SqliteKind(home / DATABASE).contents()
    there, to = Place(path=home / DATABASE), Place.named(dsn)
    if back:
        move_central(home, to)
        there, to = to, there
    cuts = 0
    while True:
        source, target = there.store(), to.store()
        source.reopen()
        empty(SqliteKind(to.path) if to.path else PostgresKind(dsn))
        write_place(home, there)
        source.close()
        target.close()
        with monkeypatch.context() as patch:
            cut_at(patch, cuts)
            try:
                move_central(home, to)
                break
            except CutError:
                cuts += stride
        with open_central(home) as central:
            assert central.verify().sound
            assert central.store.moved() in {None, str(to)}
        move_central(home, to)
        assert read_place(home) == to
        with open_central(home) as central:
            assert central.store.moved() is None
        assert_same(home / DATABASE, dsn)
    assert cuts > 14
    assert {n: r for n, r in SqliteKind(home / DATABASE).contents().items() if n != "moved"} == {
        n: r for n, r in before.items() if n != "moved"
    }


def test_a_disk_that_is_full_leaves_central_where_it_was(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with room, the same command goes on."""
    to = Place(path=tmp_path / "other.db")
    real = SqliteWriter.rows

    def full(self: SqliteWriter, spec: Any, rows: Any) -> int:
        self._connection.execute("PRAGMA max_page_count=1")
        return real(self, spec, rows)

    with monkeypatch.context() as patch, pytest.raises(NoSpaceError):
        patch.setattr(SqliteWriter, "rows", full)
        move_central(home, to)
    with open_central(home) as central:
        assert central.store.moved() is None
        central.merge(io.BytesIO(laptop(1).batch()))
    move_central(home, to)
    with open_central(home) as central:
        assert central.store.place == str(to.path)


@contextmanager
def unchanged(home: Path) -> Iterator[None]:
    """Whatever is refused leaves central as it was."""
    before = SqliteKind(home / DATABASE).contents()
    yield
    assert read_place(home).path == home / DATABASE
    assert SqliteKind(home / DATABASE).contents() == before


def test_a_target_that_holds_something_else_is_refused(home: Path, dsn: str, tmp_path: Path) -> None:
    """Another central, or one more record: named, and left alone."""
    for place in (Place.named(dsn), Place(path=tmp_path / "other.db")):
        store = place.store()
        fill_central(store, laptops=1)
        before = digest_of(store)
        with unchanged(home), pytest.raises(NotEmptyError):
            move_central(home, place)
        assert digest_of(store) == before
        store.close()


def test_a_target_that_is_central_itself_is_refused(home: Path, dsn: str) -> None:
    """However it is spelled."""
    with unchanged(home), pytest.raises(SamePlaceError):
        move_central(home, Place(path=home / ".." / home.name / DATABASE))
    move_central(home, Place.named(dsn))
    with pytest.raises(SamePlaceError):
        move_central(home, Place(dsn=f"{dsn} connect_timeout=7"))
    with open_central(home) as central:
        assert central.store.moved() is None


def test_what_does_not_arrive_whole_is_found_before_the_switch(
    home: Path, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control of the comparison: one byte of one record altered on the way, which no key shows."""
    spoil = """UPDATE fieldsurvey.bodies SET body = set_byte(body, 9, 255 - get_byte(body, 9))
               WHERE hash = (SELECT hash FROM fieldsurvey.bodies WHERE body IS NOT NULL LIMIT 1)"""
    monkeypatch.setattr(moving, "copy_covered", lambda *_stores: change(dsn, spoil))
    with unchanged(home), pytest.raises(MoveDiffersError):
        move_central(home, Place.named(dsn))


def test_two_moves_do_not_cross(home: Path, dsn: str, tmp_path: Path) -> None:
    """Central that was closed for one place is not moved to another."""
    with Central.open(home / DATABASE) as central, central.store.retire(dsn):
        pass
    with pytest.raises(CentralMovedError, match="dbname"):
        move_central(home, Place(path=tmp_path / "third.db"))
    with pytest.raises(FieldsurveyError):  # and what was never copied is not taken for moved
        move_central(home, Place.named(dsn))
    assert read_place(home).path == home / DATABASE


def test_extra_names_what_the_other_has_not(sqlite: SqliteStore, postgres: PostgresStore) -> None:
    """Erased on one side is no difference of bodies; anything else is."""
    made = fill_central(sqlite, laptops=1)
    assert extra(sqlite, postgres) is None
    assert (found := extra(postgres, sqlite)) is not None
    assert found.name == "projects"
    copying.copy_sets(sqlite, postgres, lambda _count: None)
    assert extra(sqlite, postgres) is extra(postgres, sqlite) is None
    assert digest_of(sqlite) == digest_of(postgres)
    with sqlite.write() as writer:
        writer.erase([made.laptops[0].log[0][0].record_hash])
    assert extra(sqlite, postgres) is None
    assert digest_of(sqlite) != digest_of(postgres)
    assert (found := extra(postgres, sqlite)) is not None
    assert found.name == "erased"
