"""The footers name what works where the cursor stands, withdrawal, practice and the evening review among it."""

from __future__ import annotations

from pathlib import Path

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.project.policy import Policy
from fieldsurvey.tui.actions import Scope, of
from fieldsurvey.tui.app import FieldsurveyApp
from fieldsurvey.tui.keymap import default_keymap
from fieldsurvey.tui.widgets.bars import KeyBar
from tests.tui.laptops import WORDS, joined
from tests.tui.memory import NOON
from tests.tui.screens import press, rest, text


def foot(app: FieldsurveyApp) -> str:
    """The last lines of the screen."""
    return " ".join(text(app).splitlines()[-2:])


async def test_the_footers_name_withdrawal_practice_and_the_evening_review(tmp_path: Path) -> None:
    """Unlock names F3; Home names F7 on a form and Erase on a draft, F3 always, F8 where the policy has a review."""
    clock = FixedClock(NOON)
    joined(tmp_path / "home", clock=clock, policy=Policy(languages=("es", "en"), review_window_hours=12)).close()
    app = FieldsurveyApp(tmp_path / "home", joined=True, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        assert "[F3] Withdrawal" in foot(app)
        await press(pilot, f"={WORDS}", "enter")
        assert all(key in foot(app) for key in ("[F3]", "[F7]", "[F8]"))
        assert "[Del]" not in foot(app)
        await press(pilot, "1", "ctrl+s", "end")  # a draft, and the cursor on it
        assert "[Del]" in foot(app)
        assert "[F7]" not in foot(app)


def test_two_lines_hold_what_one_does_not() -> None:
    """Nothing is dropped at 80 columns where two lines may be used; where one may, help stays."""
    actions = of(Scope.HOME, Scope.EVERYWHERE)
    wide = KeyBar(actions, default_keymap(), lines=2)
    assert len(wide.rows(78)) == 2
    assert len(wide.shown(78)) == len([a for a in actions if a.rank])
    narrow = KeyBar(actions, default_keymap()).rows(40)
    assert len(narrow) == 1
    assert "F1" in [key for key, _words in narrow[0]]
