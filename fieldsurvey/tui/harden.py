"""What the unlocked process does before anything else, so that neither a crash nor a setting of Textual can leak.

Measured in textual 8.2.8: an unhandled exception prints local variables, a passphrase among them; TEXTUAL_LOG
records every value typed; TEXTUAL_SCREENSHOT, TEXTUAL_DEVTOOLS and TEXTUAL_DEBUG likewise. Standard library only,
and called before Textual is imported. What cannot be promised is in docs/security.md.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import MutableMapping
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

# Any other TEXTUAL* variable is dropped, known or not: a new one of a later version must not leak either.
_HARMLESS = frozenset({"TEXTUAL_ANIMATIONS", "TEXTUAL_COLOR_SYSTEM", "TEXTUAL_DISABLE_KITTY_KEY", "TEXTUAL_FPS"})
# These make the interpreter print objects, keep running after the end, or run a file of somebody else's.
_PYTHON = frozenset(
    {"PYTHONASYNCIODEBUG", "PYTHONDEVMODE", "PYTHONDUMPREFS", "PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONTRACEMALLOC"}
)
_kept = ""
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def scrub(environ: MutableMapping[str, str]) -> list[str]:
    """Remove what could write answers somewhere from `environ`; returns the names removed."""
    doomed = [n for n in environ if (n.startswith("TEXTUAL") and n not in _HARMLESS) or n in _PYTHON]
    for name in doomed:
        del environ[name]
    return doomed


def no_core_dumps() -> None:
    """No core file, no debugger of the same user, and not outliving the parent, where the system knows how."""
    if sys.platform == "win32":
        return
    import resource  # Unix only

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # Linux only; here, because the parent imports this module for its time to Unlock and never calls this
        import ctypes
        import signal

        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def crash_text(error: BaseException) -> str:
    """A sentence for people and the place for those who mend it. No value: not even the exception's message."""
    # when it crashes, not before: this module is all that is imported before hardening
    from fieldsurvey.base.i18n import gettext as _
    from fieldsurvey.base.i18n import n_

    kept = _kept or n_(
        "Every answer that was shown as saved is kept, encrypted. Start it again to go on at the same question."
    )
    steps = []
    step = error.__traceback__
    while step is not None:
        name = step.tb_frame.f_code.co_filename.replace("\\", "/")
        steps.append(f"{'/'.join(name.split('/')[-2:])}:{step.tb_lineno}")
        step = step.tb_next
    where = " < ".join(reversed(steps[-6:])) or "?"
    return (
        _("fieldsurvey met a fault in itself and stopped.")
        + "\n"
        + _(kept)
        + "\n"
        + _("For whoever mends it: {kind}, {where}").format(kind=type(error).__name__, where=where)
    )


def _say(error: BaseException | None) -> None:
    if sys.__stderr__ is not None:
        sys.__stderr__.write(crash_text(error or RuntimeError()) + "\n")


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    del kind, trace
    if isinstance(error, KeyboardInterrupt):
        return
    _say(error)


def _thread_hook(args: threading.ExceptHookArgs) -> None:
    _say(args.exc_value)


def _unraisable_hook(args: UnraisableHookArgs) -> None:
    _say(args.exc_value)


def replace_crash_output() -> None:
    """Nothing that Python prints about an exception shows a value from now on; logging is off."""
    import logging  # what is imported after hardening has no use for it earlier

    sys.excepthook = _hook
    threading.excepthook = _thread_hook
    sys.unraisablehook = _unraisable_hook
    logging.disable(logging.CRITICAL)


def harden(kept: str = "") -> None:
    """What must come before Textual is imported. `no_core_dumps` follows once Unlock is painted: ctypes takes 5 ms.

    `kept` (a message id): what a crash says of the work, where that is not an interview.
    """
    global _kept  # noqa: PLW0603  a process is one program
    _kept = kept
    scrub(os.environ)
    replace_crash_output()
