"""Interviews of made-up forms go in JavaRosa itself as they go here: repeats, counts, actions, lists, types, texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.xforms.javarosa.engines import Case, cases, differences, java, javarosa

pytestmark = [pytest.mark.long, pytest.mark.skipif(java() is None, reason="no Java, or pyxform without its jar")]


def test_interviews_go_as_in_javarosa(tmp_path: Path) -> None:
    """Every step: the instance, the order of places, labels, choices, what is required and read-only.

    What is known to differ, with its reason, is in docs/conformance.md and not among these interviews.
    """
    all_cases = cases()
    assert len(all_cases) > 100
    answers = javarosa(all_cases, tmp_path)
    assert len(answers) == len(all_cases)
    assert [text for case, said in zip(all_cases, answers, strict=True) for text in differences(case, said)] == []


def test_a_difference_would_be_found(tmp_path: Path) -> None:
    """The control: the answers of one form are no answers of another."""
    case = next(case for case in cases() if case.steps)
    other = Case(case.name, case.xml.replace(" calculate=", " unused="), case.steps, case.media)
    assert other.xml != case.xml
    [said] = javarosa([other], tmp_path)
    assert differences(case, said)
