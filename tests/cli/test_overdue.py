"""What is late is said at central, whatever the command; central erases and reports by itself. All synthetic."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fieldsurvey.base.clock import FixedClock, SystemClock
from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli import central as commands
from fieldsurvey.cli import needs
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.keys import CENTRAL, role_key_bytes
from fieldsurvey.project.policy import Policy, Retention
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.backups import back_up
from sync.central import Central
from tests.sync.laptops import PROJECT, SyntheticLaptop
from tests.sync.projects import SyntheticProject


@pytest.fixture(autouse=True)
def _the_day_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """No midnight between asking and looking."""
    now = SystemClock().now()
    monkeypatch.setattr(SystemClock, "now", lambda _self: now)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, SyntheticLaptop, WithdrawalCode]:
    """Central with its key and one synthetic laptop's record, withdrawn two months ago on a slip that just came."""
    home = tmp_path / "office"
    (home / "steward").mkdir(parents=True)
    monkeypatch.setenv("FIELDSURVEY_HOME", str(home))
    set_language("en")
    project = SyntheticProject(PROJECT)
    (home / "steward" / CENTRAL).write_bytes(role_key_bytes(PROJECT, Role.CENTRAL, project.central))
    one, code = SyntheticLaptop(), WithdrawalCode.generate()
    one.seal(withdrawal=code.tag(PROJECT))
    one.seal()
    signed = project.enrol(one.card)
    (home / "batch.fsb").write_bytes(one.batch())
    with Central.open(home / "central.db") as central:
        central.learn(signed.model)
        with (home / "batch.fsb").open("rb") as stream:
            central.merge(stream)
    return home, one, code


def run(app: Any, *words: str) -> Any:
    """A command's result."""
    return CliRunner().invoke(app, list(words))


def request(home: Path, code: WithdrawalCode, days: int) -> None:
    """A withdrawal entered here, asked for so many days ago."""
    day = SystemClock().now().date() - timedelta(days=days)
    Withdrawals(home).enter(Tombstone(project=PROJECT, code=code.raw, requested=day.isoformat()))


def test_central_status_erases_reports_and_names_who_is_late(
    office: tuple[Path, SyntheticLaptop, WithdrawalCode],
) -> None:
    """Central is on time by itself; the laptop that made the case is named when its days are over, and not before."""
    home, one, code = office
    assert "OVERDUE" not in run(commands.app, "status").stdout
    request(home, code, 5)
    found = json.loads(run(commands.app, "status", "--json").stdout)["withdrawals"]
    assert (found["erased"], found["withdrawn"], found["overdue"]) == (1, 1, [])
    request(home, code, 6)
    found = json.loads(run(commands.app, "status", "--json").stdout)["withdrawals"]
    assert [(late["place"], late["name"], late["count"]) for late in found["overdue"]] == [("laptop", one.card.name, 1)]
    text = run(commands.app, "status").stdout
    assert "OVERDUE: 1 withdrawal is not reported erased by laptop synthetic laptop" in text
    assert "Take a stick with the withdrawals to the laptop" in text
    assert "OVERDUE" in run(needs.app, "ledger").stdout


def test_a_backup_from_before_an_erasure_is_named_when_its_days_are_over(
    office: tuple[Path, SyntheticLaptop, WithdrawalCode], tmp_path: Path
) -> None:
    """The report says until when; after that it is said, until a new backup into the same folder removes the old one.

    The policy may keep backups for less than ten days.
    """
    home, _one, code = office
    disk = tmp_path / "disk"
    disk.mkdir()
    now = SystemClock().now()
    with Central.open(home / "central.db") as central:
        model = central.project()
        assert model is not None
        short = Policy(retention=Retention(backup_days=3))
        central.learn(model.model_copy(update={"version": model.version + 1, "policy": short}))
        old = back_up(central, home, disk, clock=FixedClock(now - timedelta(days=4)))
    request(home, code, 1)
    said = run(commands.app, "status").stdout
    assert "OVERDUE: a backup from before an erasure" in said
    with Central.open(home / "central.db") as central:
        new = back_up(central, home, disk, clock=FixedClock(now + timedelta(minutes=1)))
    assert Path(old.path).name in new.removed
    assert "OVERDUE" not in run(commands.app, "status").stdout
