"""`python -m benchmarks engine [SHAPE …]`: ours beside JavaRosa and ODK Web Forms, on the same forms and answers."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.engine.measure import Figures, javarosa, median, ours, p99, web_forms
from benchmarks.engine.plot import plot
from benchmarks.engine.shapes import RUNS

HEAD = (
    "| form | engine | load ms | answer median / p99 ms | add last ms | filter ms | validate ms | instance |\n"
    + "|---" * 8
    + "|"
)


def main(words: list[str]) -> str:
    """A Markdown table, one line an engine and form; `--plot FOLDER` draws growth as well."""
    folder = Path(words[words.index("--plot") + 1]) if "--plot" in words[:-1] else None
    names = [word for word in words if word in RUNS]
    lines = [HEAD]
    measured: list[tuple[str, Figures]] = []
    for name in names or list(RUNS):
        run = RUNS[name]()
        rounds = 5 if len(run.xform) < 500_000 else 3
        mine = ours(run, rounds)
        with tempfile.TemporaryDirectory() as work:
            peers = [javarosa(run, rounds, Path(work)), web_forms(run, 1, Path(work))]
        measured += [(name, figures) for figures in (mine, *peers) if figures is not None]
        lines.append(_line(name, mine, ""))
        lines += [_line(name, p, "equal" if p.leaves == mine.leaves else "DIFFERENT") for p in peers if p is not None]
    if folder is not None:
        lines += ["", *(f"![{path.stem}]({path.name})" for path in plot(measured, folder))]
    return "\n".join(lines)


def _line(name: str, f: Figures, same: str) -> str:
    filters = ", ".join(f"{ref.rpartition('/')[2]} {median(ns):.3f}" for ref, ns in f.filter.items())
    added = f"{median(f.add[-5:]):.3f}" if f.add else "–"
    return (
        f"| {name} | {f.engine} | {median(f.load):.1f} | {median(f.answer):.4f} / {p99(f.answer):.3f} | {added} "
        f"| {filters or '–'} | {median(f.validate):.3f} | {same} |"
    )
