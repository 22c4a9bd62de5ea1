"""A list as a table: its rows, and the columns that filters and look-ups asked for, each with its indexes.

It is built once for a list and a row name and kept at the list's node; a list never changes once it was handed out
(Env.instance). Columns are read, turned into numbers and indexed when that is first asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date

from fieldsurvey.xforms.xpath.convert import TINY, equal, text_to_number
from fieldsurvey.xforms.xpath.nodes import ELEMENT, Node, Value


class Column:
    """The texts of one child of every row, "" where a row has none. A place is the number of a row, from 0."""

    __slots__ = ("_numbers", "_places", "_repeating", "_sorted", "texts")

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts
        self._numbers: list[float] | None = None
        self._places: dict[str, list[int]] | None = None
        self._repeating: bool | None = None
        self._sorted: list[tuple[float, int]] | None = None

    @property
    def numbers(self) -> list[float]:
        """Every text as a number."""
        if self._numbers is None:
            known = {text: text_to_number(text) for text in set(self.texts)}
            self._numbers = [known[text] for text in self.texts]
        return self._numbers

    @property
    def repeating(self) -> bool:
        """Whether there are less than half as many texts as rows, so that it is worth asking each text once."""
        if self._repeating is None:
            self._repeating = len(set(self.texts)) * 2 < len(self.texts)
        return self._repeating

    @property
    def places(self) -> dict[str, list[int]]:
        """Where each text stands, in order."""
        if self._places is None:
            found: dict[str, list[int]] = {}
            for place, text in enumerate(self.texts):
                if text in found:
                    found[text].append(place)
                else:
                    found[text] = [place]
            self._places = found
        return self._places

    def find(self, wanted: Value) -> Sequence[int] | None:
        """Where the text equals `wanted` as `=` compares; None when each row has to be asked."""
        if type(wanted) is str:
            return self.places.get(wanted, ())
        if type(wanted) is float:
            return self._near(wanted)
        if isinstance(wanted, date):
            return sorted(p for text, places in self.places.items() if equal(text, wanted) for p in places)
        return None

    def _near(self, wanted: float) -> Sequence[int]:
        if self._sorted is None:
            pairs = zip(self.numbers, range(len(self.texts)), strict=True)
            self._sorted = sorted(pair for pair in pairs if pair[0] == pair[0])
        found: list[int] = []
        start = bisect_left(self._sorted, (wanted - TINY, -1))
        for number, place in self._sorted[start:]:
            if number == wanted or abs(number - wanted) < TINY:
                found.append(place)
            elif number > wanted:
                break
        return sorted(found)


class Table:
    """The rows of one list, in order, and its columns by name."""

    __slots__ = ("_columns", "rows")

    def __init__(self, parent: Node, row: str) -> None:
        self.rows = [n for n in parent.children if n.kind == ELEMENT and n.name == row and not n.prefix]
        self._columns: dict[str, Column | None] = {}

    def column(self, name: str) -> Column | None:
        """The column `name`; None where cells are repeated or typed: the plain filter answers, with its errors."""
        try:
            return self._columns[name]
        except KeyError:
            texts = _texts(self.rows, name)
            found = self._columns[name] = None if texts is None else Column(texts)
            return found

    def find(self, name: str, wanted: Value) -> list[Node] | None:
        """The rows whose cell `name` equals `wanted`; None as in `column` and `Column.find`."""
        column = self.column(name)
        places = None if column is None else column.find(wanted)
        return None if places is None else [self.rows[place] for place in places]


def _texts(rows: list[Node], name: str) -> list[str] | None:
    texts: list[str] = []
    for row in rows:
        text: Value | None = None
        for cell in row.children:
            if cell.name == name and cell.kind == ELEMENT and not cell.prefix:
                if text is not None:
                    return None
                text = cell.value()
        if text is None:
            text = ""
        elif type(text) is not str:
            return None
        texts.append(text)
    return texts


def table_of(parent: Node, row: str) -> Table:
    """The table of the rows called `row` below `parent`; made at the first call."""
    if parent.indexes is None:
        parent.indexes = {}
    found = parent.indexes.get(row)
    if found is None:
        found = parent.indexes[row] = Table(parent, row)
    table: Table = found
    return table
