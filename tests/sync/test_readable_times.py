"""Times as the screens say them: a day and this machine's clock, never UTC in ISO; programs get ISO. Synthetic."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli import central as central_commands
from fieldsurvey.cli import sync as sync_commands
from sync.journal import Journal
from sync.place import open_central
from tests.sync.projects import SyntheticProject, join

run = CliRunner()
ISO = re.compile(r"\d{4}-\d\d-\d\d|\d\dT\d\d")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no tzset there")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place five hours behind UTC."""
    monkeypatch.setenv("TZ", "XST5")
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path))
    time.tzset()
    set_language("en")
    yield tmp_path
    set_language(None)
    monkeypatch.undo()
    time.tzset()


def call(app: Any, *words: str) -> str:
    """What a command printed."""
    done = run.invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return str(done.output)


def test_the_sync_log_is_read_by_people(home: Path) -> None:
    """A day and an hour here, the laptop's name, counts in words; and all of it in ISO and codes for programs."""
    laptop = join(SyntheticProject(), home, "Laptop sintética")
    device = laptop.locked.device_card().device
    laptop.close()
    log = Journal(home, FixedClock(datetime(2026, 3, 2, 2, 30, tzinfo=UTC)))
    log.note("export", "laptop", place="/media/AZUL", device=device, written=3, first=1, last=3)
    log.note("refusal", "laptop", place="/media/AZUL: x.fsb", device="12" * 16, code="untrusted.container")
    first, second = call(sync_commands.app, "log").splitlines()
    assert first == "01/03 21:30  export  Laptop sintética  /media/AZUL  3 written, entries 1 to 3"
    assert second.startswith("01/03 21:30  REFUSED  12121212  /media/AZUL: x.fsb  damaged")
    assert json.loads(call(sync_commands.app, "log", "--json"))["lines"][0]["at"] == "2026-03-02T02:30:00+00:00"
    assert log.as_csv().splitlines()[1].startswith("2026-03-02T02:30:00+00:00,export")


def test_the_log_is_shown_where_no_project_can_be_read(home: Path) -> None:
    """Nothing but the log is there: numbers in the place of names."""
    Journal(home).note("push", "laptop", place="https://central.example", device="34" * 16, sent=1)
    assert "34343434" in call(sync_commands.app, "log")


def test_central_says_when_it_was_backed_up(home: Path, tmp_path: Path) -> None:
    """As the other screens say it; `--json` keeps ISO."""
    open_central(home).close()
    (tmp_path / "disk").mkdir()
    call(central_commands.app, "backup", str(tmp_path / "disk"))
    (line,) = [one for one in call(central_commands.app, "status").splitlines() if "backed up" in one.lower()]
    assert re.search(r": \d\d/\d\d \d\d:\d\d$", line)
    assert not ISO.search(line)
    assert ISO.search(json.loads(call(central_commands.app, "status", "--json"))["last_backup"])
