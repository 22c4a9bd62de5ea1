"""Lines in, lines out; commands after a slash; idle lock. It knows nothing of interviews.

What could move the cursor is written as an escape: a label or a name must not be able to rewrite what was said.
"""

from __future__ import annotations

import getpass
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import visible_lines
from fieldsurvey.tui.actions import Action
from fieldsurvey.tui.choosing import fold
from fieldsurvey.tui.exits import Exit

_HIDDEN_MINUTES = 1
_CLEAR = "\x1b[2J\x1b[3J\x1b[H"  # the screen and what scrolled away


class Leaving(Exception):  # noqa: N818  it is no error: the way out of nested loops
    """The person wants to lock or leave; the code is the process's."""

    def __init__(self, code: Exit) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Command:
    """`/remove 2` is the action `remove` with the rest "2"."""

    action: str
    rest: str = ""


Line = str | Command


class Console:
    """Standard input and output, or any pair of streams."""

    def __init__(self, source: TextIO | None = None, target: TextIO | None = None) -> None:
        self.source = source or sys.stdin
        self.target = target or sys.stdout
        self.idle_minutes = 5
        self.before_locking: Callable[[], None] = lambda: None
        self._timer: threading.Timer | None = None

    def say(self, text: str = "") -> None:
        """A line or more."""
        self.target.write(visible_lines(text) + "\n")
        self.target.flush()

    def clear(self) -> None:
        """Nothing stays on the screen or in its scrollback."""
        if self.target.isatty():
            self.target.write(_CLEAR)
            self.target.flush()

    def hide(self) -> None:
        """Clear everything, and wait for Enter; after a minute it locks."""
        self.clear()
        usual, self.idle_minutes = self.idle_minutes, min(self.idle_minutes, _HIDDEN_MINUTES)
        try:
            self.line("")
        finally:
            self.idle_minutes = usual

    def line(self, prompt: str = "> ") -> str:
        """A line as typed; raises Leaving(QUIT) at the end of the input. Idle too long: the process ends, locked."""
        self.target.write(visible_lines(prompt))
        self.target.flush()
        self._wait()
        try:
            text = self.source.readline()
        finally:
            self._stop_waiting()
        if not text:
            raise Leaving(Exit.QUIT)
        return text.rstrip("\r\n")

    def secret(self, prompt: str) -> str:
        """A passphrase, not shown while it is typed."""
        return getpass.getpass(prompt) if self.source.isatty() else self.line(prompt)

    def ask(self, actions: Sequence[Action], prompt: str = "> ", *, places: bool = False) -> Line:
        """A line, or one of these commands; says so and asks again when a command is not one of them.

        `places`: the place of a file is expected, so what has a further "/" is one.
        """
        while True:
            text = self.line(prompt)
            if not text.startswith("/"):
                return text
            if places and "/" in text[1:]:
                return text
            if text.startswith("//"):
                return text[1:]
            word, _space, rest = text[1:].strip().partition(" ")
            found = _named(actions, word)
            if len(found) == 1:
                return Command(found[0].id, rest.strip())
            self.say(_("There is no /{word} here. /{help} lists the commands.").format(word=word, help=_("help")))

    def yes(self, question: str) -> bool:
        """A decision; anything but yes is no."""
        answer = fold(self.line(f"{question} [{_('yes')}/{_('no')}] ").strip())
        return bool(answer) and (fold(_("yes")).startswith(answer) or "yes".startswith(answer))

    def list_commands(self, actions: Sequence[Action]) -> None:
        """What can be typed here."""
        for action in actions:
            if action.plain:
                self.say(f"/{_(action.plain)}: {_(action.help)}")

    # -- idle lock

    def _wait(self) -> None:
        self._timer = threading.Timer(self.idle_minutes * 60.0, self._lock)
        self._timer.daemon = True
        self._timer.start()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _lock(self) -> None:
        # The main thread waits for a line and cannot be woken portably: ending the process is what locking is.
        self.before_locking()
        self.clear()
        self.say(_("Locked."))
        os._exit(Exit.LOCKED)


def _named(actions: Sequence[Action], word: str) -> list[Action]:
    """The actions that `word` names, whole or by its beginning, in the user's language or in English."""
    word = {"?": "help"}.get(word, word.casefold())
    whole = [a for a in actions if a.plain and word in {_(a.plain).casefold(), a.plain.casefold()}]
    if whole or not word:
        return whole[:1]
    begun = [a for a in actions if a.plain and _(a.plain).casefold().startswith(word)]
    return begun or [a for a in actions if a.plain and a.plain.startswith(word)]
