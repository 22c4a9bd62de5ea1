"""What the protector works on: cells that hold counts, how they add up, and which of them may not be shown.

Tables that share cells (linked tables) make one system: the shared cell is one number in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from fieldsurvey.needs.protect.cube import Bools, Cube, Dimension, Ints

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Whole:
    """All of a small group are alike: `cell` equals the group's `total`, the others in its line are `zeros`."""

    cell: int
    zeros: Ints


@dataclass(frozen=True)
class System:
    """`sums` is (equations × cells): +1 for a total, −1 for each of its parts; changes keep `sums @ change == 0`.

    `hidden` cells are never published and ask for no protection (they stand for differences between linked tables).
    `fixed` cells are always published. `cost` is what suppressing a cell costs a reader.
    """

    values: Ints
    sums: sparse.csr_matrix
    primary: Bools
    hidden: Bools
    fixed: Bools
    cost: Floats
    wholes: tuple[Whole, ...]
    near: Callable[[int], Ints] | None = None
    """Cells around a cell (ascending), where moves for it are looked for first; None looks everywhere."""
    cheap_is_near: bool = True
    """Whether the cheapest move is looked for there first too, not only proofs."""

    @property
    def size(self) -> int:
        """Number of cells."""
        return int(self.values.size)


def cube_system(
    cube: Cube, *, k: int, k_base: int, traits: Sequence[str] | None = None, known: Bools | None = None
) -> System:
    """The system of one table. A cell is primary when its count is 1 to k − 1, or it was marked; `known` cells (in the
    table's shape) are published elsewhere already.

    `traits`: names of the dimensions (by their last column) that say something about people; all of a group of fewer
    than `k_base` in one category of a trait may not be shown. None takes every dimension that is not a hierarchy.
    """
    values = cube.values.ravel()
    primary = ((values >= 1) & (values < k)) | cube.marked.ravel()
    wholes = tuple(
        whole
        for axis, dimension in enumerate(cube.dimensions)
        if (len(dimension.columns) == 1 if traits is None else dimension.columns[-1] in traits)
        for whole in _wholes(cube, axis, k_base)
    )
    nothing = np.zeros(values.shape, dtype=np.bool_)
    fixed = nothing.copy() if known is None else known.ravel()
    return System(values, _sums(cube), primary, nothing, fixed, _cost(cube), wholes, near_in(cube))


def near_in(cube: Cube) -> Callable[[int], Ints]:
    """The cells whose nodes lie in the families of a cell's nodes: its parts, its siblings and their totals."""
    axes = range(cube.values.ndim)
    families = [
        _family_members(dimension, cube.values.sum(axis=tuple(a for a in axes if a != axis)))
        for axis, dimension in enumerate(cube.dimensions)
    ]
    cells = np.arange(cube.values.size).reshape(cube.shape)

    def near(cell: int) -> Ints:
        nodes = np.unravel_index(cell, cube.shape)
        chosen = [members[int(node)] for members, node in zip(families, nodes, strict=True)]
        found: Ints = cells[np.ix_(*chosen)].ravel()
        return found

    return near


def _family_members(dimension: Dimension, weight: Ints) -> list[Ints]:
    """For each node: the totals above it, its siblings, and below each of them the heaviest way to the finest level."""
    children = dict(dimension.families)
    none = np.array([], dtype=np.int64)
    members: list[Ints] = []
    for node in dimension.nodes:
        here = dimension.index[node]
        wanted = {dimension.index[node[:length]] for length in range(len(node))} | {here}
        siblings = children[dimension.index[node[:-1]]] if node else none
        wanted |= set(children.get(here, none).tolist())
        for start in siblings.tolist():
            below = start
            wanted.add(below)
            while below in children:
                below = int(children[below][np.argmax(weight[children[below]])])
                wanted.add(below)
        if not node and here in children:
            for start in children[here].tolist():
                wanted |= set(children.get(start, none)[:1].tolist())
        members.append(np.array(sorted(wanted), dtype=np.int64))
    return members


def _sums(cube: Cube) -> sparse.csr_matrix:
    cells = np.arange(cube.values.size).reshape(cube.shape)
    rows: list[Ints] = []
    columns: list[Ints] = []
    signs: list[Ints] = []
    equations = 0
    for axis, dimension in enumerate(cube.dimensions):
        along = np.moveaxis(cells, axis, 0).reshape(cube.shape[axis], -1)
        width = along.shape[1]
        for parent, children in dimension.families:
            numbers = np.arange(equations, equations + width)
            rows += [numbers, np.tile(numbers, len(children))]
            columns += [along[parent], along[children].ravel()]
            signs += [np.ones(width, dtype=np.int64), -np.ones(width * len(children), dtype=np.int64)]
            equations += width
    entries = (np.concatenate(signs), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_matrix(entries, shape=(equations, cells.size))


def _cost(cube: Cube) -> Floats:
    """One for a cell, a little more for a larger count, eight times more for each level of totals above it.

    The last term breaks ties the same way on every machine.
    """
    cost = 1.0 + np.log10(1.0 + cube.values.astype(np.float64))
    for axis, dimension in enumerate(cube.dimensions):
        shape = [1] * cube.values.ndim
        shape[axis] = -1
        cost = cost * np.power(8.0, dimension.depth).reshape(shape)
    flat: Floats = cost.ravel()
    return flat * (1.0 + 1e-4 * (np.arange(flat.size) * 0.6180339887498949 % 1.0))


def _wholes(cube: Cube, axis: int, k_base: int) -> list[Whole]:
    cells = np.moveaxis(np.arange(cube.values.size).reshape(cube.shape), axis, 0).reshape(cube.shape[axis], -1)
    values = cube.values.ravel()[cells]
    found: list[Whole] = []
    for parent, children in cube.dimensions[axis].families:
        if len(children) < 2:
            continue  # a single category says nothing about anybody
        total = values[parent]
        small = (total >= 1) & (total < k_base)
        alone = small & ((values[children] > 0).sum(axis=0) == 1)
        for line in np.flatnonzero(alone):
            full = values[children, line] > 0
            found.append(Whole(int(cells[children, line][full][0]), cells[children, line][~full]))
    return found
