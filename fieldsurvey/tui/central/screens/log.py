"""The sync log: newest first, by kind, by a word; saved as a table for a spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import OptionList

from fieldsurvey.base.files import write_atomic
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.tui.actions import Scope, of
from fieldsurvey.tui.central.journal import (
    PROBLEMS,
    SHOWN,
    log_cells,
    log_head,
    log_whole,
    newest,
    problem,
    view_name,
    views,
)
from fieldsurvey.tui.central.screens.base import ListScreen, Table
from fieldsurvey.tui.screens.base import bindings
from fieldsurvey.tui.screens.dialogs import AskLine, Lines, Tell
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import Words
from sync.journal import Journal, Line


class LogScreen(ListScreen):
    """The list."""

    SCOPES = (Scope.CENTRAL_LOG,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.CENTRAL_LOG)

    def __init__(self) -> None:
        super().__init__()
        self.view = ""
        self.words = ""
        self.shown: list[Line] = []
        self._names: dict[str, str] = {}

    @property
    def journal(self) -> Journal:
        """This place's."""
        return Journal(self.mine.desk.home, self.mine.desk.clock)

    def compose(self) -> ComposeResult:
        """What is shown, the list."""
        yield TopBar(Heading(_("Sync log")))
        yield Words("", id="sealed", classes="standing")
        yield Table(flexible=4, expendable=(3,))  # the line below has it
        yield Words("", id="row", classes="echo")
        yield KeyBar(of(Scope.CENTRAL_LOG, Scope.EVERYWHERE), self.ours.keymap)

    def renewed(self) -> None:
        """Fill it."""
        self.query_one(Table).focus()
        self.run_worker(self._fill())

    async def _fill(self) -> None:
        desk, journal = self.mine.desk, self.journal

        def read() -> tuple[list[Line], dict[str, str]]:
            return newest(journal, self.view, self.words), desk.names()

        found = await self.read(read)
        if found is None:
            return
        self.shown, self._names = found
        said = f"{len(self.shown)} · {view_name(self.view)}"
        if self.words:
            said += " · " + _("with “{words}”").format(words=self.words)
        if len(self.shown) > SHOWN:
            said += " · " + _("the newest {count} are listed").format(count=SHOWN)
        self.query_one("#sealed", Words).say(said)
        rows = [(log_cells(line, self._names), "$error" if problem(line) else "") for line in self.shown[:SHOWN]]
        self.query_one(Table).fill(log_head(), rows, _("No line here."))
        self.say_row()

    def row_said(self, at: int) -> str:
        """All of a line."""
        return " · ".join(cell for cell in log_cells(self.shown[at], self._names, place=None) if cell != "–")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter."""
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        """All of the highlighted line."""
        at = self.query_one(Table).at
        if at is not None and at < len(self.shown):
            self.app.push_screen(Lines(_("Sync log"), log_whole(self.shown[at], self._names)))

    def action_filter(self) -> None:
        """The next view that is not empty."""
        self.run_worker(self._next_view())

    async def _next_view(self) -> None:
        journal = self.journal
        offered = await self.read(lambda: views(journal.lines())) or ["", PROBLEMS]
        self.view = offered[(offered.index(self.view) + 1) % len(offered)] if self.view in offered else ""
        await self._fill()

    def action_find(self) -> None:
        """Ask for a word."""

        async def typed(text: str | None) -> None:
            if text is not None:
                self.words = text
                await self._fill()

        keys = _("A laptop, a place, a day like 21/11; nothing shows all.\n[Enter] filters   [Esc] goes back")
        self.app.push_screen(AskLine(_("Find in the log"), keys, self.words), typed)

    def action_export(self) -> None:
        """Ask for the file."""

        def typed(text: str | None) -> None:
            if text:
                self.run_worker(self._save(Path(text.strip("'\"")).expanduser().absolute()))

        day = self.mine.now().date().isoformat()
        keys = _("The lines that are shown, as CSV.\n[Enter] writes it   [Esc] goes back")
        self.app.push_screen(AskLine(_("Save the log"), keys, str(Path.home() / f"sync-log-{day}.csv")), typed)

    async def _save(self, path: Path) -> None:
        lines, journal = self.shown, self.journal

        def write() -> int:
            write_atomic(path, journal.as_csv(lines).encode("utf-8-sig"))
            return len(lines)

        count = await self.read(write)
        if count is not None:
            text = ngettext("{count} line written to {place}.", "{count} lines written to {place}.", count)
            self.app.push_screen(Tell(_("Sync log"), text.format(count=count, place=path)))
