"""`central show --plain` and `--json`: the same as the screens, and never more than a supervisor may see."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fieldsurvey.cli.central import app
from fieldsurvey.tui.central.plain import as_data, everything, plain_lines
from sync.journal import Journal
from tests.tui.central.province import Province, troubled


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Province:
    """One where everything is wrong, with a line in its log."""
    made = troubled(tmp_path_factory.mktemp("troubled"))
    Journal(made.home, made.clock).note("import", "central", place="/media/AZUL", new=5)
    return made


def test_everything_is_there_as_text(province: Province) -> None:
    """What to do now first, then each laptop with its trouble and the remedy, the cases, the log."""
    text = "\n".join(plain_lines(everything(province.desk)))
    order = ["NOBODY EVER BACKED CENTRAL UP.", "Laptop 3", "Laptop 2", "Conflicts and proposals", "Sync log"]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    assert "FORK at 4: two histories." in text
    assert "GAP: 3–4 have not arrived. Bring the stick" in text
    assert "revision 2 of Laptop 1, entry 7 of its log: proposed" in text
    assert "[" not in text.replace("\\x1b[31m", "")  # no key: there is none to press


def test_json_says_the_same(province: Province) -> None:
    """One object, whole."""
    data = json.loads(json.dumps(as_data(everything(province.desk))))
    assert data["backup_due"] is True
    assert {row["name"]: row["troubles"] for row in data["devices"]}["Laptop 2"] == ["gap"]
    assert data["to_look_at_total"] == 3
    assert data["log"][0]["counts"] == {"new": 5}


def test_the_command(province: Province, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Text, data, no terminal, no central: exit 0, 0, 1, 1, each in words."""
    monkeypatch.setenv("FIELDSURVEY_HOME", str(province.home))
    runner = CliRunner()
    plain = runner.invoke(app, ["show", "--plain"])
    assert plain.exit_code == 0
    assert "Laptop 3" in plain.output
    assert json.loads(runner.invoke(app, ["show", "--json"]).output)["devices"]
    screen = runner.invoke(app, ["show"])
    assert screen.exit_code == 1
    assert "--plain" in screen.output
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path))
    nothing = runner.invoke(app, ["show", "--plain"])
    assert nothing.exit_code == 1
    assert "central.key" in nothing.output


def test_text_needs_no_textual() -> None:
    """A poor terminal, or a screen reader's, does not wait for it."""
    code = "import sys, fieldsurvey.tui.central.plain; print('textual' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
