"""Places of a release: the province, its cantons, and within each the parishes large enough to stand alone.

Collapsing comes before suppressing: parishes with fewer than `k_base` interviews are joined into one area of their
canton ("other parishes"), and so are the smallest of the others until that area has `k_base` too, so that nothing can
be had by subtraction. Cantons likewise. What is joined is shown with its canton's figure, labelled so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fieldsurvey.needs.labels import Labels

REST: Final = "rest"


@dataclass(frozen=True, slots=True)
class Parish:
    """A parish and the canton it belongs to, by INEC's codes."""

    code: str
    canton: str


@dataclass(frozen=True)
class Gazetteer:
    """All cantons and parishes that the form knows, in its order."""

    parishes: tuple[Parish, ...]
    labels: Labels

    def name(self, code: str, language: str) -> str:
        """The name of a canton or parish, without what the form adds after a comma."""
        kind = "canton" if len(code) == 4 else "parish"
        return self.labels.label(kind, code, language).partition(",")[0]

    @property
    def cantons(self) -> tuple[str, ...]:
        """Codes in order."""
        return tuple(dict.fromkeys(parish.canton for parish in self.parishes))


def gazetteer(labels: Labels) -> Gazetteer:
    """From the lists `parish` and `canton` of a compiled form."""
    cantons = labels.properties.get("parish", {})
    return Gazetteer(tuple(Parish(code, fields.get("canton", code[:4])) for code, fields in cantons.items()), labels)


@dataclass(frozen=True)
class Area:
    """A finest place of the release: one parish, several joined, or a whole canton or the rest of the province."""

    code: str  # a parish's or canton's code; "1003-rest", "rest" for what was joined
    canton: str  # a canton's code, or "rest"
    parishes: tuple[str, ...]


@dataclass(frozen=True)
class Places:
    """The tree of a release."""

    areas: tuple[Area, ...]

    @property
    def area_of(self) -> dict[str, str]:
        """Parish code -> area code."""
        return {parish: area.code for area in self.areas for parish in area.parishes}

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every place, coarse first: "" is the province, then cantons (or "rest"), then the areas below them."""
        return ("", *self._cantons, *(area.code for area in self.areas if area.code != area.canton))

    @property
    def families(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(place, the places it is the sum of), coarse first."""
        if not self._cantons:
            return ()
        below = [(c, tuple(a.code for a in self.areas if a.canton == c != a.code)) for c in self._cantons]
        return (("", self._cantons), *((canton, areas) for canton, areas in below if areas))

    @property
    def _cantons(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(area.canton for area in self.areas if area.canton))

    def canton_of(self, place: str) -> str:
        """The canton (or "rest") that a place lies in; "" for the province."""
        return next((area.canton for area in self.areas if place in {area.code, area.canton}), "")

    def level(self, place: str) -> str:
        """province, canton, parish, or joined (several parishes or cantons together)."""
        if not place:
            return "province"
        if place.endswith(REST):
            return "joined"
        return "canton" if len(place) == 4 else "parish"


def collapse(gazetteer: Gazetteer, interviews: Mapping[str, int], k_base: int) -> Places:
    """The places of a release with `interviews` by parish code; parishes that were visited and have 0 count as such."""
    areas: list[Area] = []
    totals = {c: sum(interviews.get(p.code, 0) for p in gazetteer.parishes if p.canton == c) for c in gazetteer.cantons}
    visited = {canton: n for canton, n in totals.items() if n}
    empty = {p.code: p.canton for p in gazetteer.parishes if interviews.get(p.code) == 0}
    joined = join_small(visited, k_base)
    if joined == set(visited):
        joined = set()  # nothing to tell apart: the province is the only place
        visited = {}
    for canton in visited:
        if canton in joined:
            continue
        here = {p.code: interviews[p.code] for p in gazetteer.parishes if p.canton == canton and interviews.get(p.code)}
        together = join_small(here, k_base)
        blank = tuple(code for code, where in empty.items() if where == canton)
        if together == set(here) or len(here) < 2:
            areas.append(Area(canton, canton, (*here, *blank)))
            continue
        areas += [Area(code, canton, (code,)) for code in (*here, *blank) if code not in together]
        if together:
            areas.append(Area(f"{canton}-{REST}", canton, tuple(code for code in here if code in together)))
    if joined:
        rest = tuple(p.code for p in gazetteer.parishes if p.canton in joined and p.code in interviews)
        areas.append(Area(REST, REST, rest))
    if not areas:
        return Places((Area("", "", tuple(interviews)),))
    alone = {where for where in empty.values() if where not in totals or not totals[where]}
    areas += [Area(c, c, tuple(code for code, where in empty.items() if where == c)) for c in sorted(alone)]
    return Places(tuple(areas))


def join_small(numbers: Mapping[str, int], k: int) -> set[str]:
    """Those below `k`, and the smallest others until they are two or more and `k` together."""
    small = {code for code, n in numbers.items() if n < k}
    others = sorted((n, code) for code, n in numbers.items() if code not in small)
    while small and (sum(numbers[code] for code in small) < k or len(small) < 2) and others:
        small.add(others.pop(0)[1])
    return small
