"""The charts: from what may be shown to SVG. They get texts and shares that are ready, and count nothing.

Colour never stands alone: groups differ by stripes and name, shares are written in their cells. The same input gives
the same bytes. Lengths are inches; a chart is as wide as the text of an A4 page.

Stripes are lines, each cut to what it fills. An SVG pattern would say the same in less, but a browser that prints to
PDF makes a picture of every use of one (Chromium: 165 kB each).
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from fieldsurvey.needs.report.svg import tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH: Final = 7.0
INK: Final = "#1d2430"
SOFT: Final = "#4f5866"
LINE: Final = "#c9ced6"
PAPER: Final = "#ffffff"
STRIPE: Final = "#9aa2ae"
_APART: Final = 0.045  # from stripe to stripe, along the x axis


@dataclass(frozen=True, slots=True)
class Look:
    """How a group's bars are drawn."""

    fill: str
    edge: str
    striped: bool = False


LOOKS: Final = {
    "": Look("#5b6472", "#5b6472"),
    "host": Look("#1f4e79", "#1f4e79"),
    "mobility": Look("#f6dcb8", "#8a4b08", striped=True),
}
# Five classes of a share, light to dark, and the colour of the number on each.
CLASSES: Final = ((0, "#f1f5f4"), (20, "#cfe3e0"), (40, "#93c4be"), (60, "#2a7069"), (80, "#0c3f3b"))


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar `length` long on a track `whole` long; `text` stands beside it, `note` under `text`."""

    label: str
    length: float
    whole: float
    text: str
    note: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Square:
    """A cell of the heatmap: a share, or a mark. `status` is one of the four of a table."""

    text: str
    share: float | None = None
    hatched: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the heatmap; `strong` rows are whole cantons or the province."""

    label: str
    n: str
    squares: tuple[Square, ...]
    strong: bool = False


def ink_on(background: str) -> str:
    """White or dark, whichever is read on `background`."""
    return PAPER if background in {CLASSES[3][1], CLASSES[4][1]} else INK


def class_of(share: float) -> str:
    """The colour of a share; the class of the whole number that stands in the cell."""
    return next(colour for start, colour in reversed(CLASSES) if int(share + 0.5) >= start)


def bars(rows: Sequence[Sequence[Bar]], *, name: str, title: str, description: str, axis: str) -> str:
    """Horizontal bars; each row is one bar, or a pair that shares a label."""
    label, track, step, top = 2.25, 2.55, 0.245, 0.08
    gap = 0.085 if max(map(len, rows), default=1) == 1 else 0.1
    heights = [len(row) * step + gap for row in rows]
    height = sum(heights) + top + 0.42
    longest = max((bar.whole for row in rows for bar in row), default=1.0) or 1.0
    with _canvas(height, name) as (axes, finish):
        y = top
        for row, tall in zip(rows, heights, strict=True):
            middle = y + len(row) * step / 2
            text = _wrapped(row[0].label, 30 if len(row) > 1 else 34)
            _text(axes, label - 0.12, middle, text, size=8.2, ha="right", weight="bold" if len(row) > 1 else "normal")
            for index, bar in enumerate(row):
                _bar(axes, bar, (label, y + index * step), step, track / longest)
            y += tall
        _axis(axes, (label, y + 0.02), track, longest, axis)
        return finish(title, description)


def _wrapped(text: str, wide: int) -> str:
    """In two lines at most."""
    lines = textwrap.wrap(text, wide)
    return "\n".join(
        [*lines[:1], textwrap.shorten(" ".join(lines[1:]), wide, placeholder=" …")] if lines[1:] else lines
    )


def _bar(axes: Axes, bar: Bar, at: tuple[float, float], step: float, scale: float) -> None:
    x, y = at
    look = LOOKS[bar.group]
    tall = step - 0.04
    _box(axes, x, y, bar.whole * scale, tall, fill="#f3f4f6", edge=LINE, width=0.5)
    _box(axes, x, y, bar.length * scale, tall, fill=look.fill, edge=look.edge, width=0.8)
    if look.striped:
        _stripes(axes, x, y, bar.length * scale, tall, colour=look.edge)
    right = x + 2.55 + 0.1
    _text(axes, right, y + tall / 2 - (0.065 if bar.note else 0), bar.text, size=8, weight="bold")
    if bar.note:
        _text(axes, right, y + tall / 2 + 0.065, bar.note, size=6.8, colour=SOFT)


def _axis(axes: Axes, corner: tuple[float, float], track: float, longest: float, title: str) -> None:
    x, y = corner
    for part in (0, 0.25, 0.5, 0.75, 1):
        at = x + part * track
        axes.plot([at, at], [0.04, y], color=LINE, linewidth=0.5, zorder=0, clip_on=False)
        _text(axes, at, y + 0.09, f"{longest * part:.0f}", size=7, colour=SOFT, ha="center")
    _text(axes, x + track / 2, y + 0.25, title, size=7, colour=SOFT, ha="center")


def heatmap(
    columns: Sequence[str],
    lines: Sequence[Line],
    *,
    name: str,
    title: str,
    description: str,
    n: str,
    legend: Sequence[tuple[str, str]],
) -> str:
    """Places by sectors. `legend`: ("hatch" or "", text) for each mark; the classes of shares come first."""
    label, count, tall, head = 1.85, 0.36, 0.25, 1.55
    wide = min(0.62, (WIDTH - label - count) / max(1, len(columns)))
    bottom = 0.3 + 0.19 * ((len(legend) + 1) // 2) + 0.1
    height = head + tall * len(lines) + 0.1 + bottom
    with _canvas(height, name) as (axes, finish):
        left = label + count
        _text(axes, label + count - 0.08, head - 0.08, n, size=7.5, colour=SOFT, ha="right")
        for index, column in enumerate(columns):
            wrapped = _wrapped(column, 27)
            at = left + (index + 0.5) * wide
            _text(axes, at, head - 0.06, wrapped, size=7.2, rotation=90, ha="center", va="bottom", spacing=1.05)
        for number, line in enumerate(lines):
            _line(axes, line, (left, head + number * tall), wide, tall)
        _legend(axes, legend, head + tall * len(lines) + 0.2)
        return finish(title, description)


def _line(axes: Axes, line: Line, at: tuple[float, float], wide: float, tall: float) -> None:
    left, y = at
    weight = "bold" if line.strong else "normal"
    if line.strong:
        right = left + wide * len(line.squares)
        axes.plot([0, right], [y, y], color=SOFT, linewidth=0.7, zorder=3, clip_on=False)
    text = textwrap.shorten(line.label, 36, placeholder="…")
    _text(axes, 0.02 if line.strong else 0.14, y + tall / 2, text, size=7.6, weight=weight)
    _text(axes, left - 0.08, y + tall / 2, line.n, size=7.2, colour=SOFT, ha="right")
    for index, square in enumerate(line.squares):
        x = left + index * wide
        fill = class_of(square.share) if square.share is not None else PAPER
        if square.hatched:
            _stripes(axes, x, y, wide, tall)
        _box(axes, x, y, wide, tall, fill="none" if square.hatched else fill, edge=PAPER, width=1.2)
        if square.text:
            plate = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.9} if square.hatched else None
            colour = ink_on(fill) if square.share is not None else INK
            size = 6.6 if square.hatched else 7.4
            _text(axes, x + wide / 2, y + tall / 2, square.text, size=size, colour=colour, ha="center", plate=plate)


def _legend(axes: Axes, legend: Sequence[tuple[str, str]], y: float) -> None:
    for index, (start, colour) in enumerate(CLASSES):
        x = 0.02 + index * 0.72
        _box(axes, x, y - 0.07, 0.16, 0.14, fill=colour, edge=LINE, width=0.5)
        end = f"{start + 19}" if start < 80 else "100"
        _text(axes, x + 0.21, y, f"{start}–{end}", size=7)
    for index, (mark, text) in enumerate(legend):
        x, at = 0.02 + (index % 2) * 3.4, y + 0.22 + (index // 2) * 0.19
        if mark == "hatch":
            _stripes(axes, x, at - 0.07, 0.16, 0.14)
            _box(axes, x, at - 0.07, 0.16, 0.14, fill="none", edge=STRIPE, width=0.5)
        _text(axes, x + (0.21 if mark == "hatch" else 0), at, text, size=7)


@contextmanager
def _canvas(height: float, name: str) -> Iterator[tuple[Axes, Callable[[str, str], str]]]:
    """Axes in inches from the top left, and a function that gives the SVG."""
    # Start-up: matplotlib costs a third of a second, and only a report needs it.
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()  # whatever a user's own matplotlibrc says
        mpl.rcParams.update(
            {
                "svg.fonttype": "none",
                "svg.hashsalt": name,
                "font.family": ["DejaVu Sans"],  # comes with matplotlib: the same measures everywhere
                "path.simplify": False,
            }
        )
        figure = Figure(figsize=(WIDTH, height), facecolor="none")
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(height, 0)

        def finish(title: str, description: str) -> str:
            out = io.StringIO()
            nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            figure.savefig(out, format="svg", metadata=nothing, facecolor="none")
            return tidy(out.getvalue(), name, title, description)

        yield axes, finish


def _box(axes: Axes, x: float, y: float, wide: float, tall: float, *, fill: str, edge: str, width: float = 1.0) -> None:
    from matplotlib.patches import Rectangle  # start-up: see _canvas

    axes.add_patch(
        Rectangle((x, y), wide, tall, facecolor=fill, edgecolor=edge, linewidth=width, zorder=2, clip_on=False)
    )


def _stripes(axes: Axes, x: float, y: float, wide: float, tall: float, *, colour: str = STRIPE) -> None:
    """Rising lines inside a box, as one path; in boxes that touch, they go on."""
    from matplotlib.patches import PathPatch  # start-up: see _canvas
    from matplotlib.path import Path

    ends: list[tuple[float, float]] = []
    for number in range(ceil((x + y) / _APART), ceil((x + y + wide + tall) / _APART)):
        both = number * _APART  # of x and y, all along the line
        ends += [(at, both - at) for at in (max(x, both - y - tall), min(x + wide, both - y))]
    if ends:
        path = Path(ends, [Path.MOVETO, Path.LINETO] * (len(ends) // 2))
        axes.add_patch(PathPatch(path, fill=False, edgecolor=colour, linewidth=0.6, zorder=2, clip_on=False))


def _text(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    *,
    size: float,
    colour: str = INK,
    ha: Any = "left",
    va: Any = "center",
    weight: str = "normal",
    rotation: float = 0,
    spacing: float = 1.15,
    plate: Any = None,
) -> None:
    axes.text(
        x,
        y,
        text,
        fontsize=size,
        color=colour,
        ha=ha,
        va=va,
        weight=weight,
        rotation=rotation,
        linespacing=spacing,
        bbox=plate,
        zorder=4,
        parse_math=False,
    )
