"""A picture is taken in by the place of its file, on the screen and in lines, where the work takes any."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.tui.plain.console import Console, Leaving
from fieldsurvey.tui.plain.interview import PlainInterview
from fieldsurvey.tui.sitting import Sitting, Step
from tests.fieldwork.conftest import WORDS as LAPTOP_WORDS
from tests.fieldwork.conftest import SyntheticProject, join
from tests.fieldwork.forms import PICTURES
from tests.fieldwork.pictures import jpeg
from tests.tui.conftest import InterviewApp
from tests.tui.memory import LANGUAGES, NOON, MemoryWork, interview
from tests.tui.screens import press, text

Maker = Callable[..., InterviewApp]


def value(app: InterviewApp, name: str) -> str | None:
    """An answer."""
    return app.work.interview.question(f"/data/{name}").value


def _plain(work: MemoryWork, *lines: str) -> str:
    heard = io.StringIO()
    console = Console(io.StringIO("".join(f"{line}\n" for line in lines)), heard)
    with contextlib.suppress(Leaving):
        PlainInterview(console, Sitting(work, required_waits=False), work, LANGUAGES, lambda: NOON).run()
    return heard.getvalue()


async def test_the_place_of_a_picture_is_typed_and_enter_takes_it_in(interview_app: Maker) -> None:
    """What is typed is never the answer; the name that was given is, shown with how to replace or remove it."""
    app = interview_app(form="editors", at="/data/photo")
    app.work.files = True
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        assert "cannot be taken" not in text(app)
        await press(pilot, "=/media/well.jpg")
        await pilot.pause(1.0)  # a pause in typing saves nothing of it
        assert value(app, "photo") is None
        await press(pilot, "enter")
        assert value(app, "photo") == "kept-well.jpg"
        assert "Kept: kept-well.jpg." in text(app)
        assert app.sitting.page().ref == "/data/photo"
        await press(pilot, "enter")
        assert app.sitting.page().ref != "/data/photo"
        await press(pilot, "pageup", "=-", "enter")
        assert value(app, "photo") is None
        await press(pilot, "ctrl+z")
        assert value(app, "photo") == "kept-well.jpg"


async def test_a_picture_that_cannot_be_taken_says_why_under_it(interview_app: Maker) -> None:
    """The reason and what to do stand at the question; the place can be mended; a required one is then asked for."""
    app = interview_app(form="editors", at="/data/photo")
    app.work.files = True
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=/media/bad", "enter")
        assert "This file cannot be attached: synthetic." in text(app)
        assert value(app, "photo") is None
        await press(pilot, "pagedown")  # a place that was typed is not dropped without a word
        assert app.sitting.page().ref == "/data/photo"
        assert "synthetic" in text(app)
        await press(pilot, "ctrl+u", "=/media/well.jpg", "pagedown")
        assert value(app, "photo") == "kept-well.jpg"
        assert app.sitting.page().ref != "/data/photo"
        await press(pilot, "pageup", "=-", "enter", "enter")
        assert "This needs an answer." in text(app)
        assert app.sitting.page().ref == "/data/photo"


def test_a_picture_in_lines() -> None:
    """The place, then what is kept, then Enter goes on; a reason where it cannot be taken; - takes it away."""
    work = MemoryWork(interview("editors"))
    work.files = True
    work.go_to("/data/photo")
    said = _plain(work, "/media/bad", "/media/well.jpg", "-", "/media/again.jpg", "")
    assert "This file cannot be attached: synthetic." in said
    assert "Answer now: kept-well.jpg." in said
    assert work.interview.question("/data/photo").value == "kept-again.jpg"
    assert "A picture cannot be taken or kept here." not in said.split("kept-again.jpg")[0]


def test_where_none_is_taken_the_question_traps_nobody() -> None:
    """The control: with a work that takes no files, Enter goes on although the picture is required."""
    for files, step in ((False, Step.MOVED), (True, Step.BLOCKED)):
        work = MemoryWork(interview("editors"))
        work.files = files
        work.go_to("/data/photo")
        assert Sitting(work, required_waits=False).forward({}) is step


def test_a_real_picture_on_a_real_laptop(tmp_path: Path) -> None:
    """Typed in lines, sealed with the record: two entries, and nothing left beside the vault."""
    project, clock = SyntheticProject(), FixedClock(NOON)
    project.add_form(PICTURES, "place", "1")
    project.forms[-1][1]["about_people"] = False
    laptop: Laptop = join(tmp_path / "home", project, clock)
    session = laptop.unlock(LAPTOP_WORDS)
    work = session.start("place")
    (tmp_path / "well.jpg").write_bytes(jpeg())
    heard = io.StringIO()
    lines = ("casa", str(tmp_path / "gone.jpg"), str(tmp_path / "well.jpg"), "", "", "/seal", "y")
    console = Console(io.StringIO("".join(f"{line}\n" for line in lines)), heard)
    with contextlib.suppress(Leaving):
        PlainInterview(console, Sitting(work, required_waits=False), work, ("default",), clock.now).run()
    said = heard.getvalue()
    assert "there is no such file" in said
    assert laptop.locked.head().seq == 2, said
    assert [path for path in (tmp_path / "home" / "attachments").rglob("*") if path.is_file()] == []
    session.close()
    laptop.close()
