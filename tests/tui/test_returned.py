"""Returned work on the screen and in lines, on a real laptop: Home, the comments, the review, sealing."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.returned import TakenReturn, take_return
from fieldsurvey.project.policy import Policy
from fieldsurvey.records.envelope import read_header
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.tui.app import FieldsurveyApp
from fieldsurvey.tui.plain.console import Console
from fieldsurvey.tui.plain.start import run
from fieldsurvey.tui.returned import hmu_says
from fieldsurvey.tui.screens.home import HomeScreen
from fieldsurvey.tui.screens.review import ReviewScreen
from fieldsurvey.tui.turnstile import Turnstile
from tests.fieldwork.conftest import OTHER_WORDS, SyntheticProject
from tests.fieldwork.returning import returned, with_hmu
from tests.tui.memory import DATA, NOON
from tests.tui.screens import press, text

WORDS = "enero mapa nube cobre lila pauta"
SAID = {"/data/people": "Four or fourteen?", "/data/zone": "Which part?"}


class Back:
    """A laptop with one sealed interview, and the HMU that returns it."""

    def __init__(self, home: Path) -> None:
        self.home, self.clock = home, FixedClock(NOON)
        self.project = with_hmu(SyntheticProject())
        self.project.policy = Policy(languages=("es", "en"), review_window_hours=8)
        self.project.forms.clear()
        self.project.add_form((DATA / "types.xml").read_bytes(), "types", "1")
        laptop = Laptop.join(
            home,
            self.project.publish(),
            device_name="Laptop sintética",
            person="E01",
            passphrase=WORDS,
            clock=self.clock,
            argon2=FLOOR,
        )
        session = laptop.unlock(WORDS)
        work = session.start("types")
        work.apply([{"answer": {"/data/zone": "Barrio", "/data/people": "14", "/data/water": "yes"}}])
        work.finalise()
        session.close()
        laptop.close()

    def send(self, comments: dict[str, str] | None = None, general: str = "The rest is fine.") -> None:
        """It comes back."""
        laptop = Laptop.open(self.home, self.clock)
        data = returned(laptop, self.project, comments=SAID if comments is None else comments, general=general)
        assert isinstance(take_return(laptop.locked, data, laptop.project), TakenReturn)
        laptop.close()

    def app(self) -> FieldsurveyApp:
        """On the screen."""
        return FieldsurveyApp(self.home, joined=True, clock=self.clock)

    def plain(self, *lines: str) -> str:
        """In lines."""
        heard = io.StringIO()
        typed = io.StringIO("".join(f"{line}\n" for line in (WORDS, *lines, "/quit")))
        run(self.home, Console(typed, heard), self.clock)
        return heard.getvalue()

    def revisions(self) -> list[int]:
        """Of the records in the log."""
        laptop = Laptop.open(self.home, self.clock)
        found = [read_header(record).revision for _, record in laptop.locked.entries()]
        laptop.close()
        return found


@pytest.fixture
def back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Back:
    """Nothing has come back yet."""
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("sync.drives.removable_drives", list)
    monkeypatch.setattr("fieldsurvey.tui.screens.turning.Turnstile", lambda: Turnstile(dwell=0.0))
    return Back(tmp_path / "home")


async def test_home_lists_it_and_it_is_mended_and_sealed(back: Back) -> None:
    """First in the list, with what to do; opened at its comments, which stand beside the questions; sealed at once."""
    back.send()
    made = back.app()
    async with made.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter")
        seen = text(made)
        assert "Returned by the HMU: mend, then seal" in seen
        assert "2 comments; interview of 05/03 12:00, revision 2" in seen
        assert seen.index("Returned by the HMU") < seen.index("Start an interview")
        await press(pilot, "1")
        assert isinstance(made.screen, ReviewScreen)
        seen = text(made)
        assert "2 with comments" in seen
        assert "HMU: The rest is fine." in seen
        assert "The person is never looked for again" in seen
        assert "HMU: Which part?" in seen
        await press(pilot, "down", "enter")
        assert "HMU: Four or fourteen?" in text(made)
        await press(pilot, "ctrl+g")
        assert "Go to a question" in text(made)
        assert "» " in text(made)
        await press(pilot, "escape", "backspace", "backspace", "=4", "enter")
        assert isinstance(made.screen, ReviewScreen)
        await press(pilot, "f10")
        assert "Seal this interview?" in text(made)
        await press(pilot, "y")
        assert "Record 2 is sealed." in text(made)
        assert "withdraw later" not in text(made)  # the person has their slip
        await press(pilot, "enter")
        assert isinstance(made.screen, HomeScreen)
        assert "Returned by the HMU" not in text(made)
    assert back.revisions() == [1, 2]


async def test_what_comes_while_unlocked_appears_on_home(back: Back) -> None:
    """A stick is read while unlocked: back on Home it is there. F6 goes to it, and says so when nothing came."""
    made = back.app()
    async with made.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter", "f6")
        assert "Nothing came back from the HMU." in text(made)
        back.send()
        await press(pilot, "enter")
        assert "Returned by the HMU" in text(made)
        await press(pilot, "end", "f6", "enter")
        assert isinstance(made.screen, ReviewScreen)


async def test_leaving_it_keeps_it_and_erasing_says_what_that_means(back: Back) -> None:
    """Ctrl+S on the question goes Home; Delete asks, in words of its own."""
    back.send()
    made = back.app()
    async with made.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter", "1", "enter", "ctrl+s")
        assert isinstance(made.screen, HomeScreen)
        assert "Returned by the HMU" in text(made)
        await press(pilot, "f6", "delete")
        assert "Only the HMU can" in text(made)
        await press(pilot, "y")
        assert "Returned by the HMU" not in text(made)
    assert back.revisions() == [1]


async def test_a_comment_to_what_is_not_asked_stands_at_the_top(back: Back) -> None:
    """A question that does not apply as the answers stand is named in words."""
    back.send({"/data/no_such_place": "Where?"}, general="")
    made = back.app()
    async with made.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter", "1")
        assert "/data/no_such_place" in text(made)
        assert "which is not asked" in text(made)
        await press(pilot, "enter", "space")  # Enter on a sentence goes nowhere
        assert isinstance(made.screen, ReviewScreen)
        assert "all questions" in text(made)


async def test_who_has_left_and_who_is_somebody_else(back: Back) -> None:
    """A colleague's returned work is not listed; one whose enumerator is gone is taken over on opening it."""
    back.send()
    laptop = Laptop.open(back.home, back.clock)
    session = laptop.unlock(WORDS)
    for card in session.returned():
        session.discard(card.draft_id)
    session.vault.people.add("E02", OTHER_WORDS, FLOOR)
    session.close()
    laptop.close()
    back.send()
    made = back.app()
    async with made.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={OTHER_WORDS}", "enter")
        assert "for somebody else on this laptop" in text(made).replace("\n", " ")
        assert "Returned by the HMU" not in text(made)
        await press(pilot, "ctrl+q")
    laptop = Laptop.open(back.home, back.clock)
    session = laptop.unlock(OTHER_WORDS)
    session.vault.people.remove("E01")
    session.close()
    laptop.close()
    made = back.app()
    async with made.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={OTHER_WORDS}", "enter")
        assert "by E01, who has left" in text(made)
        await press(pilot, "1")
        assert isinstance(made.screen, ReviewScreen)


def test_in_lines(back: Back) -> None:
    """--plain: Home says that something came back, /returned lists and opens it, the comment follows its question."""
    back.send()
    said = back.plain("/returned", "1", "4", "/review", "/seal", "y", "")
    assert "1 interview came back from the HMU with comments: /returned shows it." in said
    assert "1 Formulario de prueba (sintético): 2 comments; interview of 05/03 12:00, revision 2" in said
    assert "HMU: The rest is fine." in said
    assert "HMU: Which part?" in said
    assert back.revisions() == [1, 2]


def test_in_lines_nothing_came(back: Back) -> None:
    """And nothing is said of it on Home."""
    said = back.plain("/returned")
    assert "Nothing came back from the HMU." in said
    assert "with comments" not in said


def test_a_comment_cannot_move_the_cursor() -> None:
    """Control characters are shown as escapes, new lines stay."""
    assert hmu_says("a\x1b[2J\x07b\nc") == "HMU: a\\x1b[2J\\x07b\nc"
