"""A supervisor's laptop on the same screens: what is carried, from whom and for whom, since when."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.records.receipt import Role
from fieldsurvey.tui.central.app import CentralApp
from fieldsurvey.tui.central.carried import CarriedRow, carried, carried_cells, carried_line, carried_summary, joined
from fieldsurvey.tui.central.desk import Desk
from fieldsurvey.tui.central.plain import shown
from fieldsurvey.tui.central.purposes import words_of
from fieldsurvey.tui.central.relaying import relay_hand, relay_take
from fieldsurvey.tui.central.sticks import give_receipts, take
from sync.carrying import RelayFile, TakeReport
from sync.errors import StoppedError
from sync.relay import Relay
from tests.sync.laptops import PROJECT
from tests.tui.central.province import NOW, PARISH, QUOTA, ROUND, Province
from tests.tui.screens import press, rest, settled, text


def told(_done: int, _total: int, _text: str) -> None:
    """Nobody looks."""


@pytest.fixture
def province(tmp_path: Path) -> Province:
    """Two laptops with batches on a stick."""
    made = Province(tmp_path)
    one, two = made.laptop("Laptop 1", 4), made.laptop("Laptop 2", 3)
    made.put(one.batch(1, 2), one.batch(3, 4), two.batch())
    return made


@pytest.fixture
def desk(province: Province, tmp_path: Path) -> Desk:
    """The supervisor's."""
    home = tmp_path / "supervisor"
    home.mkdir()
    key = home / "given.key"
    key.write_bytes(role_key_bytes(PROJECT, Role.SUPERVISOR, province.project.supervisor))
    Relay.set_up(home, key, province.publish().data, province.clock)
    return Desk.at(home, province.clock)


def test_what_is_carried_from_whom_and_since_when(province: Province, desk: Desk) -> None:
    """After a stick was taken: entries as ranges, batches, the day the oldest came; central holds nothing of it yet."""
    assert desk.relaying
    report = relay_take(desk, province.stick, told, lambda: False)
    for path in (desk.home / "relay" / "batches").iterdir():
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    found = carried(desk.relay())
    rows = {row.name: row for row in found.rows}
    assert (rows["Laptop 1"].spans, rows["Laptop 1"].batches) == (((1, 4),), 2)
    assert rows["Laptop 2"].since == "2026-03-02T09:00:00+00:00"
    assert {row.at_central for row in found.rows} == {0}
    assert "3 batches carried for central" in carried_summary(found)
    assert words_of(report)[0].text == "3 batches taken."


def test_what_the_disk_has_damaged_is_said(province: Province, desk: Desk) -> None:
    """A batch that rotted here is no row of what is carried, but a line under it and after handing on: whose, and what
    to do."""
    relay_take(desk, province.stick, told, lambda: False)
    bad = desk.relay().holding.batches()[-1]
    bad.path.write_bytes(bad.path.read_bytes()[:-1])
    other = province.place / "road"
    other.mkdir()
    handed = relay_hand(desk, other, told, lambda: False)
    wanted = f"Entries {bad.first} to {bad.last} of {bad.name} ({bad.device[:8]}) were damaged"
    assert any(sentence.text.startswith(wanted) and not sentence.good for sentence in words_of(handed))
    found = carried(desk.relay())
    assert sum(row.batches for row in found.rows) == 2
    first, second = carried_summary(found).splitlines()
    assert "2 batches carried for central" in first
    assert second.startswith(wanted)


def test_what_central_has_is_let_go_of_and_its_receipts_are_carried_back(province: Province, desk: Desk) -> None:
    """Stick, relay, other stick, central, receipts, relay: nothing is carried for central, a receipt is for each."""
    relay_take(desk, province.stick, told, lambda: False)
    other = Province.__new__(Province)
    other.stick = province.place / "other"
    other.stick.mkdir()
    handed = relay_hand(desk, other.stick, told, lambda: False)
    assert words_of(handed)[0].text.startswith("3 batches written")
    assert take(province.desk, other.stick, told, lambda: False).new == 7
    give_receipts(province.desk, other.stick, told, lambda: False)
    report = relay_take(desk, other.stick, told, lambda: False)
    assert report.forgotten == 3
    found = carried(desk.relay())
    assert carried_summary(found) == "Nothing is carried for central."
    assert [(row.name, row.at_central, row.since) for row in found.rows] == [
        ("Laptop 1", 4, None),
        ("Laptop 2", 3, None),
    ]
    assert carried_line(found.rows[0]).endswith("nothing carried from it. Central holds it up to 4.")


def test_handing_on_can_be_stopped(province: Province, desk: Desk) -> None:
    """Nothing half written stays on the stick, and everything is still carried."""
    relay_take(desk, province.stick, told, lambda: False)
    target = province.place / "other"
    target.mkdir()
    with pytest.raises(StoppedError):
        relay_hand(desk, target, told, lambda: True)
    assert [path.name for path in (target / "fieldsurvey" / "batches").iterdir()] == []
    assert carried(desk.relay()).batches == 3


def test_ranges_that_touch_become_one() -> None:
    """Overlaps too; gaps stay."""
    assert joined([(5, 6), (1, 2), (3, 4), (9, 9), (6, 7)]) == ((1, 7), (9, 9))


def test_returned_work_is_named_for_its_laptop() -> None:
    """For whom: a receipt, and so many pieces."""
    row = CarriedRow("12" * 16, "Laptop 1", 0, 0, (), None, 9, 2)
    assert carried_cells(row) == ("Laptop 1", "–", "–", "–", "up to 9", "receipt, 2 returned")
    assert "2 pieces of returned work for it." in carried_line(row)


@pytest.mark.parametrize(
    ("outcome", "good", "words"),
    [
        ("taken", True, "Laptop 1: taken, entries 1 to 2."),
        ("present", True, "here already"),
        ("committed", True, "central has it already"),
        ("withdrawn", False, "a record in it was withdrawn"),
        ("refused", False, "x.fsb was refused. synthetic reason"),
        ("ignored", True, "x.fsb was left aside."),
        ("left", False, "Stopped: 1 file was not looked at."),
    ],
)
def test_every_outcome_of_a_file_has_words(outcome: str, good: bool, words: str) -> None:
    """And says what to do where something is to be done."""
    file = RelayFile("x.fsb", outcome, "12" * 16, "Laptop 1", 1, 2, reason="synthetic reason", advice="Ask again.")  # type: ignore[arg-type]
    said = [sentence for sentence in words_of(TakeReport("stick", (file,))) if words in sentence.text]
    assert [sentence.good for sentence in said] == [good]
    assert bool(said[0].advice) is not good


async def test_the_screen_and_the_text(province: Province, desk: Desk) -> None:
    """The same app opens on what is carried; a stick is taken with two keys; no quota anywhere; text says the same."""
    app = CentralApp(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        assert "Nothing is carried." in text(app)
        await press(pilot, "f9", f"={province.stick}", "enter")
        await settled(pilot, lambda: "-done" in app.screen.classes)
        assert "3 batches taken." in text(app)
        await press(pilot, "escape")
        screen = text(app)
    assert "Laptop 1" in screen
    assert "1–4" in screen
    data, lines = shown(desk)
    assert {row["name"] for row in data["carried"]} == {"Laptop 1", "Laptop 2"}
    everything = screen + repr(data) + "\n".join(lines)
    assert [mark for mark in (str(QUOTA), ROUND, PARISH) if mark in everything] == []
