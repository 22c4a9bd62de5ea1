"""Places: geopoints ("latitude longitude altitude accuracy"), and traces and shapes (points separated by ";").

Formulas are JavaRosa's (GeoUtils): a sphere of 6,378,100 m, distances by the law of cosines, areas on the plane that
touches it, a point in a shape by counting crossings (W. R. Franklin, pnpoly).
"""

from __future__ import annotations

import math
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath.ast import FunctionCall
from fieldsurvey.xforms.xpath.compiled import Compiled
from fieldsurvey.xforms.xpath.convert import NAN, to_string
from fieldsurvey.xforms.xpath.errors import EvaluationError
from fieldsurvey.xforms.xpath.functions.registry import function, special
from fieldsurvey.xforms.xpath.functions.strings import each
from fieldsurvey.xforms.xpath.nodes import Value

if TYPE_CHECKING:
    from fieldsurvey.xforms.xpath.compiler import Compiler

RADIUS = 6_378_100.0
_METRES_PER_DEGREE = 2 * math.pi * RADIUS / 360
Point = tuple[float, float]


def _point(text: str) -> Point:
    """(latitude, longitude) in degrees."""
    parts = text.split()
    if not 2 <= len(parts) <= 4:
        raise EvaluationError(_("this is not a place: a latitude and a longitude are needed"))
    try:
        latitude, longitude = float(parts[0]), float(parts[1])
    except ValueError:
        raise EvaluationError(_("this is not a place: a latitude and a longitude are needed")) from None
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        raise EvaluationError(_("this is not a place: a latitude and a longitude are needed"))
    return latitude, longitude


def _points(*values: Value) -> list[Point]:
    """Every point of geopoints, traces and shapes, in order; blanks are left out."""
    texts = [text for value in values for text in each(value, to_string)]
    return [_point(part) for text in texts for part in text.split(";") if part.strip()]


def _area(compiler: Compiler, call: FunctionCall) -> Compiled:
    """`area(shape)`: of a field as JavaRosa (which takes nothing else), of text as the others do it."""
    part = compiler.compile(call.args[0])
    if part.kind == "string":
        text = compiler.convert(part, "string")
        return compiler.fold(Compiled("number", lambda ctx: area_of_text(text(ctx))), [part])
    read = compiler.convert(part, "value")
    return compiler.fold(Compiled("number", lambda ctx: area(read(ctx))), [part])


special("area", 1, 1)(_area)
special("enclosed-area", 1, 1)(_area)


def area(shape: Value) -> float:
    """Square metres inside the points; 0 for fewer than three, also when blank."""
    points = _points(shape)
    if not points:
        return 0.0
    latitude, longitude = points[0]
    flat = [
        (_METRES_PER_DEGREE * (y - latitude), _METRES_PER_DEGREE * (x - longitude) * math.cos(math.radians(y)))
        for y, x in points[1:]
    ]
    return abs(math.fsum((y1 * x2 - x1 * y2) / 2 for (y1, x1), (y2, x2) in pairwise(flat)))


def area_of_text(text: str) -> float:
    """Square metres on the sphere, to the square centimetre: what Web Forms and Enketo say of a shape written out.

    Their formula (R. G. Chamberlain and W. H. Duquette, Some Algorithms for Polygons on a Sphere, JPL 2007):
    half of R² times the sum of the turns in longitude by the sines of both latitudes.
    0 for fewer than three points, whatever they are; NaN when blank.
    """
    parts = [part for part in text.split(";") if part.strip()]
    if len(parts) < 3:
        return 0.0 if parts else NAN
    points = [_point(part) for part in parts]
    total = math.fsum(
        math.radians(x2 - x1) * (2 + math.sin(math.radians(y1)) + math.sin(math.radians(y2)))
        for (y1, x1), (y2, x2) in zip(points, [*points[1:], points[0]], strict=True)
    )
    return math.floor(abs(total * RADIUS * RADIUS / 2) * 100 + 0.5) / 100


@function("distance", "value+ -> number")
def distance(*line: Value) -> float:
    """Metres along the points of a trace, of a nodeset, or of several arguments, each a point; 0 for fewer than two."""
    if len(line) > 1:
        points = [_point(text) for part in line for text in each(part, to_string) if text.strip()]
    else:
        points = _points(*line)
    return math.fsum(_between(first, second) for first, second in pairwise(points))


def _between(first: Point, second: Point) -> float:
    turn = math.radians(first[1] - second[1])
    one, two = math.radians(first[0]), math.radians(second[0])
    cosine = math.sin(one) * math.sin(two) + math.cos(one) * math.cos(two) * math.cos(turn)
    return math.acos(max(-1.0, min(1.0, cosine))) * RADIUS


@function("geofence", "value, value -> boolean")
def geofence(place: Value, shape: Value) -> bool:
    """Whether the point lies inside the closed shape; false while either is blank."""
    here, border = _points(place), _points(shape)
    if not here or not border:
        return False
    y, x = here[0]
    inside = False
    for (y1, x1), (y2, x2) in pairwise(border):
        if (y2 > y) != (y1 > y) and x < (x1 - x2) * (y - y2) / (y1 - y2) + x2:
            inside = not inside
    return inside


@function("intersects", "value -> boolean")
def intersects(line: Value) -> bool:
    """Whether a trace or the border of a shape crosses or touches itself (ODK Collect); false when it is blank.

    Segments that follow one another share a point, as do the last and the first of a closed line; beyond that point
    they may not meet either. A point taken twice in a row is one point.
    """
    points = [point for point, _same in groupby(_points(line))]
    segments = list(pairwise(points))
    closed = len(segments) > 2 and points[0] == points[-1]  # there and back again is no closed shape
    last = len(segments) - 1
    spans = [max(p[axis] for p in points) - min(p[axis] for p in points) if points else 0.0 for axis in (0, 1)]
    axis = 0 if spans[0] > spans[1] else 1  # along the way that is longer, few segments are beside one another
    ranges = [(min(a[axis], b[axis]), max(a[axis], b[axis])) for a, b in segments]
    near: list[int] = []  # those that may still reach as far as the next one
    for place in sorted(range(len(segments)), key=ranges.__getitem__):
        near = [other for other in near if ranges[other][1] >= ranges[place][0]]
        for other in near:
            first, second = sorted((place, other))
            if closed and (first, second) == (0, last):
                continue
            if _meet(segments[first], segments[second], follows=second == first + 1):
                return True
        near.append(place)
    return False


def _meet(first: tuple[Point, Point], second: tuple[Point, Point], *, follows: bool) -> bool:
    """Whether two segments have a point in common; when one `follows` the other, besides the one that joins them."""
    (a, b), (c, d) = first, second
    if follows:
        return _on(d, a, b) or _on(a, c, d)
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    return _on(c, a, b) or _on(d, a, b) or _on(a, c, d) or _on(b, c, d)


def _turn(a: Point, b: Point, c: Point) -> int:
    """1 or -1 for the side of the line from a to b that c lies on, 0 when it lies on it."""
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (area > 0) - (area < 0)


def _on(point: Point, a: Point, b: Point) -> bool:
    """Whether a point lies on a segment."""
    inside = all(min(a[axis], b[axis]) <= point[axis] <= max(a[axis], b[axis]) for axis in (0, 1))
    return inside and _turn(a, b, point) == 0
