"""What the audit's reader needs no program for: numbers that a sum settles alone, and intervals inside one sum.

Exact, in Python's integers. Most of what a release leaves open hangs on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Equation = tuple[dict[int, int], int]
"""Signs by cell, and what they come to: sum of sign × count = right."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What a reader can say of a suppressed cell: from `low` to `high`, both included; `high` None has no bound."""

    low: int
    high: int | None

    def narrower_than(self, k: int) -> bool:
        """Whether it is a point or spans less than `k`."""
        return self.high is not None and self.high - self.low < k


@dataclass(frozen=True)
class Settled:
    """`values` of the cells that follow, the equations that are `left` over the others, and `clashes`: cells whose
    sums no counts can keep.
    """

    values: dict[int, int]
    left: list[Equation]
    clashes: set[int]


def settle(equations: Iterable[Equation]) -> Settled:
    """Subtract, as long as some sum has a single unknown."""
    open_ = [({cell: sign for cell, sign in signs.items() if sign}, right) for signs, right in equations]
    with_cell: dict[int, list[int]] = {}
    for number, (signs, _) in enumerate(open_):
        for cell in signs:
            with_cell.setdefault(cell, []).append(number)
    values: dict[int, int] = {}
    clashes: set[int] = set()
    ready = [number for number, (signs, _) in enumerate(open_) if len(signs) == 1]
    while ready:
        signs, right = open_[ready.pop()]
        if not signs:
            continue  # settled by another sum; that one was subtracted here
        ((cell, sign),) = signs.items()
        value, rest = divmod(right, sign)
        if rest or value < 0:
            clashes.add(cell)
        values[cell] = value
        for number in with_cell[cell]:
            others, whole = open_[number]
            whole -= others.pop(cell) * value
            open_[number] = (others, whole)
            if len(others) == 1:
                ready.append(number)
            elif not others and whole:
                clashes.add(cell)
    return Settled(values, [equation for equation in open_ if equation[0]], clashes)


def in_one_sum(cells: Sequence[int], equations: Sequence[Equation]) -> dict[int, Interval] | None:
    """Intervals of linked `cells` where at most one sum, of plain signs, holds them; None where more is needed.

    At least two cells in the sum (`settle` leaves no other). None too where no counts keep it: a program says so.
    """
    if not equations:
        return dict.fromkeys(cells, Interval(0, None))
    (signs, right), *more = equations
    if more or any(abs(sign) != 1 for sign in signs.values()):
        return None
    if right < 0:
        signs, right = {cell: -sign for cell, sign in signs.items()}, -right
    plus = [cell for cell in cells if signs[cell] == 1]
    if not plus:
        return dict.fromkeys(cells, Interval(0, 0)) if right == 0 else None
    if len(plus) == len(cells):
        return dict.fromkeys(cells, Interval(0, right))
    # Both sides can grow without end; a cell alone on its side carries the whole difference.
    lone = plus[0] if len(plus) == 1 else None
    return {cell: Interval(right if cell == lone else 0, None) for cell in cells}
