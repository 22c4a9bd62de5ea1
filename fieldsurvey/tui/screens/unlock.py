"""Unlock: painted first; the rooms below load while the passphrase is typed. A wrong one gets one plain sentence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input

from fieldsurvey.base.errors import FieldsurveyError, UnlockError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import visible
from fieldsurvey.tui.actions import Scope, of, show_key
from fieldsurvey.tui.screens.base import BaseScreen, bindings
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import Complaint, Words, bracketed

if TYPE_CHECKING:
    from fieldsurvey.fieldwork import Laptop


_SENT = 5.0  # seconds between two looks at what the sending process says


class UnlockScreen(BaseScreen):
    """Asks for the passphrase."""

    SCOPES = (Scope.UNLOCK,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.UNLOCK)

    def __init__(self) -> None:
        super().__init__()
        self._busy = False

    def compose(self) -> ComposeResult:
        """A quiet box in the middle."""
        yield TopBar(Heading("fieldsurvey", right=_("locked")))
        with Vertical(id="middle"), Vertical(classes="panel"):
            yield Words("", id="whose", classes="group")
            yield Words(_("Your six words"), classes="label")
            yield Input(password=True, id="passphrase", select_on_focus=False)
            yield Words("", id="doing", classes="echo")
            yield Words("", id="sent", classes="echo")
            yield Complaint()
            reveal = show_key(self.ours.keymap["reveal"][0])
            yield Words(bracketed(_("[Enter] opens   [{key}] shows what you type").format(key=reveal)), classes="echo")
        yield KeyBar(of(Scope.UNLOCK, Scope.EVERYWHERE), self.ours.keymap)

    def on_mount(self) -> None:
        """Load the rooms below beside the typing."""
        if self.ours.keymap_error is not None:
            self._problem(self.ours.keymap_error)
        # After the first paint: importing in a thread would fight with painting for the interpreter.
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.run_worker(self._load())

    def renewed(self) -> None:
        """The words were made anew in another language."""
        self._whose()

    async def _load(self) -> None:
        home, clock = self.ours.home, self.ours.clock

        def load() -> Laptop:
            from fieldsurvey.fieldwork import Laptop  # start-up: sqlite, pydantic and the crypto take 0.2 s

            laptop = Laptop.open(home, clock)
            _ = laptop.project  # verified here, not when Enter is pressed
            return laptop

        try:
            self.ours.laptop = await self.ours.hand.do(load)
        except FieldsurveyError as error:
            self._problem(error)
            return
        self._whose()
        if self.ours.laptop.project.model.servers:
            await self.ours.hand.do(self.ours.begin_sending)
            self._say_sent()
            self.set_interval(_SENT, self._say_sent)
        # Only for the demo, which names a form to begin with: a laptop in use is unlocked by a person.
        named = os.environ.get("FIELDSURVEY_PASSPHRASE_FILE_DEVICE")
        if self.ours.start_form and named:
            await self._unlock(await self.ours.hand.do(lambda: Path(named).read_text(encoding="utf-8").strip()))

    def _whose(self) -> None:
        laptop = self.ours.laptop
        if laptop is None:
            return
        model = laptop.project.model
        self.query_one("#whose", Words).say(visible(model.name))
        self.query_one(TopBar).show(title=f"fieldsurvey {symbols().then} {laptop.locked.device_card().name}")
        if laptop.project.is_expired(self.ours.now()):
            self.query_one("#doing", Words).say(
                _("The project's file has expired: interviewing and copying go on; ask for a new one.")
            )

    def _say_sent(self) -> None:
        from fieldsurvey.tui.sending import sent_line  # only where the project names a server

        if self.is_current and not self._busy:
            line, _look = sent_line(self.ours.home)
            self.query_one("#sent", Words).say(line)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        if not self._busy and event.value.strip():
            self._busy = True
            self.query_one(Complaint).clear()
            self.query_one("#doing", Words).say(_("Opening …"))
            self.run_worker(self._unlock(event.value))

    async def _unlock(self, passphrase: str) -> None:
        box = self.query_one("#passphrase", Input)
        while self.ours.laptop is None and not self.query_one(Complaint).text:
            await self.ours.hand.do(lambda: None)  # loading is queued before us
        laptop = self.ours.laptop
        try:
            if laptop is None:
                return
            session = await self.ours.hand.do(lambda: laptop.unlock(passphrase))
        except UnlockError as error:
            box.value = ""
            self._problem(error)
            return
        except FieldsurveyError as error:
            self._problem(error)
            return
        finally:
            self._busy = False
            self.query_one("#doing", Words).say("")
        box.value = ""
        self.ours.unlocked(session)

    def _problem(self, error: FieldsurveyError) -> None:
        self.query_one(Complaint).blame(symbols().stop, error.message, error.advice)

    def action_reveal(self) -> None:
        """Show what is typed, or hide it again."""
        box = self.query_one("#passphrase", Input)
        box.password = not box.password

    def action_withdrawal(self) -> None:
        """A locked laptop still takes a withdrawal."""
        if self.ours.laptop is not None:
            from fieldsurvey.tui.screens.withdrawal import begin  # not on the start path

            begin(self.ours, self.ours.laptop)

    def action_sync(self) -> None:
        """A locked laptop still copies what is sealed."""
        if self.ours.laptop is not None:
            from fieldsurvey.tui.screens.sync import SyncScreen  # not on the start path

            self.app.push_screen(SyncScreen(self.ours.laptop))
