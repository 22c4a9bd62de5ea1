"""How it looks: screens as text, contrast of every painted cell, terminals without colours or with a poor font."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.color import Color

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.tui.app import FieldsurveyApp
from fieldsurvey.tui.themes import THEMES
from fieldsurvey.tui.turnstile import Turnstile
from tests.tui.conftest import InterviewApp
from tests.tui.laptops import WORDS, joined
from tests.tui.memory import DATA, NOON
from tests.tui.screens import press, rest, text

Maker = Callable[..., InterviewApp]
# Where to stand and what to press: one screen of every kind.
CARDS = {
    "note": ("/data/hello", []),
    "text": ("/data/zone", ["=Barrio sintético"]),
    "integer_refused": ("/data/people", ["=99", "enter"]),
    "integer_unknown": ("/data/people", ["f5"]),
    "integer_warning": ("/data/people", ["=20", "enter"]),
    "date": ("/data/since", ["=5/3/2024"]),
    "one": ("/data/water", ["1"]),
    "several": ("/data/needs", ["1", "3"]),
    "long_list": ("/data/canton", ["=pamba"]),
    "multiline": ("/data/more", ["=Una línea", "enter", "=y otra"]),
    "field_list": ("/data/present", ["=3", "enter", "=5", "enter"]),
    "table": ("/data/person[1]/works", ["enter", "+", "=40", "enter", "1", "enter"]),
    "acknowledge": ("/data/thanks", []),
    "end": ("/data/thanks", ["enter"]),
    "review": ("/data/zone", ["=Barrio sintético", "f3", "=Ruido", "f3", "f9"]),
    "jump": ("/data/zone", ["ctrl+g"]),
    "help": ("/data/zone", ["f1"]),
    "english": ("/data/people", ["f2"]),
}


# The same for the form of editors.
EDITORS = {
    "place": ("/data/well", ["=0°21'4\"N 78°7'20\"W"]),
    "place_refused": ("/data/well", ["=0,35", "enter"]),
    "line": ("/data/path", ["=0.1 -78.1", "enter", "=0.1 -78.2", "enter"]),
    "recording": ("/data/photo", []),
    "pictures": ("/data/face", []),
    "range": ("/data/half", ["=2,5"]),
    "calendar": ("/data/born", ["down"]),
    "tally": ("/data/came", ["a", "a", "b"]),
    "pebbles": ("/data/issue[1]/pebbles", ["=40"]),
}


@pytest.mark.parametrize("name", CARDS)
async def test_screens_at_80_by_24(interview_app: Maker, snapshot: SnapshotAssertion, name: str) -> None:
    """Every kind of card as people see it; a change in these files is a change of the screen, to be looked at."""
    place, keys = CARDS[name]
    app = interview_app(at=place)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *keys)
        assert text(app) == snapshot


@pytest.mark.parametrize("name", EDITORS)
async def test_editors_in_a_small_terminal(interview_app: Maker, snapshot: SnapshotAssertion, name: str) -> None:
    """The editors of less common questions at 60 by 20: nothing cut that is needed to answer and to go on."""
    place, keys = EDITORS[name]
    app = interview_app(at=place, form="editors")
    async with app.run_test(size=(60, 20)) as pilot:
        await press(pilot, *keys)
        assert text(app) == snapshot


@pytest.mark.parametrize("size", [(60, 20), (120, 40)])
@pytest.mark.parametrize("name", ["integer_refused", "one", "table", "review"])
async def test_other_sizes(interview_app: Maker, snapshot: SnapshotAssertion, name: str, size: tuple[int, int]) -> None:
    """A small and a large terminal: the same words, nothing cut that is needed to go on."""
    place, keys = CARDS[name]
    app = interview_app(at=place)
    async with app.run_test(size=size) as pilot:
        await press(pilot, *keys)
        shown = text(app)
        assert "[F1]" in shown.splitlines()[-1]
        assert shown == snapshot


async def test_the_laptop_screens(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """Unlock, Home with a draft, and the copy to a stick."""
    clock = FixedClock(NOON)
    joined(tmp_path / "home", clock=clock).close()
    app = FieldsurveyApp(tmp_path / "home", joined=True, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        assert text(app) == snapshot(name="unlock")
        await press(pilot, "=wrong", "enter")
        assert text(app) == snapshot(name="wrong passphrase")
        await press(pilot, f"={WORDS}", "enter", "1")
        await press(pilot, "ctrl+s")
        assert text(app) == snapshot(name="home")
        await press(pilot, "f9")
        assert text(app) == snapshot(name="copy")


async def test_the_main_screens_in_spanish(
    tmp_path: Path, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, catalogue: None
) -> None:
    """The language of the field: a question with an error, the keys, the review; nothing is cut at 80 columns."""
    monkeypatch.setattr("fieldsurvey.tui.screens.turning.Turnstile", lambda: Turnstile(dwell=0.0))
    clock = FixedClock(NOON)
    joined(tmp_path / "home", {"types": (DATA / "types.xml").read_bytes()}, clock=clock).close()
    app = FieldsurveyApp(tmp_path / "home", joined=True, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter", "1", "enter", "enter", "=99", "enter")
        assert text(app) == snapshot(name="question")
        await press(pilot, "f1")
        assert text(app) == snapshot(name="help")
        await press(pilot, "escape", "f9")
        assert text(app) == snapshot(name="review")


async def test_the_first_start(tmp_path: Path, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    """No vault yet: the project file is asked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sync.drives.removable_drives", list)
    app = FieldsurveyApp(tmp_path / "home", joined=False, clock=FixedClock(NOON))
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        assert text(app) == snapshot


# -- contrast


def luminance(colour: Color) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [c / 255 for c in (colour.r, colour.g, colour.b)]
    r, g, b = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: Color, other: Color) -> float:
    """Contrast ratio, WCAG 2.2: from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def faint(app: FieldsurveyApp, least: float) -> set[tuple[str, float]]:
    """Painted words whose contrast is under `least`; frames are no words, and what an overlay covers is dimmed."""
    found: set[tuple[str, float]] = set()
    boxes = app.screen.query(".box")
    area = boxes.first().region if boxes else app.screen.region
    for strip in app.screen._compositor.render_strips()[area.y : area.bottom]:
        for segment in strip.crop(area.x, area.right):
            style = segment.style
            if not any(c.isalnum() for c in segment.text) or style is None or not style.color or not style.bgcolor:
                continue
            front, back = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
            if style.reverse:
                front, back = back, front
            ratio = contrast(front, back)
            if ratio < least:
                found.add((segment.text.strip(), round(ratio, 2)))
    return found


def test_contrast_is_wcags() -> None:
    """The control: black on white is 21, a grey that is known to fail does fail."""
    assert round(contrast(Color.parse("#000000"), Color.parse("#ffffff")), 1) == 21.0
    assert contrast(Color.parse("#777777"), Color.parse("#ffffff")) < 4.5


@pytest.mark.parametrize("theme", [t.name for t in THEMES])
@pytest.mark.parametrize("name", ["line", "recording", "calendar", "tally"])
async def test_every_word_of_the_editors_has_contrast(interview_app: Maker, theme: str, name: str) -> None:
    """The same 4.5:1 for the editors of less common questions."""
    place, keys = EDITORS[name]
    app = interview_app(at=place, form="editors")
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = theme
        await press(pilot, *keys)
        assert faint(app, 4.5) == set()


@pytest.mark.parametrize("theme", [t.name for t in THEMES])
@pytest.mark.parametrize(
    "name", ["integer_refused", "integer_warning", "long_list", "several", "review", "jump", "help"]
)
async def test_every_painted_word_has_contrast(interview_app: Maker, theme: str, name: str) -> None:
    """At least 4.5:1 for every word of our themes, muted ones and the list's cursor included."""
    place, keys = CARDS[name]
    app = interview_app(at=place)
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = theme
        await press(pilot, *keys)
        assert faint(app, 4.5) == set()


async def test_the_contrast_search_finds_what_is_faint(interview_app: Maker) -> None:
    """The control: no word reaches an impossible contrast, so the search sees words at all."""
    app = interview_app(at="/data/people")
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        assert len(faint(app, 21.5)) > 5


async def test_no_color_and_the_console(interview_app: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR paints in greys; TERM=linux uses only signs that its font has."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "linux")
    place, keys = CARDS["integer_refused"]
    app = interview_app(at=place)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *keys)
        shown = text(app)
        assert "x Debe estar entre 1 y 30." in shown
        assert not set("✗●○✓━╭╮╰╯›") & set(shown)
    assert app.no_color
