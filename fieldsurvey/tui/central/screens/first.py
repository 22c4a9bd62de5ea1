"""What the first screens share: read again and again, the work beside in a line, errors above what was found before."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.content import Content

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.actions import Action, of, show_key
from fieldsurvey.tui.actions import Scope as Where
from fieldsurvey.tui.central.screens.base import ListScreen, Table
from fieldsurvey.tui.central.screens.under_way import under_way
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import Words

WATCH = 0.3
T = TypeVar("T")
F = TypeVar("F")


class FirstScreen(ListScreen, Generic[F]):
    """A title, alerts, work under way, a table, its row, a summary. What goes wrong stands on it: no box to close."""

    TITLE_ID: ClassVar[str]
    TAKE: ClassVar[str]
    """The id of the action whose key leads to the work under way."""
    EXPENDABLE: ClassVar[tuple[int, ...]]

    def __init__(self) -> None:
        super().__init__()
        self.found: F | None = None
        self.took = 0.0
        self._reading = False

    def look(self) -> F:
        """Read it, in a thread. Raises FieldsurveyError."""
        raise NotImplementedError

    def show(self, found: F) -> None:
        """Paint it."""
        raise NotImplementedError

    def offered(self) -> list[Action]:
        """What works here now."""
        return of(*self.SCOPES, Where.EVERYWHERE)

    def compose(self) -> ComposeResult:
        """Alerts, the list, the whole in a line."""
        yield TopBar(Heading(_(self.TITLE_ID)))
        yield Words("", id="alerts")
        yield Words("", id="job")
        yield Table(expendable=self.EXPENDABLE)  # the row below has them
        yield Words("", id="row", classes="echo")
        yield Words("", id="sealed", classes="standing")
        yield KeyBar(self.offered(), self.ours.keymap, lines=2)

    def on_mount(self) -> None:
        """Fill it, and watch the work beside."""
        self.renewed()
        self.set_interval(WATCH, self._watch)

    def on_screen_resume(self) -> None:
        """After a stick, a backup."""
        if self.is_mounted and self.found is not None:
            self.action_again()

    def renewed(self) -> None:
        """Fill in what is not words."""
        self.query_one(Table).focus()
        self.action_again()

    def action_again(self) -> None:
        """Read it again."""
        if not self._reading:
            self._reading = True
            self.query_one(TopBar).show(right=_("reading …"))
            self.run_worker(self._read())

    async def _read(self) -> None:
        begun = monotonic()
        try:
            found = await self.read(self.look)
        finally:
            self._reading = False
        self.took = monotonic() - begun
        self.query_one(TopBar).show(right="")
        if found is not None:
            self.found = found
            self.query_one("#alerts", Words).say("")
            self.show(found)
            self.query_one(KeyBar).offer(self.offered())
            self.say_row()

    async def read(self, call: Callable[[], T]) -> T | None:
        """What `call` finds, in a thread; None after showing why it could not. What was found before stays below."""
        try:
            return await self.mine.hand.do(call)
        except FieldsurveyError as error:
            lead = Content.styled(f"{symbols().stop} {error.message}", "bold $error")
            self.query_one("#alerts", Words).say(lead + f"\n  {error.advice}")
            return None

    def _watch(self) -> None:
        """How far the work beside is; read again when it has ended."""
        if self.is_current and under_way(self.mine, self.query_one("#job", Words), self.key(self.TAKE)):
            self.action_again()

    def key(self, action: str) -> str:
        """The key of an action, as it is written on keyboards."""
        return show_key(self.ours.keymap[action][0])

    def action_log(self) -> None:
        """What happened here."""
        from fieldsurvey.tui.central.screens.log import LogScreen  # when it is looked at

        self.app.push_screen(LogScreen())

    def work_on(self, purpose: str, server: str = "") -> None:
        """To the screen of that work, or of what is under way. `server`: where sending would go."""
        from fieldsurvey.tui.central.screens.send import screen_for  # when it is looked at

        self.app.push_screen(screen_for(self.mine, purpose, server))
