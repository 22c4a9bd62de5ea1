"""`python -m tests.faults.killing DAY FOLDER STRIDE`: the same work again and again, killed one call later each time.

The process that is killed is a fork of this one, which has everything loaded; it kills itself with SIGKILL right
before its n-th SQL statement or file call. Then the work is looked at and finished as the next start of the program
would. One line of JSON for each kill: at which call, what had been acknowledged, and what was wrong afterwards.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, Self

from fieldsurvey.base import files
from tests.faults.day import Day
from tests.faults.relaying import ALL

Say = Callable[[str], None]


class Killer:
    """Counts calls; the process ends at number `at`. `said` gets the name of that call."""

    def __init__(self, at: int, said: Callable[[str], None]) -> None:
        self._left = at
        self._said = said

    def tick(self, call: str) -> None:
        """About to make `call`."""
        self._left -= 1
        if self._left == 0:
            self._said("at " + call)
            os.kill(os.getpid(), signal.SIGKILL)

    def arm(self) -> None:
        """From now on in this process: SQL statements, and the calls that `base.files` and others make on files."""
        killer = self

        class Counted(sqlite3.Connection):
            def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
                killer.tick("sql " + " ".join(sql.split()[:3]))
                return super().execute(sql, *values)

        real = sqlite3.connect
        sqlite3.connect = lambda *a, **k: real(*a, **{**k, "factory": Counted})
        setattr(files, "os", _Os(self))  # noqa: B010  mypy would have it exported
        for name in ("replace", "unlink", "mkdir", "touch"):
            setattr(pathlib.Path, name, _ticking(self, name, getattr(pathlib.Path, name)))


def _ticking(killer: Killer, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Path, *args: Any, **keywords: Any) -> Any:
        killer.tick(f"file {name}")
        return real(self, *args, **keywords)

    return call


class _Os:
    def __init__(self, killer: Killer) -> None:
        self._killer = killer

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, *args: Any) -> int:
        self._killer.tick("file open")
        return os.open(*args)

    def fsync(self, handle: int) -> None:
        self._killer.tick("file fsync")
        os.fsync(handle)

    def fdopen(self, handle: int, mode: str) -> Any:
        return _Written(os.fdopen(handle, mode), self._killer)


class _Written:
    """A file whose every write may be the last call, and has reached the system when the next one comes."""

    def __init__(self, handle: Any, killer: Killer) -> None:
        self._handle = handle
        self._killer = killer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._handle.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handle, name)

    def write(self, data: bytes) -> int:
        """Half of it, then the rest: a kill may come between."""
        half = len(data) // 2
        self._killer.tick("file write")
        self._handle.write(data[:half])
        self._handle.flush()
        self._killer.tick("file write")
        self._handle.write(data[half:])
        self._handle.flush()
        return len(data)


def killed_at(day: Day, number: int, folder: Path) -> tuple[str, list[str]] | None:
    """Do the day in a fork that ends at call `number`: the call, and what was said. None when there are fewer calls."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _child(day, number, folder, write)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as pipe:
        lines = pipe.read().splitlines()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 0:
        return None
    assert status == -signal.SIGKILL, f"{day.name}: the work itself failed: {lines}"
    return lines[-1], lines[:-1]


def _child(day: Day, number: int, folder: Path, pipe: int) -> NoReturn:
    def say(words: str) -> None:
        os.write(pipe, (words + "\n").encode())

    killer = Killer(number, say)
    killer.arm()
    try:
        day.work(folder, say)
    except BaseException as error:  # noqa: BLE001  a fork of a test must not go on as one: it says why and ends
        say(repr(error))
        os._exit(1)
    os._exit(0)


def main() -> None:
    """See above. STRIDE 1: at every call."""
    name, place, stride = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    day = ALL[name]()
    template = place / "template"
    template.mkdir(parents=True)
    day.prepare(template)
    number = 1
    while True:
        folder = place / "now"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(template, folder)
        found = killed_at(day, number, folder)
        if found is None:
            return
        wrong = day.wrong(folder, found[1])
        print(json.dumps({"number": number, "call": found[0], "said": found[1], "wrong": wrong}), flush=True)
        number += stride


if __name__ == "__main__":
    main()
