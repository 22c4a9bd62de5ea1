"""Places: geopoints ("latitude longitude altitude accuracy"), and traces and shapes (points separated by ";").

Formulas are JavaRosa's (GeoUtils): a sphere of 6,378,100 m, distances by the law of cosines, areas on the plane that
touches it, a point in a shape by counting crossings (W. R. Franklin, pnpoly).
"""

from __future__ import annotations

import math
from itertools import pairwise
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
    """Square metres inside the points; 0 for fewer than three, NaN when blank."""
    points = _points(shape)
    if not points:
        return NAN
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
    """Metres along the points of a trace, of a nodeset, or of several arguments; NaN when blank."""
    points = _points(*line)
    return math.fsum(_between(first, second) for first, second in pairwise(points)) if points else NAN


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
