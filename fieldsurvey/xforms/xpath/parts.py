"""Expressions over the rows of a list: what columns.py is put together from."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress, repeat
from typing import Any

from fieldsurvey.xforms.xpath.convert import text_to_number, to_boolean, to_number, to_string
from fieldsurvey.xforms.xpath.index import Column
from fieldsurvey.xforms.xpath.patterns import matches
from fieldsurvey.xforms.xpath.runtime import Context

CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {"string": to_string, "number": to_number, "boolean": to_boolean}
Values = list[Any]


class Rows:
    """What one run looks at: columns, the places in them that are still in question (None: all), and answers read."""

    __slots__ = ("columns", "ctx", "known", "places", "size")

    def __init__(
        self,
        ctx: Context,
        columns: Mapping[str, Column],
        size: int,
        places: Sequence[int] | None = None,
        known: dict[int, Any] | None = None,
    ) -> None:
        self.ctx = ctx
        self.columns = columns
        self.places = places
        self.size = size if places is None else len(places)
        self.known: dict[int, Any] = {} if known is None else known

    def texts(self, name: str) -> list[str]:
        """The texts of a column."""
        held = self.columns[name].texts
        return held if self.places is None else [held[place] for place in self.places]

    def numbers(self, name: str) -> list[float]:
        """The numbers of a column."""
        held = self.columns[name].numbers
        return held if self.places is None else [held[place] for place in self.places]

    def only(self, flags: Iterable[Any]) -> Rows:
        """The rows whose flag is set."""
        places = range(self.size) if self.places is None else self.places
        return Rows(self.ctx, self.columns, 0, list(compress(places, flags)), self.known)


@dataclass(frozen=True, slots=True)
class Part:
    """An expression over rows. `run` gives a value a row; `same` gives the one value that all rows have.

    `kind` is as in Compiled, "value" when it is known only at run time; `column` is the name when it is a bare column;
    `operands` are those of `or`.
    """

    kind: str
    run: Callable[[Rows], Values]
    columns: frozenset[str] = frozenset()
    same: Callable[[Rows], Any] | None = None
    column: str = ""
    operands: tuple[Part, ...] = ()

    def as_kind(self, kind: str) -> Part:
        """The same, converted."""
        if self.kind == kind:
            return self
        change = CONVERSIONS[kind]
        if self.same is not None:
            read = self.same
            return same_for_all(kind, lambda rows: change(read(rows)))
        run = self.run
        if self.column and kind == "number":
            name = self.column
            return Part(kind, lambda rows: rows.numbers(name), self.columns)
        if self.kind == "string" and kind == "boolean":
            return Part(kind, lambda rows: [text != "" for text in run(rows)], self.columns)
        if self.kind == "string":
            change = text_to_number
        return Part(kind, lambda rows: list(map(change, run(rows))), self.columns)

    def each(self, rows: Rows) -> Iterable[Any]:
        """A value a row; the one value again and again."""
        return self.run(rows) if self.same is None else repeat(self.same(rows), rows.size)


def same_for_all(kind: str, read: Callable[[Rows], Any]) -> Part:
    """One value for all rows."""
    return Part(kind, lambda rows: [read(rows)] * rows.size, same=read)


def columns_of(parts: Iterable[Part]) -> frozenset[str]:
    """The names of the columns that any of them looks at."""
    return frozenset(chain.from_iterable(part.columns for part in parts))


def mapped(call: Callable[..., Any], kind: str, parts: Sequence[Part]) -> Part:
    """`call` of the values of the parts, a row at a time."""
    return Part(kind, lambda rows: list(map(call, *[part.each(rows) for part in parts])), columns_of(parts))


def _if(parts: Sequence[Part]) -> Part | None:
    """Both results are worked out, each for its own rows."""
    test, yes, no = parts[0].as_kind("boolean"), parts[1], parts[2]

    def run(rows: Rows) -> Values:
        flags = test.run(rows)
        first = iter(yes.each(rows.only(flags)))
        second = iter(no.each(rows.only(map(operator.not_, flags))))
        return [next(first) if flag else next(second) for flag in flags]

    return Part(yes.kind if yes.kind == no.kind else "value", run, columns_of(parts))


def _coalesce(parts: Sequence[Part]) -> Part | None:
    def first(*values: Any) -> Any:
        for value in values:
            if value != "" and value == value:  # noqa: PLR0124  NaN is blank
                return value
        return values[-1]

    return mapped(first, "value", parts)


def _concat(parts: Sequence[Part]) -> Part | None:
    return mapped(lambda *texts: "".join(texts), "string", [part.as_kind("string") for part in parts])


def _selected(parts: Sequence[Part]) -> Part | None:
    """The text that is the same for every row gets its blanks once."""
    chosen, wanted = (part.as_kind("string") for part in parts)
    names = columns_of(parts)
    if wanted.same is not None:
        needle = wanted.same

        def find(rows: Rows) -> Values:
            sought = f" {needle(rows).strip()} "
            return [sought in f" {text} " for text in chosen.run(rows)]

        return Part("boolean", find, names)

    def run(rows: Rows) -> Values:
        if chosen.same is not None:
            held = f" {chosen.same(rows)} "
            return [f" {text.strip()} " in held for text in wanted.run(rows)]
        pairs = zip(chosen.run(rows), wanted.run(rows), strict=True)
        return [f" {text.strip()} " in f" {held} " for held, text in pairs]

    return Part("boolean", run, names)


def _regex(parts: Sequence[Part]) -> Part | None:
    """What a pattern said of a text is kept until another pattern comes: matching costs a microsecond a text."""
    texts, pattern = (part.as_kind("string") for part in parts)
    held: dict[str, dict[str, bool]] = {}

    def run(rows: Rows) -> Values:
        if pattern.same is None:
            return list(map(matches, pattern.run(rows), texts.each(rows)))
        wanted = pattern.same(rows)
        known = held.get(wanted)
        if known is None:
            held.clear()
            known = held[wanted] = {}
        found = texts.run(rows)
        for text in set(found).difference(known):
            known[text] = matches(wanted, text)
        return [known[text] for text in found]

    return Part("boolean", run, columns_of(parts))


SPECIAL: Mapping[str, Callable[[Sequence[Part]], Part | None]] = {
    "if": _if,
    "coalesce": _coalesce,
    "concat": _concat,
    "selected": _selected,
    "is-selected": _selected,
    "regex": _regex,
}
"""Functions that are worked out in a way of their own."""
