"""What is wrong with an answer is seen where the cursor is, however little room there is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui.conftest import InterviewApp
from tests.tui.screens import press, text

Maker = Callable[..., InterviewApp]
TOO_LONG = "33333333333"


@pytest.mark.parametrize("rows", [24, 14])
async def test_a_complaint_at_the_end_of_a_page_is_seen(interview_app: Maker, rows: int) -> None:
    """Enter on the last field of a page that is longer than the screen: why it goes no further, below the answer."""
    app = interview_app(at="/data/present")
    async with app.run_test(size=(80, rows)) as pilot:
        await press(pilot, "=3", "enter", "=5", "enter", f"={TOO_LONG}")
        assert "✗" not in text(app)
        await press(pilot, "enter")
        shown = text(app)
        assert "✗ This must be a whole number." in shown
        assert "Write it in digits" in shown
        assert TOO_LONG in shown


async def test_the_cursor_stays_in_sight_when_a_field_before_it_is_wrong(interview_app: Maker) -> None:
    """Enter goes on to the next field all the same, which is on the screen; back there, the complaint is."""
    app = interview_app(at="/data/present")
    async with app.run_test(size=(80, 14)) as pilot:
        await press(pilot, f"={TOO_LONG}", "enter", "=1")
        assert "│ 1  " in text(app)
        await press(pilot, "enter")
        shown = text(app)
        assert TOO_LONG in shown
        assert "✗ This must be a whole number." in shown


async def test_what_a_question_does_not_offer_is_said_in_sight(interview_app: Maker) -> None:
    """F7 in the last field, where nothing of the kind is offered."""
    app = interview_app(at="/data/present")
    async with app.run_test(size=(80, 14)) as pilot:
        await press(pilot, "=3", "enter", "=5", "enter", "f7")
        assert "This question does not offer that." in text(app)
