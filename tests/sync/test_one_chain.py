"""A long log is not read again for each push, and yet nothing is vouched for that is not there. All synthetic."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from sync.central import Central
from sync.http.lacking import lacking
from tests.sync.laptops import SyntheticLaptop, laptop
from tests.sync.projects import enrol
from tests.sync.test_proving import forge

LONG = 40


@pytest.fixture
def one(central: Central) -> SyntheticLaptop:
    """A laptop whose log was vouched for, all but its last entry."""
    made = laptop(LONG)
    enrol(central, made)
    central.merge(io.BytesIO(made.batch(1, LONG - 1)))
    assert reach(central, made) == [LONG - 1]
    central.merge(io.BytesIO(made.batch(LONG, LONG)))
    return made


def reach(central: Central, one: SyntheticLaptop) -> list[int]:
    """How far central vouches for it."""
    return [receipt.up_to for receipt in central.receipts(one.device)]


def lose(central: Central, one: SyntheticLaptop, seq: int, sql: str = "DELETE FROM bodies WHERE hash = ?") -> None:
    """A record goes, by another hand than ours."""
    with closing(sqlite3.connect(central.store.place)) as other, other:
        other.execute(sql, (one.log[seq - 1][0].record_hash,))


def test_a_push_reads_what_follows_alone(
    central: Central, one: SyntheticLaptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked what it lacks, and for a receipt before and after a batch: one link is read, and no record before it."""
    read: list[int] = []
    links = central.store.links
    looks: list[str] = []

    def reading(device: str, after: int = 0) -> Any:
        for link in links(device, after):
            read.append(link.seq)
            yield link

    monkeypatch.setattr(central.store, "links", reading)
    monkeypatch.setattr(central.store, "first_without_body", looks.append)
    assert lacking(central, one.device, LONG + 3) == [(LONG + 1, LONG + 3)]
    assert reach(central, one) == [LONG]
    one.seal()
    central.merge(io.BytesIO(one.batch(LONG + 1)))
    assert reach(central, one) == [LONG + 1]
    assert (read, looks) == ([LONG, LONG + 1], [])


@pytest.mark.parametrize("seq", [1, 20, LONG])
def test_a_record_that_is_lost_is_not_vouched_for(central: Central, one: SyntheticLaptop, seq: int) -> None:
    """It is asked for, and when it came it counts; whoever removed it, another process or this one's own mending."""
    for _how in range(2):
        assert reach(central, one) == [LONG]
        lose(central, one, seq)
        assert reach(central, one) == ([seq - 1] if seq > 1 else [])
        assert lacking(central, one.device, LONG) == [(seq, seq)]
        central.merge(io.BytesIO(one.batch(seq, seq)))
    with central.store.write() as writer:
        writer.discard([one.log[seq - 1][0].record_hash])
    assert reach(central, one) == ([seq - 1] if seq > 1 else [])


@pytest.mark.parametrize("seq", [1, 20, LONG - 1, LONG])
def test_an_entry_that_is_gone_is_noticed_at_once(central: Central, one: SyntheticLaptop, seq: int) -> None:
    """What is held is counted each time."""
    assert reach(central, one) == [LONG]
    lose(central, one, seq, "DELETE FROM entries WHERE record_hash = ?")
    assert reach(central, one) == ([seq - 1] if seq > 1 else [])


@pytest.mark.parametrize("at", [3, 20, LONG])
def test_an_entry_that_is_put_in_is_noticed_at_once(central: Central, one: SyntheticLaptop, at: int) -> None:
    """As a fork, in the middle; both histories are vouched for, as ever."""
    assert reach(central, one) == [LONG]
    forge(central, one, at, one.head_at(at - 1))
    assert reach(central, one) == sorted({at, LONG}) if at < LONG else [LONG, LONG]
