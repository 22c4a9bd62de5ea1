"""Positions of a log as stretches: (first, last), both ends included, in order, none touching another."""

from __future__ import annotations

from collections.abc import Iterable

Stretch = tuple[int, int]


def stretches(positions: Iterable[int]) -> list[Stretch]:
    """Of single positions, in any order, many times or once."""
    return joined((seq, seq) for seq in positions)


def joined(parts: Iterable[Stretch]) -> list[Stretch]:
    """The same positions as these, which may overlap and come in any order; one that ends before it begins has none."""
    found: list[Stretch] = []
    for first, last in sorted(parts):
        if first > last:
            continue
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found


def size(parts: Iterable[Stretch]) -> int:
    """How many positions."""
    return sum(last - first + 1 for first, last in parts)
