"""Lines and areas as lists of points."""

from __future__ import annotations

import pytest

from fieldsurvey.tui.places import PlaceError
from fieldsurvey.tui.points import Points, points_fault, points_words
from fieldsurvey.xforms.live.datatypes import stored

A, B, C = "0.1 -78.1", "0.1 -78.2", "0.2 -78.2"


def of(kind: str, *texts: str) -> Points:
    """Points typed one by one."""
    points = Points(kind)
    for text in texts:
        points.add(text)
    return points


def test_a_line_is_added_to_moved_and_shortened() -> None:
    """Points come behind the others; moving and removing keep the rest; the engine takes the result as it is."""
    points = of("geotrace", A, B, C)
    assert points.move(2, 0)
    assert not points.move(0, -1)
    points.remove(1)
    points.replace(1, "0,3 -78,3")
    text = points.stored()
    assert text == "0.2 -78.2 0.0 0.0; 0.3 -78.3 0.0 0.0"
    assert stored(text, "geotrace") == text
    assert Points("geotrace", text).places == points.places


def test_an_area_closes_by_itself_and_opens_again_for_editing() -> None:
    """Three points are stored as four, the first again; taken up again they are three; two are not an area yet."""
    points = of("geoshape", A, B, C)
    text = points.stored()
    assert text is not None
    assert stored(text, "geoshape") == text
    assert text.split("; ")[0] == text.split("; ")[3]
    assert len(Points("geoshape", text).places) == 3
    two = of("geoshape", A, B).stored()
    assert two is not None
    assert stored(two, "geoshape") is None
    assert len(Points("geoshape", two).places) == 2


def test_a_list_pasted_at_once_and_a_point_with_a_semicolon() -> None:
    """`;` separates points unless the whole is one place in decimal commas."""
    assert len(of("geotrace", f"{A}; {B}; {C}").places) == 3
    assert len(of("geotrace", "0,1; -78,1").places) == 1
    with pytest.raises(PlaceError):
        of("geotrace", f"{A}; nowhere")


def test_what_is_half_typed_is_kept() -> None:
    """Text that is no place yet is stored behind the points, refused by the engine, and there again afterwards."""
    points = of("geotrace", A, B)
    points.typed = "0.3 -7x"
    text = points.stored()
    assert text is not None
    assert stored(text, "geotrace") is None
    again = Points("geotrace", text)
    assert (again.places, again.typed) == (points.places, "0.3 -7x")
    assert points_fault("geotrace", text) == "“0.3 -7x”: This is not a place."


def test_measures() -> None:
    """A thousandth of a degree at the equator is 111 m, by the engine's own functions."""
    assert of("geotrace", "0 0", "0 0.001").summary() == "2 points, 111 m long"
    square = of("geoshape", "0 0", "0 0.001", "0.001 0.001", "0.001 0")
    assert square.summary() == "4 points, 1.2 ha, 445 m around; closed by itself"
    assert points_words("geoshape", square.stored() or "") == square.summary()
    assert "three points" in of("geoshape", A).summary()
    assert points_fault("geotrace", A) == "A line needs at least two points."
