"""Over the line, from a supervisor's laptop: to whom, how far, what came of it. And which screen a purpose has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from textual.widget import Widget

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.central.app import CentralApp
from fieldsurvey.tui.central.purposes import PURPOSES
from fieldsurvey.tui.central.screens.stick import StickScreen
from fieldsurvey.tui.central.screens.work import WorkScreen
from fieldsurvey.tui.central.sticks import Purpose
from fieldsurvey.tui.widgets.text import Words, bracketed


class SendScreen(WorkScreen):
    """There is nothing to choose: the project names the server."""

    ABSENT: ClassVar[frozenset[str]] = frozenset({"stick_rescan"})

    def __init__(self, purpose: Purpose, server: str) -> None:
        super().__init__(purpose)
        self.server = server

    def chooser(self) -> Iterator[Widget]:
        """Where to, and that a stick does as well."""
        yield Words(_(self.purpose.where), classes="group")
        yield Words(self.server)
        yield Words(bracketed(_("[Enter] sends. Without a line, hand on to a stick.")), classes="standing")

    def choose(self) -> None:
        """Nothing is to be chosen."""

    def action_begin(self) -> None:
        """Send, the first time or again."""
        if self.job is not None and not self.job.running:
            self.job.seen = True
        self._begin(Path(), self.server)


def screen_for(app: CentralApp, wanted: str, server: str = "") -> WorkScreen:
    """What is under way, or ended unseen, comes before what is wanted. `server`: where sending would go."""
    job = app.job
    if job is not None and (job.running or not job.seen):
        wanted, server = job.kind, job.place
    purpose = PURPOSES[wanted]
    return SendScreen(purpose, server) if purpose.by_line else StickScreen(purpose)
