"""A supervisor's laptop that carries: what, from whom, since when, and what is on its way back to them."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_
from fieldsurvey.tui.actions import Action, Scope
from fieldsurvey.tui.central.carried import (
    Carried,
    carried,
    carried_cells,
    carried_head,
    carried_line,
    carried_summary,
)
from fieldsurvey.tui.central.screens.base import Table
from fieldsurvey.tui.central.screens.first import FirstScreen
from fieldsurvey.tui.screens.base import bindings
from fieldsurvey.tui.screens.dialogs import Tell
from fieldsurvey.tui.widgets.bars import TopBar
from fieldsurvey.tui.widgets.text import Words


class RelayScreen(FirstScreen[Carried]):
    """The first screen there."""

    SCOPES = (Scope.RELAY,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.RELAY)
    TITLE_ID = n_("Carried for central")
    TAKE = "relay_take"
    EXPENDABLE = (2, 5, 3)

    def offered(self) -> list[Action]:
        """Sending only where the project names a server."""
        serverless = self.found is None or not self.found.server
        return [action for action in super().offered() if action.id != "relay_push" or not serverless]

    def look(self) -> Carried:
        """What is held. What is due today can still be sent from here: leaving the program erases it."""
        return carried(self.mine.desk.relay(), deliver=True)

    def show(self, found: Carried) -> None:
        """Every laptop that something is carried from or for."""
        version = _("version {version}").format(version=found.version)
        self.query_one(TopBar).show(title=found.name, section=version, right=_("relay"))
        rows = [(carried_cells(row), "") for row in found.rows]
        self.query_one(Table).fill(carried_head(), rows, _("Nothing is carried."))
        self.query_one("#sealed", Words).say(carried_summary(found))

    def row_said(self, at: int) -> str:
        """A laptop's, whole."""
        return carried_line(self.found.rows[at]) if self.found is not None else ""

    def action_take(self) -> None:
        """A stick comes in."""
        self.work_on("relay_take")

    def action_hand(self) -> None:
        """A stick goes out."""
        self.work_on("relay_hand")

    def action_push(self) -> None:
        """Over the line."""
        if self.found is not None and self.found.server:
            self.work_on("relay_push", self.found.server)
        else:
            text = _("The project names no server: hand on to a stick. A steward can name one.")
            self.app.push_screen(Tell(_("Send to central"), text))
