"""The evening review, practice and withdrawals on the screen and in lines, on a real laptop."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.project.policy import Policy, Retention
from fieldsurvey.tui.app import FieldsurveyApp
from fieldsurvey.tui.plain.console import Console
from fieldsurvey.tui.plain.start import run
from fieldsurvey.tui.screens.evening import EveningScreen
from fieldsurvey.tui.screens.home import HomeScreen
from fieldsurvey.tui.screens.review import ReviewScreen
from fieldsurvey.tui.screens.unlock import UnlockScreen
from fieldsurvey.tui.turnstile import Turnstile
from tests.tui.laptops import WORDS, joined
from tests.tui.memory import DATA, NOON
from tests.tui.screens import press, text

Types = {"types": (DATA / "types.xml").read_bytes()}
REVIEWED = Policy(languages=("es", "en"), review_window_hours=8)
THROUGH = ("1", "enter", "=Barrio", "enter", "=4", "enter", "f8", "2", "enter", "f9", "f10", "y")


@pytest.fixture
def clock() -> FixedClock:
    """Noon."""
    return FixedClock(NOON)


@pytest.fixture
def app(tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Callable[[Policy], FieldsurveyApp]:
    """Makes the app on a laptop that joined, with this policy."""
    monkeypatch.setattr("sync.drives.removable_drives", list)
    monkeypatch.setattr("fieldsurvey.tui.screens.turning.Turnstile", lambda: Turnstile(dwell=0.0))

    def make(policy: Policy) -> FieldsurveyApp:
        joined(tmp_path / "home", Types, clock=clock, policy=policy).close()
        return FieldsurveyApp(tmp_path / "home", joined=True, clock=clock)

    return make


async def test_a_day_with_an_evening(app: Callable[[Policy], FieldsurveyApp], clock: FixedClock) -> None:
    """Complete shows the code once and waits; F8 lists it; opened, it says MENDING; then all is sealed."""
    made = app(REVIEWED)
    async with made.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter", *THROUGH[:-1])
        assert "Is this interview complete?" in text(made)
        await press(pilot, "y")
        assert "It waits for the evening review and is sealed by 05/03 20:00." in text(made)
        assert "in words:" in text(made)
        await press(pilot, "enter")
        assert "1 completed interview waits for the evening review" in text(made)
        assert "Go on with a draft" not in text(made)
        await press(pilot, "f8")
        assert isinstance(made.screen, EveningScreen)
        assert "completed 05/03 12:00, sealed by 05/03 20:00" in text(made)
        await press(pilot, "enter")
        assert isinstance(made.screen, ReviewScreen)
        assert "MENDING" in text(made)
        await press(pilot, "escape", "ctrl+s", "f8", "f10", "y")
        assert "1 interview that waited is sealed now." in text(made)
        await press(pilot, "enter")
        assert "1 sealed: 1 only here" in text(made)
        assert "waits for the evening review" not in text(made)


async def test_what_waited_too_long_is_said_at_unlock(
    app: Callable[[Policy], FieldsurveyApp], clock: FixedClock, tmp_path: Path
) -> None:
    """Sealed at the next unlock after its window, and somebody is told; while unlocked, without being asked."""
    made = app(REVIEWED)
    laptop = Laptop.open(tmp_path / "home", clock)
    session = laptop.unlock(WORDS)
    for _ in range(2):
        work = session.start("types")
        work.apply([{"answer": {"/data/zone": "Barrio", "/data/people": "4", "/data/water": "yes"}}])
        work.complete()
        clock.move(hours=5)
    session.close()
    laptop.close()
    async with made.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter")
        assert "1 interview that waited is sealed now." in text(made)
        await press(pilot, "enter")
        assert "1 completed interview waits" in text(made)
        clock.move(hours=5)
        made._seal_due()
        await press(pilot, "f8", "escape")
        assert "2 sealed" in text(made)


async def test_practice_says_so_on_every_screen(app: Callable[[Policy], FieldsurveyApp], tmp_path: Path) -> None:
    """F7 on a form: question, review and end say PRACTICE; nothing of it is in the vault; it can be left and erased."""
    made = app(Policy(languages=("es", "en")))
    async with made.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter", "f7", "enter")
        assert "PRACTICE" in text(made)
        assert "kept nowhere" in text(made)
        assert "saved 1" not in text(made)
        await press(pilot, "=Barrio", "f9")
        assert isinstance(made.screen, ReviewScreen)
        assert "PRACTICE" in text(made)
        assert "kept nowhere" in text(made)
        await press(pilot, "escape", "ctrl+s")
        assert "Practice, kept nowhere" in text(made)
        assert "[2] PRACTICE" in text(made)
        assert "Nothing sealed on this laptop yet." in text(made)
        await press(pilot, "2")
        assert "PRACTICE" in text(made)
        await press(pilot, "enter", "=4", "enter", "f8", "2", "enter", "f9", "f10")
        assert "End this practice interview?" in text(made)
        await press(pilot, "y")
        assert "nothing of it was stored" in text(made)
        await press(pilot, "enter")
        assert "PRACTICE" not in text(made)
        await press(pilot, "f7", "ctrl+s", "down", "delete", "y")
        assert "PRACTICE" not in text(made)
    locked = Laptop.open(tmp_path / "home", FixedClock(NOON)).locked
    assert (locked.draft_count(), locked.head().seq) == (0, 0)


async def test_a_real_interview_never_says_practice(app: Callable[[Policy], FieldsurveyApp]) -> None:
    """Control for the test above."""
    made = app(Policy(languages=("es", "en")))
    async with made.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter", "1", "enter")
        assert "saved 1" in text(made)
        assert "PRACTICE" not in text(made)


async def test_a_withdrawal_is_taken_while_locked_and_at_home(
    app: Callable[[Policy], FieldsurveyApp], tmp_path: Path, clock: FixedClock
) -> None:
    """F3: a mistyped code is said and asked again; the right one shows what is held, asks, erases; never an answer."""
    made = app(Policy(languages=("es", "en")))
    laptop = Laptop.open(tmp_path / "home", clock)
    session = laptop.unlock(WORDS)
    codes = []
    for _ in range(2):
        work = session.start("types")
        work.apply([{"answer": {"/data/zone": "Barrio", "/data/people": "4", "/data/water": "yes"}}])
        codes.append(work.finalise())
    session.close()
    first, second = codes[0].withdrawal_code or "", codes[1].withdrawal_words or ""
    async with made.run_test(size=(100, 30)) as pilot:
        await press(pilot, "f3", f"={first[:-1]}", "enter")
        assert "too many or too few" in text(made)
        await press(pilot, f"={first[-1]}", "enter")  # what was typed stands there
        assert "Record 1, revision 1" in text(made)
        assert "sealed: on this laptop alone" in text(made)
        assert "Barrio" not in text(made)
        await press(pilot, "escape")
        assert len(list(laptop.locked.entries())) == 2
        await press(pilot, "f3", f"={first}", "enter", "y")
        assert "1 record erased on this laptop." in text(made)
        assert ": erased, 1 record, " in text(made)  # this laptop's own report, among the places
        await press(pilot, "enter")
        assert isinstance(made.screen, UnlockScreen)
        await press(pilot, "f3", f"={first}", "enter")
        assert "Withdrawn on " in text(made)
        assert "(this one): erased, 1 record, " in text(made)
        assert "Erase it" not in text(made)  # nothing is left to decide
        await press(pilot, "escape")
        assert [entry.seq for entry, _ in laptop.locked.entries()] == [2]
        await press(pilot, f"={WORDS}", "enter", "f3", f"={second}", "enter", "y", "enter")
        assert isinstance(made.screen, HomeScreen)
        assert list(laptop.locked.entries()) == []


async def test_a_draft_that_is_left_too_long_is_warned_of(
    app: Callable[[Policy], FieldsurveyApp], clock: FixedClock, tmp_path: Path
) -> None:
    """A week before the policy's days are over Home says so; a fresh draft has no such line."""
    made = app(Policy(languages=("es", "en"), retention=Retention(draft_days=20)))
    laptop = Laptop.open(tmp_path / "home", clock)
    session = laptop.unlock(WORDS)
    session.start("types").answer("/data/zone", "Barrio")
    session.close()
    laptop.close()
    clock.at += timedelta(days=14)
    async with made.run_test(size=(110, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter")
        assert "untouched for 14 days: this project erases drafts after 20" in text(made)
        await press(pilot, "2", "enter", "ctrl+s")
        assert "untouched" not in text(made)


def said(home: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, *lines: str) -> str:
    """What --plain says when these lines are typed."""
    monkeypatch.setenv("FIELDSURVEY_HOME", str(home))
    heard = io.StringIO()
    run(home, Console(io.StringIO("".join(f"{line}\n" for line in lines)), heard), clock)
    return heard.getvalue()


COMPLETE = ("", "Barrio", "4", "/problem", "1", "/review", "/seal", "yes")


def test_the_evening_in_lines(tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Complete, list, look, leave, seal all."""
    home = tmp_path / "home"
    joined(home, Types, clock=clock, policy=REVIEWED).close()
    heard = said(home, clock, monkeypatch, WORDS, "1", *COMPLETE, "/evening", "1", "/leave", "/evening", "/seal", "yes")
    assert "It waits for the evening review and is sealed by 05/03 20:00." in heard
    assert "/evening shows them." in heard
    assert "completed 05/03 12:00, sealed by 05/03 20:00" in heard
    assert "1 interview that waited is sealed now." in heard
    assert "1 sealed: 1 only here" in heard


def test_practice_in_lines(tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question begins with PRACTICE; left, it is listed as such; completed, it is gone."""
    home = tmp_path / "home"
    joined(home, Types, clock=clock).close()
    heard = said(home, clock, monkeypatch, WORDS, "/practise", "", "/leave", "2", *COMPLETE[1:], "/quit")
    assert heard.count("PRACTICE. Question") >= 4
    assert "\nQuestion" not in heard
    assert "2 PRACTICE, kept nowhere: go on with" in heard
    assert "nothing of it was stored" in heard
    assert heard.rpartition("nothing of it was stored")[2].count("PRACTICE") == 0


def test_a_withdrawal_in_lines_while_locked(tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """/withdraw at the prompt for the words."""
    home = tmp_path / "home"
    laptop = joined(home, Types, clock=clock)
    session = laptop.unlock(WORDS)
    work = session.start("types")
    work.apply([{"answer": {"/data/zone": "Barrio", "/data/people": "4", "/data/water": "yes"}}])
    code = work.finalise().withdrawal_code or ""
    session.close()
    heard = said(home, clock, monkeypatch, "/withdraw", code, "yes", "/quit")
    assert "Record 1, revision 1" in heard
    assert "1 record erased on this laptop." in heard
    assert list(laptop.locked.entries()) == []
