"""The reader who wants to know: from what is published, how closely can each suppressed cell be worked out?

Knows only what a reader knows: published counts, which totals are made of which parts, that counts are whole and not
below zero. Shares no code with the protector. What sums settle one by one is subtracted first. For every other
suppressed cell it computes the feasible interval by integer programming (HiGHS), one set of linked cells at a time, and
accepts a bound as reached only after the whole table that reaches it has been checked again in Python's integers. What
cannot be shown to be safe is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix, csr_matrix, hstack, identity

from fieldsurvey.needs.protect.audit_sums import Equation, Interval, in_one_sum, settle

_NODE_LIMIT = 20_000
_FEW = 4  # cells that are linked: fewer are looked at one by one
_LOOKS = 16
_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a release is refused. `reason`: narrow, small (a count of 1 to k − 1 is published), alike, sum."""

    cell: int
    reason: str
    interval: Interval | None = None


@dataclass
class Published:
    """What is published: `counts` (None where suppressed), `sums` (total, its parts) and `unbound` cells.

    Cells in `unprotected` were never announced (differences between linked tables): they may take any value from 0
    and need no protection.
    """

    counts: list[int | None]
    sums: list[tuple[int, Sequence[int]]] = field(default_factory=list)
    unprotected: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class AuditResult:
    """Intervals of the suppressed cells (exact, or as far as was needed to pass) and what is wrong."""

    intervals: dict[int, Interval]
    findings: list[Finding]

    @property
    def passed(self) -> bool:
        """Whether the release may be made."""
        return not self.findings


def audit_cells(
    published: Published, k: int, *, exact: bool = True, progress: Callable[[int, int], None] | None = None
) -> AuditResult:
    """Judge `published`: every suppressed cell needs an interval at least `k` wide, and no count of 1 to k − 1 shows.

    With `exact` the intervals are exact; without, the search for a cell ends as soon as it is known to be safe.
    """
    findings = [Finding(i, "small") for i, count in enumerate(published.counts) if count is not None and 0 < count < k]
    equations: list[Equation] = []
    for total, parts in published.sums:
        unknown: dict[int, int] = {}
        known = 0
        for cell, sign in [(total, 1), *((part, -1) for part in parts)]:
            count = published.counts[cell]
            if count is None:
                unknown[cell] = unknown.get(cell, 0) + sign
            else:
                known += sign * count
        if unknown:
            equations.append((unknown, -known))
        elif known:
            findings.append(Finding(total, "sum"))
    settled = settle(equations)
    findings += [Finding(cell, "sum") for cell in sorted(settled.clashes)]
    silent = published.unprotected | settled.clashes
    intervals = {cell: Interval(n, n) for cell, n in settled.values.items() if cell not in silent}
    hidden = [i for i, count in enumerate(published.counts) if count is None and i not in settled.values]
    done = 0
    for cells, of_these in _linked(hidden, settled.left):
        plain = in_one_sum(cells, of_these)
        if plain is not None:
            intervals |= {cell: interval for cell, interval in plain.items() if cell not in published.unprotected}
            done += len(cells)
            continue
        reader = _Reader(cells, of_these, published.unprotected)
        if reader.contradiction:
            findings.append(Finding(cells[0], "sum"))
            continue
        if not exact:
            reader.survey(k)
        for cell in cells:
            done += 1
            if cell not in published.unprotected:
                intervals[cell] = reader.interval(cell, k, exact=exact)
            if progress is not None:
                progress(done, len(hidden))
    findings += [Finding(i, "narrow", found) for i, found in sorted(intervals.items()) if found.narrower_than(k)]
    return AuditResult(intervals, findings)


def _linked(cells: Iterable[int], equations: list[Equation]) -> list[tuple[list[int], list[Equation]]]:
    """Cells that hang together through equations, with those equations."""
    head = {cell: cell for cell in cells}

    def find(cell: int) -> int:
        while head[cell] != cell:
            head[cell] = head[head[cell]]
            cell = head[cell]
        return cell

    for unknown, _ in equations:
        first, *others = unknown
        for other in others:
            head[find(other)] = find(first)
    groups: dict[int, tuple[list[int], list[Equation]]] = {}
    for cell in head:
        groups.setdefault(find(cell), ([], []))[0].append(cell)
    for equation in equations:
        groups[find(next(iter(equation[0])))][1].append(equation)
    return list(groups.values())


class _Reader:
    """Works on one set of linked cells."""

    def __init__(self, cells: list[int], equations: list[Equation], unprotected: set[int]) -> None:
        self._place = {cell: position for position, cell in enumerate(cells)}
        self._equations = equations
        self._low: list[int | None] = [None] * len(cells)
        self._high: list[int] = [-1] * len(cells)
        rows, columns, signs = [], [], []
        for row, (unknown, _) in enumerate(equations):
            for cell, sign in unknown.items():
                rows.append(row)
                columns.append(self._place[cell])
                signs.append(sign)
        self._matrix = coo_matrix((signs, (rows, columns)), shape=(len(equations), len(cells))).tocsr()
        self._right = np.array([right for _, right in equations], dtype=float)
        self._unbounded: _Bools | None = None
        self._wanted = np.array([0.0 if cell in unprotected else 1.0 for cell in cells])
        self._visit(self._wanted)
        self.contradiction = self._low[0] is None

    @property
    def _endless(self) -> _Bools:
        if self._unbounded is None:
            self._unbounded = self._find_endless()
        return self._unbounded

    def survey(self, k: int) -> None:
        """Look at a few tables far apart: they settle most cells at once when only safety is asked for."""
        if len(self._place) < _FEW:
            return
        limited = np.where(self._endless, 0.0, self._wanted)
        for turn in range(_LOOKS):
            spans = np.array([self._span(place) for place in range(len(self._place))])
            narrow = (spans < k) & (limited > 0)
            if not narrow.any():
                return
            # Half of them up, half down, another half each time and the same in every run; then the other way.
            half = (np.arange(narrow.size) * 2654435761 >> (turn // 2 + 7)) & 1
            signs = np.where(half == turn % 2, 1.0, -1.0) * narrow
            self._visit(signs, lambda _: True)

    def interval(self, cell: int, k: int, *, exact: bool) -> Interval:
        """The feasible interval of `cell`."""
        place = self._place[cell]
        if not exact and self._span(place) >= k:
            return self._known(place, endless=False)
        endless = bool(self._endless[place])
        if not exact and endless:
            return self._known(place, endless=True)
        # Whoever asks for safety alone need not know more than that it goes k away from what was seen.
        self._push(place, down=True, stop=None if exact else self._high[place] - k)
        if not endless and (exact or self._span(place) < k):
            low = self._low[place]
            assert low is not None, "a set of cells without contradiction has been visited"
            self._push(place, down=False, stop=None if exact else low + k)
        return self._known(place, endless=endless)

    def _span(self, place: int) -> int:
        low = self._low[place]
        return -1 if low is None else self._high[place] - low

    def _known(self, place: int, *, endless: bool) -> Interval:
        low = self._low[place]
        assert low is not None, "a set of cells without contradiction has been visited"
        return Interval(low, None if endless else self._high[place])

    def _find_endless(self) -> _Bools:
        """Cells with no upper bound: those that some endless growth of the table lifts. One program finds them all."""
        cells = len(self._place)
        if not self._equations:
            return np.ones(cells, dtype=np.bool_)
        still = hstack([self._matrix, csr_matrix(self._matrix.shape)])
        lifted = hstack([identity(cells), -identity(cells)])
        found = milp(
            np.concatenate([np.zeros(cells), -np.ones(cells)]),
            integrality=np.zeros(2 * cells),
            bounds=Bounds(np.zeros(2 * cells), np.concatenate([np.full(cells, np.inf), np.ones(cells)])),
            constraints=[LinearConstraint(still, 0.0, 0.0), LinearConstraint(lifted, 0.0, np.inf)],
        )
        assert found.x is not None, "no growth at all is always possible"
        return np.asarray(found.x[cells:] > 0.5)

    def _push(self, place: int, *, down: bool, stop: int | None) -> None:
        """Take one cell as far as it goes, or to `stop`."""
        objective = np.zeros(len(self._place))
        objective[place] = 1.0 if down else -1.0
        bounds = Bounds(np.zeros(objective.size), np.full(objective.size, np.inf))
        if stop is not None:
            (bounds.lb if down else bounds.ub)[place] = max(stop, 0)
        self._visit(objective, lambda bound: self._reached(place, bound, down=down), bounds)

    def _reached(self, place: int, bound: float, *, down: bool) -> bool:
        """Whether a table is known that takes the cell to the bound that holds even over fractions."""
        low = self._low[place]
        if low is None:
            return False
        return bool(low <= np.ceil(bound - 1e-6) if down else self._high[place] >= np.floor(-bound + 1e-6))

    def _visit(
        self,
        objective: _Floats,
        enough: Callable[[float], bool] = lambda _: False,
        bounds: Bounds | None = None,
    ) -> None:
        """Find a table that is best for `objective` and remember it: over fractions, and if that is neither whole nor
        `enough` (given the bound it proves), over integers. `bounds`: from 0 without end.
        """
        for whole in (0, 1):
            found = milp(
                objective,
                integrality=np.full(objective.size, whole),
                bounds=bounds or Bounds(np.zeros(objective.size), np.full(objective.size, np.inf)),
                constraints=LinearConstraint(self._matrix, self._right, self._right) if self._equations else (),
                # An absolute optimum: HiGHS would stop within a ten-thousandth of it, which is many people.
                options={"node_limit": _NODE_LIMIT, "mip_rel_gap": 0.0},
            )
            if found.x is None:
                return
            table = [round(value) for value in found.x]
            if self._is_table(table):
                self._remember(table)
                return
            if enough(float(objective @ found.x)):
                return

    def _remember(self, table: list[int]) -> None:
        for place, value in enumerate(table):
            low = self._low[place]
            self._low[place] = value if low is None else min(low, value)
            self._high[place] = max(self._high[place], value)

    def _is_table(self, table: list[int]) -> bool:
        """Checked in Python's integers: nothing below zero, every sum kept."""
        return min(table) >= 0 and all(
            sum(sign * table[self._place[cell]] for cell, sign in unknown.items()) == right
            for unknown, right in self._equations
        )
