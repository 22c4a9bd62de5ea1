"""Moves: the other tables that a reader cannot tell from the true one.

A move is a vector of whole numbers that keeps every sum, is zero on every published cell, and leaves no count below
zero when added to the true table. If a suppressed cell has one move that takes it up by u and one that takes it down
by l, its feasible interval is at least [count − l, count + u]. So moves prove protection; no bound is ever assumed.

The cheapest move is found by linear programming (the heuristic of Kelly, Golden and Assad 1992, stated for any system
of sums as in Fischetti and Salazar 2003), reweighted so that few cells carry it (Candès, Wakin and Boyd 2008); where
a vertex is not whole, by integer programming over the same cells. Every move is checked in whole numbers before use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse.csgraph import connected_components

from fieldsurvey.needs.protect.cube import Bools, Ints
from fieldsurvey.needs.protect.system import Floats, System

_ROUNDS = 3
_OPEN_COST = 1e-3  # moving what is suppressed already: enough to keep moves small, too little to matter
_NODES = 200  # branch-and-bound limit; what it misses only costs a few more suppressed cells
_GAP = 0.05  # near enough: less than one of the few that a move is to shift
_LARGE = 400  # and from this many on, an answer that is not whole is not worth the search for one that is
_SMALL = 60  # open cells that hang together: up to this many are looked at all at once


@dataclass(frozen=True, slots=True)
class Move:
    """Cells that change and by how much; the same cells in ascending order, no zeros."""

    cells: Ints
    change: Ints

    def at(self, cell: int) -> int:
        """Change of one cell."""
        place = int(np.searchsorted(self.cells, cell))
        return int(self.change[place]) if place < self.cells.size and self.cells[place] == cell else 0

    def negative_allowed(self, values: Ints) -> bool:
        """Whether the opposite move also leaves no count below zero."""
        return bool((values[self.cells] - self.change >= 0).all())

    def opposite(self) -> Move:
        """The same with every sign turned."""
        return Move(self.cells, -self.change)


def _least(price: Floats, matrix: sparse.csc_matrix, right: Floats, upper: Floats) -> Floats | None:
    """The cheapest x with `matrix` x = `right` and 0 ≤ x ≤ `upper`, a vertex; None where there is none.

    Without presolve, which costs these small programs more than it saves; what cannot change is left out instead.
    """
    free = upper > 0
    found = linprog(
        price[free],
        A_eq=matrix[:, free],
        b_eq=right,
        bounds=np.column_stack([np.zeros(int(free.sum())), upper[free]]),
        method="highs-ds",
        options={"presolve": False},
    )
    if found.x is None:
        return None
    values = np.zeros(price.size)
    values[free] = found.x
    return values


class MoveFinder:
    """Looks for moves in one system while the set of suppressed cells grows and shrinks."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._columns = sparse.csc_matrix(system.sums, dtype=np.float64)
        self._all = np.flatnonzero(~system.fixed)
        self._known: tuple[bytes, Ints] | None = None

    def furthest(self, cell: int, limit: int, suppressed: Bools, *, up: bool) -> Move | None:
        """The move over suppressed and hidden cells that takes `cell` furthest up or down, at most by `limit`."""
        target = np.array([cell])
        need = limit if up else -limit
        whole = self._component(cell, suppressed)
        if whole.size < 2 and self._columns[:, cell].nnz:
            return None
        if self._system.near is not None and whole.size > _SMALL:
            near = np.intersect1d(whole, self._system.near(cell), assume_unique=True)
            move = self._solve(near, np.full(near.size, _OPEN_COST / near.size), target, need, exactly=False)
            if move is not None and move.at(cell) == need:
                return move
        cost = np.full(whole.size, _OPEN_COST / whole.size)
        return self._solve(whole, cost, target, need, exactly=False, whole_only=whole.size > _LARGE)

    def spread(self, targets: Ints, signs: Ints, limit: int, suppressed: Bools) -> Move | None:
        """One move over suppressed and hidden cells that takes many `targets` far at once, each towards its sign and by
        at most `limit`; None where the best of them is not whole.
        """
        cells = np.flatnonzero(suppressed | self._system.hidden)
        sign = np.zeros(self._system.size, dtype=np.int64)
        sign[targets] = signs
        sign = sign[cells]
        room = self._system.values[cells].astype(np.float64)
        capped = sign != 0
        tiny = _OPEN_COST / (1 + cells.size)
        price = np.concatenate([tiny - sign, tiny + sign])
        matrix = self._ups_and_downs(cells)
        right = np.zeros(matrix.shape[0])
        for times in (1, 2):  # what is not whole nearly always comes in halves: half as far in half the room, twice
            share, far = np.floor(room / times), np.ceil(limit / times)
            upper = np.concatenate([np.where(capped, far, np.inf), np.where(capped, np.minimum(share, far), share)])
            found = _least(price, matrix, right, upper)
            move = None if found is None else self._whole(cells, found * times)
            if move is not None:
                return move
        return None

    def cheapest(self, target: Ints, need: int, suppressed: Bools) -> Move | None:
        """The move that changes the sum of `target` by `need` and asks for the least more to be suppressed."""
        if self._system.near is not None and self._system.cheap_is_near and target.size == 1:
            near = self._system.near(int(target[0]))
            if (move := self._cheapest(near[~self._system.fixed[near]], target, need, suppressed)) is not None:
                return move
        return self._cheapest(self._all, target, need, suppressed)

    def _cheapest(self, cells: Ints, target: Ints, need: int, suppressed: Bools) -> Move | None:
        system = self._system
        price = np.where(suppressed | system.hidden, _OPEN_COST, system.cost)[cells]
        price[np.isin(cells, target)] = _OPEN_COST
        best: tuple[float, Move] | None = None
        weight = price
        for _ in range(_ROUNDS):
            move = self._solve(cells, weight, target, need, exactly=True)
            if move is None:
                break
            paid = float(price[np.searchsorted(cells, move.cells)].sum())
            if best is None or paid < best[0] - 1e-9:
                best = (paid, move)
            size = np.zeros(system.size)
            size[move.cells] = np.abs(move.change)
            weight = price / (size[cells] + 0.5)
        return best[1] if best else None

    def price(self, move: Move, suppressed: Bools) -> float:
        """What `move` would still have to pay: the cost of its cells that are published now."""
        free = suppressed[move.cells] | self._system.hidden[move.cells]
        return float(self._system.cost[move.cells][~free].sum())

    def _component(self, cell: int, suppressed: Bools) -> Ints:
        """The open cells that are linked with `cell` through sums."""
        open_cells = suppressed | self._system.hidden
        key = open_cells.tobytes()
        if self._known is None or self._known[0] != key:
            members = np.flatnonzero(open_cells)
            part = self._columns[:, members]
            part = part[np.unique(part.indices)]
            graph = sparse.bmat([[None, part], [part.T, None]], format="csr") if part.shape[0] else part
            labels = np.full(open_cells.size, -1, dtype=np.int64)
            if part.shape[0]:
                labels[members] = connected_components(graph, directed=False)[1][part.shape[0] :]
            self._known = (key, labels)
        labels = self._known[1]
        if labels[cell] < 0:
            return np.array([cell])
        found: Ints = np.flatnonzero(labels == labels[cell])
        return found

    def _solve(
        self, cells: Ints, cost: Floats, target: Ints, need: int, *, exactly: bool, whole_only: bool = False
    ) -> Move | None:
        """Least cost with the sum of `target` changed by `need`, or (not `exactly`) as far towards it as possible.

        `whole_only`: give up where the answer is not whole, instead of looking for one that is.
        """
        matrix = self._ups_and_downs(cells)
        goal = np.isin(cells, target)
        room = self._system.values[cells].astype(np.float64)
        upper = np.concatenate([np.full(cells.size, np.inf), room])
        # The target itself may only go one way; otherwise up and down together would cancel at no gain.
        upper[np.concatenate([np.zeros_like(goal), goal] if need > 0 else [goal, np.zeros_like(goal)])] = 0
        price = np.concatenate([cost, cost])
        right = np.zeros(matrix.shape[0])
        towards = np.concatenate([goal, np.zeros_like(goal)] if need > 0 else [np.zeros_like(goal), goal])
        if exactly:
            matrix = self._ups_and_downs(cells, goal)
            right = np.append(right, need)
        else:
            upper[towards] = np.minimum(upper[towards], abs(need))
            price = price - towards
        found = _least(price, matrix, right, upper)
        if found is None:
            return None
        move = self._whole(cells, found)
        if move is None and not whole_only:
            move = self._twice(
                cells, price, matrix, right, np.where(np.tile(goal, 2), np.ceil(upper / 2), np.floor(upper / 2))
            )
            if move is not None and not exactly and abs(self._reach(move, target)) < int(found @ towards + 1e-6):
                move = None  # some search over whole numbers gets further
        if move is None and not whole_only:
            move = self._integer(cells, found, price, upper, LinearConstraint(matrix, right, right))
        return move

    def _twice(
        self, cells: Ints, price: Floats, matrix: sparse.csc_matrix, right: Floats, upper: Floats
    ) -> Move | None:
        """Half the way within half the room (`upper`), twice: what is not whole nearly always comes in halves."""
        half = _least(price, matrix, np.sign(right) * np.ceil(np.abs(right) / 2), upper)
        return None if half is None else self._whole(cells, 2 * half)

    @staticmethod
    def _reach(move: Move, target: Ints) -> int:
        return sum(move.at(int(cell)) for cell in target)

    def _ups_and_downs(self, cells: Ints, last: Bools | None = None) -> sparse.csc_matrix:
        """The sums over `cells`, once for changes up and once for changes down; `last` adds its sum as a last row."""
        part = self._columns[:, cells]
        used, rows = np.unique(part.indices, return_inverse=True)
        data, starts, height = part.data, part.indptr, used.size
        if last is not None:
            places = starts[1:][last]
            data, rows = np.insert(data, places, 1.0), np.insert(rows, places, height)
            starts = starts + np.concatenate([[0], np.cumsum(last)])
            height += 1
        return sparse.csc_matrix(
            (
                np.concatenate([data, -data]),
                np.concatenate([rows, rows]),
                np.concatenate([starts, starts[1:] + starts[-1]]),
            ),
            shape=(height, 2 * cells.size),
        )

    def _integer(self, cells: Ints, found: Floats, price: Floats, room: Floats, sums: LinearConstraint) -> Move | None:
        """The same over whole numbers, first near the fractional answer `found`, then over all of it."""
        used = found[: cells.size] + found[cells.size :] > 1e-9
        near = np.tile(used | (price[: cells.size] < _OPEN_COST * 2), 2)
        for keep in (near, np.ones_like(near)):
            answer = milp(
                price,
                integrality=np.ones(price.size),
                bounds=Bounds(np.zeros(room.size), np.where(keep, room, 0.0)),
                constraints=sums,
                options={"node_limit": _NODES, "mip_rel_gap": _GAP},
            )
            if answer.x is not None and (move := self._whole(cells, answer.x)) is not None:
                return move
        return None

    def _whole(self, cells: Ints, both: Floats) -> Move | None:
        """The move in `both` (ups, then downs) if it is whole; checked in integers against sums and counts."""
        change = both[: cells.size] - both[cells.size :]
        rounded = np.rint(change).astype(np.int64)
        if np.abs(change - rounded).max(initial=0.0) > 1e-5:
            return None
        used = rounded != 0
        move = Move(cells[used], rounded[used])
        keeps = not (self._columns[:, move.cells] @ move.change).any()
        return move if keeps and bool((self._system.values[move.cells] + move.change >= 0).all()) else None
