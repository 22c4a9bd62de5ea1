"""`central backup`, `restore`, `move` and `status` as a person runs them. Everything in them is synthetic."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli import central as central_commands
from fieldsurvey.cli import sync as sync_commands
from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.records.receipt import Role
from fieldsurvey.tui.standing import local_day
from sync.place import open_central
from tests.sync.laptops import PROJECT, laptop
from tests.sync.projects import SyntheticProject, join, noted, published, seal_some
from tests.sync.stores.filled import fill_central

run = CliRunner()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home, in English."""
    made = tmp_path / "home"
    made.mkdir()
    (tmp_path / "disk").mkdir()
    set_language("en")
    yield made
    set_language(None)


def call(home: Path, *words: str, code: int = 0, app: Any = central_commands.app) -> str:
    """Run a command; what it printed."""
    done = run.invoke(app, list(words), env={"FIELDSURVEY_HOME": str(home)}, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return str(done.output)


def data(home: Path, *words: str, code: int = 0, app: Any = central_commands.app) -> Any:
    """The one JSON object that a command prints."""
    return json.loads(call(home, *words, "--json", code=code, app=app))


def test_a_central_that_nobody_backs_up_says_so(home: Path, tmp_path: Path) -> None:
    """Until the first backup; and what it means for the laptops."""
    with open_central(home) as central:
        fill_central(central.store, laptops=1)
    assert "NEVER BACKED UP" in (before := call(home, "status"))
    assert "Laptops keep their own copies" in before
    assert data(home, "status")["last_backup"] is None
    said = call(home, "backup", str(tmp_path / "disk"))
    assert "checked and read back" in said
    assert "NOT SIGNED" in said
    assert "Last backed up" in (after := call(home, "status"))
    assert "NEVER" not in after
    assert data(home, "status")["last_backup"]


def test_status_says_what_is_wrong_with_a_backup(home: Path, tmp_path: Path) -> None:
    """Made without central's key, or dated in the future; one made with the key is in order."""
    project = SyntheticProject()
    (home / "steward").mkdir()
    (home / "steward" / "project.fsp").write_bytes(project.publish().data)
    with open_central(home) as central:
        central.learn(project.model(1))
        one = laptop(2, project=project.id)
        central.merge(io.BytesIO(one.batch()))
    assert "NOT SIGNED" in call(home, "backup", str(tmp_path / "disk"))
    assert "DOES NOT COUNT" in call(home, "status")
    assert data(home, "status")["backup_counts"] is False
    (home / "steward" / "central.key").write_bytes(role_key_bytes(project.id, Role.CENTRAL, project.central))
    assert "NOT SIGNED" not in call(home, "backup", str(tmp_path / "disk"))
    assert "Last backed up" in call(home, "status")
    assert data(home, "status")["backup_counts"] is True
    later = (SystemClock().now() + timedelta(days=400)).isoformat("T", "seconds")
    with open_central(home) as central, central.store.write() as writer:
        row = noted(one.device, 2, one.head_at(2), later, key=project.central, project=project.id)
        writer.covered([row], later)
    assert f"DATED {local_day(later)}, which is to come" in call(home, "status")
    assert data(home, "status")["backup_counts"] is False


def test_lost_and_restored(home: Path, tmp_path: Path) -> None:
    """The disk breaks, and the steward's folder with it: an empty home gets everything back, once somebody compared the
    words of the project that lies beside the backup; and is told what to do about what came later.
    """
    with open_central(home) as central:
        fill_central(central.store, laptops=2)
    signed = published()
    (home / "steward").mkdir()
    (home / "steward" / "project.fsp").write_bytes(signed.data)
    before = data(home, "status")
    path = data(home, "backup", str(tmp_path / "disk"))["path"]
    shutil.rmtree(home)
    home.mkdir()
    assert data(home, "status", code=1)["error"] == "input.no_central"
    asked = data(home, "restore", path, code=1)
    assert asked["error"] == "refused.project_words"
    assert signed.words in asked["message"]
    assert data(home, "restore", path, "--words", "other words", code=1)["error"] == "refused.project_words"
    assert not list(home.iterdir())
    said = call(home, "restore", path, "--words", f" {signed.words.upper()} ")
    assert "sync export --all" in said
    assert f"version {signed.model.version}" in said
    after = data(home, "status")
    assert (after["counts"], after["cases"]) == (before["counts"], before["cases"])
    assert data(home, "verify")["sound"]
    assert data(home, "restore", str(tmp_path / "none.db"), code=1)["error"] == "storage.gone"
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(Path(path).read_bytes()[:-5000])
    assert data(home, "restore", str(damaged), code=1)["error"] == "untrusted.backup"


def test_a_backup_without_a_signed_project(home: Path, tmp_path: Path) -> None:
    """Made before they lay beside it, or where none was at hand: one is named, from a stick; a forged one shows itself
    by its words.
    """
    with open_central(home) as central:
        fill_central(central.store, laptops=1, records=2)
    path = data(home, "backup", str(tmp_path / "disk"))["path"]
    shutil.rmtree(home)
    home.mkdir()
    asked = data(home, "restore", path, code=1)
    assert asked["error"] == "refused.restore_project"
    assert "--project" in asked["advice"]
    signed, forged = published(), SyntheticProject(PROJECT).publish()
    assert signed.words != forged.words
    stick = tmp_path / "project.fsp"
    stick.write_bytes(forged.data)
    named = ("--project", str(stick), "--words", signed.words)
    assert data(home, "restore", path, *named, code=1)["error"] == "refused.project_words"
    stick.write_bytes(signed.data)
    assert data(home, "restore", path, *named)["counts"]["entries"]


def test_numbers_and_words_agree(home: Path, tmp_path: Path) -> None:
    """Records are those that are there, entries those of the logs: in status, backup and restore."""
    with open_central(home) as central:
        fill_central(central.store)
        counts = central.store.counts()
        assert counts.devices == 3
        assert counts.bodies < counts.entries
    told = f"{counts.bodies} records in {counts.entries} log entries of {counts.devices} laptops"
    assert told in call(home, "status")
    path = data(home, "backup", str(tmp_path / "disk"))["path"]
    assert f"{counts.bodies} records, {counts.devices} laptops" in call(home, "restore", path)


def test_moved_to_a_server_and_back(home: Path, tmp_path: Path, dsn: str) -> None:
    """Every command then works on the other database, a backup too; refusals name what is wrong."""
    with open_central(home) as central:
        fill_central(central.store, laptops=2)
    before = data(home, "status")
    said = call(home, "move", "--to", dsn)
    assert "compared byte for byte" in said
    after = data(home, "status")
    assert after["place"].startswith("postgresql://")
    assert (after["counts"], after["cases"]) == (before["counts"], before["cases"])
    assert data(home, "verify")["sound"]
    assert data(home, "backup", str(tmp_path / "disk"))["counts"] == before["counts"]
    assert data(home, "move", "--to", dsn, code=1)["error"] == "refused.move_same"
    assert data(home, "move", "--to", f"{dsn} password=secret", code=1)["error"] == "input.central_place"
    with open_central(home) as central:
        central.merge(io.BytesIO(laptop(1).batch()))
    other = str(tmp_path / "other.db")
    assert data(home, "move", "--to", other)["counts"]["entries"] == before["counts"]["entries"] + 1
    assert data(home, "status")["place"] == other


def test_a_site_that_shares_a_database(home: Path, tmp_path: Path, dsn: str) -> None:
    """Where nothing was imported yet, it is used as it is: a new one at the first site, a shared one at others."""
    assert "from now on: 0 records" in call(home, "move", "--to", dsn)
    with open_central(home) as central:
        fill_central(central.store, laptops=1)
    second = tmp_path / "second"
    second.mkdir()
    assert data(second, "move", "--to", dsn)["counts"] == data(home, "status")["counts"]
    with open_central(second) as central:
        central.merge(io.BytesIO(laptop(1).batch()))
    assert data(home, "status")["counts"] == data(second, "status")["counts"]


def test_a_laptop_lets_go_only_of_what_is_backed_up(home: Path, tmp_path: Path) -> None:
    """By stick, over a real vault: committed first, backed up after the backup, and not before."""
    project = SyntheticProject()
    device = join(project, tmp_path / "laptop")
    seal_some(device, 3)
    signed = project.enrol(device.locked.device_card())
    device.close()
    steward, stick = home / "steward", tmp_path / "stick"
    steward.mkdir()
    stick.mkdir()
    (steward / "central.key").write_bytes(role_key_bytes(project.id, Role.CENTRAL, project.central))
    (steward / "project.fsp").write_bytes(signed.data)

    def levels() -> set[str]:
        call(tmp_path / "laptop", "export", str(stick), app=sync_commands.app)
        call(home, "import", str(stick), app=sync_commands.app)
        taken = data(tmp_path / "laptop", "import", str(stick), app=sync_commands.app)["receipts"]
        return {receipt["level"] for receipt in taken if receipt["up_to"] == 3}

    assert levels() == {"committed"}
    call(home, "backup", str(tmp_path / "disk"))
    assert levels() == {"backed_up"}
