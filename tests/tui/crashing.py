"""A program that meets a fault while it holds a secret: `python -m tests.tui.crashing HOW`. For test_crashes only."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

HOW = sys.argv[1]
if not HOW.startswith("bare"):
    from fieldsurvey.tui.harden import harden

    harden()

from textual.app import App, ComposeResult  # noqa: E402  hardened first, as the program does
from textual.widgets import Input  # noqa: E402

from fieldsurvey.tui.app import FieldsurveyApp  # noqa: E402
from fieldsurvey.tui.screens.base import BaseScreen  # noqa: E402


def fault(secret: str) -> None:
    """Raises with the secret in a local variable and in the message."""
    kept = [secret]
    raise RuntimeError(kept[0])


class Asking(BaseScreen):
    """Asks for the secret, then fails in the way that was asked for."""

    def compose(self) -> ComposeResult:
        """Not shown while it is typed."""
        yield Input(password=True, placeholder="ready")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        secret = event.value
        if HOW == "handler":
            fault(secret)
        elif HOW == "worker":
            self.run_worker(self.fails(secret))
        elif HOW == "thread":
            self.run_worker(lambda: fault(secret), thread=True)
        elif HOW == "hand":
            self.run_worker(self.in_hand(secret))
        elif HOW == "callback":
            self.call_later(fault, secret)

    async def fails(self, secret: str) -> None:
        """A coroutine."""
        fault(secret)

    async def in_hand(self, secret: str) -> None:
        """The saving thread."""
        await self.ours.hand.do(lambda: fault(secret))


class Unraisable:
    """Fails where Python cannot raise."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __del__(self) -> None:
        """As the last reference goes."""
        fault(self.secret)


def outside() -> None:
    """Faults where no app runs: in the main thread, in a thread of Python's, where nothing can be raised."""
    secret = input("ready")
    if HOW == "outside thread":
        thread = threading.Thread(target=fault, args=(secret,))
        thread.start()
        thread.join()
    elif HOW == "outside unraisable":
        del [Unraisable(secret)][0]
    else:
        fault(secret)


def child(*words: str) -> None:
    """The program's own child, whose front end fails with what was typed."""
    from fieldsurvey.tui import __main__ as program
    from fieldsurvey.tui import plain

    def run(home: Path) -> int:
        """In place of the real one."""
        secret = input("ready")
        fault(secret + str(home))
        return 0

    setattr(plain, "run", run)  # noqa: B010  the real one takes more
    sys.argv[1:] = words
    program.main()


class Hardened(FieldsurveyApp):
    """Ours."""

    def first_screen(self) -> BaseScreen:
        """The one that fails."""
        return Asking()


class Bare(App[int]):
    """Textual's own way: the control."""

    def compose(self) -> ComposeResult:
        """The same input."""
        yield Input(password=True, placeholder="ready")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The same fault."""
        fault(event.value)


if __name__ == "__main__":
    if HOW.startswith("outside"):
        outside()
    elif HOW == "child":
        child("--plain")
    elif HOW == "bare":
        Bare().run()
    else:
        app = Hardened(Path("/nonexistent"), joined=False)
        app.run()
        sys.exit(app.return_code)
