"""The steps files beside the forms: synthetic, well formed, and about questions that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.forms.reading import FORMS, NAMES, binds, paths

FILES = [path for name in NAMES for path in sorted((FORMS / name / "tests").glob("*.json"))]
KINDS = {"answer", "add_repeat", "remove_repeat", "expect", "set_language", "finalise"}
EXPECTED = {"value", "relevant", "required", "valid", "violation", "label", "choices"}


def load(path: Path) -> list[dict[str, Any]]:
    steps = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(steps, list)
    return steps


def refs(step: dict[str, Any]) -> list[str]:
    """The references of a step, without positions."""
    ((kind, content),) = step.items()
    if kind in {"finalise", "set_language"}:
        return []
    found = [content] if kind == "add_repeat" else list(content)
    return [re.sub(r"\[\d+\]", "", ref) for ref in found]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_steps_fit_the_form(path: Path) -> None:
    """One kind a step, every reference is in the form, expectations use the known words, the last step finalises."""
    steps = load(path)
    known = paths(path.parent.parent.name)
    for step in steps:
        assert len(step) == 1
        assert set(step) <= KINDS
        assert set(refs(step)) <= known
        if "expect" in step:
            assert all(set(expected) <= EXPECTED for expected in step["expect"].values())
    assert steps[-1] == {"finalise": True}
    assert path.stem.startswith("synthetic_")


@pytest.mark.parametrize("form", NAMES)
def test_steps_answer_nearly_every_question(form: str) -> None:
    """Together the files answer every question of the form but single tallies of the assembly."""
    answered = {
        ref
        for path in FILES
        if path.parent.parent.name == form
        for step in load(path)
        if "answer" in step
        for ref in refs(step)
    }
    inputs = {
        path
        for path, bind in binds(form).items()
        if bind.get("type") and not bind.get("calculate") and not bind.get("readonly")
    }
    left = {path.rpartition("/")[2] for path in inputs - answered if "/meta/" not in path}
    assert {name for name in left if not name.startswith("a_")} == set()


def test_texts_say_that_they_are_invented() -> None:
    """No text answer in the files could be taken for a person's: each says that it is invented."""
    texts = [
        value
        for path in FILES
        for step in load(path)
        for value in step.get("answer", {}).values()
        if value and " " in value and re.search(r"[A-ZÁÉÍÓÚÑ]", value)
    ]
    assert texts
    assert [text for text in texts if "inventad" not in text and text != "Una Persona"] == []
