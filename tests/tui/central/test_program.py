"""The program itself in a pseudo-terminal: parent, hardened child, the terminal as it was afterwards."""

from __future__ import annotations

import os
import signal
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.central.province import Province
from tests.tui.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """`fieldsurvey central show` over a central with one laptop; a setting of Textual's that must not get through."""
    province = Province(tmp_path)
    province.bring(province.laptop("Laptop 1", 2).batch())
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "FIELDSURVEY_HOME": str(province.home),
        "FIELDSURVEY_LANG": "en",
        "TEXTUAL_LOG": str(tmp_path / "textual.log"),
    }
    made = Terminal([sys.executable, "-m", "fieldsurvey", "central", "show"], environ)
    yield made
    made.close()


def test_it_opens_and_leaves_the_terminal_as_it_was(terminal: Terminal, tmp_path: Path) -> None:
    """The first screen is there; Ctrl+Q ends it with 0; no log of Textual's was written."""
    terminal.wait("Laptop 1")
    terminal.send("ctrl+q")
    assert terminal.end() == 0
    assert termios.tcgetattr(terminal.slave) == terminal.before
    assert not (tmp_path / "textual.log").exists()


def test_a_child_that_is_ended_from_outside_leaves_words_for_central(terminal: Terminal) -> None:
    """The parent restores the terminal and speaks of imports, not of answers."""
    terminal.wait("Laptop 1")
    os.kill(terminal.child(), signal.SIGKILL)
    assert terminal.end() == 128 + signal.SIGKILL
    assert "What was merged is whole" in terminal.text
    assert "Every answer" not in terminal.text
    assert termios.tcgetattr(terminal.slave) == terminal.before
