"""Chooses the cells that are not published.

Primary cells first. Then, for every suppressed cell whose feasible interval is not proven to be at least `k` wide,
the cheapest move that makes it so; the cells of that move are suppressed too, and need an interval of their own. At
the end every secondary suppression is tried back: it is published again if all proofs can be found without it.

Everything here is proven with moves (see `moves`). What it yields is judged by `audit`, which shares no code with it
and sees only what a reader sees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from fieldsurvey.needs.protect.cube import Bools, Ints
from fieldsurvey.needs.protect.errors import UnprotectableError
from fieldsurvey.needs.protect.moves import Move, MoveFinder
from fieldsurvey.needs.protect.system import System, Whole

Progress = Callable[[int, int], None]
_MANY = 6  # cells: fewer are proven one by one
_TURNS = 12
# Proofs that tidying may look for: in a large table the last few cells cost more time than they are worth.
_TIDY_WORK, _TIDY_LEAST, _TIDY_MOST = 400_000, 60, 1_500


@dataclass
class _Proofs:
    """Moves found so far, and for every cell the best up and down among them."""

    size: int
    moves: list[Move] = field(default_factory=list)
    highest: Ints = field(init=False)
    lowest: Ints = field(init=False)
    users: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.highest = np.zeros(self.size, dtype=np.int64)
        self.lowest = np.zeros(self.size, dtype=np.int64)

    def add(self, move: Move, values: Ints) -> None:
        """Keep `move`, and its opposite where that is a move too."""
        both = (move, move.opposite()) if move.negative_allowed(values) else (move,)
        for one in both:
            self.moves.append(one)
            self.highest[one.cells] = np.maximum(self.highest[one.cells], one.change)
            self.lowest[one.cells] = np.minimum(self.lowest[one.cells], one.change)

    def width(self) -> Ints:
        """Proven width of every cell's interval."""
        return self.highest - self.lowest

    def without(self, cell: int) -> _Proofs:
        """The proofs that do not need `cell`."""
        left = _Proofs(self.size)
        for move in self.moves:
            if not move.at(cell):
                left.moves.append(move)
                left.highest[move.cells] = np.maximum(left.highest[move.cells], move.change)
                left.lowest[move.cells] = np.minimum(left.lowest[move.cells], move.change)
        return left


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is suppressed: `primary` by rule or by the caller, `secondary` to protect those (no cell is both)."""

    primary: Bools
    secondary: Bools

    @property
    def suppressed(self) -> Bools:
        """Either."""
        return self.primary | self.secondary


def suppress(system: System, k: int, *, tidy: bool = True, progress: Progress | None = None) -> Pattern:
    """The pattern for `system`: every suppressed cell has an interval at least `k` wide, proven with integers.

    Deterministic. `tidy` tries secondary suppressions back. `progress(done, of)` is called now and then. Raises
    UnprotectableError, which cannot happen where no cell is fixed: then adding to a part and to every total above it
    is always a move.
    """
    work = _Work(system, k, progress)
    work.protect_all()
    for whole in system.wholes:
        work.protect_whole(whole)
    work.protect_all()
    if tidy:
        work.tidy()
    return Pattern(system.primary.copy(), work.suppressed & ~system.primary)


class _Work:
    """One run of `suppress`."""

    def __init__(self, system: System, k: int, progress: Progress | None) -> None:
        self._system = system
        self._k = k
        self._progress = progress
        self._finder = MoveFinder(system)
        self._proofs = _Proofs(system.size)
        self._sums = abs(system.sums).tocsr()
        self._by_cell = self._sums.tocsc()
        self.suppressed = system.primary.copy()
        for whole in system.wholes:
            self.suppressed[whole.cell] = True

    def protect_all(self) -> None:
        """Until every suppressed cell is proven. Dearest cells first: what hides a total often hides its parts."""
        self._prove_many(self._proofs, self.suppressed)
        while True:
            open_cells = np.flatnonzero(self.suppressed & (self._proofs.width() < self._k))
            if not open_cells.size:
                return
            self._report(int(self.suppressed.sum()) - open_cells.size)
            cell = int(open_cells[np.argmax(self._system.cost[open_cells])])
            self._protect(cell)

    def _report(self, done: int) -> None:
        if self._progress is not None:
            self._progress(done, int(self.suppressed.sum()))

    def _protect(self, cell: int) -> None:
        if self._prove(self._proofs, cell, self.suppressed):
            return
        up = self._k + int(self._proofs.lowest[cell])
        down = self._k - int(self._proofs.highest[cell])
        found = [self._cheapest(cell, up)]
        if down <= self._system.values[cell]:
            found.append(self._cheapest(cell, -down))
        moves = [move for move in found if move is not None]
        if moves:
            self._take(min(moves, key=lambda move: self._finder.price(move, self.suppressed)))
        else:
            self._in_two_steps(cell)

    def _cheapest(self, cell: int, need: int) -> Move | None:
        return self._finder.cheapest(np.array([cell]), need, self.suppressed)

    def _in_two_steps(self, cell: int) -> None:
        """Some way down and the rest up, where published cells leave no room for either alone."""
        for down in range(min(int(self._system.values[cell]), self._k - 1), 0, -1):
            below = self._cheapest(cell, -down)
            above = self._cheapest(cell, self._k - down) if below is not None else None
            if below is not None and above is not None:
                self._take(below)
                self._take(above)
                return
        raise UnprotectableError

    def _prove_many(self, proofs: _Proofs, suppressed: Bools) -> None:
        """Prove what a few moves can prove for many cells at once: half of them up, half down, then the other way."""
        stale = 0
        for turn in range(_TURNS):
            targets = np.flatnonzero(suppressed & (proofs.width() < self._k))
            if targets.size < _MANY or stale > 1:
                return
            # Signs that differ from turn to turn and never from run to run (bits of a multiplicative hash).
            bits = (targets.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
            signs = np.where((bits >> np.uint64(40 + turn // 2)) & np.uint64(1), 1, -1) * (1 if turn % 2 else -1)
            move = self._finder.spread(targets, signs, self._k, suppressed)
            if move is not None:
                proofs.add(move, self._system.values)
            left = int((proofs.width()[targets] < self._k).sum())
            stale = 0 if left < targets.size else stale + 1

    def _take(self, move: Move) -> None:
        self._proofs.add(move, self._system.values)
        fresh = move.cells[~self._system.hidden[move.cells]]
        self.suppressed[fresh] = True

    def _prove(self, proofs: _Proofs, cell: int, suppressed: Bools) -> bool:
        """Whether moves over `suppressed` alone make the interval of `cell` wide enough; adds them to `proofs`."""
        k = self._k
        for up in (True, False):
            missing = k - int(-proofs.lowest[cell] if up else proofs.highest[cell])
            if proofs.highest[cell] - proofs.lowest[cell] >= k:
                return True
            move = self._finder.furthest(cell, missing, suppressed, up=up)
            if move is not None:
                proofs.add(move, self._system.values)
        return bool(proofs.highest[cell] - proofs.lowest[cell] >= k)

    def protect_whole(self, whole: Whole) -> None:
        """A reader must not be able to say that the rest of the line is empty: one of its zeros is suppressed too."""
        if self.suppressed[whole.zeros].any():
            return
        move = self._finder.cheapest(whole.zeros, self._k, self.suppressed)
        if move is None:
            raise UnprotectableError
        self._take(move)

    def tidy(self) -> None:
        """Publish again what is not needed, dearest first, while the allowance of proofs lasts."""
        system = self._system
        last_zero = [whole.zeros for whole in system.wholes]
        whole_cells = {whole.cell for whole in system.wholes}
        extra = np.flatnonzero(self.suppressed & ~system.primary)
        allowance = min(max(_TIDY_WORK // system.size, _TIDY_LEAST), _TIDY_MOST)
        for place, cell in enumerate(extra[np.argsort(-system.cost[extra], kind="stable")].tolist()):
            if self._progress is not None:
                self._progress(place, extra.size)
            if cell in whole_cells or self._pinned(cell):
                continue
            trial = self.suppressed.copy()
            trial[cell] = False
            if any(cell in zeros and not trial[zeros].any() for zeros in last_zero):
                continue
            proofs = self._proofs.without(cell)
            lost = np.flatnonzero(trial & (proofs.width() < self._k))
            allowance -= lost.size
            if allowance < 0:
                return
            self._prove_many(proofs, trial)
            lost = np.flatnonzero(trial & (proofs.width() < self._k))
            if all(self._prove(proofs, int(c), trial) for c in lost):
                self.suppressed, self._proofs = trial, proofs

    def _pinned(self, cell: int) -> bool:
        """Whether publishing `cell` would leave one open cell alone in a sum: a reader would subtract."""
        sums = self._by_cell[:, cell].indices
        return bool((self._sums[sums] @ (self.suppressed | self._system.hidden) == 2).any())
