"""What came, what went and what was refused at this place: one line of JSON each, for people who ask later.

HOME/sync-log.jsonl, and up to KEPT older files beside it. It names sticks, devices and counts; never a case, a person
or an answer. It decides nothing: what cannot be written down, because the disk is full, stops no sync.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any, Final, Literal, get_args

from fieldsurvey.base.clock import Clock, SystemClock
from fieldsurvey.base.process_lock import ProcessLock
from fieldsurvey.base.visible import visible
from sync.stick import reading_error

NAME: Final = "sync-log"
SUFFIX: Final = ".jsonl"
MAX_BYTES: Final = 1 << 20
KEPT: Final = 3
MAX_LINE: Final = 4_096
MAX_TEXT: Final = 400

What = Literal["import", "export", "push", "receipt", "refusal", "erasure", "withdrawal", "return", "backup", "project"]
At = Literal["laptop", "relay", "central", "hmu"]
COLUMNS: Final = ("at", "what", "role", "place", "device", "counts", "code")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. `at`: ISO 8601, this machine's clock, UTC; `role`: what this place was then.

    `place`: the stick, folder or server; `device`: the laptop's id; `counts`: what was counted -> how many; `code`: of
    the refusal.
    """

    at: str
    what: What
    role: At
    place: str = ""
    device: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    code: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As `--json` shows it."""
        return {
            "at": self.at,
            "what": self.what,
            "role": self.role,
            "place": self.place,
            "device": self.device,
            "counts": dict(self.counts),
            "code": self.code,
        }


class Journal:
    """The log of a place. Several processes may write to it."""

    def __init__(self, home: Path, clock: Clock | None = None, *, max_bytes: int = MAX_BYTES) -> None:
        self._home = home
        self._clock: Clock = clock or SystemClock()
        self._max_bytes = max_bytes

    @property
    def path(self) -> Path:
        """The file that is being written."""
        return self._home / (NAME + SUFFIX)

    def note(
        self, what: What, role: At, *, place: str = "", device: str = "", code: str = "", **counts: int
    ) -> Line | None:
        """Add a line; None when it could not be written, which is nobody's reason to stop."""
        at = self._clock.now().astimezone(UTC).isoformat("T", "seconds")
        line = Line(at, what, role, place[:MAX_TEXT], device[:MAX_TEXT], counts, code[:MAX_TEXT])
        # a name from a file system may hold half a character: it becomes the escape that JSON has for it
        data = json.dumps(line.as_dict(), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
        try:
            self._rotate()
            self._append(data + b"\n")
        except OSError:
            return None
        return line

    def lines(self) -> Iterator[Line]:
        """Every line, oldest first. What is torn or is not a line of ours is left out. Raises StorageError."""
        for number in range(KEPT, -1, -1):
            yield from _read(self._numbered(number))

    def as_csv(self, lines: Iterable[Line] | None = None) -> str:
        """These lines, or all, as a table for a spreadsheet: a header, then a line each."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for line in self.lines() if lines is None else lines:
            counts = " ".join(f"{name}={count}" for name, count in line.counts.items())
            row = (line.at, line.what, line.role, line.place, line.device, counts, line.code)
            writer.writerow([_cell(value) for value in row])
        return out.getvalue()

    def _numbered(self, number: int) -> Path:
        return self.path if number == 0 else self._home / f"{NAME}.{number}{SUFFIX}"

    def _append(self, data: bytes) -> None:
        """One write: lines of two processes do not mix. A line that was torn before is ended first."""
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        handle = os.open(self.path, flags, 0o600)
        try:
            size = os.fstat(handle).st_size
            if size:
                os.lseek(handle, size - 1, os.SEEK_SET)
                if os.read(handle, 1) != b"\n":
                    data = b"\n" + data
            os.write(handle, data)
        finally:
            os.close(handle)

    def _rotate(self) -> None:
        """Begin a new file when this one is full; the oldest goes. One process does it, the others write on."""
        if not self.path.exists() or self.path.stat().st_size < self._max_bytes:
            return
        lock = ProcessLock(self._home / (NAME + ".lock"))
        if not lock.acquire():
            return
        try:
            if self.path.stat().st_size >= self._max_bytes:
                for number in range(KEPT - 1, -1, -1):
                    if self._numbered(number).exists():
                        self._numbered(number).replace(self._numbered(number + 1))
        finally:
            lock.release()


def _read(path: Path) -> Iterator[Line]:
    try:
        with path.open("rb") as handle:
            while raw := handle.readline(MAX_LINE + 1):
                if (line := _parsed(raw)) is not None:
                    yield line
    except FileNotFoundError:
        return
    except OSError as error:
        raise reading_error(error, path) from error


def _parsed(raw: bytes) -> Line | None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.keys() != set(COLUMNS):
        return None
    texts = [found[name] for name in COLUMNS if name != "counts"]
    counts = found["counts"]
    if not all(isinstance(text, str) for text in texts) or not isinstance(counts, dict):
        return None
    if not all(type(count) is int for count in counts.values()):
        return None
    if found["what"] not in get_args(What) or found["role"] not in get_args(At):
        return None
    return Line(**found)


def _cell(value: str) -> str:
    """A spreadsheet takes what begins like a formula for one (OWASP, CSV injection); a name stays on its line."""
    value = visible(value)
    return f"'{value}" if value.startswith(("=", "+", "-", "@")) else value
