"""The editors of places, lists of points, codes and recordings, through Pilot; their logic has tests of its own."""

from __future__ import annotations

from collections.abc import Callable

from textual import events

from tests.tui.conftest import InterviewApp
from tests.tui.screens import press, text

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
