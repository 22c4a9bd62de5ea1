"""An app that stands on an interview of the real engine, on a clock that stands still."""

from __future__ import annotations

import gettext
import io
from collections.abc import Callable
from pathlib import Path

import polib
import pytest

from fieldsurvey.base import i18n
from fieldsurvey.base.clock import FixedClock
from fieldsurvey.tui.app import FieldsurveyApp
from fieldsurvey.tui.screens.base import BaseScreen
from fieldsurvey.tui.screens.interview import InterviewScreen
from fieldsurvey.tui.sitting import Sitting
from fieldsurvey.tui.turnstile import Turnstile
from tests.tui.memory import LANGUAGES, NOON, MemoryWork, interview


class InterviewApp(FieldsurveyApp):
    """Opens on the interview instead of Unlock."""

    def __init__(self, home: Path, *, at: str | None = None, required_waits: bool = False, form: str = "types") -> None:
        super().__init__(home, joined=False, clock=FixedClock(NOON))
        self.work = MemoryWork(interview(form))
        if at is not None:
            self.work.go_to(at)
        self.sitting = Sitting(self.work, required_waits=required_waits)
        self.interview_screen = InterviewScreen(self.sitting, self.work, LANGUAGES, self.now)
        self.interview_screen.gate = Turnstile(dwell=0.0)  # Pilot presses faster than people

    def first_screen(self) -> BaseScreen:
        """Straight to the first question."""
        return self.interview_screen


@pytest.fixture(autouse=True)
def _language(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program speaks English unless a test says otherwise; the terminal is a modern one."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    i18n.set_language("en")


@pytest.fixture
def interview_app(tmp_path: Path) -> Callable[..., InterviewApp]:
    """Makes the app; keywords go to InterviewApp."""

    def make(*, at: str | None = None, required_waits: bool = False, form: str = "types") -> InterviewApp:
        return InterviewApp(tmp_path, at=at, required_waits=required_waits, form=form)

    return make


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spanish from the catalogue's source, which needs no compiling."""
    source = Path(i18n.__file__).parents[1] / "locale" / "es" / "LC_MESSAGES" / "fieldsurvey.po"
    if not source.exists():
        pytest.skip("the Spanish catalogue is not there yet")
    book = gettext.GNUTranslations(io.BytesIO(polib.pofile(str(source)).to_binary()))
    monkeypatch.setattr(i18n, "_current", book)
    monkeypatch.setattr(i18n, "_language", "es")
