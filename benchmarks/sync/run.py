"""`python -m benchmarks sync [WHAT …]`: merge (by default), postgresql, https, province, country."""

from __future__ import annotations

import importlib
import sys

KINDS = {
    "merge": "benchmarks.sync.merge",
    "postgresql": "benchmarks.sync.postgresql",
    "https": "benchmarks.sync.https",
}
SCENES = ("province", "country")


def main(words: list[str]) -> str:
    """Markdown."""
    what = words[0] if words else "merge"
    if what in SCENES:
        simulation = importlib.import_module("benchmarks.sync.simulation")
        return str(simulation.simulate(what, int(words[1]) if words[1:] else None))
    if what not in KINDS:
        sys.exit(f"There is no benchmark {what!r} of sync. There are: {', '.join([*KINDS, *SCENES])}.")
    return str(importlib.import_module(KINDS[what]).main(words[1:]))
