"""`python -m benchmarks engine [SHAPE …]`: ours beside JavaRosa and ODK Web Forms, on the same forms and answers."""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.engine import budgets
from benchmarks.engine.measure import Figures, Trial, javarosa, median, ours, p99, web_forms
from benchmarks.engine.plot import plot
from benchmarks.engine.shapes import RUNS

ENGINES = ("fieldsurvey", "JavaRosa", "xforms-engine")
HEAD = (
    "| form | engine | cold ms | load ms | answer median / p99 ms | add last ms | filter first / then ms | validate ms "
    "| form MB | peak MB | instance |\n" + "|---" * 11 + "|"
)
NOTES = """\
Ours and JavaRosa: CPU time of the thread that works (ours with its garbage collections, JavaRosa without). \
xforms-engine: CPU time of its process for cold and load, else time that passed. cold: CPU time of the whole process \
until the first question. filter: the nodes of the choices; ours without labels, which are made when a question is \
shown; – for xforms-engine, which works its lists out with the answer. form: what form and \
interview hold; peak: of the process. instance: the final instance, leaf by leaf, beside ours."""


def main(words: list[str]) -> str:
    """Markdown: the budgets, then every figure, one line an engine and form."""
    options = _options().parse_args(words)
    measured: dict[tuple[str, str], Figures] = {}
    lines: list[str] = []
    for name in options.shapes or list(RUNS):
        run = RUNS[name]()
        rounds = options.rounds or (5 if len(run.xform) < 400_000 else 3)
        with tempfile.TemporaryDirectory() as work:
            trial = Trial(run, rounds, Path(work), options.patience)
            mine = ours(trial)
            peers = []
            if not options.alone:
                peers = [javarosa(replace(trial, rounds=1) if len(run.xform) > 300_000 else trial)]
                peers.append(web_forms(replace(trial, rounds=1)))
        for figures in (mine, *peers):
            if figures is not None:
                measured[name, figures.engine] = figures
                same = "" if figures is mine else "equal" if figures.leaves == mine.leaves else "DIFFERENT"
                same = f"stopped after {options.patience:.0f} s" if figures.stopped else same
                lines.append(_line(name, figures, same))
                print(lines[-1], file=sys.stderr, flush=True)  # all of it takes a quarter of an hour
    report = [*budgets.table(measured, ENGINES[:1] if options.alone else ENGINES), "", HEAD, *lines, "", NOTES]
    if options.plot is not None:
        pictures = plot([(name, figures) for (name, _engine), figures in measured.items()], options.plot)
        report += ["", *(f"![{path.stem}]({path.name})" for path in pictures)]
    return "\n".join(report)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks engine",
        description="Generated forms and the same answers, driven through this project's engine, JavaRosa (needs java, "
        "javac and pyxform) and ODK Web Forms' engine (needs node; `npm ci` in benchmarks/engine first). "
        "Peers that are not there are left out. Prints Markdown.",
    )
    parser.add_argument("shapes", nargs="*", choices=[*RUNS, []], metavar="SHAPE", help=f"of {', '.join(RUNS)}; all")
    parser.add_argument("--alone", action="store_true", help="ours only")
    parser.add_argument("--rounds", type=int, default=0, help="how often each form is loaded and answered (3 to 5)")
    parser.add_argument("--patience", type=float, default=300, metavar="SECONDS", help="for one engine and shape (300)")
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="draw growth with size as SVG pictures")
    return parser


def _line(name: str, f: Figures, same: str) -> str:
    filters = []
    for ref in f.filter:
        first, then = f.first_and_then(ref)
        filters.append(f"{ref.rpartition('/')[2]} {first:.3g} / {then:.3g}")
    added = f"{median(f.add[-5:]):.3f}" if f.add else "–"
    return (
        f"| {name} | {f.engine} | {median(f.cold):.0f} | {median(f.load):.1f} "
        f"| {median(f.answer):.4f} / {p99(f.answer):.3f} | {added} | {', '.join(filters) or '–'} "
        f"| {median(f.validate):.3f} | {f.memory / 1e6:.1f} | {f.peak / 1e6:.0f} | {same} |"
    )
