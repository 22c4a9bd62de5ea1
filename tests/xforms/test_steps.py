"""Steps files and `fieldsurvey forms`: expectations that fail are named, exit codes and JSON are right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fieldsurvey.cli.forms import app
from fieldsurvey.xforms.steps import StepsError, run_steps
from tests.xforms.scenario import start, table

SURVEY = """
| type | name | label | relevant | required |
| integer | age | Age | | yes |
| select_one yn | works | Works? | ${age} > 17 | |
| begin repeat | child | Child | | |
| text | name | Name | | |
| end repeat | | | | |
"""
CHOICES = "| list_name | name | label |\n| yn | y | Yes |\n| yn | n | No |"
STEPS: list[dict[str, Any]] = [
    {"expect": {"/data/age": {"required": True, "valid": False, "violation": "required", "current": True}}},
    {"answer": {"/data/age": "20"}},
    {"expect": {"/data/works": {"relevant": True, "choices": ["y", "n"], "label": "Works?", "value": None}}},
    {"add_repeat": "/data/child"},
    {"answer": {"/data/child[2]/name": "synthetic"}},
    {"remove_repeat": "/data/child[1]"},
    {"expect": {"/data/child[1]/name": {"value": "synthetic"}, "/data/child": {"count": 1}}},
    {"next": True},
    {"expect": {"/data/works": {"current": True}}},
    {"previous": True},
    {"go_to": "/data/works"},
    {"finalise": True},
]


def test_steps_that_hold_say_nothing_and_give_the_instance() -> None:
    """Every kind of step, and no failure."""
    run = run_steps(start(SURVEY, CHOICES), STEPS)
    assert run.failures == []
    assert run.instance is not None
    assert run.instance.values["/data/child[1]/name"] == "synthetic"


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ({"expect": {"/data/age": {"value": "7"}}}, "value"),
        ({"expect": {"/data/works": {"relevant": True}}}, "relevant"),
        ({"expect": {"/data/nobody": {"relevant": True}}}, "expect"),
        ({"answer": {"/data/works": "y"}}, "answer"),
        ({"go_to": "/data/works"}, "go_to"),
        ({"set_language": "xx"}, "set_language"),
        ({"finalise": True}, "finalise"),
    ],
)
def test_what_does_not_hold_is_a_failure_and_the_rest_goes_on(step: dict[str, Any], what: str) -> None:
    """Expectations and refused steps are named with their number."""
    run = run_steps(start(SURVEY, CHOICES), [step, {"answer": {"/data/age": "5"}}])
    assert [(failure.step, failure.what) for failure in run.failures] == [(1, what)]
    assert run.steps == 2


@pytest.mark.parametrize(
    "steps", [{}, [1], [{}], [{"a": 1, "b": 2}], [{"fly": 1}], [{"answer": 3}], [{"remove_repeat": "/data/child"}]]
)
def test_what_is_no_steps_file_is_refused(steps: Any) -> None:
    """The step is numbered, the reason given."""
    with pytest.raises(StepsError):
        run_steps(start(SURVEY, CHOICES), steps)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A form and a steps file on disk."""
    (tmp_path / "form.md").write_bytes(table(SURVEY, CHOICES))
    (tmp_path / "steps.json").write_text(json.dumps(STEPS), encoding="utf-8")
    return tmp_path


def call(*words: str | Path) -> tuple[int, str]:
    """Exit code and output."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_fill_writes_the_instance(folder: Path) -> None:
    """Exit 0; the XML is where --out says; --json says what happened."""
    out = folder / "instance.xml"
    code, said = call("fill", folder / "form.md", "--steps", folder / "steps.json", "--out", out, "--json")
    assert (code, json.loads(said)["finalised"]) == (0, True)
    assert b"<name>synthetic</name>" in out.read_bytes()


def test_fill_exits_1_with_a_line_for_each_failure(folder: Path) -> None:
    """And writes nothing."""
    steps = [{"expect": {"/data/age": {"value": "1", "required": False}}}]
    (folder / "steps.json").write_text(json.dumps(steps), encoding="utf-8")
    out = folder / "instance.xml"
    code, said = call("fill", folder / "form.md", "--steps", folder / "steps.json", "--out", out)
    assert (code, said.count("step 1: /data/age"), out.exists()) == (1, 2, False)
    code, said = call("fill", folder / "form.md", "--steps", folder / "steps.json", "--json")
    assert (code, len(json.loads(said)["failures"])) == (1, 2)


def test_bad_files_are_refused_in_words(folder: Path) -> None:
    """Not JSON, not there, not a form: exit 1 and a sentence, never a traceback."""
    (folder / "broken.json").write_text("{", encoding="utf-8")
    for words in [
        ("fill", folder / "form.md", "--steps", folder / "broken.json"),
        ("fill", folder / "form.md", "--steps", folder / "nowhere.json"),
        ("check", folder / "nowhere.md"),
        ("check", folder / "broken.json"),
    ]:
        code, said = call(*words)
        assert code == 1
        assert "Traceback" not in said
        assert "Nothing was changed" in said


def test_check_names_sheet_and_row_and_runs_the_tests_beside_the_form(folder: Path) -> None:
    """A good form says so; a failing test of its own fails it; a bad row is named."""
    (folder / "tests").mkdir()
    (folder / "tests" / "one.json").write_text(json.dumps(STEPS), encoding="utf-8")
    code, said = call("check", folder / "form.md", "--json")
    assert (code, [(test["file"], test["ok"]) for test in json.loads(said)["tests"]]) == (0, [("one.json", True)])
    (folder / "tests" / "two.json").write_text(json.dumps([{"finalise": True}]), encoding="utf-8")
    code, said = call("check", folder / "form.md")
    assert code == 1
    assert "two.json: step 1" in said
    (folder / "form.md").write_bytes(table("| type | name | calculation |\n| calculate | a | 1 + |"))
    code, said = call("check", folder / "form.md")
    assert code == 1
    assert "survey, row 2" in said


def test_show_reads_like_the_form(folder: Path) -> None:
    """Names, types, labels, conditions, and rows when asked for."""
    code, said = call("show", folder / "form.md", "--rows")
    assert code == 0
    for text in ("**`works`** select_one", "Works?", "relevant:", "required: `true()`", "`child`"):
        assert text in said
    assert "row 3" in said
