"""Runs one shape through an engine, each in a process of its own, and collects the same figures for each."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.engine.shapes import Run

HERE = Path(__file__).parent
TIMES = frozenset({"load", "answer", "add", "validate", "cold"})


@dataclass(frozen=True)
class Trial:
    """A shape, how often it is loaded and answered, a folder to work in; after `patience` seconds it is stopped."""

    run: Run
    rounds: int
    work: Path
    patience: float


@dataclass
class Figures:
    """Nanoseconds in the order measured. `offer` is a filter with its labels; `leaves` those of the final instance.

    `cold` is the CPU time of the whole process from its start to the first question; `memory` is what the form and its
    interview hold, `peak` what the process ever held, both in bytes.
    """

    engine: str
    load: list[int] = field(default_factory=list)
    cold: list[int] = field(default_factory=list)
    answer: list[int] = field(default_factory=list)
    add: list[int] = field(default_factory=list)
    filter: dict[str, list[int]] = field(default_factory=dict)
    offer: dict[str, list[int]] = field(default_factory=dict)
    validate: list[int] = field(default_factory=list)
    leaves: list[tuple[str, str]] = field(default_factory=list)
    memory: int = 0
    peak: int = 0
    rounds: int = 1
    stopped: bool = False  # it took too long; the figures are those until then

    def first_and_then(self, ref: str) -> tuple[float, float]:
        """Milliseconds of a filter that runs for the first time in its form, and of one that runs again (medians)."""
        held = self.filter[ref]
        size = max(len(held) // self.rounds, 1)
        firsts = held[::size]
        return median(firsts), median([n for place, n in enumerate(held) if place % size] or firsts)


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


def ours(trial: Trial) -> Figures:
    """The form engine of this project."""
    return _driven("fieldsurvey", [sys.executable, "-m", "benchmarks.engine.ours"], trial)


def javarosa(trial: Trial) -> Figures | None:
    """JavaRosa, from the jar inside pyxform's wheel; None without `java`, `javac` or pyxform."""
    spec = find_spec("pyxform")
    if not (shutil.which("java") and shutil.which("javac") and spec and spec.origin):
        return None
    jar = Path(spec.origin).parent / "validators" / "odk_validate" / "bin" / "ODK_Validate.jar"
    subprocess.run(["javac", "-cp", str(jar), "-d", str(trial.work), str(HERE / "Driver.java")], check=True)
    return _driven("JavaRosa", ["java", "-cp", f"{jar}{os.pathsep}{trial.work}", "Driver"], trial)


def web_forms(trial: Trial) -> Figures | None:
    """ODK Web Forms' engine; None without `node` and the packages of package.json."""
    if not (shutil.which("node") and (HERE / "node_modules" / "@getodk" / "xforms-engine").exists()):
        return None
    return _driven("xforms-engine", ["node", str(HERE / "driver.mjs")], trial)


def _driven(name: str, command: list[str], trial: Trial) -> Figures:
    """Runs a driver in a process of its own and reads the lines it prints."""
    run, work = trial.run, trial.work
    (work / "form.xml").write_text(run.xform, encoding="utf-8")
    lines = [f"repeat\t{ref}\t{n}" for ref, n in run.repeats.items()]
    lines += [f"answer\t{i}\t{ref}\t{value}" for i, steps in enumerate(run.passes) for ref, value in steps]
    (work / "run.tsv").write_text("\n".join(lines), encoding="utf-8")
    command = [*command, str(work / "form.xml"), str(work / "run.tsv"), str(trial.rounds)]
    printed = work / "printed.tsv"
    with printed.open("wb") as out:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=out)
        late = threading.Timer(trial.patience, process.kill)
        late.start()
        _pid, status, usage = os.wait4(process.pid, 0)  # the peak memory of this child alone
        late.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    stopped = process.returncode == -signal.SIGKILL and time.monotonic() - start >= trial.patience
    if process.returncode and not stopped:
        raise subprocess.CalledProcessError(process.returncode, command)
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    figures = Figures(name, rounds=trial.rounds, peak=peak, stopped=stopped)
    lines = printed.read_text(encoding="utf-8").split("\n")
    for line in lines[:-1]:  # a last line without its end was cut off
        _take(figures, *line.partition("\t")[::2])
    return figures


def _take(figures: Figures, kind: str, rest: str) -> None:
    """One line of a driver."""
    if kind in TIMES:
        getattr(figures, kind).append(int(rest))
    elif kind in {"filter", "offer"}:
        nanoseconds, ref, _size = rest.split("\t")
        getattr(figures, kind).setdefault(ref, []).append(int(nanoseconds))
    elif kind == "memory":
        figures.memory = int(rest)
    elif kind == "instance":
        figures.leaves = leaves(re.sub(r"^<\?xml[^>]*\?>", "", rest))
    elif kind == "leaves":
        figures.leaves = [(path, value) for path, value in json.loads(rest)]
