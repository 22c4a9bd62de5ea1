"""Sending by itself: a process beside the app pushes what is sealed whenever there is a line; here it is begun, and
what it says of itself is put into words. It needs no passphrase, and ends with the app, which holds its standard input.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.standing import asked_again_line, when
from sync.http.state import PushState, read_state

_NOT_ITS_BUSINESS = "FIELDSURVEY_PASSPHRASE_FILE_"
COMMAND = (sys.executable, "-P", "-m", "fieldsurvey", "sync", "push", "--watch")
"""-P: a folder called `sync` in the working directory must not shadow ours."""


class Sending:
    """The process, or nothing where it could not be started: then sticks do as ever."""

    def __init__(self, home: Path, command: tuple[str, ...] = COMMAND) -> None:
        """Begin it, and return at once."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_ITS_BUSINESS)}
        environ["FIELDSURVEY_HOME"] = str(home)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                command,
                stdin=subprocess.PIPE,  # ends when this process does, however it ends
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environ,
                start_new_session=True,  # a key pressed here is no signal there
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError:
            return

    @property
    def alive(self) -> bool:
        """Whether it is there."""
        return self._process is not None and self._process.poll() is None

    def end(self) -> None:
        """Let go of it; it ends within seconds, and nobody waits for it."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()


def sent_line(home: Path) -> tuple[str, bool]:
    """What became of sending, and whether somebody has to look; ("", False) before the first try."""
    state = read_state(home)
    return _words(state) if state is not None else ("", False)


def _words(state: PushState) -> tuple[str, bool]:
    if state.stage == "sending":
        return _("Sending to central …"), False
    if state.stage == "done" and state.again:
        return asked_again_line(state.again), False
    if state.stage == "done":
        return _("Sent by itself; central confirmed {count} on {at}.").format(
            count=state.confirmed, at=when(state.at)
        ), False
    if state.stage == "waiting":
        return _("No line to central: sending goes on by itself when there is one. A stick always works."), False
    return _("Sending was refused: {reason} Copy to a stick, and tell the steward.").format(reason=state.message), True
