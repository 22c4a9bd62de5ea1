"""The engine's rows of the table of budgets (docs/architecture.md), held against what one run measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.engine.measure import Figures, median, p99

Read = Callable[[Figures], float]


@dataclass(frozen=True)
class Budget:
    """`limit` is in milliseconds, or a ratio where `beside` names the shape that the figure is divided by."""

    what: str
    shape: str
    read: Read
    limit: float
    beside: str = ""


def _again(name: str) -> Read:
    ref = f"/data/{name}"
    return lambda figures: figures.first_and_then(ref)[1] if ref in figures.filter else math.nan


def _answer(figures: Figures) -> float:
    return median(figures.answer)


def _slowest(figures: Figures) -> float:
    return p99(figures.answer)


def _add(figures: Figures) -> float:
    return median(figures.add[-5:])


BUDGETS = (
    Budget("process start → first question, 60 questions", "household", lambda f: median(f.cold), 250),
    Budget("load 2,000 questions", "wide2000", lambda f: median(f.load), 500),
    Budget("load 20,000 choices", "choices20000", lambda f: median(f.load), 300),
    Budget("answer → settled, 60 questions, median", "household", _answer, 0.03),
    Budget("the same, p99", "household", _slowest, 0.3),
    Budget("answer → settled, 2,000 dense questions, median", "wide2000", _answer, 0.05),
    Budget("the same, p99", "wide2000", _slowest, 1),
    Budget("growth of an answer from 250 to 4,000 questions", "wide4000", _answer, 1.5, "wide250"),
    Budget("add a repeat instance at n = 200", "roster200", _add, 0.2),
    Budget("growth of that from n = 10 to n = 200", "roster200", _add, 2, "roster10"),
    Budget("filter 20,000 choices by equality", "choices20000", _again("one"), 0.1),
    Budget("filter them by other comparisons", "choices20000", _again("two"), 5),
    Budget("filter them by text or numbers", "choices20000", _again("three"), 5),
    Budget("validate 2,000 questions", "wide2000", lambda f: median(f.validate), 5),
)


def table(measured: Mapping[tuple[str, str], Figures], engines: tuple[str, ...]) -> list[str]:
    """Markdown lines: each budget, what we and the peers took, and whether it was kept. Shapes not run are left out."""
    lines = ["| what | budget | " + " | ".join(engines) + " | kept |", "|---" * (len(engines) + 3) + "|"]
    for budget in BUDGETS:
        values = [_value(budget, measured, engine) for engine in engines]
        if values[0] is None:
            continue
        unit = "×" if budget.beside else "ms"
        shown = " | ".join("–" if value is None or math.isnan(value) else f"{value:.3g}" for value in values)
        kept = "yes" if values[0] <= budget.limit else "NO"
        lines.append(f"| {budget.what} | ≤ {budget.limit:g} {unit} | {shown} | {kept} |")
    return lines


def _value(budget: Budget, measured: Mapping[tuple[str, str], Figures], engine: str) -> float | None:
    figures = measured.get((budget.shape, engine))
    if figures is None:
        return None
    if not budget.beside:
        return budget.read(figures)
    other = measured.get((budget.beside, engine))
    return None if other is None else budget.read(figures) / budget.read(other)
