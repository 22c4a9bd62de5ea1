"""Withdrawals are signed by nobody: who has made up many of them fills a place's room for what sticks bring."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.withdrawals import export_withdrawals, keep_withdrawals
from tests.sync.laptops import PROJECT

ROOM = 5


def stone() -> Tombstone:
    """Of a code that nobody has."""
    return Tombstone(project=PROJECT, code=WithdrawalCode.generate().raw, requested="2026-03-01")


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
