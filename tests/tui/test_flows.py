"""Whole flows of the real program in a pseudo-terminal: parent, child, vault, engine, screens."""

from __future__ import annotations

import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fieldsurvey.base.clock import SystemClock
from fieldsurvey.fieldwork import Laptop
from tests.tui.laptops import WORDS, joined
from tests.tui.memory import DATA
from tests.tui.terminal import Terminal
from tests.vault.canaries import search

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
    terminal.page("1/17")
    terminal.send("enter")
    terminal.wait("¿Cómo se llama esta zona?")
    terminal.page("2/17")


def to_people(terminal: Terminal) -> None:
    """From there to the third, with an answer."""
    terminal.send(CANARY, "enter")
    terminal.wait("¿Cuántas personas duermen aquí?")
    terminal.page("3/17")


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
    to_people(terminal)
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
    again.page("3/17")
    again.send("pageup")
    again.wait(CANARY)
    again.page("2/17")
    again.send("ctrl+q")
    again.end()
    assert answers(home) == {"zone": CANARY, "people": None}


def secrets_of(home: Path) -> dict[str, bytes]:
    """The keys that unlocking brings into memory, by name."""
    laptop = Laptop.open(home, SystemClock())
    session = laptop.unlock(WORDS)
    vault = session.vault
    found = {
        "vault key": vault._content.vault_key,
        "person key": vault._content.person_key,
        "device's signing key": vault._signing.to_bytes(),
        "device's opening key": vault._hpke_seed,
    }
    session.close()
    laptop.close()
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read through /proc")
def test_locking_ends_the_process_that_knew(start: Starter, home: Path) -> None:
    """F12: another process asks for the passphrase; no living process remembers an answer, a passphrase or a key.

    The control: before locking, the scan finds the answer and the keys in the child.
    """
    keys = secrets_of(home)
    terminal = start()
    unlock(terminal)
    to_zone(terminal)
    to_people(terminal)
    child = terminal.child()
    if memory_hits(child, CANARY) is None:
        terminal.close()
        pytest.skip("this user may not read another process's memory")
    assert memory_hits(child, CANARY)
    assert memory_hits(child, keys["vault key"])
    assert memory_hits(child, keys["person key"])
    terminal.send("f12")
    terminal.wait("Your six words")
    assert not Path(f"/proc/{child}").exists()
    for process in (terminal.process.pid, terminal.child()):
        known: dict[str, str | bytes] = {"answer": CANARY, "words": WORDS, **keys}
        for name, secret in known.items():
            assert memory_hits(process, secret) == 0, name
    terminal.send("ctrl+q")
    assert terminal.end() == 0


def memory_hits(process: int, secret: str | bytes) -> int | None:
    """How often `secret` stands in a process's memory: bytes as they are and in hexadecimal, text as UTF-8, UTF-16
    and UTF-32; None when it may not be read.
    """
    if isinstance(secret, bytes):
        needles = [secret, secret.hex().encode()]
    else:
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
    terminal.wait(CANARY)
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
    terminal.wait(CANARY)
    terminal.send("ctrl+q")
    assert terminal.end() == 0
    assert answers(home)["zone"] == CANARY


def test_what_is_typed_in_one_breath_with_ctrl_q_is_saved(start: Starter, home: Path) -> None:
    """Textual hears Ctrl+Q before the letters in front of it have reached the editor; none of them is lost."""
    terminal = start()
    unlock(terminal)
    to_zone(terminal)
    terminal.send(CANARY, "ctrl+q")
    assert terminal.end() == 0
    assert answers(home)["zone"] == CANARY


def test_nothing_is_logged_and_nothing_stays_on_the_screen(start: Starter, tmp_path: Path) -> None:
    """TEXTUAL_LOG and its kin write no file; after leaving, nothing of the interview is painted any more."""
    log = tmp_path / "log.txt"
    terminal = start(TEXTUAL_LOG=str(log), TEXTUAL_SCREENSHOT="1", TEXTUAL_SCREENSHOT_LOCATION=str(tmp_path / "shots"))
    unlock(terminal)
    to_zone(terminal)
    terminal.send(CANARY)
    terminal.wait(CANARY)
    terminal.send("ctrl+q")
    terminal.end()
    assert not log.exists()
    assert not (tmp_path / "shots").exists()
    last = terminal.raw.rindex(CANARY.encode())
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


def test_no_answer_is_on_the_disk_in_clear(start: Starter, home: Path, tmp_path: Path) -> None:
    """What was typed, saved, and left by a kill and by the key is nowhere below HOME, TMPDIR or the laptop's folder."""
    places = {"HOME": str(tmp_path / "user"), "TMPDIR": str(tmp_path / "tmp"), "XDG_STATE_HOME": str(tmp_path / "xdg")}
    for place in places.values():
        Path(place).mkdir()
    terminal = start(**places)
    unlock(terminal)
    to_zone(terminal)
    to_people(terminal)
    assert search(tmp_path, [CANARY, WORDS]) == []
    os.kill(terminal.child(), signal.SIGKILL)
    terminal.end()
    assert search(tmp_path, [CANARY, WORDS]) == []
    again = start(**places)
    unlock(again)
    again.send("ctrl+q")
    again.end()
    assert search(tmp_path, [CANARY, WORDS]) == []
    assert (home / "vault.db").stat().st_size > 20_000  # there was something to search
    sqlite3.connect(home / "planted.db").execute("CREATE TABLE t(x)").connection.execute(
        "INSERT INTO t VALUES (?)", (CANARY,)
    ).connection.commit()
    assert {hit.split(":")[0] for hit in search(tmp_path, [CANARY])} == {"planted.db"}  # the control


@pytest.mark.skipif(sys.platform != "linux", reason="limits and environments are read through /proc")
@pytest.mark.parametrize("how", ["screen", "--plain"])
def test_the_child_dumps_no_core_and_has_no_setting_that_records(start: Starter, how: str) -> None:
    """Before anybody typed: core size 0, not dumpable, TEXTUAL's and Python's recording settings gone.

    The control: the parent was started with the settings and a limit that is not 0.
    """
    settings = {"TEXTUAL": "debug,devtools", "TEXTUAL_DEBUG": "1", "TEXTUAL_DEVTOOLS_PORT": "1", "PYTHONINSPECT": "1"}
    terminal = start(*([how] if how == "--plain" else []), **settings)
    terminal.wait("Your six words")
    child = Path(f"/proc/{terminal.child()}")
    until = time.monotonic() + 10
    while _core_limit(child) != (0, 0) and time.monotonic() < until:
        time.sleep(0.05)
    assert _core_limit(child) == (0, 0)
    assert _core_limit(Path(f"/proc/{terminal.process.pid}")) == resource.getrlimit(resource.RLIMIT_CORE)
    if os.geteuid() != 0:  # what is not dumpable belongs to root in /proc
        assert child.stat().st_uid == 0
    else:
        names = _names((child / "environ").read_bytes())
        assert not names & set(settings)
        assert set(settings) <= _names(Path(f"/proc/{terminal.process.pid}/environ").read_bytes())


def _core_limit(process: Path) -> tuple[int, int]:
    text = (process / "limits").read_text(encoding="ascii").replace("unlimited", str(resource.RLIM_INFINITY))
    found = re.search(r"core file size +(-?\d+) +(-?\d+)", text)
    assert found
    return int(found[1]), int(found[2])


def _names(environ: bytes) -> set[str]:
    return {item.partition(b"=")[0].decode() for item in environ.split(b"\0")}


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_hardened_process_is_not_dumpable() -> None:
    """PR_GET_DUMPABLE says 1 before and 0 after; the core limit is 0."""
    code = (
        "import ctypes, resource; from fieldsurvey.tui.harden import no_core_dumps; "
        "get = lambda: ctypes.CDLL(None).prctl(3, 0, 0, 0, 0); "
        "before = get(); no_core_dumps(); print(before, get(), *resource.getrlimit(resource.RLIMIT_CORE))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["1", "0", "0", "0"]


def test_copying_an_answer_leaves_the_terminal_alone(start: Starter) -> None:
    """Selecting and copying in an answer writes no OSC 52, with which a terminal would keep it in the clipboard."""
    terminal = start()
    unlock(terminal)
    to_zone(terminal)
    terminal.send(CANARY)
    terminal.wait(CANARY)
    terminal.send("\x1b[1;2H", "ctrl+c", "\x18", "\x16")  # shift+home, copy, cut, paste
    terminal.wait(CANARY)  # pasted: there was something in the program's own clipboard
    terminal.send("ctrl+q")
    terminal.end()
    assert b"\x1b]52;" not in terminal.raw


def test_the_control_of_the_clipboard() -> None:
    """Textual's own way of copying does write OSC 52."""
    code = (
        "from textual.app import App\n"
        "class A(App):\n"
        "    def on_mount(self): self.copy_to_clipboard('x'); self.call_later(self.exit)\n"
        "A().run()"
    )
    terminal = Terminal([sys.executable, "-c", code], {"PATH": os.environ["PATH"]})
    try:
        terminal.end()
    finally:
        terminal.close()
    assert b"\x1b]52;" in terminal.raw


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
    done = subprocess.run(
        [sys.executable, "-m", "fieldsurvey"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "FIELDSURVEY_HOME": str(home), "FIELDSURVEY_LANG": "en"}, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 1
    assert "--plain" in done.stderr
