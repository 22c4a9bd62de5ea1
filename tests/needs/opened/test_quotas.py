"""Quotas at the HMU: over the current records of an opened round, as a count by hand finds; none is published."""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import fieldsurvey.needs as room
from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli.needs import app
from fieldsurvey.fieldwork.quotas import count_of, tally
from fieldsurvey.needs.opened.dataset import Dataset
from fieldsurvey.needs.opened.erasing import without
from fieldsurvey.needs.quotas import quota_counts
from fieldsurvey.project import steward
from fieldsurvey.project.draft import Draft
from fieldsurvey.project.policy import Plan, Quota
from fieldsurvey.project.quotas import Cell
from fieldsurvey.tui.whom import parish_names
from fieldsurvey.xforms import load_form
from forms import catalogue
from tests.needs.opened.world import HMU_WORDS, NEXT, ROUND, WORDS, World

PUBLISHED = ("release.py", "publish.py", "profile.py", "tables.py", "counts.py", "ledger.py", "export", "report")


@pytest.fixture
def quotas(world: World) -> tuple[Quota, ...]:
    """What the world's interviews are about, and what none is."""
    one = _answers(world)[0]
    named = Quota(parish=one["parish"], mobility=one["host_mobility"], sex=one["sex"], age=one["age_band"], count=3)
    own = Quota(mobility=one["mobility"], count=5)
    return (Quota(count=100), Quota(parish=one["parish"], count=2), named, own, Quota(parish="999999", count=1))


def _answers(world: World) -> list[dict[str, str]]:
    """Of the needs interviews in the round that laptops sealed honestly, by name."""
    return [{ref.rpartition("/")[2]: v for ref, v in given.values.items()} for given in world.in_round("needs")]


def test_they_agree_with_a_count_by_hand(
    world: World,
    dataset: Dataset,
    quotas: tuple[Quota, ...],
) -> None:
    """All kept interviews count for the quota that names nothing, assemblies not; the others by their answers."""
    found = quota_counts(dataset, ROUND.model_copy(update={"quotas": quotas}))
    frame = dataset.frame("needs")
    kept = frame.filter(frame["outcome"].is_in(["complete", "partial"]))
    by_hand = []
    for quota in quotas:
        rows = kept.to_dicts()
        by_hand.append(
            sum(
                quota.parish in {None, row["parish"]}
                and (quota.mobility is None or quota.mobility in {row["mobility"], row["host_mobility"]})
                and quota.sex in {None, row["sex"]}
                and quota.age in {None, row["age_band"]}
                for row in rows
            )
        )
    assert [one.done for one in found] == by_hand
    assert by_hand[0] == kept.height
    assert by_hand[0] >= len(_answers(world))
    assert dataset.frame("assembly").height > 0
    assert (min(by_hand[1:4]) >= 1, by_hand[4]) == (True, 0)


def test_a_laptop_counts_the_same_interviews_the_same(
    world: World,
    dataset: Dataset,
    quotas: tuple[Quota, ...],
) -> None:
    """What `count_of` keeps of each sealed interview adds up to what is counted once it is opened."""
    planned = ROUND.model_copy(update={"quotas": quotas})
    forms = {name: load_form(catalogue.compiled(name), {}) for name in ("needs", "assembly")}
    sealed = [given for name in forms for given in world.in_round(name)]
    plan = Plan(rounds=(planned, NEXT))
    kept = [count_of(forms[given.form], given.xml.encode(), plan, None, date(2026, 3, 2)) for given in sealed]
    here = {given.case for given in sealed}
    others = [
        record
        for name in forms
        for record, case in dataset.frame(name)["_record", "_case"].iter_rows()
        if case not in here
    ]
    opened, _gone = without(dataset, others)
    assert {one.round for one in kept} == {"r1"}
    assert tally(kept, "r1") == Counter({Cell.of(one.quota): one.done for one in quota_counts(opened, planned)})


@pytest.fixture
def home(
    world: World,
    quotas: tuple[Quota, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The HMU's home, with the quotas in its plan."""
    shutil.copytree(world.folder / "steward", tmp_path / "home" / "steward")
    shutil.copy(world.central, tmp_path / "home" / "central.db")
    (tmp_path / "words").write_text(HMU_WORDS, encoding="utf-8")
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FIELDSURVEY_PASSPHRASE_FILE_HMU", str(tmp_path / "words"))
    set_language("en")

    def edit(draft: Draft) -> None:
        draft.set_plan(Plan(rounds=(ROUND.model_copy(update={"quotas": quotas}), NEXT)))

    steward.change(tmp_path / "home" / "steward", WORDS, edit)
    return tmp_path / "home"


def run(*arguments: str) -> Any:
    """The command's result."""
    return CliRunner().invoke(app, list(arguments))


def test_the_command_shows_every_round(home: Path, quotas: tuple[Quota, ...]) -> None:
    """One that is not opened is named; by its name alone it is an error. Words and JSON say the same numbers."""
    assert run("quotas", "--round", "r1").exit_code == 1
    assert run("quotas", "--round", "r9").exit_code == 1
    assert json.loads(run("quotas", "--json").stdout)["rounds"][0] == {"round": "r1", "opened": False, "quotas": None}
    assert run("open", "--round", "r1").exit_code == 0
    found = run("quotas", "--json")
    assert found.exit_code == 0
    first, second = json.loads(found.stdout)["rounds"]
    assert (first["opened"], second) == (True, {"round": "r2", "opened": False, "quotas": None})
    assert [(one["parish"], one["wanted"]) for one in first["quotas"]] == [(q.parish, q.count) for q in quotas]
    said = run("quotas")
    assert said.exit_code == 0
    for one in first["quotas"]:
        assert f"{one['done']} of {one['wanted']}" in said.output
    assert "Synthetic round 2\n  not opened here" in said.output
    assert "Nothing of this is published." in said.output
    parts = {part for line in said.output.splitlines() for part in re.split(r" · |, |  +", line.strip())}
    codes = {code for quota in quotas for code in (quota.parish, quota.mobility, quota.sex, quota.age) if code}
    assert codes & parts == {"999999"}  # words as Home has them; what is in no list stays a code
    assert f"anybody, {parish_names('en')[str(quotas[1].parish)]} " in said.output
    assert "anybody, in all parishes" in said.output
    assert first["quotas"][2]["mobility"] == quotas[2].mobility  # for programs: codes
    (home.parent / "words").write_text(WORDS, encoding="utf-8")
    refused = run("quotas")
    assert (refused.exit_code, "does not open" in refused.output) == (1, True)


def reaches(source: str) -> bool:
    """Whether a module touches quotas: by import, attribute, name or text."""
    for node in ast.walk(ast.parse(source)):
        names = [getattr(node, key, None) for key in ("attr", "id", "module", "value", "name")]
        if any(isinstance(name, str) and "quota" in name.lower() for name in names):
            return True
    return False


def test_nothing_that_is_published_can_hold_them() -> None:
    """No module of releases, tables, exports or reports touches quotas; the search finds one that would."""
    folder = Path(room.__file__).parent
    tops = [folder / name for name in PUBLISHED]
    assert all(top.exists() for top in tops)
    modules = [path for top in tops for path in ([top] if top.is_file() else sorted(top.rglob("*.py")))]
    assert len(modules) > 15
    assert [path.name for path in modules if reaches(path.read_text("utf-8"))] == []
    for planted in ("from fieldsurvey.needs.quotas import x", "y = planned.quotas", "z = quota_counts(d, r)"):
        assert reaches(planted)
