"""Runs `forms.jsonl`: forms that must load (with the order of navigation and the initial instance of the engine that
recorded them) and forms that must be refused.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.xforms import FormError, LoadedForm, Repeat, load_form
from fieldsurvey.xforms.live.interview import LiveInterview
from tests.conformance.compare import instance_differences

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@cache
def recorded_at(folder: Path) -> datetime:
    """When the recordings were made: the moment most frequent by day among the instances that were kept."""
    days: Counter[str] = Counter()
    for path in sorted((folder / "forms" / "oracle").glob("*.json")):
        days.update(moment[:10] for moment in _MOMENT.findall(path.read_text(encoding="utf-8")))
    day = days.most_common(1)[0][0] if days else "2025-01-15"
    return datetime.fromisoformat(f"{day}T12:00:00+00:00")


@dataclass
class Outcome:
    """Counts by what was checked (right, wrong, skipped), and what differed."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    differences: list[dict[str, Any]] = field(default_factory=list)
    skips: dict[str, int] = field(default_factory=dict)

    def count(self, group: str, right: bool, case: str = "", detail: Any = None) -> None:
        """One check."""
        counts = self.counts.setdefault(group, {"right": 0, "wrong": 0, "skipped": 0})
        counts["right" if right else "wrong"] += 1
        if not right:
            self.differences.append({"id": case, "group": group, "detail": detail})

    def skip(self, group: str, reason: str) -> None:
        """One check that could not be made."""
        self.counts.setdefault(group, {"right": 0, "wrong": 0, "skipped": 0})["skipped"] += 1
        self.skips[reason] = self.skips.get(reason, 0) + 1


def run(folder: Path) -> Outcome:
    """Every case of `folder / "forms.jsonl"`."""
    outcome = Outcome()
    with (folder / "forms.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                check(json.loads(line), folder, outcome)
    return outcome


def check(case: dict[str, Any], folder: Path, outcome: Outcome) -> None:
    """One form."""
    expect = case["expect"]
    source = markdown(case["md"]).encode() if case.get("md") else None
    if source is None and not case.get("path"):
        outcome.skip(expect, "the workbook itself is not among the cases")
        return
    try:
        form = load(case, folder, source)
        interview = form.start(**world(folder))
    except FormError as error:
        outcome.count(expect, expect != "load-ok", case["id"], str(error))
        return
    outcome.count(expect, expect == "load-ok", case["id"], "loaded, should be refused")
    if expect != "load-ok" or not case.get("oracle"):
        return
    if source is not None:  # what was recorded ran the converted form, under a name of its own
        interview = load(case, folder, None).start(**world(folder))
    text = (folder / case["path"]).read_text(encoding="utf-8")
    oracle = json.loads((folder / case["oracle"]).read_text(encoding="utf-8")).get("javarosa", {})
    if "instance" in oracle:
        try:
            differs = instance_differences(oracle["instance"], interview.instance().xml, text)
        except FieldsurveyError as error:
            differs = [error.message]
        outcome.count("instance", not differs, case["id"], differs[:6])
    if "events" in oracle:
        found = events(interview)
        outcome.count("order", found == oracle["events"], case["id"], _first(oracle["events"], found))


def world(folder: Path) -> dict[str, Any]:
    """What the recording's engine was given: UTC, and no positioning device, which it says in so many words."""
    return {
        "now": lambda: recorded_at(folder),
        "timezone": "UTC",
        "seed": 1,
        "locate": lambda: "no client implementation",
    }


def markdown(sheets: str | dict[str, list[dict[str, str]]]) -> str:
    """A workbook as a Markdown table; some cases give their sheets as lists of rows."""
    if isinstance(sheets, str):
        return sheets
    lines: list[str] = []
    for name, rows in sheets.items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        lines += [f"| {name} |", f"| | {' | '.join(columns)} |"]
        lines += [f"| | {' | '.join(row.get(column, '') for column in columns)} |" for row in rows]
    return "\n".join(lines)


def load(case: dict[str, Any], folder: Path, source: bytes | None) -> LoadedForm:
    """The form of a case with the files beside it."""
    media: dict[str, bytes] = {}
    if case.get("attachments_dir"):
        media = {path.name: path.read_bytes() for path in (folder / case["attachments_dir"]).iterdir()}
    return load_form(source if source is not None else (folder / case["path"]).read_bytes(), media)


def _first(expected: list[str], found: list[str]) -> str:
    for number, event in enumerate(expected):
        if number >= len(found) or found[number] != event:
            return f"at {number}: expected {event}, found {found[number] if number < len(found) else 'the end'}"
    return f"at {len(expected)}: expected the end, found {found[len(expected) :][:1]}"


def events(interview: LiveInterview) -> list[str]:
    """The order in which a form is gone through: Q question, G group, R repeat instance, P "add another?"."""
    made: list[str] = []
    open_repeats: list[tuple[int, str, int]] = []

    def close(depth: int) -> None:
        while open_repeats and open_repeats[-1][0] >= depth:
            _depth, ref, count = open_repeats.pop()
            place = interview.go_to(ref) if _can_go(interview, ref) else None
            if isinstance(place, Repeat) and place.can_add:
                made.append(f"P {positioned(f'{ref}[{count + 1}]')}")

    for item in interview.outline():
        close(item.depth)
        if item.kind == "repeat":
            open_repeats.append((item.depth, item.ref, 0))
        elif item.kind == "instance":
            depth, ref, _count = open_repeats[-1]
            open_repeats[-1] = (depth, ref, int(item.ref.rpartition("[")[2][:-1]))
            made.append(f"R {positioned(item.ref)}")
        else:
            made.append(f"{'Q' if item.kind == 'question' else 'G'} {positioned(item.ref)}")
    close(0)
    return made


def _can_go(interview: LiveInterview, ref: str) -> bool:
    try:
        interview.go_to(ref)
    except FieldsurveyError:
        return False
    return True


def positioned(ref: str) -> str:
    """`/data/a` -> `/data/a[1]`: every step but the first carries its position."""
    steps = ref.split("/")
    return "/".join([*steps[:2], *(step if re.search(r"\]$", step) else f"{step}[1]" for step in steps[2:])])
