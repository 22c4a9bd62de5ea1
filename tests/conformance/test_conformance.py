"""What other engines recorded agrees with ours, at least as far as it has so far.

The cases lie beside the project and are never copied into it; without them these tests skip, or fail under
FIELDSURVEY_STRICT=1. The floors only ever rise; what differs is listed in docs/conformance.md.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conformance import forms_cases, scenario_cases

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "conformance"
FLOORS = {
    "forms": {"load-ok": 0.99, "load-fail": 0.95, "convert-error": 0.95, "order": 0.99, "instance": 0.97},
    "scenarios": {"checks": 0.975, "instances": 0.965},  # skips count as wrong
}


@pytest.fixture(scope="module")
def folder() -> Path:
    """The cases, or a skip that is a failure where everything must be there."""
    if not FOLDER.is_dir():
        if os.environ.get("FIELDSURVEY_STRICT") == "1":
            pytest.fail(f"the conformance cases are not at {FOLDER}")
        pytest.skip("the conformance cases are not beside the project")
    return FOLDER


@pytest.mark.parametrize("name", ["forms", "scenarios"])
def test_floors_hold(folder: Path, name: str) -> None:
    """Each kind of check is right at least as often as its floor says, skips counted as wrong."""
    outcome = {"forms": forms_cases.run, "scenarios": scenario_cases.run}[name](folder)
    below = {
        group: counts
        for group, counts in outcome.counts.items()
        if counts["right"] < FLOORS[name][group] * sum(counts.values())
    }
    assert not below, below
    assert set(outcome.counts) == set(FLOORS[name])
