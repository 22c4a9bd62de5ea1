"""Every table that a reader cannot rule out, by trying them all: the yardstick for tiny tables."""

from __future__ import annotations

from itertools import product

import polars as pl


def feasible_intervals(frame: pl.DataFrame, dimensions: list[str]) -> dict[int, tuple[int, int | None]]:
    """Row -> (least, most or None) of each suppressed cell of a table without hierarchies.

    `frame` holds every cell ("" = total), `count` null where suppressed. Tries every inner table. A cell that no
    published total covers is tried up to one more than all that is published together: whoever reaches that has no
    bound, because every bound is a published total or a difference of some.
    """
    keys = list(frame.select(dimensions).iter_rows())
    inner = [key for key in keys if all(key)]
    known: dict[tuple[str, ...], int | None] = dict(zip(keys, frame["count"].to_list(), strict=True))
    covers = {key: [i for i, cell in enumerate(inner) if _within(cell, key)] for key in keys}
    edge = 1 + sum(count or 0 for count in known.values())
    tops = [
        min([edge, *[n for key in keys if i in covers[key] and (n := known[key]) is not None]])
        for i in range(len(inner))
    ]
    ranges = [
        range(top + 1) if known[cell] is None else [known[cell] or 0] for cell, top in zip(inner, tops, strict=True)
    ]
    checks = [(covers[key], count) for key, count in known.items() if count is not None and not all(key)]
    low: dict[int, int] = {}
    high: dict[int, int] = {}
    hidden = [(row, covers[key]) for row, key in enumerate(keys) if known[key] is None]
    for table in product(*ranges):
        if all(sum(table[i] for i in parts) == count for parts, count in checks):
            for row, parts in hidden:
                value = sum(table[i] for i in parts)
                low[row] = min(low.get(row, value), value)
                high[row] = max(high.get(row, value), value)
    return {row: (low[row], high[row] if high[row] < edge else None) for row in low}


def _within(cell: tuple[str, ...], key: tuple[str, ...]) -> bool:
    return all(not wanted or wanted == got for wanted, got in zip(key, cell, strict=True))
