"""Every table that a reader cannot rule out, by trying them all: the yardstick for tiny tables."""

from __future__ import annotations

from itertools import product

import polars as pl


def feasible_intervals(frame: pl.DataFrame, dimensions: list[str], most: int) -> dict[int, tuple[int, int]]:
    """Row -> (least, most) of each suppressed cell of a table without hierarchies, with inner counts up to `most`.

    `frame` holds every cell ("" = total), `count` null where suppressed. Enumerates all inner tables.
    """
    keys = list(frame.select(dimensions).iter_rows())
    inner = [key for key in keys if all(key)]
    counts = frame["count"].to_list()
    known = dict(zip(keys, counts, strict=True))
    covers = {key: [i for i, cell in enumerate(inner) if _within(cell, key)] for key in keys}
    ranges = [range(most + 1) if known[cell] is None else [known[cell]] for cell in inner]
    low: dict[int, int] = {}
    high: dict[int, int] = {}
    for table in product(*ranges):
        sums = {key: sum(table[i] for i in covers[key]) for key in keys}
        if all(known[key] is None or known[key] == sums[key] for key in keys):
            for row, key in enumerate(keys):
                if known[key] is None:
                    low[row] = min(low.get(row, sums[key]), sums[key])
                    high[row] = max(high.get(row, sums[key]), sums[key])
    return {row: (low[row], high[row]) for row in low}


def _within(cell: tuple[str, ...], key: tuple[str, ...]) -> bool:
    return all(not wanted or wanted == got for wanted, got in zip(key, cell, strict=True))
