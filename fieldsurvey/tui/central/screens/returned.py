"""Work that the HMU gave back: for whom, pending or come back. What it says is sealed to the laptop."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.actions import Scope, of
from fieldsurvey.tui.central.returned import ReturnRow, ReturnState, returned_work
from fieldsurvey.tui.central.screens.base import ListScreen, Table
from fieldsurvey.tui.central.wording import RETURNS, return_cells, return_head
from fieldsurvey.tui.screens.base import bindings
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import Words

VIEWS: tuple[ReturnState | None, ...] = (None, ReturnState.PENDING, ReturnState.BACK)


class ReturnedScreen(ListScreen):
    """The list."""

    SCOPES = (Scope.CENTRAL_RETURNED,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.CENTRAL_RETURNED)

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[ReturnRow, ...] = ()
        self.state: ReturnState | None = None

    def compose(self) -> ComposeResult:
        """What it is, the list."""
        yield TopBar(Heading(_("Returned work")))
        yield Words(
            _("It travels on the next stick to its laptop, and comes back as a later revision."), classes="standing"
        )
        yield Table(flexible=1)
        yield Words("", id="row", classes="echo")
        yield KeyBar(of(Scope.CENTRAL_RETURNED, Scope.EVERYWHERE), self.ours.keymap)

    def renewed(self) -> None:
        """Fill it."""
        self.query_one(Table).focus()
        self.run_worker(self._fill())

    async def _fill(self) -> None:
        desk = self.mine.desk
        self.rows = await self.read(lambda: desk.read(returned_work, ())) or ()
        self._show()

    def _show(self) -> None:
        shown = self.shown
        said = _("all") if self.state is None else _(RETURNS[self.state])
        self.query_one(TopBar).show(right=f"{len(shown)} · {said}")
        self.query_one(Table).fill(return_head(), [(return_cells(row), "") for row in shown], _("Nothing here."))
        self.say_row()

    @property
    def shown(self) -> list[ReturnRow]:
        """The rows of the view."""
        return [row for row in self.rows if self.state is None or row.state is self.state]

    def row_said(self, at: int) -> str:
        """All of a row."""
        return " · ".join(return_cells(self.shown[at]))

    def action_filter(self) -> None:
        """The next view."""
        self.state = VIEWS[(VIEWS.index(self.state) + 1) % len(VIEWS)]
        self._show()
