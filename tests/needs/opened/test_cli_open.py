"""`fieldsurvey needs open`, as it is typed."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli.needs import app
from fieldsurvey.needs.opened.store import load_dataset
from tests.needs.opened.world import CANARY, HMU_WORDS, WORDS, World


@pytest.fixture
def home(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The HMU's home: the steward's folder, central, and the passphrase in a file."""
    shutil.copytree(world.folder / "steward", tmp_path / "home" / "steward")
    shutil.copy(world.central, tmp_path / "home" / "central.db")
    (tmp_path / "words").write_text(HMU_WORDS, encoding="utf-8")
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FIELDSURVEY_PASSPHRASE_FILE_HMU", str(tmp_path / "words"))
    set_language("en")
    return tmp_path / "home"


def run(*arguments: str) -> Any:
    """The command's result."""
    return CliRunner().invoke(app, ["open", *arguments])


def test_a_round_is_opened_kept_and_counted(home: Path, world: World) -> None:
    """The dataset lies encrypted under needs/, and what is printed is counts, in words or as JSON, and no answer."""
    found = run("--round", "r1", "--json")
    assert found.exit_code == 0
    data = json.loads(found.stdout)
    assert data["rows"] == {"assembly": 2, "needs": 8, "synthetic": 0}
    assert (data["kept"], data["withdrawn"], data["not_opened"]["altered"]) == (10, 1, 1)
    assert load_dataset("r1", world.hmu, home / "needs").quality.kept == 10
    said = run("--round", "r1")
    assert said.exit_code == 0
    assert "Round r1: 20 cases at central." in said.output
    assert "10 are in the round." in said.output
    assert "needs 99 (2)" in said.output
    assert Counter(one["reason"] for one in data["left_out"]) == data["not_opened"]
    for one in data["left_out"]:
        assert f"{one['name']} ({one['device'][:8]}), entry {one['seq']}: " in said.output
    assert not any(word in found.output + said.output for word in (CANARY, world.in_round("needs")[0].case))


def test_what_cannot_be_opened_says_why(home: Path, tmp_path: Path) -> None:
    """No such round, none named among two, a wrong passphrase, no central: exit 1, a sentence, and nothing written."""
    for arguments in (["--round", "r9"], []):
        refused = run(*arguments)
        assert refused.exit_code == 1
        assert "r1, r2" in refused.output
    (tmp_path / "words").write_text(WORDS, encoding="utf-8")
    assert "does not open" in run("--round", "r1").output
    (home / "central.db").unlink()
    assert "no central" in run("--round", "r1").output
    assert not (home / "needs").exists()
