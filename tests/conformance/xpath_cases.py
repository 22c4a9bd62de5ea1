"""Runs `xpath.jsonl`: evaluates each case, converts the value to the type it expects, and lists what differs.

The format is described in the README beside the cases. Nothing is skipped. Used by `python -m tests.conformance`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.xforms.xpath import convert, evaluate_value, native, parse
from fieldsurvey.xforms.xpath.document import Evaluated
from fieldsurvey.xforms.xpath.moments import at_midnight

REFUSED = "refused: "


@dataclass
class Difference:
    """One case that came out otherwise."""

    id: str
    group: str
    expr: str
    expected: Any
    actual: Any


@dataclass
class Outcome:
    """Counts by "tier/mode" (right, wrong, skipped), and the differences."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)


def run(folder: Path) -> Outcome:
    """Every case of `folder / "xpath.jsonl"`."""
    outcome = Outcome()
    with (folder / "xpath.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            if not line.strip():
                continue
            case = json.loads(line)
            group = f"{case['tier']}/{case['mode']}"
            counts = outcome.counts.setdefault(group, {"right": 0, "wrong": 0, "skipped": 0})
            actual, right = check(case)
            counts["right" if right else "wrong"] += 1
            if not right:
                outcome.differences.append(
                    Difference(case["id"], group, case["expr"], case.get("expected_value"), actual)
                )
    return outcome


def check(case: dict[str, Any]) -> tuple[Any, bool]:
    """What came out, and whether it is what the case expects."""
    kind = case["expected_type"]
    if kind in {"parse-ok", "parse-error"}:
        refusal = _attempt(lambda: parse(case["expr"]))
        refused = isinstance(refusal, str) and refusal.startswith(REFUSED)
        return refusal if refused else "parsed", refused == (kind == "parse-error")
    actual = _attempt(lambda: _value(case, kind))
    refused = isinstance(actual, str) and actual.startswith(REFUSED)
    if kind == "error":
        return actual, refused
    return actual, not refused and _agrees(case, kind, actual)


def _attempt(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except FieldsurveyError as error:
        return REFUSED + str(error)


def _value(case: dict[str, Any], kind: str) -> Any:
    now = case.get("now")
    evaluated = evaluate_value(
        case["expr"],
        case["context_xml"],
        case["context_path"] or "/",
        now=None if now is None else datetime.fromisoformat(now),
        timezone=case.get("tz"),
        language=case.get("language") or "",
        mode=case["mode"],
    )
    return _converted(evaluated, kind)


def _converted(evaluated: Evaluated, kind: str) -> Any:
    """The harnesses converted what an expression gave by XPath 1.0: of several nodes the first one counts."""
    value = evaluated.value
    several = isinstance(value, list) and len(value) > 1
    rules: Any = native if several or evaluated.mode == "native" else convert
    if kind == "boolean":
        return rules.to_boolean(value)
    if kind == "number":
        return rules.to_number(value)
    if kind == "string":
        return rules.to_string(value)
    if kind == "nodeset":
        found = evaluated.result()
        return found if isinstance(found, list) else [("", rules.to_string(value))]
    if kind == "date":
        moment = rules.unpack(value)
        return moment if isinstance(moment, date) else rules.to_string(moment)
    return evaluated.result()  # "error": anything that is not one


def _agrees(case: dict[str, Any], kind: str, actual: Any) -> bool:
    expected = case["expected_value"]
    if case.get("match") == "length":
        return len(actual) == int(expected)
    if case.get("match") == "regex":
        flags = re.IGNORECASE if "i" in expected["flags"] else 0
        return re.search(expected["regex"], actual, flags) is not None
    if kind == "number":
        return _same_number(float(str(expected).replace("Infinity", "inf")), actual, case)
    if kind == "nodeset":
        wanted = [(_positions(node["path"], case["source"]), node["value"]) for node in expected]
        return actual == wanted if case.get("ordered") else sorted(actual) == sorted(wanted)
    if kind == "date":
        if not isinstance(actual, date):
            return False
        return at_midnight(actual, UTC) == datetime.fromisoformat(expected)
    return bool(actual == expected)


def _positions(path: str, source: str) -> str:
    """JavaRosa writes positions from 0 and leaves those of what cannot repeat out; everyone else counts from 1."""
    if not source.startswith("javarosa/"):
        return path
    steps = [step if "[" in step else f"{step}[0]" for step in path.split("/")[1:]]
    return "".join("/" + re.sub(r"\[(\d+)\]", lambda m: f"[{int(m[1]) + 1}]", step) for step in steps)


def _same_number(expected: float, actual: float, case: dict[str, Any]) -> bool:
    if math.isnan(expected) or math.isnan(actual):
        return math.isnan(expected) and math.isnan(actual)
    factor = case.get("round_factor")
    if factor:
        return bool(round(actual * factor) == round(expected * factor))
    return math.isclose(actual, expected, rel_tol=1e-9, abs_tol=float(case.get("tolerance") or 1e-12))
