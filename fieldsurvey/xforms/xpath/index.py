"""A hash index over a list: its rows by the text of one key, for filters and look-ups by equality.

It is built once for a list, a row name and a key, and kept at the list's node; a list never changes once it was
handed out (Env.instance).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date

from fieldsurvey.xforms.xpath.convert import TINY, equal, text_to_number
from fieldsurvey.xforms.xpath.nodes import ELEMENT, Node, Value


class Index:
    """The rows of one list by the text of one key. Rows keep their order."""

    __slots__ = ("_numbers", "_places", "by_text", "rows")

    def __init__(self, parent: Node, row: str, key: str) -> None:
        self.rows = [n for n in parent.children if n.kind == ELEMENT and n.name == row and not n.prefix]
        self.by_text: dict[str, list[Node]] | None = {}
        self._numbers: list[tuple[float, int]] | None = None
        self._places: list[tuple[str, int]] = []
        for place, node in enumerate(self.rows):
            cells = [c for c in node.children if c.name == key and c.kind == ELEMENT and not c.prefix]
            text = cells[0].value() if len(cells) == 1 else "" if not cells else None
            if type(text) is not str:
                self.by_text = None  # repeated or typed cells: the plain filter answers, with its errors
                return
            self.by_text.setdefault(text, []).append(node)
            self._places.append((text, place))

    def find(self, wanted: Value) -> Sequence[Node] | None:
        """The rows whose key equals `wanted` as `=` compares; None when the plain filter must answer."""
        if self.by_text is None:
            return None
        if type(wanted) is str:
            return self.by_text.get(wanted, ())
        if type(wanted) is float:
            return self._near(wanted)
        if isinstance(wanted, date):
            return [row for text, rows in self.by_text.items() if equal(text, wanted) for row in rows]
        return None

    def _near(self, wanted: float) -> Sequence[Node]:
        if self._numbers is None:
            numbers = ((text_to_number(text), place) for text, place in self._places)
            self._numbers = sorted(pair for pair in numbers if pair[0] == pair[0])
        found: list[int] = []
        start = bisect_left(self._numbers, (wanted - TINY, -1))
        for number, place in self._numbers[start:]:
            if number == wanted or abs(number - wanted) < TINY:
                found.append(place)
            elif number > wanted:
                break
        return [self.rows[place] for place in sorted(found)]


def index_of(parent: Node, row: str, key: str) -> Index:
    """The index of the rows called `row` below `parent` by their child `key`; built at the first call."""
    if parent.indexes is None:
        parent.indexes = {}
    found = parent.indexes.get((row, key))
    if found is None:
        found = parent.indexes[row, key] = Index(parent, row, key)
    index: Index = found
    return index
