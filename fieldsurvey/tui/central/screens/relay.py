"""A supervisor's laptop that carries: what, from whom, since when, and what is on its way back to them."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.actions import Scope, of, show_key
from fieldsurvey.tui.central.carried import Carried, carried, carried_cells, carried_head, carried_summary
from fieldsurvey.tui.central.screens.base import FirstScreen, Table
from fieldsurvey.tui.central.screens.under_way import under_way
from fieldsurvey.tui.screens.base import bindings
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import Words

WATCH = 0.3


class RelayScreen(FirstScreen):
    """The first screen there."""

    SCOPES = (Scope.RELAY,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.RELAY)

    def __init__(self) -> None:
        super().__init__()
        self.found: Carried | None = None
        self._reading = False

    def compose(self) -> ComposeResult:
        """The list, the whole in a line."""
        yield TopBar(Heading(_("Carried for central")))
        yield Words("", id="alerts")
        yield Words("", id="job")
        yield Table(expendable=(2, 5))
        yield Words("", id="sealed", classes="standing")
        yield KeyBar(of(Scope.RELAY, Scope.EVERYWHERE), self.ours.keymap, lines=2)

    def on_mount(self) -> None:
        """Fill it."""
        self.renewed()
        self.set_interval(WATCH, self._watch)

    def on_screen_resume(self) -> None:
        """After a stick."""
        if self.is_mounted and self.found is not None:
            self.action_again()

    def renewed(self) -> None:
        """Fill in what is not words."""
        self.query_one(Table).focus()
        self.action_again()

    def action_again(self) -> None:
        """Look at what is held."""
        if not self._reading:
            self._reading = True
            self.query_one(TopBar).show(right=_("reading …"))
            self.run_worker(self._read())

    async def _read(self) -> None:
        desk = self.mine.desk
        try:
            found = await self.read(lambda: carried(desk.relay()))
        finally:
            self._reading = False
        self.query_one(TopBar).show(right="")
        if found is None:
            return
        self.found = found
        self.query_one("#alerts", Words).say("")
        version = _("version {version}").format(version=found.version)
        self.query_one(TopBar).show(title=found.name, section=version, right=_("relay"))
        rows = [(carried_cells(row), "") for row in found.rows]
        self.query_one(Table).fill(carried_head(), rows, _("Nothing is carried."))
        self.query_one("#sealed", Words).say(carried_summary(found))

    def _watch(self) -> None:
        if self.is_current and under_way(self.mine, self.query_one("#job", Words), self._key("relay_take")):
            self.action_again()

    def _key(self, action: str) -> str:
        return show_key(self.ours.keymap[action][0])

    def action_take(self) -> None:
        """A stick comes in."""
        self._stick("relay_take")

    def action_hand(self) -> None:
        """A stick goes out."""
        self._stick("relay_hand")

    def action_log(self) -> None:
        """What happened here."""
        from fieldsurvey.tui.central.screens.log import LogScreen  # when it is looked at

        self.app.push_screen(LogScreen())

    def _stick(self, purpose: str) -> None:
        from fieldsurvey.tui.central.screens.stick import StickScreen, purpose_now  # when it is looked at

        self.app.push_screen(StickScreen(purpose_now(self.mine, purpose)))
