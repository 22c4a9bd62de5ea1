"""Columns fit their width."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from fieldsurvey.tui.central.layout import NAME, columns, tail

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


def test_columns_that_can_be_spared_go_first() -> None:
    """In a narrow terminal a column is left out whole, rather than every one cut."""
    head, row = ("Laptop", "sent", "last seen"), ("Laptop 1", "12", "02/03 09:00")
    assert columns(head, [row], 30, expendable=(1,))[1] == "Laptop 1  12    02/03 09:00"
    assert columns(head, [row], 22, expendable=(1,))[1] == "Laptop 1  02/03 09:00"
    assert columns(head, [row], 12, expendable=(1, 2))[1] == "Laptop 1"


def test_the_end_of_a_path_is_kept() -> None:
    """It says more than the beginning."""
    assert tail("/media/AZUL", 22) == "/media/AZUL"
    assert tail("/run/media/supervision/AZUL", 10) == "…sion/AZUL"


def test_other_columns_go_before_a_name_is_cut_short() -> None:
    """A name up to NAME cells is whole as long as something expendable is left; a short one costs no column."""
    head, long = ("name", "one", "two"), "n" * NAME
    assert columns(head, [(long, "1" * 10, "2" * 10)], 40, 0, (1, 2))[1] == long + "  " + "2" * 10
    assert columns(head, [("short", "1" * 10, "2" * 10)], 40, 0, (1, 2))[0].split() == ["name", "one", "two"]
