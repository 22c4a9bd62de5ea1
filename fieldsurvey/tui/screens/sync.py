"""Sync by stick: choose one, copy what is sealed, verify it, take the receipts that came back. Works while locked."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import filled, visible
from fieldsurvey.tui.actions import Scope, of
from fieldsurvey.tui.carrying import Carried, carry, found_line, last_words, status_words
from fieldsurvey.tui.screens.base import WORK_CSS, BaseScreen, bindings
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import Complaint, Words, hanging

if TYPE_CHECKING:
    from fieldsurvey.fieldwork import Laptop
    from sync.drives import Drive


class SyncScreen(BaseScreen):
    """Sticks found, a line for any other folder, progress, what came of it."""

    CSS_PATH = WORK_CSS
    SCOPES = (Scope.SYNC,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.SYNC)

    def __init__(self, laptop: Laptop) -> None:
        super().__init__()
        self.laptop = laptop
        self.drives: list[Drive] = []
        self._busy = False

    def compose(self) -> ComposeResult:
        """Where to, how far, what came of it."""
        yield TopBar(Heading(_("Copy to a stick")))
        with VerticalScroll(id="sync", can_focus=False):
            yield Words("", id="standing", classes="standing")
            yield Words(_("Where to?"), classes="group")
            yield OptionList(id="drives", markup=False)
            yield Input(placeholder=_("or type a folder"), id="folder", select_on_focus=False)
            yield Words("", id="progress")
            yield Complaint()
            yield Words("", id="outcome")
        yield KeyBar(of(Scope.SYNC, Scope.EVERYWHERE), self.ours.keymap)

    def on_mount(self) -> None:
        """Look around."""
        self.renewed()

    def renewed(self) -> None:
        """Fill in what is not words."""
        self.query_one(TopBar).show(right=self.laptop.locked.device_card().name)
        self.run_worker(self._look())

    async def _look(self) -> None:
        def look() -> tuple[list[Drive], str]:
            from sync.drives import removable_drives  # with the first look

            return removable_drives(), status_words(self.laptop.status())

        try:
            self.drives, standing = await self.ours.hand.do(look)
        except FieldsurveyError as error:
            self._problem(error)
            return
        self.query_one("#standing", Words).say(standing)
        options = self.query_one("#drives", OptionList)
        options.set_options([Option(Content(found_line(d)), disabled=not d.writable) for d in self.drives])
        options.display = bool(self.drives)
        if self.drives:
            options.highlighted = 0
            options.focus()
        else:
            self.query_one("#folder", Input).focus()
            self.query_one("#progress", Words).say(_("No stick found. Put one in and look again, or type a folder."))

    def action_rescan(self) -> None:
        """Look again."""
        if not self._busy:
            self.query_one("#progress", Words).say("")
            self.run_worker(self._look())

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter on a stick."""
        event.stop()
        self._start(self.drives[event.option_index].path)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter on a folder."""
        event.stop()
        if event.value.strip():
            self._start(Path(event.value.strip().strip("'\"")).expanduser())

    def action_export(self) -> None:
        """Enter elsewhere: the highlighted stick."""
        at = self.query_one("#drives", OptionList).highlighted
        if at is not None and at < len(self.drives):
            self._start(self.drives[at].path)

    def action_close(self) -> None:
        """Back; a copy under way is finished first."""
        if not self._busy:
            self.app.pop_screen()

    # -- copying

    def _start(self, target: Path) -> None:
        if not self._busy:
            self._busy = True
            self.query_one(Complaint).clear()
            self.query_one("#outcome", Words).say("")
            self.query_one("#progress", Words).say(filled(_("Copying to {place} …"), place=target))
            self.run_worker(self._copy(target))

    async def _copy(self, target: Path) -> None:
        shown_at = 0.0

        def told(done: int, total: int, text: str) -> None:
            nonlocal shown_at  # ten times a second is enough: showing every record would slow the copy down
            if done == total or monotonic() - shown_at > 0.1:
                shown_at = monotonic()
                self.app.call_from_thread(self._show_progress, done, total, text)

        try:
            outcome = await self.ours.hand.do(lambda: carry(self.laptop, target, self.ours.clock, told))
        except FieldsurveyError as error:
            self._problem(error)
            self.query_one("#progress", Words).say("")
            return
        finally:
            self._busy = False
        self._show_outcome(outcome)
        standing = await self.ours.hand.do(lambda: status_words(self.laptop.status()))
        self.query_one("#standing", Words).say(standing)

    def _show_progress(self, done: int, total: int, text: str) -> None:
        signs = symbols()
        cells = max(min(self.size.width - 30, 40), 10)
        full = round(cells * done / total) if total else cells
        bar = Content.assemble((signs.bar * full, "bold $primary"), (signs.rest * (cells - full), "$text-muted"))
        self.query_one("#progress", Words).say(Content.assemble(f"{done}/{total} ", bar, f"  {visible(text)}"))

    def _show_outcome(self, outcome: Carried) -> None:
        self.query_one("#progress", Words).say("")
        width = max(self.size.width - 8, 40)
        signs = symbols()
        lines = []
        for good, text in last_words(outcome):
            sign, style = (signs.done, "bold $success") if good else (signs.caution, "bold $warning")
            lines.append(hanging(Content.styled(f"{sign} ", style), text, width))
        self.query_one("#outcome", Words).say(Content("\n").join(lines))

    def _problem(self, error: FieldsurveyError) -> None:
        self.query_one(Complaint).blame(symbols().stop, error.message, error.advice)
