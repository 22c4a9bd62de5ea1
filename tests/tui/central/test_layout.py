"""Columns fit their width; names from outside are only read."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from fieldsurvey.tui.central.layout import clean, columns

HEAD = ("Laptop", "sent")


@pytest.mark.parametrize("width", [20, 40, 78])
@pytest.mark.parametrize("name", ["a", "Laptop de la parroquia más lejana de todas", "ノートパソコン" * 4])
def test_no_line_is_wider(width: int, name: str) -> None:
    """Long names give way, letters of two cells too; the numbers stay whole."""
    lines = columns(HEAD, [(name, "1234")], width)
    assert all(cell_len(line) <= width for line in lines)
    assert lines[1].endswith("1234")


def test_columns_stand_under_their_heads() -> None:
    """What is short is not cut."""
    assert columns(HEAD, [("Laptop 1", "12"), ("B", "3")], 40) == ["Laptop    sent", "Laptop 1  12", "B         3"]


def test_control_characters_become_dots() -> None:
    """Escape, newline, the mark that turns the direction of writing; accents and signs stay."""
    assert clean("a\x1b[2J\nb\u202ec ñ✓") == "a·[2J·b·c ñ✓"
