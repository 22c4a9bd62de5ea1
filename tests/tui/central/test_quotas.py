"""The plan's quotas are counted on the enumerator's laptop and at the HMU: a supervisor's screens cannot show them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import fieldsurvey.tui.central as room
from fieldsurvey.fieldwork.quotas import Counted
from fieldsurvey.tui.central.plain import as_data, everything, plain_lines
from fieldsurvey.tui.plan import round_lines
from tests.tui.central.province import PARISH, QUOTA, ROUND, Province, troubled

FORBIDDEN = {"plan", "quota", "quotas", "round_on", "rounds", "parishes"}


def reaches(source: str) -> set[str]:
    """What a module touches of the plan: attributes, names, imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names} | {(node.module or "").rpartition(".")[2]}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found & FORBIDDEN


def modules() -> list[Path]:
    """Every module of central's screens."""
    return sorted(Path(room.__file__).parent.rglob("*.py"))


def test_no_module_of_centrals_screens_touches_the_plan() -> None:
    """None reads the plan, its rounds or its quotas."""
    assert len(modules()) > 15
    assert {path.name: reaches(path.read_text("utf-8")) for path in modules() if reaches(path.read_text("utf-8"))} == {}


@pytest.mark.parametrize(
    "planted",
    ["x = project.model.plan", "from fieldsurvey.tui.plan import y", "z = plan_of.quotas", "getattr(p, 'quotas')"],
)
def test_the_search_finds_what_is_planted(planted: str) -> None:
    """The control."""
    assert reaches(planted)


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Province:
    """One with a quota of a number that nothing else has."""
    return troubled(tmp_path_factory.mktemp("troubled"))


def test_nothing_that_is_shown_holds_a_quota(province: Province) -> None:
    """Neither the round's title, nor its parish, nor its number is in what all screens show; Home shows all three."""
    project = province.desk.project()
    assert project is not None
    home = "\n".join(round_lines(project.model.plan.round_on("2026-03-02"), Counted({}), lambda quota: ""))
    marks = [str(QUOTA), ROUND]
    assert all(mark in home for mark in marks)
    found = everything(province.desk)
    shown = "\n".join(plain_lines(found)) + repr(as_data(found))
    assert [mark for mark in [*marks, PARISH] if mark in shown] == []
