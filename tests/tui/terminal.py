"""A program in a pseudo-terminal: send keys, wait for words. Nothing sleeps blindly.

How long is waited says nothing about the program: a busy machine may take so long.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence

from fieldsurvey.tui.turnstile import DWELL

PATIENCE = 120.0  # seconds
_ESCAPES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|\x1b[=>()][0-9A-B]?|\x1bP.*?\x1b\\|\x1b.", re.DOTALL
)
KEYS = {"enter": "\r", "f4": "\x1bOS", "f9": "\x1b[20~", "f10": "\x1b[21~", "f12": "\x1b[24~", "pageup": "\x1b[5~",
        "ctrl+c": "\x03", "ctrl+q": "\x11", "ctrl+s": "\x13"}  # fmt: skip


class Terminal:
    """80 by 24, with a process group of its own."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env={"TERM": "xterm-256color", **environ},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  no thread runs in these tests
        )  # fmt: skip
        self.slave = slave
        self.raw = b""
        self._seen = 0

    @property
    def text(self) -> str:
        """Everything written so far, without control sequences."""
        return _ESCAPES.sub(b"", self.raw).decode("utf-8", "replace")

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            piece = os.read(self.master, 65536)
        except OSError:  # the other end is closed
            return False
        self.raw += piece
        return bool(piece)

    def send(self, *keys: str) -> None:
        """Names of KEYS, or text."""
        for key in keys:
            os.write(self.master, KEYS.get(key, key).encode())

    def wait(self, words: str) -> None:
        """Until `words` were written after the last words waited for; AssertionError with the screen if not."""
        self.read_until(lambda: words in self.text[self._seen :], repr(words))
        self._seen += self.text[self._seen :].index(words) + len(words)

    def read_until(self, there: Callable[[], bool], what: str) -> None:
        """Read on until it is so; AssertionError with the screen if it does not come."""
        until = time.monotonic() + PATIENCE
        while not there():
            if time.monotonic() > until:
                raise AssertionError(f"{what} did not appear in:\n{self.text[self._seen :][-3000:]}")
            self._read(0.2)

    def page(self, progress: str) -> None:
        """Until a page of an interview takes every key. Its number of questions is said once it takes keys at all (see
        fieldsurvey/tui/turnstile.py); Enter and its like must come a moment later still.
        """
        self.wait(progress)
        time.sleep(DWELL)

    def end(self) -> int:
        """Wait for the end of the program and read the rest; its exit code."""
        until = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            if time.monotonic() > until:
                raise AssertionError(f"the program does not end:\n{self.text[-2000:]}")
            self._read(0.1)
        while self._read(0.1):
            pass
        return self.process.returncode

    def child(self) -> int:
        """The process that the program started."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = subprocess.run(
                ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
            ).stdout.split()
            if found:
                return int(found[0])
        raise AssertionError("no child")

    def close(self) -> None:
        """Whatever is left, away with it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)
