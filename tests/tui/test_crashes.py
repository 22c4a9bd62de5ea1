"""A fault in the program shows no value: not on the screen, not in what Textual or Python would print."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fieldsurvey.tui.exits import Exit
from fieldsurvey.tui.harden import crash_text, scrub
from tests.tui.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
ROOT = Path(__file__).resolve().parents[2]
CANARY = "canario-7f3a-sintético"


def run(how: str, canary: str = CANARY) -> tuple[str, int]:
    """Everything the program wrote, and its exit code."""
    terminal = Terminal(
        [sys.executable, "-m", "tests.tui.crashing", how],
        {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "FIELDSURVEY_LANG": "en"},
    )
    try:
        terminal.wait("ready")
        terminal.send(canary, "enter")
        code = terminal.end()
        return terminal.text, code
    finally:
        terminal.close()


@pytest.mark.parametrize("how", ["handler", "worker", "thread", "hand", "callback"])
def test_a_crash_shows_no_local_variable(how: str) -> None:
    """Wherever the fault happens, the output says so in a sentence and holds neither locals nor the message."""
    text, code = run(how)
    assert CANARY not in text
    assert "fieldsurvey met a fault in itself" in text
    assert "RuntimeError" in text
    assert "crashing.py" in text
    assert code == Exit.CRASHED


@pytest.mark.parametrize("how", ["outside", "outside thread", "outside unraisable", "child"])
def test_a_crash_outside_the_app_shows_no_value(how: str) -> None:
    """sys.excepthook, threading.excepthook, sys.unraisablehook and the child's last frame print the place and not the
    message (the terminal itself echoes what was typed at input()).
    """
    text, _code = run(how)
    assert text.count(CANARY) == 1
    assert "fieldsurvey met a fault in itself" in text
    assert "crashing.py" in text


def test_the_control_leaks() -> None:
    """The same fault in a bare Textual app prints the secret: the search would find it."""
    text, _code = run("bare")
    assert CANARY in text


@pytest.mark.parametrize("hook", ["thread", "unraisable"])
def test_the_controls_of_the_hooks_leak(hook: str) -> None:
    """Python's own hooks print the message: the same search finds it."""
    fault = f"def fault(): raise RuntimeError({CANARY!r})"
    call = {
        "thread": "import threading; t = threading.Thread(target=fault); t.start(); t.join()",
        "unraisable": "class U:\n    def __del__(self): fault()\ndel [U()][0]",
    }[hook]
    done = subprocess.run([sys.executable, "-c", f"{fault}\n{call}"], capture_output=True, check=False)
    assert CANARY in done.stderr.decode("utf-8")


def test_crash_text_names_places_only() -> None:
    """The kind, files and lines; nothing that was in the exception."""
    with pytest.raises(KeyError) as caught:
        dict[str, str]()[CANARY]
    text = crash_text(caught.value)
    assert CANARY not in text
    assert "KeyError, tui/test_crashes.py:" in text


def test_scrub_drops_every_textual_setting_but_the_harmless() -> None:
    """Known and unknown TEXTUAL settings go; what only changes looks may stay."""
    environ = {
        "TEXTUAL": "debug,devtools", "TEXTUAL_LOG": "x", "TEXTUAL_SCREENSHOT": "1", "TEXTUAL_SCREENSHOT_LOCATION": "x",
        "TEXTUAL_DEVTOOLS_HOST": "x", "TEXTUAL_DEBUG": "1", "TEXTUAL_OF_A_LATER_VERSION": "1", "PYTHONINSPECT": "1",
        "PYTHONSTARTUP": "x", "TEXTUAL_ANIMATIONS": "none", "PATH": "/bin",
    }  # fmt: skip
    scrub(environ)
    assert environ == {"TEXTUAL_ANIMATIONS": "none", "PATH": "/bin"}
