"""The Textual application: which screen, locking, hiding, crash output, themes. Rooms below load after Unlock painted.

Locking ends this process (exit code LOCKED) and the parent starts another at Unlock. Nothing here decides anything
about interviews.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.screen import Screen
from textual.worker import WorkerFailed

from fieldsurvey.base import i18n
from fieldsurvey.base.clock import Clock, SystemClock
from fieldsurvey.base.errors import FieldsurveyError, StorageError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.actions import Scope, of
from fieldsurvey.tui.exits import Exit
from fieldsurvey.tui.hand import Hand
from fieldsurvey.tui.harden import crash_text, no_core_dumps
from fieldsurvey.tui.harmless import HARMLESS
from fieldsurvey.tui.keymap import KeymapError, default_keymap, read_keymap
from fieldsurvey.tui.screens.base import BaseScreen, Overlay, textual_keymap
from fieldsurvey.tui.screens.hidden import HiddenScreen
from fieldsurvey.tui.screens.unlock import UnlockScreen
from fieldsurvey.tui.symbols import PLAIN, symbols
from fieldsurvey.tui.themes import DARK, LIGHT, THEMES

if TYPE_CHECKING:  # loaded while the passphrase is typed: sqlite, pydantic and the crypto cost start-up time
    from fieldsurvey.fieldwork import Laptop, Session
    from fieldsurvey.tui.sending import Sending

HIDDEN_LOCK = 60.0  # seconds under the cover before it locks
_TICK = 1.0
_REVIEW_TICK = 60.0
_PATIENCE = 2.0  # seconds to close the vault in order when locking
_ARRIVAL = 0.5
"""Seconds that keys may be on their way to an editor."""


class FieldsurveyApp(App[int]):
    """`home` is FIELDSURVEY_HOME; `joined` whether there is a vault in it."""

    CSS_PATH = Path(__file__).with_name("app.tcss")
    TITLE = "fieldsurvey"
    ENABLE_COMMAND_PALETTE = True
    WITHOUT: ClassVar[frozenset[str]] = frozenset()  # ids of actions of everywhere that mean nothing in this program
    ESCAPE_TO_MINIMIZE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "say_quit", show=False, system=True)]

    def __init__(self, home: Path, *, joined: bool, clock: Clock | None = None, start: str = "") -> None:
        super().__init__(driver_class=_wiping(self.get_driver_class()))
        self.home = home
        self.joined = joined
        self.start_form = start  # opened once, when Home is there
        self.clock: Clock = clock or SystemClock()
        self.laptop: Laptop | None = None
        self.session: Session | None = None
        self.sending: Sending | None = None
        self.hand = Hand()
        self.idle_minutes = 5
        self.review_hours = 0
        self.keymap_error: KeymapError | None = None
        try:
            self.keymap = read_keymap(home)
        except KeymapError as error:
            self.keymap, self.keymap_error = default_keymap(), error
        self.set_keymap(textual_keymap(self.keymap))
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name
        self.set_class(symbols() is PLAIN, "-console")
        self._touched = monotonic()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and the last one that nothing of a stranger's gets past to the terminal."""
        return (*super().get_line_filters(), *HARMLESS)

    def now(self) -> datetime:
        """The clock's time."""
        return self.clock.now()

    # -- from start to Unlock

    def on_mount(self) -> None:
        """Signals and idle time from now on."""
        if not self.joined:
            self.push_screen(self.first_screen())
        self.set_interval(_TICK, self._tick)
        self.set_interval(_REVIEW_TICK, self._seal_due)
        self.call_after_refresh(no_core_dumps)  # before anything secret can have been typed
        if sys.platform != "win32":
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, lambda: self.run_worker(self._terminated()))

    def get_default_screen(self) -> BaseScreen:
        """The bottom of the stack: Unlock, so that no blank screen is painted before it."""
        return UnlockScreen() if self.joined else BaseScreen()

    def first_screen(self) -> BaseScreen:
        """Where there is no vault yet: the first steps."""
        from fieldsurvey.tui.screens.join import JoinScreen  # once in a laptop's life

        return JoinScreen()

    async def _terminated(self) -> None:
        """The system wants us to end: what is typed is saved first.

        At once then, without leaving the screen in order: the terminal may be gone, and the parent restores it if not.
        """
        await self._save_pending()
        os._exit(Exit.TERMINATED)

    def unlocked(self, session: Session) -> None:
        """Go Home."""
        from fieldsurvey.tui.evening import report_text  # needs fieldwork, which has loaded by now
        from fieldsurvey.tui.screens.home import HomeScreen

        self.session = session
        self.idle_minutes = session.policy.idle_lock_minutes
        self.review_hours = session.policy.review_window_hours
        self.push_screen(HomeScreen())
        said = report_text(session.at_unlock)
        if said:
            from fieldsurvey.tui.screens.dialogs import Tell  # only when something happened

            self.push_screen(Tell(_("While it was locked"), said))

    def open_interview(self, screen: Screen[None], *, idle_minutes: int) -> None:
        """Over Home."""
        self.idle_minutes = idle_minutes
        self.push_screen(screen)

    def close_interview(self) -> None:
        """Back to Home, whatever lies over it; the work is closed in the hand."""
        session = self.session
        if session is None:
            return
        self.idle_minutes = session.policy.idle_lock_minutes
        while len(self.screen_stack) > 2:  # Unlock and Home stay
            self.pop_screen()

    def begin_sending(self) -> None:
        """Have what is sealed sent by itself, in a process of its own that ends with this one; it holds no secret."""
        from fieldsurvey.tui.sending import Sending  # only where the project names a server

        if self.sending is None:
            self.sending = Sending(self.home)

    # -- leaving

    async def _save_pending(self) -> None:
        await self._keys_arrived()
        for screen in reversed(self.screen_stack):
            if isinstance(screen, BaseScreen | Overlay):
                await screen.save_pending()

    async def _keys_arrived(self) -> None:
        """Textual hears the keys that leave before what was typed just before them has reached the editor: wait."""
        focused = self.screen.focused
        if focused is None:
            return
        arrived = asyncio.Event()
        focused.call_later(arrived.set)
        with contextlib.suppress(TimeoutError):  # from within the editor's own handler it cannot come earlier
            await asyncio.wait_for(arrived.wait(), _ARRIVAL)

    async def lock(self) -> None:
        """Save what is typed, and end this process: that is what clears it from memory.

        Neither a full disk nor a copy under way stops it: what was shown as saved is durable without closing.
        """
        await self._save_pending()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._close_session(), _PATIENCE)
        self.exit(return_code=Exit.LOCKED if self.session is not None else Exit.QUIT)

    async def leave(self) -> None:
        """Save what is typed and leave the program; not while something cannot be saved."""
        await self._save_pending()
        if await self._close_session():
            self.exit(return_code=Exit.QUIT)

    async def action_quit(self) -> None:
        """Textual binds Ctrl+Q before any screen does: it must save too."""
        await self.leave()

    async def _close_session(self) -> bool:
        """Whether everything is durable and the vault closed."""
        if self.session is None:
            return True
        try:
            await self.hand.do(self.session.close)
        except StorageError as error:
            self.tell(error)
            return False
        return True

    def hide(self) -> None:
        """Cover the screen; the same key uncovers it."""
        if not isinstance(self.screen, HiddenScreen):
            self.push_screen(HiddenScreen())

    async def _tick(self) -> None:
        if self.session is None:
            return
        idle = monotonic() - self._touched
        limit = HIDDEN_LOCK if isinstance(self.screen, HiddenScreen) else self.idle_minutes * 60.0
        if idle >= min(limit, self.idle_minutes * 60.0):
            await self.lock()

    def _seal_due(self) -> None:
        """What waits for the evening review does not wait longer because nobody locks."""
        if self.session is not None and self.review_hours:
            self.run_worker(self._sealing(self.session), group="evening")

    async def _sealing(self, session: Session) -> None:
        try:
            await self.hand.do(session.seal_waiting)
        except FieldsurveyError:  # it still waits; the next unlock tries again, and says why it failed
            return

    async def on_event(self, event: events.Event) -> None:
        """Notes activity, and drops keys that were pressed for a page that is not there any more."""
        if isinstance(event, events.InputEvent) and not event.is_forwarded:
            if isinstance(event, events.Key):
                self._touched = monotonic()
                screen = self.screen if self._screen_stacks[self._current_mode] else None
                if isinstance(screen, BaseScreen) and screen.keeps(event):
                    return
                if isinstance(screen, BaseScreen | Overlay) and not screen.accepts(event.time, event.key):
                    return
                await super().on_event(event)
                if isinstance(screen, BaseScreen):
                    screen.after_key(event)
                return
            if isinstance(event, events.MouseDown | events.MouseScrollDown | events.MouseScrollUp):
                self._touched = monotonic()
        await super().on_event(event)

    def action_say_quit(self) -> None:
        """Ctrl+C interrupts nothing here."""
        self.notify(_("Ctrl+Q leaves; everything is saved."), title="")

    # -- nothing leaks

    def _handle_exception(self, error: Exception) -> None:
        # Textual's renderer prints local variables, answers and passphrases among them.
        cause = error.error if isinstance(error, WorkerFailed) and isinstance(error.error, Exception) else error
        self._return_code = int(Exit.CRASHED)
        if self._exception is None:
            self._exception = cause
            self._exit_renderables.append(crash_text(cause))
            self._exception_event.set()
        self._close_messages_no_wait()

    def panic(self, *renderables: object) -> None:
        """Textual's own complaints may quote what was typed: only that something failed is said."""
        del renderables
        self._handle_exception(RuntimeError())

    def copy_to_clipboard(self, text: str) -> None:
        """Copy and paste work inside the program; the terminal's clipboard (OSC 52) never sees an answer."""
        self._clipboard = text

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: the screen's own actions and the themes. No Screenshot: it writes the screen to the disk."""
        scopes = (*getattr(screen, "SCOPES", ()), Scope.EVERYWHERE)
        for action in (a for a in of(*scopes) if a.id not in self.WITHOUT):
            yield SystemCommand(action.shown, _(action.help), _runner(screen, action.name))
        yield SystemCommand(_("Dark colours"), _("Light text on dark"), lambda: self._use_theme(DARK.name))
        yield SystemCommand(
            _("Light colours"), _("Dark text on light, for the sun"), lambda: self._use_theme(LIGHT.name)
        )

    def _use_theme(self, name: str) -> None:
        self.theme = name

    def next_language(self) -> None:
        """The program's own words in the next language; the screen is made anew."""
        codes = list(i18n.LANGUAGES)
        i18n.set_language(codes[(codes.index(i18n.language()) + 1) % len(codes)])
        screen = self.screen
        if isinstance(screen, BaseScreen):
            screen.refresh(recompose=True)
            self.call_after_refresh(screen.renewed)

    def tell(self, error: FieldsurveyError) -> None:
        """An expected failure, in a box that must be closed."""
        from fieldsurvey.tui.screens.dialogs import Tell  # only when something is wrong

        self.push_screen(Tell(error.message, error.advice))


def _runner(screen: Screen[object], name: str) -> Callable[[], None]:
    def run() -> None:
        screen.call_later(screen.run_action, name)

    return run


def _wiping(driver: type[Driver]) -> type[Driver]:
    """The driver, wiping the screen before leaving it: a terminal without an alternate screen keeps what it shows."""

    def stop_application_mode(self: Driver) -> None:
        self.write("\x1b[2J\x1b[H")
        driver.stop_application_mode(self)

    return type(f"Wiping{driver.__name__}", (driver,), {"stop_application_mode": stop_application_mode})
