"""`python -m tests.conformance DIR [--json]`: run a folder of recorded cases and say right, wrong, skipped.

DIR holds `xpath.jsonl`, `scenarios.jsonl` and `forms.jsonl` (any of them), in the format described in its README.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from tests.conformance import forms_cases, scenario_cases, xpath_cases

RUNNERS = {"xpath": xpath_cases.run, "scenarios": scenario_cases.run, "forms": forms_cases.run}


def run(folder: Path) -> dict[str, Any]:
    """The outcome of every file that is there, by file."""
    return {name: runner(folder) for name, runner in RUNNERS.items() if (folder / f"{name}.jsonl").exists()}


def report(outcomes: dict[str, Any], limit: int) -> str:
    """Counts, reasons of skips and what differed, as text."""
    lines: list[str] = []
    for name, outcome in outcomes.items():
        lines.append(f"{name}.jsonl")
        for group, counts in sorted(outcome.counts.items()):
            total = sum(counts.values())
            share = 100 * counts["right"] / total if total else 0.0
            said = ", ".join(f"{kind} {number}" for kind, number in counts.items())
            lines.append(f"  {group:14} {said}  ({share:.1f} %)")
        lines.extend(f"  skipped {number}: {reason}" for reason, number in getattr(outcome, "skips", {}).items())
    for name, outcome in outcomes.items():
        for difference in outcome.differences[:limit]:
            data = dataclasses.asdict(difference) if dataclasses.is_dataclass(difference) else difference  # type: ignore[arg-type]
            lines.append(f"{name} {json.dumps(data, ensure_ascii=False, default=str)[:600]}")
        if len(outcome.differences) > limit:
            lines.append(f"{name}: {len(outcome.differences) - limit} more (--all)")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command; 0 also when something differed, 2 when there is nothing to run."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--json", action="store_true", help="print the counts as one JSON object")
    parser.add_argument("--all", action="store_true", help="list everything that differed")
    given = parser.parse_args(arguments)
    outcomes = run(given.folder)
    if not outcomes:
        sys.stderr.write(f"{given.folder}: no cases\n")
        return 2
    if given.json:
        sys.stdout.write(json.dumps({name: outcome.counts for name, outcome in outcomes.items()}) + "\n")
    else:
        sys.stdout.write(report(outcomes, 10**9 if given.all else 20) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
