"""`python -m benchmarks engine … --plot FOLDER`: how time and memory grow with the form, as SVG pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import nan
from pathlib import Path

from benchmarks.engine.measure import Figures, median, p99

MARKS = {"fieldsurvey": "o-", "JavaRosa": "s--", "xforms-engine": "^:"}
PICTURES: dict[str, tuple[str, Callable[[Figures], float]]] = {
    "load": ("load, ms", lambda figures: median(figures.load)),
    "answer": ("answer, median ms", lambda figures: median(figures.answer)),
    "slowest": ("answer, 99th percentile, ms", lambda figures: p99(figures.answer)),
    "add": ("add an instance, ms", lambda figures: median(figures.add[-5:])),
    "filter": ("filter by other comparisons, ms", lambda figures: figures.first_and_then("/data/two")[1]),
    "validate": ("validate, ms", lambda figures: median(figures.validate)),
    "memory": ("form and interview, MB", lambda figures: figures.memory / 1e6),
}


def plot(measured: Iterable[tuple[str, Figures]], folder: Path) -> list[Path]:
    """One picture a family of shapes (wide, roster, choices) and figure; logarithmic both ways."""
    import matplotlib as mpl  # only for pictures

    mpl.use("svg")
    from matplotlib import pyplot as plt  # takes the kind of picture that was chosen before

    families: dict[str, dict[str, list[tuple[int, Figures]]]] = {}
    for name, figures in measured:
        found = re.fullmatch(r"([a-z]+)(\d+)", name)
        if found:
            families.setdefault(found[1], {}).setdefault(figures.engine, []).append((int(found[2]), figures))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for family, engines in families.items():
        some = next(iter(engines.values()))[0][1]
        left_out = {"add"} if not some.add else set()
        left_out |= {"filter"} if "/data/two" not in some.filter else set()
        for what, (title, value) in PICTURES.items():
            if what in left_out:
                continue
            figure, axes = plt.subplots(figsize=(5, 3.4))
            for engine, points in engines.items():
                if what == "filter" and not points[0][1].filter:
                    continue  # works its lists out with the answer
                points.sort(key=lambda point: point[0])
                axes.plot([n for n, _ in points], [value(f) or nan for _, f in points], MARKS[engine], label=engine)
            axes.set(xscale="log", yscale="log", xlabel=f"{family}: size", ylabel=title)
            sizes = sorted({n for points in engines.values() for n, _ in points})
            axes.set_xticks(sizes, labels=[f"{n:,}" for n in sizes])
            axes.minorticks_off()
            axes.legend(frameon=False)
            figure.tight_layout()
            written.append(folder / f"{family}-{what}.svg")
            figure.savefig(written[-1], metadata={"Date": None})
            plt.close(figure)
    return written
