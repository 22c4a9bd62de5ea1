"""The recorded behaviour of other engines, where the folder with it is at hand (`tests/conformance/xpath_cases.py`)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.xpath_cases import check, run

FOLDER = Path(os.environ.get("FIELDSURVEY_CONFORMANCE", Path(__file__).parents[4] / "shared" / "conformance"))


def share(counts: list[dict[str, int]]) -> float:
    """Right ones of all, skipped ones counting as wrong."""
    return sum(c["right"] for c in counts) / sum(sum(c.values()) for c in counts)


def test_the_recorded_cases_come_out_as_recorded() -> None:
    """Tier A in mode xforms at least 99 %, plain XPath and the grammar whole, tier B at least 90 and 95 %."""
    if not (FOLDER / "xpath.jsonl").exists():
        if os.environ.get("FIELDSURVEY_STRICT"):
            pytest.fail(f"no conformance cases in {FOLDER}")
        pytest.skip(f"no conformance cases in {FOLDER}")
    counts = run(FOLDER).counts
    assert share([counts["A/xforms"]]) >= 0.99
    assert share([counts["A/native"], counts["A/parse"]]) == 1.0
    assert share([counts["B/xforms"]]) >= 0.90
    assert share([counts["B/native"]]) >= 0.95


def test_the_runner_sees_what_is_wrong(tmp_path: Path) -> None:
    """The control: a case with a wrong expectation, one that should be refused and is not, one that should not be."""
    base: dict[str, Any] = {
        "tier": "A",
        "mode": "xforms",
        "context_xml": None,
        "context_path": "/",
        "source": "synthetic",
        "tz": "UTC",
    }
    cases: list[dict[str, Any]] = [
        {**base, "id": "right", "expr": "1 + 1", "expected_type": "number", "expected_value": 2.0},
        {**base, "id": "value", "expr": "1 + 1", "expected_type": "number", "expected_value": 3.0},
        {**base, "id": "not-refused", "expr": "1 + 1", "expected_type": "error", "expected_value": None},
        {**base, "id": "refused", "expr": "nosuch()", "expected_type": "string", "expected_value": ""},
        {**base, "id": "parse", "expr": "1 +", "expected_type": "parse-ok", "expected_value": None},
    ]
    (tmp_path / "xpath.jsonl").write_text("\n".join(map(json.dumps, cases)), encoding="utf-8")
    outcome = run(tmp_path)
    assert outcome.counts == {"A/xforms": {"right": 1, "wrong": 4, "skipped": 0}}
    assert [d.id for d in outcome.differences] == ["value", "not-refused", "refused", "parse"]
    assert check(cases[0]) == (2.0, True)
