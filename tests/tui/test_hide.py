"""Quick-hide in a real terminal: one key, at once, and nothing of the conversation is left to scroll back to."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from fieldsurvey.tui.exits import Exit
from fieldsurvey.tui.plain.console import Console, Leaving
from tests.tui.laptops import WORDS, joined
from tests.tui.memory import DATA
from tests.tui.terminal import Terminal
from tests.tui.test_flows import to_zone, unlock

ROOT = Path(__file__).resolve().parents[2]
CANARY = "canario-9d07-sintetico"
CLEARED = b"\x1b[2J\x1b[3J\x1b[H"  # screen, scrollback, cursor home
pty = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")


def terminal(home: Path, *words: str) -> Terminal:
    """`fieldsurvey` on a laptop that joined."""
    joined(home, {"types": (DATA / "types.xml").read_bytes()}).close()
    command = [sys.executable, "-m", "fieldsurvey", *words]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home), "FIELDSURVEY_HOME": str(home)}
    return Terminal(command, {**environ, "FIELDSURVEY_LANG": "en"})


@pty
def test_the_screen_is_covered_inside_the_alternate_screen(tmp_path: Path) -> None:
    """F4: the cover is painted over every line; nothing was ever written where scrolling back could show it."""
    shown = terminal(tmp_path / "home")
    try:
        unlock(shown)
        to_zone(shown)
        shown.send(CANARY)
        shown.wait(CANARY)
        shown.send("f4")
        shown.wait("comes back")
        every = [b"\x1b[%d;1H" % row for row in range(2, 25)]
        shown.read_until(  # every line was painted over
            lambda: all(row in shown.raw.rpartition(CANARY.encode())[2] for row in every), "the whole cover"
        )
        assert b"comes back" in shown.raw.rpartition(CANARY.encode())[2]
        assert shown.raw.count(b"\x1b[?1049h") == 1
        assert b"\x1b[?1049l" not in shown.raw
        assert b"\x1b[?1049h" in shown.raw.partition(CANARY.encode())[0]
        shown.send("f4")
        shown.wait(CANARY)  # control: the same key shows it again
    finally:
        shown.close()


@pty
def test_lines_are_cleared_with_their_scrollback(tmp_path: Path) -> None:
    """/hide in --plain: screen and scrollback are cleared at once, and nothing is written until Enter."""
    shown = terminal(tmp_path / "home", "--plain")
    try:
        shown.wait("Your six words")
        shown.send(WORDS, "enter")
        shown.wait("start")
        shown.wait("> ")
        shown.send("1", "enter")
        shown.wait("Buenos días")
        shown.wait("> ")
        shown.send("enter")
        shown.wait("¿Cómo se llama esta zona?")
        shown.wait("> ")
        shown.send(CANARY, "enter")
        shown.wait("¿Cuántas personas duermen aquí?")
        shown.send("/hide", "enter")
        shown.read_until(lambda: CLEARED in shown.raw, "a cleared screen")
        seen, _, after = shown.raw.rpartition(CLEARED)
        while shown._read(0.5):
            after = shown.raw.rpartition(CLEARED)[2]
        assert CANARY.encode() in seen
        assert after == b""
        shown.send("enter")
        shown.wait("¿Cuántas personas duermen aquí?")  # control: it goes on where it was
    finally:
        shown.close()


def test_hidden_lines_lock_after_a_minute() -> None:
    """While it is hidden the idle limit is a minute at most, whatever the policy; afterwards it is the policy's."""
    limits: list[float] = []

    class Watched(Console):
        def _wait(self) -> None:
            limits.append(self.idle_minutes)

    console = Watched(io.StringIO("\n\n"), io.StringIO())
    console.idle_minutes = 20
    console.hide()
    console.line()
    assert limits == [1, 20]
    with pytest.raises(Leaving) as left:
        console.hide()
    assert (left.value.code, console.idle_minutes) == (Exit.QUIT, 20)
