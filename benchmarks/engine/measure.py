"""Runs one shape through an engine and collects the same figures for each: load, answer, add, filter, validate."""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.engine.shapes import Run

HERE = Path(__file__).parent


@dataclass
class Figures:
    """Nanoseconds, in the order measured; `leaves` of the final instance; bytes of memory where known."""

    engine: str
    load: list[int] = field(default_factory=list)
    answer: list[int] = field(default_factory=list)
    add: list[int] = field(default_factory=list)
    filter: dict[str, list[int]] = field(default_factory=dict)
    validate: list[int] = field(default_factory=list)
    leaves: list[tuple[str, str]] = field(default_factory=list)
    memory: int | None = None


def median(values: Iterable[int]) -> float:
    """Milliseconds."""
    held = list(values)
    return statistics.median(held) / 1e6 if held else float("nan")


def p99(values: Iterable[int]) -> float:
    """Milliseconds."""
    held = sorted(values)
    return held[min(len(held) - 1, int(len(held) * 0.99))] / 1e6 if held else float("nan")


def leaves(xml: str) -> list[tuple[str, str]]:
    """(path without positions, text) of every non-empty leaf, in document order, ids left out."""
    found: list[tuple[str, str]] = []

    def visit(element: ET.Element, path: str) -> None:
        here = f"{path}/{element.tag.rpartition('}')[2]}"
        if len(element):
            for child in element:
                visit(child, here)
        elif element.text and not here.endswith("instanceID"):
            found.append((here, element.text))

    visit(ET.fromstring(xml), "")
    return found


def ours(run: Run, rounds: int) -> Figures:
    """The form engine of this project."""
    from fieldsurvey.xforms import load_form  # the import is not what is measured

    figures = Figures("fieldsurvey")
    for number in range(rounds):
        data = f"{run.xform}<!-- {number} -->".encode()  # other bytes: a form seen before would load from the cache
        start = time.perf_counter_ns()
        form = load_form(data)
        interview = form.start(now=lambda: datetime(2026, 6, 1, tzinfo=UTC), seed=1)
        figures.load.append(time.perf_counter_ns() - start)
        for turn, steps in enumerate(run.passes):
            seen: dict[str, int] = {}
            for ref, value in steps:
                repeat = next((r for r in run.repeats if ref.startswith(r + "/")), None)
                live = ref
                if repeat is not None:
                    seen[ref] = seen.get(ref, 0) + 1
                    live = f"{repeat}[{seen[ref]}]{ref[len(repeat) :]}"
                    if turn == 0 and seen[ref] > 1 and seen[ref] == max(seen.values()) and _first(seen, ref):
                        start = time.perf_counter_ns()
                        interview.add_repeat(repeat)
                        figures.add.append(time.perf_counter_ns() - start)
                start = time.perf_counter_ns()
                shown = interview.question(live)
                elapsed = time.perf_counter_ns() - start
                if not shown.relevant:  # the peers' navigation passes over it, too
                    continue
                if shown.type in {"select", "select1", "selectMultiple"}:
                    figures.filter.setdefault(ref, []).append(elapsed)
                start = time.perf_counter_ns()
                interview.answer(live, value)
                figures.answer.append(time.perf_counter_ns() - start)
        start = time.perf_counter_ns()
        interview.problems()
        figures.validate.append(time.perf_counter_ns() - start)
    figures.leaves = leaves(interview.finalise().xml.decode())
    return figures


def _first(seen: dict[str, int], ref: str) -> bool:
    """Whether `ref` is the first of its repeat's questions to reach this instance."""
    return [r for r, n in seen.items() if n == seen[ref]] == [ref]


def javarosa(run: Run, rounds: int, work: Path) -> Figures | None:
    """JavaRosa, from the jar inside pyxform's wheel; None without `java`, `javac` or pyxform."""
    spec = find_spec("pyxform")
    if not (shutil.which("java") and shutil.which("javac") and spec and spec.origin):
        return None
    jar = Path(spec.origin).parent / "validators" / "odk_validate" / "bin" / "ODK_Validate.jar"
    subprocess.run(["javac", "-cp", str(jar), "-d", str(work), str(HERE / "Driver.java")], check=True)
    return _peer("JavaRosa", ["java", "-cp", f"{jar}{os.pathsep}{work}", "Driver"], run, rounds, work)


def web_forms(run: Run, rounds: int, work: Path) -> Figures | None:
    """ODK Web Forms' engine; None without `node` and the packages of package.json."""
    if not (shutil.which("node") and (HERE / "node_modules" / "@getodk" / "xforms-engine").exists()):
        return None
    return _peer("xforms-engine", ["node", str(HERE / "driver.mjs")], run, rounds, work)


def _peer(name: str, command: list[str], run: Run, rounds: int, work: Path) -> Figures:
    """Runs a driver in a process of its own and reads the lines it prints."""
    (work / "form.xml").write_text(run.xform, encoding="utf-8")
    lines = [f"repeat\t{ref}\t{n}" for ref, n in run.repeats.items()]
    lines += [f"answer\t{i}\t{ref}\t{value}" for i, steps in enumerate(run.passes) for ref, value in steps]
    (work / "run.tsv").write_text("\n".join(lines), encoding="utf-8")
    command = [*command, str(work / "form.xml"), str(work / "run.tsv"), str(rounds)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    figures = Figures(name)
    for line in printed.splitlines():
        kind, _, rest = line.partition("\t")
        if kind in {"load", "answer", "add", "validate"}:
            getattr(figures, kind).append(int(rest))
        elif kind == "filter":
            nanoseconds, ref, _size = rest.split("\t")
            figures.filter.setdefault(ref, []).append(int(nanoseconds))
        elif kind == "memory":
            figures.memory = int(rest)
        elif kind == "instance":
            figures.leaves = leaves(re.sub(r"^<\?xml[^>]*\?>", "", rest))
        elif kind == "leaves":
            figures.leaves = [(path, value) for path, value in json.loads(rest)]
    return figures
