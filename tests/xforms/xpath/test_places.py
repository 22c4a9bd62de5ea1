"""Places: what is blank, what is none, and lines that cross themselves, checked against another way of asking."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fieldsurvey.xforms.xpath import EvaluationError
from tests.xforms.xpath.support import value

Line = list[tuple[int, int]]


def crosses(line: Line) -> object:
    """`intersects()` of the points, as a field and as text."""
    text = ";".join(f"{y} {x} 0 0" for y, x in line)
    of_field, of_text = value("intersects(/a)", f"<a>{text}</a>"), value(f"intersects('{text}')")
    assert of_field is of_text
    return of_field


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ([], False),
        ([(0, 0)], False),
        ([(0, 0), (0, 5)], False),
        ([(0, 0), (0, 5), (5, 5)], False),
        ([(0, 0), (0, 5), (5, 5), (0, 0)], False),  # a shape is closed, and that is no crossing
        ([(0, 0), (0, 5), (0, 0)], True),  # there and back
        ([(0, 0), (0, 5), (0, 2)], True),  # half of the way back
        ([(0, 2), (0, 5), (0, 0)], True),
        ([(0, 0), (0, 5), (0, 9)], False),  # straight on
        ([(0, 0), (0, 1), (0, 1), (0, 4)], False),  # the same point twice is no segment
        ([(0, 0), (5, 5), (0, 5), (5, 0)], True),
        ([(0, 0), (5, 5), (0, 5), (5, 0), (0, 0)], True),  # a bow tie
        ([(0, 0), (0, 4), (2, 4), (2, 2), (0, 2)], True),  # ends on the first segment
        ([(0, 0), (0, 4), (2, 4), (2, 2), (1, 2)], False),  # and just before it
        ([(0, 0), (0, 4), (4, 4), (0, 2), (4, 0), (0, 0)], True),  # a corner touches the opposite side
        ([(0, 0), (0, 4), (4, 4), (1, 2), (4, 0), (0, 0)], False),
        ([(0, 0), (0, 1), (1, 1), (1, 0), (0, 0), (0, 1)], True),  # twice around
    ],
)
def test_lines_that_cross_themselves(line: Line, expected: bool) -> None:
    """What ODK Collect's function says of them."""
    assert crosses(line) is expected


def common(one: tuple[tuple[int, int], tuple[int, int]], two: tuple[tuple[int, int], tuple[int, int]]) -> object:
    """What two segments have in common, by solving for it: None, one point, or "more"."""
    (ay, ax), (by, bx) = one
    (cy, cx), (dy, dx) = two
    slope = (by - ay) * (dx - cx) - (bx - ax) * (dy - cy)
    if slope != 0:
        t = Fraction((cy - ay) * (dx - cx) - (cx - ax) * (dy - cy), slope)
        u = Fraction((cy - ay) * (bx - ax) - (cx - ax) * (by - ay), slope)
        inside = 0 <= t <= 1 and 0 <= u <= 1
        return (ay + t * (by - ay), ax + t * (bx - ax)) if inside else None
    if (by - ay) * (cx - ax) != (bx - ax) * (cy - ay):
        return None  # side by side
    low, high = max(min(one), min(two)), min(max(one), max(two))
    return None if low > high else (low if low == high else "more")


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=7))
@example([(0, 0), (0, 2), (0, 1), (1, 1)])
def test_crossing_is_what_pairs_of_segments_have_in_common(line: Line) -> None:
    """On a grid, where touching and lying on one another are frequent, compared with exact fractions."""
    points = [point for place, point in enumerate(line) if place == 0 or point != line[place - 1]]
    segments = list(pairwise(points))
    closed = len(segments) > 2 and points[0] == points[-1]
    expected = False
    for (i, one), (j, two) in combinations(enumerate(segments), 2):
        if closed and (i, j) == (0, len(segments) - 1):
            continue
        shared = common(one, two)
        expected = expected or (shared not in {None, one[1]} if j == i + 1 else shared is not None)
    assert crosses(line) is expected


def test_a_long_line_is_looked_at_quickly() -> None:
    """A walk of 5,000 points: each segment is compared with those beside it only. A hang would be a failure."""
    for turned in (False, True):
        line = [(place, place % 2) if turned else (place % 2, place) for place in range(5_000)]
        assert crosses(line) is False
        assert crosses([*line, line[4_990]]) is True


@pytest.mark.parametrize("place", ["'here'", "'1'", "'0 0;x'", "'0 0;1 1 1 1 1'", "/a/b"])
@pytest.mark.parametrize("call", ["intersects({})", "distance({})", "geofence('0 0', {})", "geofence({}, '0 0')"])
def test_what_is_no_place_is_an_error(call: str, place: str) -> None:
    """Never a distance, a crossing or an inside of the rest."""
    with pytest.raises(EvaluationError):
        value(call.format(place), "<a><b>maize</b></a>")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("area(/a/b)", 0.0),
        ("area(/a/nothing)", 0.0),
        ("area(/a/point)", 0.0),
        ("distance(/a/b)", 0.0),
        ("distance('')", 0.0),
        ("distance(/a/point)", 0.0),
        ("distance('0 0')", 0.0),
        ("intersects(/a/b)", False),
        ("intersects('')", False),
        ("geofence(/a/b, '0 0;0 1;1 1;0 0')", False),
        ("geofence('0 0', /a/b)", False),
    ],
)
def test_a_place_that_was_not_taken(call: str, expected: object) -> None:
    """A blank measures nothing, as in JavaRosa, and is neither inside nor crossing."""
    assert value(call, "<a><b/><point>1 1 0 0</point></a>") == expected


@given(st.lists(st.tuples(st.integers(-80, 80), st.integers(-170, 170)), min_size=2, max_size=6))
def test_distances_add_up(line: Line) -> None:
    """The length of a line is that of its legs, whether they come as one text or one by one."""
    whole = value("distance('" + ";".join(f"{y} {x}" for y, x in line) + "')")
    legs = [value(f"distance('{a[0]} {a[1]}', '{b[0]} {b[1]}')") for a, b in pairwise(line)]
    assert isinstance(whole, float)
    assert math.isclose(whole, math.fsum(leg for leg in legs if isinstance(leg, float)), rel_tol=1e-12)
