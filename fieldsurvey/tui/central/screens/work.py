"""Long work on a screen: what it does, where, how far it is with a bar, what came of it line by line.

The work belongs to the app: it goes on when this screen is left, and the screen finds it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import visible
from fieldsurvey.tui.actions import Action, Scope, of
from fieldsurvey.tui.central.job import Job, Reached
from fieldsurvey.tui.central.purposes import words_of
from fieldsurvey.tui.central.screens.base import CentralScreen
from fieldsurvey.tui.central.sticks import Purpose
from fieldsurvey.tui.screens.base import bindings
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import Complaint, Hung, Words

WATCH = 0.1


class WorkScreen(CentralScreen):
    """For one purpose. `chosen` says what stands there before it begins."""

    SCOPES = (Scope.CENTRAL_STICK,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.CENTRAL_STICK)
    ABSENT: ClassVar[frozenset[str]] = frozenset()
    """Ids of actions of the scope that this kind of work has no use for."""

    def __init__(self, purpose: Purpose) -> None:
        super().__init__()
        self.purpose = purpose

    @property
    def job(self) -> Job[object] | None:
        """The app's work, where it is this screen's."""
        job = self.mine.job
        return job if job is not None and job.kind == self.purpose.kind else None

    def chooser(self) -> Iterator[Widget]:
        """Where it goes."""
        raise NotImplementedError

    def choose(self) -> None:
        """Begin choosing, afresh."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Where, how far, what came of it."""
        yield TopBar(Heading(_(self.purpose.title)))
        with VerticalScroll(id="chooser", can_focus=False):
            yield Words(_(self.purpose.what_for), classes="standing")
            yield from self.chooser()
        with VerticalScroll(id="outcome"):
            yield Complaint()
            yield Hung(id="lines")
        yield Words("", id="progress")
        yield KeyBar(self._keys(), self.ours.keymap)

    def on_mount(self) -> None:
        """Look around, and go on looking."""
        self.renewed()
        self.set_interval(WATCH, self._watch)

    def renewed(self) -> None:
        """Fill in what is not words."""
        self.choose()
        job = self.job
        if job is not None and not job.running and not job.seen:
            self._show_outcome(job)
        else:
            self._offer()

    def _keys(self) -> list[Action]:
        """What works now."""
        absent = {"stick_start", "stick_rescan"} if self.mine.working else {"stick_stop"}
        if self.has_class("-done") and not self.purpose.by_line:  # another stick is chosen first
            absent.add("stick_start")
        absent |= self.ABSENT
        return [a for a in of(Scope.CENTRAL_STICK, Scope.EVERYWHERE) if a.id not in absent]

    def _turn(self, *, done: bool) -> None:
        """To what came of it, or back to choosing."""
        self.set_class(done, "-done")
        self.query_one(KeyBar).offer(self._keys())

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
            self.choose()

    def _begin(self, place: Path, called: str = "") -> None:
        """Start, in a thread. `called`: what the place is called where it is no path."""
        if self.mine.working:
            return
        desk, work = self.mine.desk, self.purpose.work
        self._offer()
        self.mine.begin(Job(self.purpose.kind, called or str(place), lambda told, stop: work(desk, place, told, stop)))
        self.query_one(KeyBar).offer(self._keys())

    def action_stop(self) -> None:
        """Where that loses nothing."""
        if self.job is not None and self.job.running:
            self.job.stop()

    def _watch(self) -> None:
        job = self.job
        if job is None:
            return
        if job.running:
            self.query_one("#progress", Words).say(
                bar_line(job.reached, self.size.width, _(self.purpose.stopping) if job.stopping else "")
            )
            self.query_one(TopBar).show(right=visible(job.place))
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
            self.query_one(TopBar).show(right=visible(job.place), state=_("not done"), good=False)
        else:
            said = words_of(outcome)
            for sentence in said:
                sign, style = (signs.done, "bold $success") if sentence.good else (signs.caution, "bold $warning")
                lines.append((Content.styled(f"{sign} ", style), sentence.text, "" if sentence.good else "bold"))
                if sentence.advice:
                    lines.append((Content("  "), sentence.advice, ""))
            good = all(sentence.good for sentence in said)
            self.query_one(TopBar).show(
                right=visible(job.place), state=_("done") if good else _("done, with something to do"), good=good
            )
        self.query_one("#lines", Hung).hang(lines)
        self.query_one("#outcome").focus()


def bar_line(reached: Reached, width: int, stopping: str = "") -> Content:
    """How far, as a number, a bar and words; `stopping`: what is said once it was asked to stop."""
    signs = symbols()
    cells = max(min(width - 40, 40), 10)
    full = round(cells * reached.share)
    said = stopping or visible(reached.text)
    return Content.assemble(
        f"{int(reached.share * 100):3d} % ",
        (signs.bar * full, "bold $primary"),
        (signs.rest * (cells - full), "$text-muted"),
        f"  {said}",
    )
