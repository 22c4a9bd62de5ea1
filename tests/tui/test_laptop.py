"""The app on a real laptop: first start, unlock, home, sealing, copying, locking."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from fieldsurvey.base import i18n
from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.project.policy import Policy
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.tui.app import FieldsurveyApp
from fieldsurvey.tui.exits import Exit
from fieldsurvey.tui.joining import Joining, NoProjectFileError
from fieldsurvey.tui.keymap import FILE
from fieldsurvey.tui.screens.home import HomeScreen
from fieldsurvey.tui.screens.interview import InterviewScreen
from fieldsurvey.tui.turnstile import Turnstile
from tests.tui.laptops import WORDS, joined, project_bytes
from tests.tui.memory import DATA, NOON
from tests.tui.screens import press, rest, text, words

Types = {"types": (DATA / "types.xml").read_bytes()}
Maker = Callable[..., FieldsurveyApp]


@pytest.fixture
def laptop_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    """An app on a laptop that joined; pages take keys as soon as they are painted."""
    monkeypatch.setattr("sync.drives.removable_drives", list)
    monkeypatch.setattr("fieldsurvey.tui.screens.turning.Turnstile", lambda: Turnstile(dwell=0.0))

    def make(*, policy: Policy | None = None, before: Callable[[Path], object] = lambda _home: None) -> FieldsurveyApp:
        home = tmp_path / "home"
        joined(home, Types, clock=FixedClock(NOON), policy=policy).close()
        before(home)
        return FieldsurveyApp(home, joined=True, clock=FixedClock(NOON))

    return make


async def test_from_unlock_to_the_stick(laptop_app: Maker, tmp_path: Path) -> None:
    """Start, answer what is required, seal, copy to a folder: Home says the truth at each step."""
    stick = tmp_path / "stick"
    stick.mkdir()
    app = laptop_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter")
        assert "Nothing sealed on this laptop yet." in text(app)
        await press(pilot, "1", "enter", "=Barrio", "enter", "=4", "enter", "f8", "2", "enter", "f9", "f10", "y")
        assert "Record 1 is sealed." in text(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, HomeScreen)
        assert "1 sealed: 1 only here" in text(app)
        assert "copy them to a stick" in text(app)
        await press(pilot, "f9", f"={stick}", "enter")
        assert "1 record copied to" in text(app)
        await press(pilot, "escape")
        assert "1 sealed: 1 copied" in text(app)
    assert list((stick / "fieldsurvey" / "batches").glob("*.fsb"))


async def test_a_draft_is_listed_resumed_and_erased(laptop_app: Maker) -> None:
    """Leaving keeps a draft that opens at the same question; erasing asks, with the safe answer first."""
    app = laptop_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter", "1", "enter", "=Barrio", "ctrl+s")
        assert isinstance(app.screen, HomeScreen)
        assert "Go on with a draft" in text(app)
        await press(pilot, "2")
        assert isinstance(app.screen, InterviewScreen)
        assert app.screen.query_one(Input).value == "Barrio"
        await press(pilot, "ctrl+s", "down", "delete", "enter")
        assert "Go on with a draft" in text(app)
        await press(pilot, "delete", "y")
        assert "Go on with a draft" not in text(app)


async def test_copying_to_a_place_that_is_not_there(laptop_app: Maker, tmp_path: Path) -> None:
    """A typed reason, and nothing is lost; works from Unlock, without a passphrase."""
    app = laptop_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "f9", f"={tmp_path}/nowhere/at/all", "enter")
        shown = text(app)
        assert "✗" in shown or "Nothing is sealed yet." in shown
        await press(pilot, "escape")
        assert "Your six words" in text(app)


async def test_idle_locks(laptop_app: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the policy's minutes without a key the process is to end with LOCKED, what is typed being saved."""
    app = laptop_app(policy=Policy(idle_lock_minutes=1))
    now = [1000.0]
    monkeypatch.setattr("fieldsurvey.tui.app.monotonic", lambda: now[0])
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter", "1", "enter", "=Barrio")
        now[0] += 59
        await app._tick()
        codes = [app.return_code]
        now[0] += 1
        await app._tick()
        codes.append(app.return_code)
    assert codes == [None, Exit.LOCKED]
    monkeypatch.undo()
    session = Laptop.open(app.home, app.clock).unlock(WORDS)
    [draft] = session.drafts()
    assert session.resume(draft.draft_id).interview.question("/data/zone").value == "Barrio"
    session.close()


async def test_asked_to_end_it_saves_the_keys_that_were_heard(
    laptop_app: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM comes between two messages: keys that wait for their turn still reach the editor, and are saved."""
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    app = laptop_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter", "1", "enter")
        for letter in "Barrio":
            app.post_message(events.Key(letter, letter).set_sender(app))
        await app._terminated()
        assert ended == [Exit.TERMINATED]
        assert app.session is not None
        [draft] = app.session.drafts()
        assert app.session.resume(draft.draft_id).interview.question("/data/zone").value == "Barrio"


async def test_hidden_locks_sooner(laptop_app: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the cover a minute is enough, whatever the policy."""
    app = laptop_app(policy=Policy(idle_lock_minutes=30))
    now = [1000.0]
    monkeypatch.setattr("fieldsurvey.tui.app.monotonic", lambda: now[0])
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter", "f4")
        now[0] += 60
        await app._tick()
        assert app.return_code == Exit.LOCKED


async def test_a_broken_keymap_says_so_and_the_defaults_work(laptop_app: Maker) -> None:
    """Unlock names the line that is wrong; F1 still helps."""
    app = laptop_app(before=lambda home: (home / FILE).write_text('[keys]\nnope = "f1"\n', encoding="utf-8"))
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        assert "there is no action `nope`" in words(app)
        await press(pilot, "f1")
        assert "What the keys of this screen do" in text(app)


async def test_a_keymap_of_ones_own_works(laptop_app: Maker) -> None:
    """A remapped action answers to its new key, shows it in the footer, and not to its old one."""
    app = laptop_app(before=lambda home: (home / FILE).write_text('[keys]\nreview = "f11"\n', encoding="utf-8"))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter", "1")
        assert "[F11] Review" in text(app)
        await press(pilot, "f9")
        assert "needing attention" not in text(app)
        await press(pilot, "f11")
        assert "needing attention" in text(app)


async def test_the_programs_language(laptop_app: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """F2 at Unlock and Home changes the program's words, and what is shown besides words is filled in again."""
    app = laptop_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter")
        before = i18n.language()
        await press(pilot, "f2")
        assert i18n.language() != before
        assert "types" in text(app)
        await press(pilot, "f2")
        assert i18n.language() == before


async def test_the_palette_has_no_screenshot_and_copying_stays_inside(laptop_app: Maker) -> None:
    """The palette offers our actions only; what is copied is never written to the terminal."""
    app = laptop_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert "Screenshot" not in titles
        assert "Help" in titles
        written: list[str] = []
        driver = app._driver
        assert driver is not None
        driver.write = written.append  # type: ignore[method-assign, assignment]
        app.copy_to_clipboard("synthetic answer")
        assert app.clipboard == "synthetic answer"
        assert written == []


def test_a_stick_may_be_named_for_the_file_on_it(tmp_path: Path) -> None:
    """The folder that a stick is mounted on is what people know; a folder without a project's file is refused."""
    stick = tmp_path / "STICK"
    (stick / "fieldsurvey").mkdir(parents=True)
    joining = Joining(tmp_path / "home", FixedClock(NOON))
    with pytest.raises(NoProjectFileError):
        joining.choose(str(stick))
    (stick / "fieldsurvey" / "project.fsp").write_bytes(project_bytes(Types))
    assert joining.choose(str(stick)).model.name == "Proyecto sintético"


@pytest.mark.parametrize(("floor", "words"), [(60, 6), (100, 9)])
def test_the_words_made_are_as_many_as_the_policy_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, floor: int, words: int
) -> None:
    """Where six words are not enough, more are made: the laptop joins with what was shown."""
    monkeypatch.setattr("fieldsurvey.fieldwork.laptop.calibrate", lambda: FLOOR)
    (tmp_path / "synthetic.fsp").write_bytes(project_bytes(Types, policy=Policy(passphrase_bits=floor)))
    joining = Joining(tmp_path / "home", FixedClock(NOON))
    joining.choose(str(tmp_path / "synthetic.fsp"))
    joining.name_person("E01")
    shown = joining.make_words()
    assert len(shown.split()) == words
    assert joining.make_words() == shown
    laptop = joining.join()
    laptop.unlock(shown).close()
    laptop.close()


async def test_the_first_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The six steps, with a wrong turn at each that can be taken wrongly; then Home, and a card for the steward."""
    (tmp_path / "synthetic.fsp").write_bytes(project_bytes(Types))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sync.drives.removable_drives", list)
    monkeypatch.setattr("fieldsurvey.tui.joining.generate_passphrase", lambda bits: WORDS)
    monkeypatch.setattr("fieldsurvey.fieldwork.laptop.calibrate", lambda: FLOOR)
    app = FieldsurveyApp(tmp_path / "home", joined=False, clock=FixedClock(NOON))
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        assert "synthetic.fsp" in text(app)
        await press(pilot, "enter")
        assert "Proyecto sintético" in text(app)
        await press(pilot, "enter")
        assert "Enumeradora 1" in text(app)
        await press(pilot, "pageup")
        assert "Proyecto sintético" in text(app)
        await press(pilot, "enter", "enter", "enter")
        assert WORDS in text(app)
        await press(pilot, "enter", "=other words", "enter")
        assert "Those are not the words that were shown." in text(app)
        app.screen.query_one(Input).value = ""
        await press(pilot, f"={WORDS}", "enter")
        assert "This laptop has joined" in text(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, HomeScreen)
    assert any(name.endswith(".fsd") for name in os.listdir(tmp_path))  # noqa: PTH208  not in an async function's Path
