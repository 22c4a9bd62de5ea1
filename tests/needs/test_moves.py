"""Moves: what the protector's proofs are made of."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from fieldsurvey.needs.protect.moves import Move, MoveFinder
from fieldsurvey.needs.protect.system import System


def in_pairs() -> System:
    """A total of two cells that a published pair of sums ties together: it changes by even numbers only.

    Cells 0 = 1 + 2, 4 = 1 + 3, 5 = 2 + 3; 4 and 5 are published.
    """
    sums = np.array([[1, -1, -1, 0, 0, 0], [0, -1, 0, -1, 1, 0], [0, 0, -1, -1, 0, 1]])
    open_cells = np.array([1, 1, 1, 1, 0, 0], dtype=np.bool_)
    nothing = np.zeros(6, dtype=np.bool_)
    return System(
        values=np.array([20, 10, 10, 10, 20, 20]),
        sums=sparse.csr_matrix(sums),
        primary=open_cells,
        hidden=nothing,
        fixed=~open_cells,
        cost=np.ones(6),
        wholes=(),
    )


def assert_move(move: Move | None, system: System, cell: int, least: int) -> None:
    """It keeps every sum, leaves no count below zero, touches nothing published, and goes far enough."""
    assert move is not None
    change = np.zeros(system.size, dtype=np.int64)
    change[move.cells] = move.change
    assert not (system.sums @ change).any()
    assert (system.values + change >= 0).all()
    assert not change[system.fixed].any()
    assert change[cell] >= least if least > 0 else change[cell] <= least


@pytest.mark.parametrize("need", [5, -5, 4])
def test_a_move_in_halves_is_made_whole(need: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the best answer comes in halves, a whole move that goes as far is found without a search."""
    monkeypatch.setattr(MoveFinder, "_integer", lambda *_: pytest.fail("searched"))
    system = in_pairs()
    finder = MoveFinder(system)
    assert_move(finder.cheapest(np.array([0]), need, system.primary), system, 0, need)
    assert_move(finder.furthest(0, abs(need), system.primary, up=need > 0), system, 0, need)
    assert_move(finder.spread(np.array([0]), np.array([np.sign(need)]), abs(need), system.primary), system, 0, need)


def test_no_move_goes_below_zero() -> None:
    """Where counts leave no room, there is no move that far, whole or in halves."""
    system = in_pairs()
    finder = MoveFinder(system)
    assert finder.cheapest(np.array([0]), 22, system.primary) is None
    assert_move(finder.furthest(0, 30, system.primary, up=True), system, 0, 20)
