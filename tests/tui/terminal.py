"""A program in a pseudo-terminal: send keys, wait for words. Standard library only; nothing sleeps blindly."""

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
from collections.abc import Mapping, Sequence

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

    def wait(self, words: str, seconds: float = 20.0) -> None:
        """Until `words` were written after the last words waited for; AssertionError with the screen if not."""
        until = time.monotonic() + seconds
        while words not in self.text[self._seen :]:
            left = until - time.monotonic()
            if left <= 0:
                raise AssertionError(f"{words!r} did not appear in:\n{self.text[self._seen :][-3000:]}")
            self._read(min(left, 0.2))
        self._seen += self.text[self._seen :].index(words) + len(words)

    def until(self, key: str, words: str, tries: int = 3) -> None:
        """Press `key` once the screen is quiet, until `words` appear: a key pressed before a page could be read is
        dropped on purpose, and one that was heard must not be pressed twice.
        """
        for _ in range(tries):
            quiet = time.monotonic() + 0.3
            last = quiet + 2.0  # a cursor that blinks is quiet enough
            while time.monotonic() < min(quiet, last):
                if self._read(0.05):
                    quiet = time.monotonic() + 0.3
            self.send(key)
            try:
                self.wait(words, 8.0)
            except AssertionError:
                continue
            return
        self.wait(words, 0.1)

    def end(self, seconds: float = 20.0) -> int:
        """Wait for the end of the program and read the rest; its exit code."""
        until = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > until:
                raise AssertionError(f"the program does not end:\n{self.text[-2000:]}")
            self._read(0.1)
        while self._read(0.1):
            pass
        return self.process.returncode

    def child(self) -> int:
        """The process that the program started."""
        until = time.monotonic() + 10
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
