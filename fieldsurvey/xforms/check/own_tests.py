"""A form's own tests: steps files in the folder `tests` beside it, each an interview with what is expected of it.

A file holds a list of steps (xforms/steps.py), or an object with `steps` and any of `now` (a moment with its offset),
`seed`, `language`, so that a test says the same every day.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.form import LoadedForm
from fieldsurvey.xforms.steps import Failure, run_steps

MAX_BYTES = 16 * 1024 * 1024
KEYS = frozenset({"now", "seed", "language", "steps"})


@dataclass(slots=True)
class TestRun:
    """How one file went. `broken` says why it could not be run at all, else it is ""."""

    __test__ = False
    name: str
    steps: int = 0
    failures: list[Failure] = field(default_factory=list)
    broken: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything was as expected."""
        return not self.failures and not self.broken

    def lines(self) -> list[str]:
        """A line for each failure, with the number of its step."""
        if self.broken:
            return [f"{self.name}: {self.broken}"]
        return [f"{self.name}: {failure}" for failure in self.failures]

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        failures = [
            {"step": one.step, "ref": one.ref, "what": one.what, "expected": one.expected, "found": one.found}
            for one in self.failures
        ]
        return {"file": self.name, "steps": self.steps, "ok": self.ok, "broken": self.broken, "failures": failures}


def files_beside(path: Path) -> list[Path]:
    """The steps files of a form: in `tests` in its folder, or beside its file."""
    folder = (path if path.is_dir() else path.parent) / "tests"
    return sorted(folder.glob("*.json")) if path.exists() and folder.is_dir() else []


def run_tests(form: LoadedForm, files: list[Path], now: Callable[[], datetime]) -> list[TestRun]:
    """Run every file; one that cannot be read is a run that failed."""
    return [_run(form, file, now) for file in files]


def _run(form: LoadedForm, file: Path, now: Callable[[], datetime]) -> TestRun:
    run = TestRun(file.name)
    try:
        data = _read(file)
        moment = data.get("now")
        clock = now if moment is None else _fixed(str(moment))
        interview = form.start(now=clock, seed=data.get("seed", 1), language=data.get("language"))
        done = run_steps(interview, data["steps"])
    except _UnreadableError as error:
        run.broken = str(error)
    except FieldsurveyError as error:
        run.broken = error.message
    else:
        run.steps, run.failures = done.steps, done.failures
    return run


class _UnreadableError(Exception):
    """Why a file is no test."""


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise _UnreadableError(_("the file is too large"))
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise _UnreadableError(error.strerror or str(error)) from None
    except (ValueError, RecursionError) as error:
        raise _UnreadableError(_("it is not JSON: {reason}").format(reason=error)) from None
    if isinstance(data, list):
        return {"steps": data}
    if not isinstance(data, dict) or "steps" not in data or not set(data) <= KEYS:
        raise _UnreadableError(_("it must be a list of steps, or an object with steps, now, seed and language"))
    if not isinstance(data.get("seed", 1), int) or not isinstance(data.get("language", ""), str):
        raise _UnreadableError(_("seed is a whole number, language a name"))
    return data


def _fixed(text: str) -> Callable[[], datetime]:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _UnreadableError(_("{now} is not a moment such as 2026-03-14T10:00:00-05:00").format(now=text)) from None
    aware = moment if moment.tzinfo is not None else moment.astimezone()
    return lambda: aware
