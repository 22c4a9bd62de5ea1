"""The demo keeps books as the commands do: what came, what was opened and published. All of it is synthetic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli.needs import app
from fieldsurvey.cli.showcase import Showcase
from sync.journal import Journal

RECORDS = 30


def needs(*words: str) -> Any:
    """What a command found."""
    done = CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_its_ledger_names_what_was_opened_and_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One opening with every case, one release whose tables lie there; exporting it again makes no second one."""
    set_language("en")
    shown = Showcase(tmp_path / "demo", records=RECORDS, seed=7, quiet=True).run()
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path / "demo" / "hmu"))
    monkeypatch.setenv("FIELDSURVEY_PASSPHRASE_FILE_HMU", str(tmp_path / "demo" / "passphrases" / "hmu.txt"))
    found = needs("ledger")
    (opening,), (release,) = found["openings"], found["releases"]
    assert (opening["round"], opening["count"], opening["text"]) == ("r1", RECORDS, "Demonstration (synthetic)")
    assert (release["round"], release["release"], release["state"]) == ("r1", 1, "published")
    assert shown.report.is_file()
    assert [line.what for line in Journal(tmp_path / "demo" / "hmu").lines()] == ["import"] * 4  # all, then per laptop
    assert needs("export", "--out", str(tmp_path / "again"), "--simulated")["release"] == 1
    assert len(needs("ledger")["releases"]) == 1
