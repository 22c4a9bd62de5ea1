"""How much a relay reads of what it holds: what it asks of one batch does not grow with all the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync import holding
from sync.batches import read_batch
from sync.carrying import take_stick
from sync.relay import Relay
from tests.sync.laptops import PROJECT, laptop
from tests.sync.relay.kit import bring, held, lay

MANY = 12


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows by one with each batch whose manifest is read."""
    found: list[None] = []
    really = read_batch

    def counting(*args: Any, **kwargs: Any) -> Any:
        found.append(None)
        return really(*args, **kwargs)

    monkeypatch.setattr(holding, "read_batch", counting)
    return found


@pytest.fixture
def full(relay: Relay, stick: Path) -> Relay:
    """Many batches of one laptop, and one in their midst that waits: entries 7 and 8, of which 7 was withdrawn."""
    code, one = WithdrawalCode.generate(), laptop(6)
    one.seal(withdrawal=code.tag(PROJECT))
    for _ in range(MANY - 6):
        one.seal()
    for first in range(1, MANY, 2):
        lay(stick, one.batch(first, first + 1))
    take_stick(relay, stick)
    bring(stick, Tombstone(project=PROJECT, code=code.raw, requested="2026-03-01"))
    assert len(take_stick(relay, stick).waiting) == 1
    return relay


def test_whether_one_must_wait_is_asked_of_its_neighbours(full: Relay, read: list[None]) -> None:
    """Not of every batch of its laptop: only of those that reach into it. The control: a look afresh reads them all."""
    read.clear()
    assert full.erase() == ()
    assert 1 <= len(read) <= 3
    read.clear()
    assert len(held(full)) == 6
    assert len(read) >= 6


def test_what_nobody_takes_back_is_not_answered(full: Relay, read: list[None], tmp_path: Path) -> None:
    """What came over the line is no stick that goes back: nothing is put on it, and nothing read for that. The
    control: a stick gets its answer."""
    box = tmp_path / "box"
    (box / "fieldsurvey").mkdir(parents=True)
    read.clear()
    take_stick(full, box, answer=False)
    assert (len(read) <= 3, list((box / "fieldsurvey").iterdir())) == (True, [])
    take_stick(full, box)
    assert (len(read) >= 6, bool(list((box / "fieldsurvey").iterdir()))) == (True, True)
