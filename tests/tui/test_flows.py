"""Whole flows of the real program in a pseudo-terminal: parent, child, vault, engine, screens."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fieldsurvey.base.clock import SystemClock
from fieldsurvey.fieldwork import Laptop
from tests.tui.laptops import WORDS, joined
from tests.tui.memory import DATA
from tests.tui.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
ROOT = Path(__file__).resolve().parents[2]
CANARY = "canario-51c9-sintetico"
Starter = Callable[..., Terminal]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A laptop that joined, with the form of every type."""
    place = tmp_path / "home"
    joined(place, {"types": (DATA / "types.xml").read_bytes()}).close()
    return place


@pytest.fixture
def start(home: Path) -> Iterator[Starter]:
    """Starts `fieldsurvey` in a terminal; whatever still runs at the end is ended."""
    opened: list[Terminal] = []

    def begin(*words: str, **environ: str) -> Terminal:
        terminal = Terminal(
            [sys.executable, "-m", "fieldsurvey", *words],
            {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home), "FIELDSURVEY_HOME": str(home),
             "FIELDSURVEY_LANG": "en", **environ},
        )  # fmt: skip
        opened.append(terminal)
        return terminal

    yield begin
    for terminal in opened:
        terminal.close()


def unlock(terminal: Terminal) -> None:
    """From Unlock to Home."""
    terminal.wait("Your six words")
    terminal.send(WORDS, "enter")
    terminal.wait("Start an interview")


def to_zone(terminal: Terminal) -> None:
    """From Home to the second question of a new interview."""
    terminal.send("1")
    terminal.wait("Buenos días")
    terminal.until("enter", "¿Cómo se llama esta zona?")


def answers(home: Path) -> dict[str, str | None]:
    """What the only draft holds, read the way the program does."""
    laptop = Laptop.open(home, SystemClock())
    with_session = laptop.unlock(WORDS)
    try:
        [draft] = with_session.drafts()
        work = with_session.resume(draft.draft_id)
        return {name: work.interview.question(f"/data/{name}").value for name in ("zone", "people")}
    finally:
        with_session.close()
        laptop.close()


def test_killed_in_the_middle_and_resumed_at_the_same_question(start: Starter, home: Path) -> None:
    """kill -9: the parent restores the terminal and says so; the draft opens at the same question, nothing lost."""
    terminal = start()
    unlock(terminal)
    to_zone(terminal)
    terminal.send(CANARY)
    terminal.until("enter", "¿Cuántas personas duermen aquí?")
    os.kill(terminal.child(), signal.SIGKILL)
    terminal.wait("was ended from outside")
    assert terminal.end() == 128 + signal.SIGKILL
    assert termios.tcgetattr(terminal.slave) == terminal.before
    assert b"\x1b[?1049l" in terminal.raw
    assert CANARY not in terminal.text.rpartition("was ended from outside")[2]

    again = start()
    unlock(again)
    again.send("2")
    again.wait("¿Cuántas personas duermen aquí?")
    again.until("pageup", CANARY)
    again.until("ctrl+q", "")
    again.end()
    assert answers(home) == {"zone": CANARY, "people": None}


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read through /proc")
def test_locking_ends_the_process_that_knew(start: Starter) -> None:
    """F12: another process asks for the passphrase; no living process remembers an answer, a passphrase or a key.

    The control: before locking, the scan finds the answer in the child.
    """
    terminal = start()
    unlock(terminal)
    to_zone(terminal)
    terminal.send(CANARY)
    terminal.until("enter", "¿Cuántas personas duermen aquí?")
    child = terminal.child()
    if memory_hits(child, CANARY) is None:
        terminal.close()
        pytest.skip("this user may not read another process's memory")
    assert memory_hits(child, CANARY)
    terminal.send("f12")
    terminal.wait("Your six words")
    assert not Path(f"/proc/{child}").exists()
    for process in (terminal.process.pid, terminal.child()):
        for secret in (CANARY, WORDS):
            assert memory_hits(process, secret) == 0
    terminal.send("ctrl+q")
    assert terminal.end() == 0


def memory_hits(process: int, secret: str) -> int | None:
    """How often `secret` stands in a process's memory, as UTF-8, UTF-16 or UTF-32; None when it may not be read."""
    needles = [secret.encode(code) for code in ("utf-8", "utf-16-le", "utf-32-le")]
    hits = 0
    try:
        maps = Path(f"/proc/{process}/maps").read_text(encoding="utf-8").splitlines()
        with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                low, high = (int(end, 16) for end in span.split("-"))
                if not rights.startswith("rw"):
                    continue
                try:
                    memory.seek(low)
                    piece = memory.read(high - low)
                except (OSError, ValueError, OverflowError):
                    continue
                hits += sum(piece.count(needle) for needle in needles)
    except PermissionError:
        return None
    return hits


def test_asked_to_end_it_saves_what_is_typed(start: Starter, home: Path) -> None:
    """SIGTERM to the parent: what was typed and not yet entered is in the draft, the terminal is as it was."""
    terminal = start()
    unlock(terminal)
    to_zone(terminal)
    terminal.send(CANARY)
    terminal.wait(CANARY[-4:])
    terminal.process.terminate()
    assert terminal.end() == 128 + signal.SIGTERM
    assert termios.tcgetattr(terminal.slave) == terminal.before
    assert answers(home)["zone"] == CANARY


def test_ctrl_c_interrupts_nothing_and_ctrl_q_saves(start: Starter, home: Path) -> None:
    """Ctrl+C, at Unlock and in an interview, is a key like others; Ctrl+Q saves what was not entered yet."""
    terminal = start()
    terminal.wait("Your six words")
    terminal.send("ctrl+c")
    terminal.send(WORDS, "enter")
    terminal.wait("Start an interview")
    to_zone(terminal)
    terminal.send("ctrl+c", CANARY)
    terminal.wait(CANARY[-4:])
    terminal.send("ctrl+q")
    assert terminal.end() == 0
    assert answers(home)["zone"] == CANARY


def test_nothing_is_logged_and_nothing_stays_on_the_screen(start: Starter, tmp_path: Path) -> None:
    """TEXTUAL_LOG and its kin write no file; after leaving, nothing of the interview is painted any more."""
    log = tmp_path / "log.txt"
    terminal = start(TEXTUAL_LOG=str(log), TEXTUAL_SCREENSHOT="1", TEXTUAL_SCREENSHOT_LOCATION=str(tmp_path / "shots"))
    unlock(terminal)
    to_zone(terminal)
    terminal.send(CANARY)
    terminal.wait(CANARY[-4:])
    terminal.send("ctrl+q")
    terminal.end()
    assert not log.exists()
    assert not (tmp_path / "shots").exists()
    last = terminal.raw.rindex(CANARY.encode()[-4:])
    assert b"\x1b[2J" in terminal.raw[last:]
    assert b"\x1b[?1049l" in terminal.raw[last:]


def test_the_control_of_the_log(tmp_path: Path) -> None:
    """A bare Textual app with TEXTUAL_LOG does write what is typed."""
    log = tmp_path / "log.txt"
    terminal = Terminal(
        [sys.executable, "-m", "tests.tui.crashing", "bare"],
        {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TEXTUAL_LOG": str(log)},
    )
    try:
        terminal.wait("ready")
        terminal.send(CANARY, "enter")
        terminal.end()
    finally:
        terminal.close()
    assert CANARY[:8] in log.read_text(encoding="utf-8")


def test_no_answer_is_on_the_disk_in_clear(start: Starter, home: Path) -> None:
    """What was typed, saved and left is nowhere in the laptop's folder, in any of the usual encodings."""
    terminal = start()
    unlock(terminal)
    to_zone(terminal)
    terminal.send(CANARY)
    terminal.until("enter", "¿Cuántas personas duermen aquí?")
    found = disk_hits(home, CANARY)
    terminal.send("ctrl+q")
    terminal.end()
    assert found == []
    assert disk_hits(home, CANARY) == []
    sqlite3.connect(home / "planted.db").execute("CREATE TABLE t(x)").connection.execute(
        "INSERT INTO t VALUES (?)", (CANARY,)
    ).connection.commit()
    assert [p.name for p in disk_hits(home, CANARY)] == ["planted.db"]  # the control


def disk_hits(folder: Path, secret: str) -> list[Path]:
    """Files that hold `secret`."""
    needles = [secret.encode(code) for code in ("utf-8", "utf-16-le")]
    return [p for p in folder.rglob("*") if p.is_file() and any(n in p.read_bytes() for n in needles)]


def test_plain_answers_and_resumes(start: Starter, home: Path) -> None:
    """--plain in a terminal: unlock, start, answer, leave; the draft is the same that the screen opens."""
    terminal = start("--plain")
    terminal.wait("Your six words:")
    terminal.send(WORDS, "enter")
    terminal.wait("start types")
    terminal.send("1", "enter")
    terminal.wait("Buenos días")
    terminal.send("enter")
    terminal.wait("¿Cómo se llama esta zona?")
    terminal.send(CANARY, "enter")
    terminal.wait("¿Cuántas personas")
    terminal.send("/leave", "enter")
    terminal.wait("go on with")
    terminal.send("/quit", "enter")
    assert terminal.end() == 0
    assert b"\x1b[3J" in terminal.raw.rpartition(b"/quit")[2]
    assert answers(home)["zone"] == CANARY


def test_without_a_terminal_it_says_so(start: Starter, home: Path) -> None:
    """Piped, the app explains itself instead of painting into a file."""
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "fieldsurvey"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "FIELDSURVEY_HOME": str(home), "FIELDSURVEY_LANG": "en"}, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 1
    assert "--plain" in done.stderr
