"""The editors of places, lists of points, codes and recordings, through Pilot; their logic has tests of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date

import pytest
from textual import events

from fieldsurvey.tui.screens.calendar import by_months, month_page
from fieldsurvey.xforms.contract import Change
from tests.tui.conftest import InterviewApp
from tests.tui.screens import press, settled, text

Maker = Callable[..., InterviewApp]
A, B, C = "0.1 -78.1", "0.1 -78.2", "0.2 -78.2"


def value(app: InterviewApp, name: str) -> str | None:
    """An answer."""
    return app.work.interview.question(f"/data/{name}").value


async def test_a_place_is_said_back_and_refused_with_the_reason(interview_app: Maker) -> None:
    """Decimal commas are taken and repeated in words; what is no place stays with the reason; then it is stored."""
    app = interview_app(form="editors")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=0,35", "enter")
        assert "the longitude is missing" in text(app)
        await press(pilot, "= -78,1223")
        assert "= 0.35° north, 78.1223° west" in text(app)
        await press(pilot, "enter")
        assert value(app, "well") == "0.35 -78.1223 0.0 0.0"
        await press(pilot, "pageup")
        assert "0.35 -78.1223" in text(app)


async def test_points_are_added_edited_moved_and_removed(interview_app: Maker) -> None:
    """Enter adds; in the list Enter edits, Shift+arrows move, Del removes; Enter on nothing goes on."""
    app = interview_app(form="editors", at="/data/path")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={A}", "enter", "=nowhere", "enter")
        assert "✗ This is not a place." in text(app)
        await press(pilot, "ctrl+u", f"={B}", "enter", f"={C}", "enter")
        assert "3 points, 22.3 km long" in text(app)
        await press(pilot, "down", "down", "shift+down", "up", "delete", "up", "enter", "ctrl+u", "=0.3 -78.3", "enter")
        assert value(app, "path") == "0.3 -78.3 0.0 0.0; 0.1 -78.2 0.0 0.0"
        await press(pilot, "enter")
        assert app.sitting.page().ref == "/data/field"


async def test_an_area_closes_by_itself_and_half_a_point_is_not_lost(interview_app: Maker) -> None:
    """Two points do not go on; a third half typed is there again after back; whole, the area is stored closed."""
    app = interview_app(form="editors", at="/data/path")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter", f"={A}", "enter", f"={B}", "enter", "enter")
        assert "An area needs at least three points" in text(app)
        await press(pilot, "=0.2", "pageup", "pagedown")
        assert "0.2" in text(app)
        assert value(app, "field") is None
        await press(pilot, "= -78.2", "pagedown")
        assert value(app, "field") == f"{A} 0.0 0.0; {B} 0.0 0.0; {C} 0.0 0.0; {A} 0.0 0.0"


async def test_a_scanner_types_a_code_and_enter(interview_app: Maker) -> None:
    """A code and Enter in one burst are stored and go on."""
    app = interview_app(form="editors", at="/data/tag")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        for character in "SIN-0042\r":
            app.post_message(events.Key({"-": "minus", "\r": "enter"}.get(character, character), character))
        await press(pilot)
        assert value(app, "tag") == "SIN-0042"
        assert app.sitting.page().ref == "/data/photo"


async def test_what_cannot_be_recorded_is_said_and_what_was_there_stays(interview_app: Maker) -> None:
    """A picture is not asked for, traps nobody although it is required, and keeps the file that was there."""
    app = interview_app(form="editors", at="/data/photo")
    app.work.interview.answer("/data/sound", "calle.m4a")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        assert "A picture cannot be taken or kept here." in text(app)
        assert "[F3] writes a note instead" in text(app)
        await press(pilot, "f3", "=tubo roto", "f3", "enter")
        assert app.work.interview.note("/data/photo") == "tubo roto"
        assert "What is there already stays as it is: calle.m4a." in text(app)
        await press(pilot, "enter")
        assert value(app, "sound") == "calle.m4a"
        assert app.sitting.page().ref == "/data/face"


async def test_pictures_and_sounds_are_named_and_read_only_answers_shown(interview_app: Maker) -> None:
    """A label's media, a choice that is only a picture, and what the form filled in have words."""
    app = interview_app(form="editors", at="/data/face")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        assert "Picture escala.png: not shown here." in text(app)
        assert "Sound escala.mp3: not played here." in text(app)
        assert "mal.png" in text(app)
        await press(pilot, "1", "enter")
        assert "Filled in by the form: Z-17" in text(app)


async def test_a_tally_counts_by_single_keys(interview_app: Maker) -> None:
    """Letters count up in their own row, capitals down, digits type; Enter goes through the rows and on."""
    app = interview_app(form="editors", at="/data/came")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "a", "a", "b", "A", "=b", "=12")
        assert "[b] De 12 a 29 años" in text(app)
        assert "13 in all" in text(app)
        await press(pilot, "minus", "down", "plus", "space", "enter")
        assert {n: value(app, f"came/{n}") for n in ("girls", "young", "older")} == {
            "girls": "1", "young": "11", "older": "2",
        }  # fmt: skip
        assert app.sitting.page().ref == "/data/voters"
        await press(pilot, "plus", "plus", "space", "minus", "enter")
        assert value(app, "voters") == "1"


async def test_counting_while_the_disk_is_busy_loses_no_key(
    interview_app: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that come while an answer is being saved stay counted, and are saved in their turn."""
    monkeypatch.setattr("fieldsurvey.tui.screens.turning.PAUSE", 0.01)
    app = interview_app(form="editors", at="/data/came")
    slow = threading.Event()
    answer = app.work.answer

    def busy(ref: str, value: str | None) -> list[Change]:
        assert slow.wait(10)
        return answer(ref, value)

    monkeypatch.setattr(app.work, "answer", busy)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        await pilot.press("a", "a")
        await pilot.pause(0.1)
        await pilot.press("a", "b")
        slow.set()
        await settled(pilot, lambda: value(app, "came/young") == "1")
        assert "4 in all" in text(app)
        assert (value(app, "came/girls"), value(app, "came/young")) == ("3", "1")


async def test_a_tally_says_what_is_wrong_under_its_row(interview_app: Maker) -> None:
    """A number that the form refuses keeps the page, with the reason under the row."""
    app = interview_app(form="editors", at="/data/came")
    async with app.run_test(size=(60, 20)) as pilot:
        await press(pilot, "=60", "enter", "enter", "enter")
        assert "✗ Hasta 50." in text(app)
        assert app.sitting.page().ref == "/data/came"


async def test_a_day_from_the_calendar(interview_app: Maker) -> None:
    """Down opens the month of the day that is typed; arrows, months, Enter; Esc leaves the date as it was."""
    app = interview_app(form="editors", at="/data/born")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "down")
        assert "March 2026" in text(app)
        assert "[ 5]" in text(app)
        await press(pilot, "pageup", "left", "down", "enter")
        assert "= Wednesday 11 February 2026" in text(app)
        await press(pilot, "down", "right", "escape", "enter")
        assert value(app, "born") == "2026-02-11"
        await press(pilot, "=1/3/2026 14:30", "down", "up", "enter", "enter")
        assert value(app, "moment") == "2026-02-22T14:30:00+00:00"


def test_months_of_different_lengths_and_the_ends_of_the_calendar() -> None:
    """31 January and one month is 28 February; before the year 1 there is nothing."""
    assert by_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert by_months(date(2024, 2, 29), -12) == date(2023, 2, 28)
    assert by_months(date(1, 1, 5), -1) == date(1, 1, 5)
    assert "[28]" in month_page(date(2026, 2, 28), date(2026, 3, 5)).plain


async def test_pebbles_say_what_is_left_and_ranges_where_they_stand(interview_app: Maker) -> None:
    """The others' pebbles are taken off the hundred; a range is a scale with the number on it."""
    app = interview_app(form="editors", at="/data/half")
    app.work.interview.answer("/data/issue[2]/pebbles", "35")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=2,5")
        assert f"0 {'─' * 15}●{'─' * 15} 5" in text(app)
        app.work.go_to("/data/issue[1]/pebbles")
        await app.interview_screen.turn()
        await press(pilot, "=40")
        assert "65 of 100 are left to share, 25 after this one" in text(app)
        await press(pilot, "ctrl+u", "=70")
        assert "5 too many" in text(app)
        await press(pilot, "ctrl+u", "=40")
        await press(pilot, "plus", "enter", "plus", "plus", "enter")
        assert (value(app, "issue[1]/pebbles"), value(app, "issue[1]/wins")) == ("41", "0.5")
