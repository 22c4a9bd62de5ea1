"""Boxes whose text is longer than the screen."""

from __future__ import annotations

from pathlib import Path

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.tui.app import FieldsurveyApp
from fieldsurvey.tui.screens.dialogs import AskYes, Tell
from tests.tui.memory import NOON
from tests.tui.screens import press, rest, text

LONG = "\n".join(f"  place {number}: " + "synthetic " * 9 for number in range(1, 25))


async def test_the_answers_stay_on_the_screen_whatever_is_said(tmp_path: Path) -> None:
    """80 by 24: both answers are there, a key shows the rest, wrapped lines stand under their first word."""
    app = FieldsurveyApp(tmp_path, joined=False, clock=FixedClock(NOON))
    answers: list[bool | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        app.push_screen(AskYes("Erase this case?", LONG, "Erase it", "Keep it"), answers.append)
        await press(pilot)
        shown = text(app)
        assert all(words in shown for words in ("Erase it", "[Esc] Keep it", "[PgDn] shows the rest", "place 1:"))
        assert "│    synthetic" in shown
        assert "place 24:" not in shown
        await press(pilot, *["pagedown"] * 6)
        assert "place 24:" in text(app)
        assert "place 1:" not in text(app)
        await press(pilot, *["pageup"] * 6, "escape")
        assert answers == [None]
        app.push_screen(Tell("Withdrawal", LONG))
        await press(pilot)
        assert "[Enter] closes this" in text(app)
        await press(pilot, "enter")
        app.push_screen(Tell("Withdrawal", "short"))
        await press(pilot)
        assert "[PgDn]" not in text(app)
