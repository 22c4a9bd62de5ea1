"""A laptop says that its project will soon expire, or has; it never stops anybody."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fieldsurvey.base import i18n
from fieldsurvey.base.clock import FixedClock
from fieldsurvey.tui.app import FieldsurveyApp
from fieldsurvey.tui.plain.console import Console
from fieldsurvey.tui.plain.start import run
from tests.tui.laptops import WORDS, joined
from tests.tui.screens import press, text

LONG_BEFORE, SOON, AFTER = (datetime(2036, month, day, 12, tzinfo=UTC) for month, day in ((1, 1), (1, 12), (2, 3)))
SAID = {LONG_BEFORE: "", SOON: "expires in 19 days", AFTER: "has expired"}


@pytest.mark.parametrize("now", SAID, ids=["a month before", "soon", "after"])
async def test_expiry_is_said_and_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """On the screen and in `--plain`: nothing while there is time, the days that are left, that it is over; the forms
    are offered all the same. The synthetic project expires on 1 February 2036.
    """
    clock = FixedClock(now)
    joined(tmp_path / "home", clock=clock).close()
    app = FieldsurveyApp(tmp_path / "home", joined=True, clock=clock)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, f"={WORDS}", "enter")
        shown = text(app)
    joined(tmp_path / "other", clock=clock).close()
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path / "other"))
    i18n.set_language("en")
    heard = io.StringIO()
    run(tmp_path / "other", Console(io.StringIO(f"{WORDS}\n/quit\n"), heard), clock)
    for said in (" ".join(shown.split()), heard.getvalue()):
        assert "Necesidades" in said
        found = [words for words in SAID.values() if words and words in said]
        assert found == ([SAID[now]] if SAID[now] else [])
