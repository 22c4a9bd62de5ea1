"""Central's screens: wiring through Pilot, the look as text, contrast, a stick from choosing to what came of it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.screen import Screen

from fieldsurvey.tui.central.app import CentralApp
from fieldsurvey.tui.central.job import Job, Stop, Told
from fieldsurvey.tui.exits import Exit
from fieldsurvey.tui.themes import THEMES
from sync.drives import Drive
from sync.journal import Journal
from tests.tui.central.province import PARISH, QUOTA, ROUND, Province, troubled
from tests.tui.screens import press, rest, settled, text, words
from tests.tui.test_looks import faint


@pytest.fixture(autouse=True)
def _no_sticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own are nobody's business."""
    monkeypatch.setattr("sync.drives.removable_drives", list)
    for room in ("wording", "journal"):
        monkeypatch.setattr(f"fieldsurvey.tui.central.{room}.at", lambda iso: f"{iso[8:10]}/{iso[5:7]} {iso[11:16]}")


@pytest.fixture
def province(tmp_path: Path) -> Province:
    """Where everything is wrong, with two lines in the log."""
    made = troubled(tmp_path)
    log = Journal(made.home, made.clock)
    log.note("import", "central", place="/media/AZUL", device=made.laptops["Laptop 1"].device, new=5)
    log.note("refusal", "central", place="/media/AZUL: x.fsb", code="untrusted.container")
    return made


async def test_a_walk_through_the_screens(province: Province, snapshot: SnapshotAssertion) -> None:
    """Laptops, details, conflicts, revisions, returned work, log: at 80 by 24; nothing of the plan."""
    app = CentralApp(province.desk)
    seen: list[str] = []

    def look(name: str) -> None:
        shown = text(app)
        seen.append(shown)
        for laptop in province.laptops.values():  # ids differ from run to run
            shown = shown.replace(laptop.device, "0" * 32).replace(laptop.device[:8], "0" * 8)
        assert shown == snapshot(name=name)

    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        look("laptops")
        await press(pilot, "down", "enter")
        look("details")
        await press(pilot, "escape", "f8")
        look("conflicts")
        await press(pilot, "enter")
        look("revisions")
        await press(pilot, "escape", "space")
        await press(pilot, "escape", "f7")
        look("returned")
        await press(pilot, "escape", "f6")
        look("log")
        await press(pilot, "space")
        look("problems")
        await press(pilot, "escape", "f1")
        look("help")
    assert [mark for mark in (str(QUOTA), ROUND, PARISH) if any(mark in shown for shown in seen)] == []


async def test_a_stick_from_choosing_to_what_came_of_it(province: Province, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found by itself, imported with one key, told file by file; the first screen then counts what came."""
    plugged: list[Drive] = []
    monkeypatch.setattr("sync.drives.removable_drives", lambda: list(plugged))
    monkeypatch.setattr("fieldsurvey.tui.central.screens.stick.PLUGGED", 0.1)
    province.put(province.laptops["Laptop 2"].batch(3, 4), b"FSB1 synthetic")
    app = CentralApp(province.desk)
    async with app.run_test(size=(80, 30)) as pilot:
        await press(pilot, "f9")
        assert "No stick yet" in text(app)
        plugged.append(Drive(province.stick, "AZUL", 3_000_000_000, 4_000_000_000, writable=True))
        await settled(pilot, lambda: "AZUL" in text(app))
        assert "3.0 GB free" in text(app)
        await press(pilot, "enter")
        await settled(pilot, lambda: app.job is not None and app.job.seen)
        shown = text(app)
        assert "2 new records merged." in shown
        assert "0001.fsb was refused." in shown
        assert "the stick can be taken out" in shown
        await press(pilot, "escape")
        assert "2 missing" not in text(app)


async def test_work_goes_on_when_its_screen_is_left_and_stops_when_asked(province: Province) -> None:
    """The first screen says how far it is; the key leads back to it; leaving the program asks first."""
    app = CentralApp(province.desk)
    go = threading.Event()

    def slow(told: Told, stop: Stop) -> object:
        told(1, 4, "synthetic.fsb")
        while not stop():
            go.wait(0.01)
        from sync.importing import ImportReport

        return ImportReport("stick")

    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        app.begin(Job("import", "/media/AZUL", slow))
        await settled(pilot, lambda: "25 %" in text(app))
        assert "Importing /media/AZUL: 25 % [F9]" in text(app)
        await press(pilot, "ctrl+q")
        assert "Leave while this is under way?" in text(app)
        await press(pilot, "escape", "f9")
        assert "[F8] Stop" in text(app)
        assert "[Enter] Begin" not in text(app)
        await press(pilot, "f8")
        await settled(pilot, lambda: not app.working and "-done" in app.screen.classes)
        assert "There was no batch on it." in text(app)
        await press(pilot, "escape", "ctrl+q")
    assert app.return_code == Exit.QUIT


async def test_what_cannot_be_done_is_said_with_the_remedy(province: Province) -> None:
    """A folder that is not there: the reason, what to do, and choosing again with one key."""
    app = CentralApp(province.desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "f9", "=/nowhere", "enter")
        await settled(pilot, lambda: "-done" in app.screen.classes)
        shown = text(app)
        assert "There is nothing of fieldsurvey in /nowhere." in shown
        assert "not done" in shown
        await press(pilot, "f5")
        assert "From where?" in text(app)


async def test_a_central_that_cannot_be_read_says_so_and_traps_nobody(province: Province) -> None:
    """Its file is damaged under way: the reason and the remedy stand over what was found before; keys go on working."""
    app = CentralApp(province.desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        database = province.home / "central.db"
        whole = database.read_bytes()
        for path in province.home.glob("central.db*"):
            path.unlink()
        database.write_bytes(b"no database of ours" * 300)
        await press(pilot, "f5")
        shown = words(app)
        assert "is damaged" in shown
        assert "Laptop 2" in shown
        await press(pilot, "f6")
        assert "Sync log" in text(app)
        for path in province.home.glob("central.db*"):
            path.unlink()
        database.write_bytes(whole)
        await press(pilot, "escape", "escape", "f5")
        assert "is damaged" not in words(app)
    assert app.return_code in {None, Exit.QUIT}


async def test_a_fault_shows_as_one_and_prints_no_value(province: Province, capsys: pytest.CaptureFixture[str]) -> None:
    """What nobody foresaw in a job ends the program with its place, never with what was in it."""
    app = CentralApp(province.desk)

    def fail(_told: Told, _stop: Stop) -> object:
        canary = "canary-8842"
        raise ValueError(canary)

    with pytest.raises(ValueError, match="canary"):  # the test harness raises it again
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, "f9")
            app.begin(Job("import", "stick", fail))
            await settled(pilot, lambda: app.return_code is not None)
    assert app.return_code == Exit.CRASHED
    told = capsys.readouterr().err
    assert "ValueError" in told
    assert "canary" not in told


async def test_the_log_is_saved(province: Province, tmp_path: Path) -> None:
    """The lines that are shown, as a table."""
    app = CentralApp(province.desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "f6", "space", "f10", "ctrl+u", f"={tmp_path}/log.csv", "enter")
        assert "1 line written" in text(app)
    assert "untrusted.container" in (tmp_path / "log.csv").read_text("utf-8-sig")


async def test_names_can_be_read_whole_at_80_columns(province: Province) -> None:
    """A long name is kept before other columns, and stands whole below the table under the cursor; places too."""
    name = "Laptop sintética de la parroquia de San Francisco de Sigsipamba"
    device = province.laptop(name, 1, enrolled=True).device
    place = "/media/synthetic/" + "x" * 40 + "/laptop.fsb"
    Journal(province.home, province.clock).note("refusal", "central", place=place, device=device, code="synthetic")
    app = CentralApp(province.desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "end", "up")
        assert name in " ".join(text(app).split())
        assert name[:20] in text(app)
        await press(pilot, "f6")
        shown = "".join(text(app).split())
        assert place in shown
        assert "".join(name.split()) in shown


@pytest.mark.parametrize("size", [(60, 20), (140, 40)])
async def test_other_sizes(province: Province, size: tuple[int, int]) -> None:
    """A small and a large terminal: the names, the loud line and help are there; no line is cut at the right end."""
    app = CentralApp(province.desk)
    async with app.run_test(size=size) as pilot:
        await rest(pilot)
        shown = text(app)
        assert "NOBODY EVER BACKED CENTRAL UP" in shown
        assert all(name in shown for name in ("Laptop 1", "Laptop 2", "[F1]"))
        assert "FORK" in shown


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_every_word_has_contrast(province: Province, theme: str) -> None:
    """At least 4.5:1 on the first screen, the details and what came of a stick."""
    province.put(b"FSB1 synthetic")
    app = CentralApp(province.desk)
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = theme
        await rest(pilot)
        assert faint(app, 4.5) == set()
        await press(pilot, "enter")
        assert faint(app, 4.5) == set()
        await press(pilot, "escape", "f9", f"={province.stick}", "enter")
        await settled(pilot, lambda: "-done" in app.screen.classes)
        assert faint(app, 4.5) == set()


def test_nothing_leaks_from_the_palette(province: Province) -> None:
    """No Screenshot, no lock that locks nothing; copying stays in the program."""
    app = CentralApp(province.desk)
    written: list[Any] = []
    app._driver = type("Driver", (), {"write": written.append})()
    app.copy_to_clipboard("synthetic")
    assert written == []
    names = [command.title for command in app.get_system_commands(cast("Screen[object]", app.first_screen()))]
    assert "Details" in names
    assert not {"Screenshot", "Lock", "Hide"} & set(names)
