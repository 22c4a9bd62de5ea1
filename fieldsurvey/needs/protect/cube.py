"""A count table with every total: dimensions that may be hierarchies, cells, and how they add up.

A dimension is a chain of columns from coarse to fine (`canton`, `parish`); a node is a path in it: `()` is its
total, `("Otavalo",)` a canton, `("Otavalo", "Eugenio Espejo")` a parish. A cell is one node of each dimension.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from fieldsurvey.needs.protect.errors import TableError, TableTooLargeError

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Node = tuple[str, ...]
MAX_CELLS = 400_000
ROW = "\0row"  # a name that no column of a table has


@dataclass(frozen=True)
class Dimension:
    """A chain of columns, coarse to fine, and the nodes found in a table: total first, then in order of appearance."""

    columns: tuple[str, ...]
    nodes: tuple[Node, ...] = field(repr=False)

    @cached_property
    def index(self) -> dict[Node, int]:
        """Position of each node."""
        return {node: position for position, node in enumerate(self.nodes)}

    @cached_property
    def leaves(self) -> Ints:
        """Positions of the finest nodes."""
        deepest = len(self.columns)
        return np.array([i for i, node in enumerate(self.nodes) if len(node) == deepest], dtype=np.int64)

    @cached_property
    def families(self) -> tuple[tuple[int, Ints], ...]:
        """(parent, its children) for every node that has children."""
        children: dict[int, list[int]] = {}
        for position, node in enumerate(self.nodes):
            if node:
                children.setdefault(self.index[node[:-1]], []).append(position)
        return tuple((parent, np.array(of, dtype=np.int64)) for parent, of in children.items())

    @property
    def depth(self) -> Ints:
        """How far each node is from the finest level: 0 for a leaf."""
        return np.array([len(self.columns) - len(node) for node in self.nodes], dtype=np.int64)


@dataclass(frozen=True)
class Cube:
    """All cells of a count table. `values` and `marked` have one axis for each dimension."""

    dimensions: tuple[Dimension, ...]
    values: Ints
    marked: Bools  # cells the caller declared primary

    @property
    def shape(self) -> tuple[int, ...]:
        """Nodes in each dimension."""
        return self.values.shape

    def frame(self, **columns: npt.NDArray[np.generic] | list[object]) -> pl.DataFrame:
        """One row a cell, "" where a dimension is totalled, with extra `columns` in cell order."""
        grids = np.meshgrid(*[np.arange(n) for n in self.shape], indexing="ij")
        data: dict[str, pl.Series] = {}
        for dimension, grid in zip(self.dimensions, grids, strict=True):
            for level, name in enumerate(dimension.columns):
                names = np.array([n[level] if level < len(n) else "" for n in dimension.nodes], dtype=object)
                data[name] = pl.Series(name, names[grid.ravel()].tolist(), dtype=pl.String)
        for name, column in columns.items():
            data[name] = pl.Series(name, column)
        return pl.DataFrame(data)


def build_cube(frame: pl.DataFrame, dimensions: list[tuple[str, ...]]) -> Cube:
    """A cube from finest-level rows: string columns named in `dimensions`, `count` (integers ≥ 0), optional `primary`.

    Combinations that are not in `frame` count 0. Raises TableError (row numbers count from 1, the header being 1)
    and TableTooLargeError.
    """
    _check(frame, dimensions)
    made = tuple(_dimension(frame, columns) for columns in dimensions)
    cells = int(np.prod([len(d.nodes) for d in made], dtype=object))
    if cells > MAX_CELLS:
        raise TableTooLargeError(cells=cells, limit=MAX_CELLS)
    place = [np.array([d.index[row] for row in frame.select(d.columns).iter_rows()], dtype=np.int64) for d in made]
    values = np.zeros([len(d.nodes) for d in made], dtype=np.int64)
    marked = np.zeros(values.shape, dtype=np.bool_)
    values[tuple(place)] = frame["count"].to_numpy()
    if "primary" in frame.columns:
        marked[tuple(place)] = frame["primary"].to_numpy() == 1
    for axis, dimension in enumerate(made):
        moved = np.moveaxis(values, axis, 0)
        for parent, children in reversed(dimension.families):
            moved[parent] = moved[children].sum(axis=0)
    return Cube(made, values, marked)


def _dimension(frame: pl.DataFrame, columns: tuple[str, ...]) -> Dimension:
    found: dict[Node, None] = {(): None}
    for level in range(1, len(columns) + 1):
        for row in frame.select(columns[:level]).unique(maintain_order=True).iter_rows():
            found[tuple(row)] = None
    return Dimension(columns, tuple(found))


def _check(frame: pl.DataFrame, dimensions: list[tuple[str, ...]]) -> None:
    names = [name for columns in dimensions for name in columns]
    if not names:
        raise TableError(reason="it has no dimension column.")
    if frame.is_empty():
        raise TableError(reason="it has no rows.")
    bad = frame.with_row_index(ROW, offset=2).filter(
        pl.any_horizontal(*[pl.col(n).is_null() | (pl.col(n) == "") for n in names])
    )
    if not bad.is_empty():
        raise TableError(reason=f"row {bad[ROW][0]} has an empty dimension; totals are computed, leave them out.")
    bad = frame.with_row_index(ROW, offset=2).filter(pl.col("count").is_null() | (pl.col("count") < 0))
    if not bad.is_empty():
        raise TableError(reason=f"row {bad[ROW][0]} has no count, or one below zero.")
    doubled = frame.with_row_index(ROW, offset=2).filter(pl.struct(names).is_duplicated())
    if not doubled.is_empty():
        rows = ", ".join(str(row) for row in doubled[ROW].to_list()[:2])
        raise TableError(reason=f"rows {rows} are the same cell.")


def parse_hierarchy(text: str) -> tuple[str, ...]:
    """`canton>parish` → ("canton", "parish"). Raises TableError."""
    parts = tuple(part.strip() for part in text.split(">"))
    if not all(parts) or any(a == b for a, b in pairwise(parts)):
        raise TableError(reason=f"`{text}` is not a hierarchy; write it coarse to fine, as in canton>parish.")
    return parts
