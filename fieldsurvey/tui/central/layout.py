"""Columns of text that fit a width. No widgets."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

GAP = "  "
LEAST = 8
NAME = 24
"""Cells that a name may take before another column goes for it."""


def tail(text: str, width: int) -> str:
    """The end of `text`, `width` cells at most: of a path it says more than the beginning."""
    while cell_len(text) > width:
        text = "…" + text[2:] if text.startswith("…") else "…" + text[1:]
    return text


def columns(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    flexible: int = 0,
    expendable: Sequence[int] = (),
) -> list[str]:
    """A line for the head and one for each row, each `width` cells or less where that is possible.

    The column `flexible` takes the room that the others leave, and is cut with "…". Where it would be cut below NAME
    cells, the `expendable` columns are left out, one after the other; without them it has at least LEAST cells.
    """
    table = [head, *rows]
    wide = {at: max(cell_len(row[at]) for row in table) for at in range(len(head))}
    gone = list(expendable)
    kept = max(min(wide[flexible], NAME), LEAST)
    while gone and sum(wide.values()) - wide[flexible] + kept + len(GAP) * (len(wide) - 1) > width:
        del wide[gone.pop(0)]
    others = sum(size for at, size in wide.items() if at != flexible) + len(GAP) * (len(wide) - 1)
    wide[flexible] = max(min(wide[flexible], width - others), LEAST)
    return [GAP.join(_cell(row[at], size) for at, size in wide.items()).rstrip() for row in table]


def _cell(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"
