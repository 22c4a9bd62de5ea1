"""Tables that share people: one system of sums for the protector.

A layer is a count by place and group. Layers hang together: those who said so and those who did not make up those who
were asked; who named one problem of a sector named the sector; nobody was asked who was not interviewed. What a
reader could conclude through such a link, the protector takes into account.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from fieldsurvey.needs.counts import GROUPS
from fieldsurvey.needs.places import Places
from fieldsurvey.needs.protect.cube import Bools, Ints
from fieldsurvey.needs.protect.suppression import Progress, suppress
from fieldsurvey.needs.protect.system import Floats, System

_TOTAL_COST = 8.0  # for each level of totals that is suppressed


@dataclass
class _Layer:
    start: int
    values: Ints
    primary: Bools
    fixed: Bools
    hidden: Bools
    cost: float
    place: Ints
    """The place of each cell, flat: the number of its node."""


@dataclass
class LinkedTables:
    """Layers over the same places and groups, and their links. Shapes are (places, groups)."""

    places: Places
    layers: dict[str, _Layer] = field(default_factory=dict)
    _size: int = 0
    _equations: list[tuple[Ints, list[Ints]]] = field(default_factory=list)

    def add(
        self,
        name: str,
        values: Ints,
        primary: Bools,
        *,
        cost: float = 1.0,
        unseen: Bools | None = None,
    ) -> None:
        """A layer with its sums over places and groups. `unseen` cells are in no table: nothing to protect."""
        hidden = np.zeros_like(primary) if unseen is None else unseen
        self._add(name, _Layer(self._size, values, primary & ~hidden, np.zeros_like(hidden), hidden, cost, self._place))

    def add_decided(self, name: str, values: Ints, published: Bools) -> None:
        """A layer that is decided already: `published` cells stay so, the others are somebody else's to prove."""
        self._add(name, _Layer(self._size, values, np.zeros_like(published), published, ~published, 1.0, self._place))

    def _add(self, name: str, layer: _Layer) -> None:
        values = layer.values
        self.layers[name] = layer
        self._size += values.size
        cells = self._cells(layer)
        index = {node: i for i, node in enumerate(self.places.nodes)}
        for total, parts in self.places.families:
            self._equations.append((cells[index[total]], [cells[index[part]] for part in parts]))
        self._equations.append((cells[:, 0], [cells[:, g] for g in range(1, len(GROUPS))]))

    def split(self, total: str, parts: Sequence[str]) -> None:
        """`total` is the sum of `parts`, everywhere."""
        self._equations.append((self._leaves(total), [self._leaves(part) for part in parts]))

    def at_most(self, parts: Sequence[str], bound: str, *, together: bool = False) -> None:
        """Each of `parts` is at most `bound`; or (`together`) `bound` is at most the sum of `parts`. At every leaf."""
        if together:
            total = np.sum([self._leaf_values(part) for part in parts], axis=0)
            slack = self._hidden(total - self._leaf_values(bound))
            self._equations.append((self._sum_of(parts), [self._leaves(bound), slack]))
            return
        for part in parts:
            slack = self._hidden(self._leaf_values(bound) - self._leaf_values(part))
            self._equations.append((self._leaves(bound), [self._leaves(part), slack]))

    def within_known(self, part: str, bound: str, places: Places, values: Ints, shown: Bools) -> None:
        """`part` and what is known of another table (`values` where `shown`, by `places`) are at most `bound`."""
        theirs = [(place, g) for place in range(len(places.nodes)) for g in range(len(GROUPS)) if shown[place, g]]
        common = [(p, g) for p, g in theirs if places.nodes[p] in self.places.nodes]
        there = np.array(common, dtype=np.int64).reshape(-1, 2)
        here = np.array([self.places.nodes.index(places.nodes[p]) for p, _ in common], dtype=np.int64)
        at = (here, there[:, 1])
        mine, whole = self.layers[part], self.layers[bound]
        # What is known does not change with the answers that a reader tries: only the room it leaves counts.
        slack = self._hidden(whole.values[at] - mine.values[at] - values[there[:, 0], there[:, 1]], here)
        self._equations.append((self._cells(whole)[at], [self._cells(mine)[at], slack]))

    def published(self, k: int, *, progress: Progress | None = None) -> dict[str, Bools]:
        """What may be published of each layer, so that no suppressed cell can be worked out to within `k`.

        Raises UnprotectableError when what was decided before leaves no way: then collapse first.
        """
        system = self._system()
        pattern = suppress(system, k, progress=progress)
        shown = ~(pattern.suppressed | system.hidden)
        return {name: shown[self._cells(layer)] for name, layer in self.layers.items()}

    # -- parts ---------------------------------------------------------------------------------------------------

    def _cells(self, layer: _Layer) -> Ints:
        return layer.start + np.arange(layer.values.size).reshape(layer.values.shape)

    @property
    def _leaf(self) -> tuple[Ints, slice]:
        index = {node: i for i, node in enumerate(self.places.nodes)}
        return np.array([index[area.code] for area in self.places.areas], dtype=np.int64), slice(1, None)

    def _leaves(self, name: str) -> Ints:
        places, groups = self._leaf
        found: Ints = self._cells(self.layers[name])[places, groups].ravel()
        return found

    def _leaf_values(self, name: str) -> Ints:
        places, groups = self._leaf
        found: Ints = self.layers[name].values[places, groups].ravel()
        return found

    @property
    def _place(self) -> Ints:
        return np.repeat(np.arange(len(self.places.nodes)), len(GROUPS))

    @property
    def _leaf_place(self) -> Ints:
        return np.repeat(self._leaf[0], len(GROUPS) - 1)

    def _hidden(self, difference: Ints, place: Ints | None = None) -> Ints:
        """Cells of their own for a difference between layers: never published, nothing to protect."""
        values = difference
        assert (values >= 0).all(), "a part was counted that is not in the whole"
        layer = _Layer(
            self._size,
            values.reshape(-1, 1),
            np.zeros((values.size, 1), dtype=np.bool_),
            np.zeros((values.size, 1), dtype=np.bool_),
            np.ones((values.size, 1), dtype=np.bool_),
            1.0,
            self._leaf_place if place is None else place,
        )
        self.layers[f"\0{self._size}"] = layer
        self._size += values.size
        return self._cells(layer).ravel()

    def _sum_of(self, names: Sequence[str]) -> Ints:
        """Cells for the sum of layers, leaf by leaf (the layer itself when it is one)."""
        if len(names) == 1:
            return self._leaves(names[0])
        cells = self._hidden(np.sum([self._leaf_values(name) for name in names], axis=0))
        self._equations.append((cells, [self._leaves(name) for name in names]))
        return cells

    def _system(self) -> System:
        rows, columns, signs = [], [], []
        height = 0
        for total, parts in self._equations:
            numbers = np.arange(height, height + total.size)
            height += total.size
            rows += [numbers] * (1 + len(parts))
            columns += [total, *parts]
            signs += [np.ones(total.size), *[-np.ones(total.size) for _ in parts]]
        entries = (np.concatenate(signs), (np.concatenate(rows), np.concatenate(columns)))
        layers = list(self.layers.values())
        return System(
            values=np.concatenate([layer.values.ravel() for layer in layers]),
            sums=sparse.csr_matrix(entries, shape=(height, self._size)),
            primary=np.concatenate([layer.primary.ravel() for layer in layers]),
            hidden=np.concatenate([layer.hidden.ravel() for layer in layers]),
            fixed=np.concatenate([layer.fixed.ravel() for layer in layers]),
            cost=self._costs(layers),
            wholes=(),
            near=self._near(),
            cheap_is_near=False,
        )

    def _costs(self, layers: list[_Layer]) -> Floats:
        depth = {"province": 2, "canton": 1, "joined": 0, "parish": 0}
        above = np.array([depth[self.places.level(node)] for node in self.places.nodes])
        costs = []
        for layer in layers:
            cost = layer.cost * (1 + np.log10(1.0 + layer.values))
            if layer.values.shape[1] == len(GROUPS):
                cost = cost * np.power(_TOTAL_COST, above)[:, None]
                cost[:, 0] *= _TOTAL_COST
            costs.append(cost.ravel())
        flat = np.concatenate(costs)
        return np.asarray(flat * (1.0 + 1e-4 * (np.arange(flat.size) * 0.6180339887498949 % 1.0)))

    def _near(self) -> Callable[[int], Ints]:
        """For a cell of an area: all cells of its canton, of the areas in it, and of the province. Else everything."""
        place = np.concatenate([layer.place for layer in self.layers.values()])
        nodes = self.places.nodes
        around: dict[int, Bools] = {}
        for total, parts in self.places.families[1:]:
            wanted = np.isin(place, [0, nodes.index(total), *(nodes.index(part) for part in parts)])
            around |= {nodes.index(part): wanted for part in parts}
        everything = np.ones(place.size, dtype=np.bool_)

        def near(cell: int) -> Ints:
            found: Ints = np.flatnonzero(around.get(int(place[cell]), everything))
            return found

        return near
