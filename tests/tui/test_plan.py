"""What Home says of today's round."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from fieldsurvey.base import i18n
from fieldsurvey.base.clock import FixedClock
from fieldsurvey.project.policy import Plan, Quota, Round
from fieldsurvey.tui.app import FieldsurveyApp
from fieldsurvey.tui.plain.console import Console
from fieldsurvey.tui.plain.start import run
from fieldsurvey.tui.plan import round_lines
from tests.tui.laptops import WORDS, joined
from tests.tui.memory import NOON
from tests.tui.screens import press, text

ROUND = Round(
    id="r1", title="Sintética", start="2026-03-02", end="2026-03-20", parishes=("100151", "999999"),
    quotas=(Quota(parish="100151", mobility="host", count=20), Quota(parish="100151", count=40), Quota(count=100)),
)  # fmt: skip


def test_parishes_by_name_with_what_is_wanted_there() -> None:
    """Names come from the questionnaires' list; a code that is not there stays a code; many are cut short."""
    assert round_lines(ROUND) == [
        "Round Sintética, until 20/03/2026",
        "  Ambuquí: host 20 interviews · 40 interviews",
        "  999999",
        "  In all parishes: 100 interviews",
    ]
    many = ROUND.model_copy(update={"parishes": tuple(f"10015{n}" for n in range(7)), "quotas": ()})
    assert round_lines(many)[-1] == "  and 3 parishes more"
    assert round_lines(None) == []


async def test_home_shows_the_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the screen and in `--plain`, above the forms."""
    clock = FixedClock(NOON)
    joined(tmp_path / "home", clock=clock, plan=Plan(rounds=(ROUND,))).close()
    app = FieldsurveyApp(tmp_path / "home", joined=True, clock=clock)
    async with app.run_test(size=(60, 20)) as pilot:
        await press(pilot, f"={WORDS}", "enter")
        shown = text(app)
        assert "Ambuquí: host 20 interviews" in shown
        assert "[1]" in shown
    joined(tmp_path / "other", clock=clock, plan=Plan(rounds=(ROUND,))).close()
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path / "other"))
    i18n.set_language("en")
    heard = io.StringIO()
    run(tmp_path / "other", Console(io.StringIO(f"{WORDS}\n/quit\n"), heard), clock)
    assert "  Ambuquí: host 20 interviews" in heard.getvalue()
