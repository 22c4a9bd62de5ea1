"""A stick or a folder: chosen, worked on with a bar, and what came of it, file by file. Sticks are found by themselves.

The work belongs to the app: it goes on when this screen is left, and the screen finds it again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.actions import Action, Scope, of
from fieldsurvey.tui.carrying import found_line
from fieldsurvey.tui.central.app import CentralApp
from fieldsurvey.tui.central.job import Job, Reached
from fieldsurvey.tui.central.layout import clean
from fieldsurvey.tui.central.purposes import PURPOSES, words_of
from fieldsurvey.tui.central.screens.base import CentralScreen
from fieldsurvey.tui.central.sticks import Purpose
from fieldsurvey.tui.screens.base import bindings
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import Complaint, Hung, Words

if TYPE_CHECKING:
    from sync.drives import Drive

WATCH = 0.1
PLUGGED = 2.0
"""Seconds between two looks for sticks."""


class StickScreen(CentralScreen):
    """For one purpose."""

    SCOPES = (Scope.CENTRAL_STICK,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.CENTRAL_STICK)

    def __init__(self, purpose: Purpose) -> None:
        super().__init__()
        self.purpose = purpose
        self.drives: list[Drive] = []
        self._looking = False

    @property
    def job(self) -> Job[object] | None:
        """The app's work, where it is this screen's."""
        job = self.mine.job
        return job if job is not None and job.kind == self.purpose.kind else None

    def compose(self) -> ComposeResult:
        """Where, how far, what came of it."""
        yield TopBar(Heading(_(self.purpose.title)))
        with VerticalScroll(id="chooser", can_focus=False):
            yield Words(_(self.purpose.what_for), classes="standing")
            yield Words(_(self.purpose.where), classes="group")
            yield OptionList(id="drives", markup=False)
            yield Words("", id="none", classes="label")
            yield Input(placeholder=_("or type a folder"), id="folder", select_on_focus=False)
        with VerticalScroll(id="outcome"):
            yield Complaint()
            yield Hung(id="lines")
        yield Words("", id="progress")
        yield KeyBar(self._keys(), self.ours.keymap)

    def on_mount(self) -> None:
        """Look around, and go on looking."""
        self.renewed()
        self.set_interval(WATCH, self._watch)
        self.set_interval(PLUGGED, self._look_around)

    def renewed(self) -> None:
        """Fill in what is not words."""
        self.drives = []
        self.query_one("#folder", Input).focus()
        self._look_around()
        job = self.job
        if job is not None and not job.running and not job.seen:
            self._show_outcome(job)
        else:
            self._offer()

    def _keys(self) -> list[Action]:
        """What works now."""
        absent = {"stick_start", "stick_rescan"} if self.mine.working else {"stick_stop"}
        if self.has_class("-done"):
            absent.add("stick_start")
        return [a for a in of(Scope.CENTRAL_STICK, Scope.EVERYWHERE) if a.id not in absent]

    def _turn(self, *, done: bool) -> None:
        """To what came of it, or back to choosing."""
        self.set_class(done, "-done")
        self.query_one(KeyBar).offer(self._keys())

    # -- choosing

    def _look_around(self) -> None:
        if not self._looking and not self.mine.working and not self.has_class("-done"):
            self._looking = True
            self.run_worker(self._look())

    async def _look(self) -> None:
        from sync.drives import removable_drives  # with the first look

        try:
            found = await self.mine.hand.do(removable_drives)
        finally:
            self._looking = False
        if found != self.drives or not self.drives:
            self._list(found)

    def _list(self, found: list[Drive]) -> None:
        options = self.query_one("#drives", OptionList)
        at = options.highlighted
        before = self.drives[at].path if at is not None and at < len(self.drives) else None
        new = {drive.path for drive in found} - {drive.path for drive in self.drives}
        self.drives = found
        options.set_options([Option(Content(clean(found_line(drive)))) for drive in found])
        options.display = bool(found)
        self.query_one("#none", Words).say("" if found else _("No stick yet: put one in, or type a folder."))
        if found:
            options.highlighted = next((n for n, drive in enumerate(found) if drive.path == before), 0)
        typed = self.query_one("#folder", Input)
        if new and not typed.value:
            options.focus()
        elif not found:
            typed.focus()

    def _offer(self) -> None:
        self._turn(done=False)
        self.query_one(TopBar).show(right="", state="")
        self.query_one("#progress", Words).say("")

    def action_rescan(self) -> None:
        """Back to choosing."""
        if not self.mine.working:
            if self.job is not None:
                self.job.seen = True
            self._offer()
            self.drives = []
            self.query_one("#folder", Input).focus()
            self._look_around()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter on a stick."""
        event.stop()
        self.action_begin()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter on a folder."""
        event.stop()
        typed = event.value.strip().strip("'\"")
        if typed:
            self._begin(Path(typed).expanduser().absolute())
        elif self.drives:
            self.action_begin()

    def action_begin(self) -> None:
        """The highlighted stick."""
        at = self.query_one("#drives", OptionList).highlighted
        if at is not None and at < len(self.drives) and not self.has_class("-done"):
            self._begin(self.drives[at].path)

    # -- working

    def _begin(self, place: Path) -> None:
        if self.mine.working:
            return
        desk, work = self.mine.desk, self.purpose.work
        self._offer()
        self.mine.begin(Job(self.purpose.kind, str(place), lambda told, stop: work(desk, place, told, stop)))
        self.query_one(KeyBar).offer(self._keys())

    def action_stop(self) -> None:
        """After the file under way."""
        if self.job is not None and self.job.running:
            self.job.stop()

    def _watch(self) -> None:
        job = self.job
        if job is None:
            return
        if job.running:
            self.query_one("#progress", Words).say(bar_line(job.reached, self.size.width, stopping=job.stopping))
            self.query_one(TopBar).show(right=clean(job.place))
        elif not job.seen:
            self._show_outcome(job)

    def _show_outcome(self, job: Job[object]) -> None:
        job.seen = True
        outcome = job.outcome()
        self.query_one("#progress", Words).say("")
        self._turn(done=True)
        self.query_one(Complaint).clear()
        signs = symbols()
        lines: list[tuple[Content, str, str]] = []
        if isinstance(outcome, FieldsurveyError):
            self.query_one(Complaint).blame(signs.stop, outcome.message, outcome.advice)
            self.query_one(TopBar).show(right=clean(job.place), state=_("not done"), good=False)
        else:
            said = words_of(outcome)
            for sentence in said:
                sign, style = (signs.done, "bold $success") if sentence.good else (signs.caution, "bold $warning")
                lines.append((Content.styled(f"{sign} ", style), sentence.text, "" if sentence.good else "bold"))
                if sentence.advice:
                    lines.append((Content("  "), sentence.advice, ""))
            good = all(sentence.good for sentence in said)
            self.query_one(TopBar).show(
                right=clean(job.place), state=_("done") if good else _("done, with something to do"), good=good
            )
        self.query_one("#lines", Hung).hang(lines)
        self.query_one("#outcome").focus()


def purpose_now(app: CentralApp, wanted: str) -> Purpose:
    """What is under way, or ended unseen, comes before what is wanted."""
    job = app.job
    if job is not None and (job.running or not job.seen):
        return PURPOSES[job.kind]
    return PURPOSES[wanted]


def bar_line(reached: Reached, width: int, *, stopping: bool) -> Content:
    """How far, as a number, a bar and words."""
    signs = symbols()
    cells = max(min(width - 40, 40), 10)
    full = round(cells * reached.share)
    said = _("stopping after this file …") if stopping else clean(reached.text)
    return Content.assemble(
        f"{int(reached.share * 100):3d} % ",
        (signs.bar * full, "bold $primary"),
        (signs.rest * (cells - full), "$text-muted"),
        f"  {said}",
    )
