"""Cases that somebody should look at, by kind; Enter shows which revisions of which laptops there are."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import OptionList

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.actions import Scope, of
from fieldsurvey.tui.central.cases import CaseList, Kind, cases_to_look_at
from fieldsurvey.tui.central.desk import names_of
from fieldsurvey.tui.central.screens.base import ListScreen, Table
from fieldsurvey.tui.central.wording import case_cells, case_head, case_lines, cases_said
from fieldsurvey.tui.screens.base import bindings
from fieldsurvey.tui.screens.dialogs import Lines
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import Words
from sync.central import Central


class CasesScreen(ListScreen):
    """The list."""

    SCOPES = (Scope.CENTRAL_CASES,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.CENTRAL_CASES)

    def __init__(self) -> None:
        super().__init__()
        self.found: CaseList | None = None
        self.kind: Kind | None = None

    def compose(self) -> ComposeResult:
        """What it shows, the list."""
        yield TopBar(Heading(_("Conflicts and proposals")))
        yield Words(_("Clear headers only: what was answered, only the HMU can see."), classes="standing")
        yield Table(flexible=3)
        yield Words("", id="row", classes="echo")
        yield KeyBar(of(Scope.CENTRAL_CASES, Scope.EVERYWHERE), self.ours.keymap)

    def renewed(self) -> None:
        """Fill it."""
        self.query_one(Table).focus()
        if self.found is not None:
            self._show()
            return
        self.query_one(TopBar).show(right=_("reading …"))
        self.run_worker(self._fill())

    async def _fill(self) -> None:
        desk = self.mine.desk

        def every(central: Central) -> CaseList:
            return cases_to_look_at(central.cases(), names_of(central), lambda: not self.is_attached)

        self.found = await self.read(lambda: desk.read(every, CaseList((), 0, dict.fromkeys(Kind, 0))))
        self._show()

    def _show(self) -> None:
        found = self.found
        if found is None:
            return
        self.query_one(TopBar).show(right=cases_said(found, self.kind))
        rows = [(case_cells(row), "") for row in found.showing(self.kind)]
        self.query_one(Table).fill(case_head(), rows, _("Nothing to look at."))
        self.say_row()

    def row_said(self, at: int) -> str:
        """All of a case's line."""
        return " · ".join(case_cells(self.found.showing(self.kind)[at])) if self.found is not None else ""

    def action_filter(self) -> None:
        """The next kind of which there is one."""
        if self.found is not None:
            offered: list[Kind | None] = [None, *(kind for kind in Kind if self.found.of_kind[kind])]
            self.kind = offered[(offered.index(self.kind) + 1) % len(offered)]
            self._show()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter."""
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        """Its revisions."""
        at = self.query_one(Table).at
        if at is not None and self.found is not None:
            row = self.found.showing(self.kind)[at]
            self.app.push_screen(Lines(_("Case {case}").format(case=row.case), case_lines(row)))
