"""`needs table`, `export`, `report`, `ledger`: a round's way out, on synthetic interviews."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli import needs as commands
from tests.needs.release import made


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The HMU's folder, with a round opened; keys and project are stood in for (their rooms test them)."""
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path))
    monkeypatch.setattr(commands, "read_steward", lambda _folder: made.project())
    monkeypatch.setattr(commands, "round_named", lambda _project, _name: made.ROUND)
    monkeypatch.setattr(commands, "round_kept", lambda _project, _name, _today: made.ROUND)
    monkeypatch.setattr(commands, "hmu_keys", lambda: None)
    monkeypatch.setattr(commands, "clear_here", lambda _project, _keys: None)
    opened(monkeypatch, made.interviews(70, 3))
    set_language("en")
    return tmp_path


def opened(monkeypatch: pytest.MonkeyPatch, frame: pl.DataFrame) -> None:
    """From now on the round holds these interviews."""
    monkeypatch.setattr(commands, "load_dataset", lambda _round, _keys: made.dataset(frame))


def run(*words: str) -> Any:
    """A command's result."""
    return CliRunner().invoke(commands.app, list(words))


def test_a_round_goes_out_once(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking publishes nothing; files and report are one release; a record fewer is refused; --published stands."""
    shown = run("table", "--kind", "sector")
    assert shown.exit_code == 0, shown.output
    assert "Everyone consulted" in shown.stdout
    assert "Nothing is published yet." in run("ledger").stdout

    done = run("export", "--out", str(tmp_path / "files"), "--language", "es", "--simulated", "--json")
    assert done.exit_code == 0, done.output
    files = [Path(name) for name in json.loads(done.stdout)["files"]]
    assert {path.suffix for path in files} == {".csv", ".xlsx"}
    assert all(path.exists() for path in files)
    page = tmp_path / "out" / "report.html"
    assert run("report", "--out", str(page), "--simulated").exit_code == 0
    assert page.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")
    (entry,) = json.loads(run("ledger", "--json").stdout)["releases"]
    assert (entry["round"], entry["release"]) == ("r1", 1)
    assert date.fromisoformat(entry["issued"])

    opened(monkeypatch, made.interviews(70, 3).slice(1))
    refused = run("report", "--out", str(tmp_path / "second.html"), "--simulated")
    assert refused.exit_code == 1
    assert "published already" in refused.stderr
    assert not (tmp_path / "second.html").exists()
    stands = run("report", "--out", str(tmp_path / "again.html"), "--published")
    assert stands.exit_code == 0
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_what_is_shown_is_json_too(home: Path) -> None:
    """`--json` gives the protected rows, numbers only where they are published."""
    said = json.loads(run("table", "--kind", "problem", "--json").stdout)
    assert said["rows"]
    assert all((row["serious"] is None) == (row["status"] != "published") for row in said["rows"])


def test_what_is_not_there_says_what_is(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No such place, nothing published, too few interviews: exit 1, a sentence, nothing written."""
    assert "no table of that kind" in run("table", "--place", "100199").stderr
    assert "not published yet" in run("report", "--out", str(tmp_path / "x.html"), "--published").stderr
    opened(monkeypatch, made.interviews(6, 2))
    few = run("export", "--out", str(tmp_path / "files"))
    assert few.exit_code == 1
    assert "6 interviews" in few.stderr
    assert not (tmp_path / "files").exists()


@pytest.mark.parametrize("name", ["open", "table", "protect", "export", "report", "ledger"])
def test_every_command_teaches(name: str) -> None:
    """`--help` has an example that can be typed."""
    shown = run(name, "--help")
    assert shown.exit_code == 0
    assert f"Example: fieldsurvey needs {name}" in shown.stdout
