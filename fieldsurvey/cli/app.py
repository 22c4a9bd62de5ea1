"""`fieldsurvey` and `fieldsurvey --plain`: the small parent, which holds no secrets.

What is unlocked runs in a child. Locking ends the child, which is what really clears keys and answers from memory
(after `del` and a collection 1,004 of 1,004 copies were still there; after the process ended, none). The parent
restores the terminal whatever happened and starts the child again at Unlock when it ended by locking.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fieldsurvey.tui.exits import Exit
from fieldsurvey.tui.harden import scrub

# Kitty keys off, then (in the alternate screen still) wipe it, leave it; mouse, focus, paste and resize reports off;
# wrapping and cursor on. Harmless where they are on already; the wipe happens only after an abnormal end.
_WIPE = "\x1b[2J\x1b[H"
_RESET = (
    "\x1b[<u\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"
    "\x1b[?1004l\x1b[?2004l\x1b[?2048l\x1b[?7h\x1b[?25h\x1b[0m"
)
_PATIENCE = 5.0  # seconds for the child to save what was typed after it was asked to end


class _Terminal:
    """The terminal as it was before the child."""

    def __init__(self) -> None:
        self._attributes: list[object] | None = None
        self._modes: dict[int, int] = {}
        if sys.platform == "win32":
            self._modes = _windows_modes()
        elif sys.stdin.isatty():
            import termios  # Unix only

            self._attributes = termios.tcgetattr(sys.stdin.fileno())

    def restore(self, *, wipe: bool) -> None:
        """Put it back; `wipe` after a child that could not leave the screen by itself."""
        if sys.stdout.isatty() and wipe:
            sys.stdout.write(_WIPE + _RESET)
            if os.environ.get("TERM") == "linux":  # the console has no alternate screen: its scrollback shows it
                sys.stdout.write("\x1b[3J")
            sys.stdout.flush()
        if sys.platform == "win32":
            _windows_restore(self._modes)
        elif self._attributes is not None:
            import termios  # Unix only

            try:
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, self._attributes)  # type: ignore[arg-type]
                termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
            except termios.error:  # the terminal itself is gone (SIGHUP)
                return


def _windows_modes() -> dict[int, int]:
    modes: dict[int, int] = {}
    if sys.platform == "win32":
        import ctypes  # nothing else in the parent needs it

        kernel = ctypes.windll.kernel32
        for handle in (-10, -11):  # standard input, standard output
            mode = ctypes.c_ulong()
            if kernel.GetConsoleMode(kernel.GetStdHandle(handle), ctypes.byref(mode)):
                modes[handle] = mode.value
    return modes


def _windows_restore(modes: dict[int, int]) -> None:
    if sys.platform == "win32":
        import ctypes  # nothing else in the parent needs it

        kernel = ctypes.windll.kernel32
        for handle, mode in modes.items():
            kernel.SetConsoleMode(kernel.GetStdHandle(handle), mode)


class _Child:
    """The unlocked process. On POSIX without `subprocess`, whose import costs 12 ms of the time to Unlock."""

    def __init__(self, command: list[str], environ: dict[str, str]) -> None:
        if sys.platform == "win32":
            import subprocess  # Windows only, see above

            self._process = subprocess.Popen(command, env=environ)  # noqa: S603  our own interpreter and module
        else:
            self._pid = os.posix_spawn(command[0], command, environ)

    def wait(self) -> int:
        """Its exit code; the negative number of the signal that ended it."""
        if sys.platform == "win32":
            return self._process.wait()
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def terminate(self) -> None:
        """Ask it to save and end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if sys.platform == "win32":
            self._process.terminate()
            return
        try:
            os.kill(self._pid, number)
        except ProcessLookupError:  # it ended by itself meanwhile
            return


class _Ending:
    """The system's wish that we end, passed on to the child; Ctrl-C is the child's own business (a key to it)."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.child: _Child | None = None

    def note(self, number: int, frame: FrameType | None) -> None:
        """The handler. A second signal changes nothing: the child is already saving."""
        del frame
        if number != signal.SIGINT and self.signal is None:
            self.signal = number
            self.pass_on()

    def pass_on(self) -> None:
        """Ask the child to save what was typed and end; end it after a while if it does not."""
        if self.child is not None:
            self.child.terminate()
            import threading  # only when the system wants us to end

            last = threading.Timer(_PATIENCE, self.child.kill)
            last.daemon = True
            last.start()


@contextmanager
def _signals(ending: _Ending) -> Iterator[None]:
    # A handler and not SIG_IGN, which the child would inherit.
    names = [n for n in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, n)]
    before = {n: signal.signal(getattr(signal, n), ending.note) for n in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def run(plain: bool, start: str = "", *, module: str = "fieldsurvey.tui", kept: str = "") -> int:
    """Run the app until it is left; returns the exit code. Locking starts it again at Unlock.

    `start`: a form to open an interview of, the first time (the demo's end). `module`: the child's; `kept` (a message
    id): what is said of the work when the child was ended from outside, where that is not an interview.
    """
    if not plain and not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _needs_terminal()
    environ = dict(os.environ)
    scrub(environ)
    # -P: a folder called `sync` in the working directory must not shadow ours.
    command = [sys.executable, "-P", "-m", module, *(["--plain"] if plain else [])]
    first = ["--start", start] if start else []
    terminal = _Terminal()
    ending = _Ending()
    with _signals(ending):
        while True:
            ending.child = _Child([*command, *first], environ)
            first = []
            if ending.signal is not None:  # it came while the child was being made
                ending.pass_on()
            code = ending.child.wait()
            calm = code in {Exit.QUIT, Exit.REFUSED, Exit.LOCKED, Exit.CRASHED}
            terminal.restore(wipe=not plain and not calm)
            if code != Exit.LOCKED or ending.signal is not None:
                break
    if ending.signal is not None:
        return 128 + ending.signal
    return code if calm else _ended_abnormally(code, kept)


def _needs_terminal() -> int:
    # Words are loaded only when there is something to say: the catalogue costs start-up time.
    from fieldsurvey.base.i18n import gettext as _
    from fieldsurvey.base.i18n import set_language

    set_language(None)
    sys.stderr.write(_("The app needs a terminal. Run `fieldsurvey` in one, or `fieldsurvey --plain`.") + "\n")
    return Exit.REFUSED


def _ended_abnormally(code: int, kept: str) -> int:
    # start-up: the catalogues, when there is something to say
    from fieldsurvey.base.i18n import gettext as _
    from fieldsurvey.base.i18n import n_, set_language

    set_language(None)
    kept = kept or n_(
        "Every answer that was shown as saved is kept, encrypted. Start it again to go on at the same question."
    )
    sys.stderr.write(_("fieldsurvey was ended from outside ({code}).").format(code=code) + "\n" + _(kept) + "\n")
    return Exit.CRASHED if code >= 0 else 128 - code
