"""A form's own tests: steps files beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.xforms import load_form
from fieldsurvey.xforms.check.own_tests import TestRun, files_beside, run_tests
from tests.xforms.scenario import now, table

SURVEY = """
| type | name | label | relevant | constraint |
| date | when | When | | . <= today() |
| text | why | Why | ${when} = today() | |
"""


def run(folder: Path, data: Any) -> TestRun:
    """One steps file run on the form."""
    path = folder / "form.md"
    path.write_bytes(table(SURVEY))
    (folder / "tests").mkdir(exist_ok=True)
    text = data if isinstance(data, str) else json.dumps(data)
    (folder / "tests" / "one.json").write_text(text, encoding="utf-8")
    (done,) = run_tests(load_form(path), files_beside(path), now)
    return done


def test_a_test_that_holds_passes_and_one_that_does_not_names_its_step(tmp_path: Path) -> None:
    """The number of the step, the ref, what was expected and found."""
    steps: list[dict[str, Any]] = [
        {"answer": {"/data/when": "2026-03-14"}},
        {"expect": {"/data/why": {"relevant": True}}},
    ]
    assert run(tmp_path, steps).ok
    steps[1] = {"expect": {"/data/why": {"relevant": False}}}
    done = run(tmp_path, steps)
    assert not done.ok
    (line,) = done.lines()
    assert line.startswith("one.json: step 2: /data/why")


def test_a_test_may_fix_the_time(tmp_path: Path) -> None:
    """So that it says the same every day."""
    steps = [{"answer": {"/data/when": "2020-01-02"}}, {"expect": {"/data/why": {"relevant": True}}}]
    assert not run(tmp_path, steps).ok
    assert run(tmp_path, {"now": "2020-01-02T10:00:00-05:00", "steps": steps}).ok


@pytest.mark.parametrize(
    "data",
    [
        "{",
        "[" * 5000,
        {"now": "yesterday", "steps": []},
        {"steps": [], "more": 1},
        {"seed": "x", "steps": []},
        [{"jump": 1}],
        [7],
        7,
    ],
)
def test_a_file_that_is_no_test_fails_by_name_and_stops_nothing(tmp_path: Path, data: Any) -> None:
    """Broken JSON, unknown keys, unknown steps."""
    done = run(tmp_path, data)
    assert not done.ok
    assert done.lines()[0].startswith("one.json: ")


def test_tests_are_found_beside_a_file_and_inside_a_folder(tmp_path: Path) -> None:
    """In their order; nothing where there is no folder."""
    assert files_beside(tmp_path / "form.md") == []
    run(tmp_path, [])
    assert [path.name for path in files_beside(tmp_path)] == ["one.json"]
    assert [path.name for path in files_beside(tmp_path / "form.md")] == ["one.json"]
