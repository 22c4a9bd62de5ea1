"""Names that strangers chose, and labels that nobody read, on real screens: drawn, never obeyed. Synthetic."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.segment import ControlType, Segment
from textual.color import Color
from textual.content import Content

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.tui.app import FieldsurveyApp
from fieldsurvey.tui.harmless import Harmless
from fieldsurvey.tui.screens.dialogs import Tell
from fieldsurvey.tui.widgets.text import Words
from sync.drives import Drive
from tests.tui.laptops import WORDS, project_bytes
from tests.tui.memory import DATA, NOON
from tests.tui.screens import press, rest, text

HOSTILE = "A\x1b[2J\x9b1A\u202eZUL\u2066\udcff[bold red]x[/]"
ACTS = "\x1b\x9b\u202e\u2066\udcff"


def painted(app: FieldsurveyApp) -> str:
    """What goes to the terminal as text, of the screen on top."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


@pytest.fixture
def joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A laptop whose own name is hostile, with a hostile stick in it."""
    clock = FixedClock(NOON)
    data = project_bytes({"types": (DATA / "types.xml").read_bytes()})
    Laptop.join(
        tmp_path, data, device_name="L\x1b[2J\n", person="E01", passphrase=WORDS, clock=clock, argon2=FLOOR
    ).close()
    drive = Drive(tmp_path / "stick", HOSTILE, 8_000_000_000, 8_000_000_000, writable=True)
    monkeypatch.setattr("sync.drives.removable_drives", lambda: [drive])
    return tmp_path


async def test_a_stick_and_a_laptop_on_the_screen_that_copies(joined: Path) -> None:
    """Before unlocking: the label and the name are shown as escapes, and markup as letters."""
    app = FieldsurveyApp(joined, joined=True, clock=FixedClock(NOON))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "f9")
        shown = text(app)
        assert "A\\x1b[2J\\x9b1A\\u202eZUL\\u2066\\udcff[bold red]x[/]" in shown
        assert "L\\x1b[2J\\n" in shown
        assert not set(ACTS) & set(painted(app))


async def test_whatever_reaches_a_screen_is_drawn_in_the_width_that_was_counted(joined: Path) -> None:
    """A text that nobody made visible. The control: the widget holds it as it is."""
    app = FieldsurveyApp(joined, joined=True, clock=FixedClock(NOON))
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        app.push_screen(Tell("synthetic", f"{HOSTILE}|"))
        await rest(pilot)
        held = [words.text for words in app.screen.query(Words)]
        assert any("\x1b" in (one.plain if isinstance(one, Content) else one) for one in held)
        assert "A[2J1AZUL·[bold red]x[/]|" in painted(app)
        assert not set(ACTS) & set(painted(app))


def test_controls_of_textual_and_harmless_lines_pass_as_they_are() -> None:
    """Only text is looked at; joiners and soft hyphens belong to it."""
    line = [Segment("ñ\u00ad\u200d"), Segment("x\x1b"), Segment("\x1b[2J", None, [(ControlType.CURSOR_UP, 1)])]
    shown = Harmless().apply(line, Color(0, 0, 0))
    assert [one.text for one in shown] == ["ñ\u00ad\u200d", "x", "\x1b[2J"]
