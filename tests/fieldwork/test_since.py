"""Since when a record waits for central's word, and where its copies lie: each state of each record, told truly."""

from __future__ import annotations

from datetime import timedelta

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop, State
from fieldsurvey.fieldwork.cards import WAITS_LONG
from fieldsurvey.records.receipt import Level, Role
from tests.fieldwork.conftest import NOW, WORDS
from tests.fieldwork.test_retention import receipt


def _seal(laptop: Laptop, count: int) -> None:
    session = laptop.unlock(WORDS)
    for _ in range(count):
        work = session.start("synthetic")
        work.answer("/data/story", "told")
        work.finalise()
    session.close()


def _cards(laptop: Laptop) -> dict[int, tuple[State, str, tuple[str, ...]]]:
    session = laptop.unlock(WORDS)
    found = {
        card.seq: (card.state, card.sealed, tuple(place for place, _at in card.copies)) for card in session.sealed()
    }
    session.close()
    return found


def test_each_record_says_its_state_since_when_and_where_it_lies(laptop: Laptop, clock: FixedClock) -> None:
    """Sealed on three days, copied to two sticks, received, acknowledged: each record has its own state, the day of
    sealing until central has it, and the places that hold it."""
    days = []
    for _ in range(3):
        days.append(clock.now().date().isoformat())
        _seal(laptop, 2)
        clock.move(days=1)
    log = laptop.locked
    log.mark_copied(4, "stick A", clock.now())
    log.mark_copied(2, "stick B", clock.now())
    log.take_receipt(receipt(log, 3, Level.RECEIVED, by=Role.SUPERVISOR), clock.now())
    log.take_receipt(receipt(log, 1, Level.COMMITTED), clock.now())
    assert _cards(laptop) == {
        1: (State.ACKNOWLEDGED, "", ("stick A", "stick B")),
        2: (State.RECEIVED, days[0], ("stick A", "stick B")),
        3: (State.RECEIVED, days[1], ("stick A",)),
        4: (State.COPIED, days[1], ("stick A",)),
        5: (State.SEALED, days[2], ()),
        6: (State.SEALED, days[2], ()),
    }
    status = laptop.status()
    assert (status.waiting_since, status.waiting_long) == (days[0], 0)
    assert [(place, up_to) for place, _at, up_to in status.copies] == [("stick A", 4), ("stick B", 2)]


def test_what_waits_too_long_is_counted(laptop: Laptop, clock: FixedClock) -> None:
    """Seven days after sealing a record is overdue, not a day before; what central has is not; a relay's word is not
    enough."""
    _seal(laptop, 2)
    clock.move(days=3)
    _seal(laptop, 1)
    clock.move(days=WAITS_LONG - 4)
    assert laptop.status().waiting_long == 0
    clock.move(days=1)
    assert (laptop.status().waiting_long, laptop.status().waiting_since) == (2, NOW.date().isoformat())
    laptop.locked.take_receipt(receipt(laptop.locked, 3, Level.RECEIVED, by=Role.SUPERVISOR), clock.now())
    assert laptop.status().waiting_long == 2
    laptop.locked.take_receipt(receipt(laptop.locked, 1, Level.COMMITTED), clock.now())
    assert laptop.status().waiting_long == 1
    clock.move(days=30)
    assert laptop.status().waiting_long == 2
    laptop.locked.take_receipt(receipt(laptop.locked, 3, Level.COMMITTED), clock.now())
    assert (laptop.status().waiting_long, laptop.status().waiting_since) == (0, "")


def test_days_are_kept_only_while_something_waits(laptop: Laptop, clock: FixedClock) -> None:
    """How many interviews were sealed on which day is not told by a laptop that central has everything of; what is
    sealed afterwards has its day again."""
    for _ in range(3):
        _seal(laptop, 1)
        clock.move(days=1)
    log = laptop.locked
    assert len(log.sealed_days()) == 3
    log.take_receipt(receipt(log, 2, Level.COMMITTED), clock.now())
    assert [seq for seq, _day in log.sealed_days()] == [3]
    log.take_receipt(receipt(log, 3, Level.COMMITTED), clock.now())
    assert log.sealed_days() == []
    _seal(laptop, 1)
    assert log.sealed_days() == [(4, (NOW + timedelta(days=3)).date().isoformat())]


def test_an_older_programs_records_have_no_day(laptop: Laptop, clock: FixedClock) -> None:
    """Sealed before days were noted: the state is told, the day is not made up, and nothing is called overdue."""
    _seal(laptop, 2)
    laptop.locked.store.connection.execute("DELETE FROM sealed_on")
    clock.move(days=100)
    assert (laptop.status().waiting_since, laptop.status().waiting_long) == ("", 0)
    _seal(laptop, 1)
    clock.move(days=WAITS_LONG)
    assert laptop.status().waiting_long == 1
    assert _cards(laptop)[1] == (State.SEALED, "", ())
