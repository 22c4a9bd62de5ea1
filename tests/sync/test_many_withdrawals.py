"""Withdrawals are signed by nobody: who has made up many of them fills a place's room for what sticks bring."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.central import Central
from sync.erasing import learn_withdrawals
from sync.errors import ForeignProjectError
from sync.sqlite_store import SqliteStore, SqliteWriter
from sync.withdrawals import export_withdrawals, keep_withdrawals
from tests.sync.laptops import PROJECT
from tests.sync.projects import SyntheticProject

ROOM = 5


def stone(project: str = PROJECT) -> Tombstone:
    """Of a code that nobody has."""
    return Tombstone(project=project, code=WithdrawalCode.generate().raw, requested="2026-03-01")


def test_many_withdrawals_are_one_transaction(
    central: Central, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many a home has that central lacks; the next time there is none. Central knows every one of them."""
    project = SyntheticProject(PROJECT)
    central.learn(project.model())
    stones = [stone() for _ in range(40)]
    for one in stones:
        Withdrawals(tmp_path).enter(one)
    written: list[object] = []
    rightly = SqliteStore.write

    def write(self: SqliteStore) -> AbstractContextManager[SqliteWriter]:
        written.append(self)
        return rightly(self)

    monkeypatch.setattr(SqliteStore, "write", write)
    learn_withdrawals(central, tmp_path)
    assert len(written) == 1
    learn_withdrawals(central, tmp_path)
    assert len(written) == 1
    assert {tag.hex() for tag, _data in central.store.tombstones()} == {one.tag for one in stones}


def test_one_of_another_project_among_many_is_named_and_none_is_entered(central: Central) -> None:
    """All or nothing: the refusal says which project it is of; control: without it all are entered."""
    central.learn(SyntheticProject(PROJECT).model())
    good, bad = [stone() for _ in range(3)], stone("1e" * 16)
    with pytest.raises(ForeignProjectError) as caught:
        central.withdraw(*good, bad)
    assert caught.value.details["found"] == "1e1e1e1e"
    assert not list(central.store.tombstones())
    central.withdraw(*good)
    assert len(list(central.store.tombstones())) == 3


def test_a_flood_of_made_up_withdrawals_keeps_out_none_that_is_entered_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stick fills the room and no more; one that is entered at the place itself counts, and goes on every stick."""
    monkeypatch.setattr("sync.withdrawals.MAX_KEPT", ROOM)
    hostile, home, stick = tmp_path / "hostile", tmp_path / "home", tmp_path / "stick"
    for _ in range(2 * ROOM):
        Withdrawals(hostile).enter(stone())
    flood, own = tmp_path / "flood", stone()
    flood.mkdir()
    stick.mkdir()
    assert export_withdrawals(hostile, flood) == 2 * ROOM
    assert keep_withdrawals(home, PROJECT, flood).new == ROOM
    assert keep_withdrawals(home, PROJECT, flood).new == 0
    assert Withdrawals(home).enter(own)
    assert own.tag in Withdrawals(home).of(PROJECT)
    assert export_withdrawals(home, stick) == ROOM + 1
    monkeypatch.setattr("sync.withdrawals.MAX_KEPT", 10 * ROOM)
    assert keep_withdrawals(tmp_path / "other", PROJECT, stick).new == ROOM + 1
    assert Withdrawals(tmp_path / "other").holds(own.tag)
