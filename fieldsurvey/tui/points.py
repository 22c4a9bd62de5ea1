"""A line or an area as a list of points: add, replace, move, remove; an area closes by itself. No screen.

What is being typed and is no place yet is kept beside the points, so that saving never loses it: it is stored behind
them as it stands, and the engine keeps the whole as raw text until it reads.
"""

from __future__ import annotations

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_, ngettext
from fieldsurvey.tui.places import Place, PlaceError, parse_place
from fieldsurvey.xforms import evaluate

LEAST = {"geotrace": 2, "geoshape": 3}
TOO_FEW = {
    "geotrace": n_("A line needs at least two points."),
    "geoshape": n_("An area needs at least three points; the way back to the first is added by itself."),
}


class Points:
    """The points of one answer. `kind` is geotrace or geoshape; `typed` what is no point yet."""

    def __init__(self, kind: str, text: str | None = None) -> None:
        self.kind = kind
        self.places: list[Place] = []
        self.typed = ""
        self._take(text or "")

    def _take(self, text: str) -> None:
        rest = []
        for part in text.split(";"):
            try:
                self.places.append(parse_place(part))
            except PlaceError:
                rest.append(part.strip())
        self.typed = "; ".join(part for part in rest if part)
        if self.kind == "geoshape" and len(self.places) > LEAST[self.kind] and self._closed():
            self.places.pop()

    def _closed(self) -> bool:
        first, last = self.places[0], self.places[-1]
        return (first.latitude, first.longitude) == (last.latitude, last.longitude)

    def stored(self) -> str | None:
        """As ODK stores it, the first point again at the end of an area; raw text while something is missing."""
        parts = [place.stored() for place in self.places]
        if self.kind == "geoshape" and not self.typed and len(parts) >= LEAST[self.kind]:
            parts.append(parts[0])
        return "; ".join([*parts, self.typed] if self.typed else parts) or None

    @property
    def enough(self) -> bool:
        """Whether these points make a line, or an area."""
        return len(self.places) >= LEAST[self.kind]

    def read(self, text: str) -> list[Place]:
        """One place, or several with `;` between them. Raises PlaceError."""
        try:
            return [parse_place(text)]
        except PlaceError:
            parts = [part for part in text.split(";") if part.strip()]
            if len(parts) < 2:
                raise
            return [parse_place(part) for part in parts]

    def add(self, text: str, at: int | None = None) -> None:
        """The places of `text` behind the others, or before position `at` (from 0). Raises PlaceError."""
        found = self.read(text)
        where = len(self.places) if at is None else at
        self.places[where:where] = found

    def replace(self, at: int, text: str) -> None:
        """Another place at position `at` (from 0). Raises PlaceError."""
        self.places[at] = parse_place(text)

    def remove(self, at: int) -> None:
        """Away with the point at position `at` (from 0)."""
        del self.places[at]

    def move(self, at: int, to: int) -> bool:
        """The point at `at` to `to` (from 0); whether there is such a position."""
        if not (0 <= at < len(self.places) and 0 <= to < len(self.places)):
            return False
        self.places.insert(to, self.places.pop(at))
        return True

    def summary(self) -> str:
        """`3 points, 412 m long`, `4 points, 1.2 ha, 480 m around`; what is missing while there are too few."""
        count = len(self.places)
        said = ngettext("{count} point", "{count} points", count).format(count=count)
        if not self.enough:
            return f"{said}. {_(TOO_FEW[self.kind])}" if count else _(TOO_FEW[self.kind])
        path = "; ".join(place.stored() for place in self.places)
        if self.kind == "geotrace":
            return _("{points}, {length} long").format(points=said, length=_metres(_measured("distance", path)))
        closed = f"{path}; {self.places[0].stored()}"
        return _("{points}, {area}, {length} around; closed by itself").format(
            points=said, area=_hectares(_measured("area", closed)), length=_metres(_measured("distance", closed))
        )


def _measured(function: str, path: str) -> float:
    found = evaluate(f"{function}('{path}')")
    return found if isinstance(found, float) else 0.0


def _metres(length: float) -> str:
    return f"{round(length)} m" if length < 10_000 else f"{length / 1000:.1f} km"


def _hectares(area: float) -> str:
    if area < 10_000:
        return f"{round(area)} m²"
    return f"{area / 10_000:.1f} ha" if area < 10_000_000 else f"{area / 1_000_000:.1f} km²"


def points_words(kind: str, text: str) -> str:
    """A stored line or area in words, for the review."""
    points = Points(kind, text)
    return points.summary() if not points.typed else text


def points_fault(kind: str, text: str) -> str:
    """Why `text` is no line or area: the first part that is no place, else that there are too few."""
    points = Points(kind, text)
    if points.typed:
        first = points.typed.partition(";")[0]
        try:
            parse_place(first)
        except PlaceError as error:
            return f"“{first}”: {_(str(error))}"
    return "" if points.enough else _(TOO_FEW[kind])
