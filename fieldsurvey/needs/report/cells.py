"""Cells and tables as the page prints them: a text, or one of the four marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fieldsurvey.needs.report.shares import Value
from fieldsurvey.needs.report.words import Words
from fieldsurvey.needs.tables import NOT_ASKED, NOT_VISITED, PUBLISHED, SUPPRESSED

_PAGE: Final = 52

MARKS: Final = {SUPPRESSED: "▨", NOT_ASKED: "○", NOT_VISITED: "×"}
"""Zero is the fourth: it is a published number."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` of a published value; empty where `status` is a mark."""

    text: str
    status: str = PUBLISHED

    @property
    def mark(self) -> str:
        """The mark in place of a text."""
        return MARKS.get(self.status, "")


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled row."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """Rows under a heading of their own. `no_share` stands in place of the last two cells of every row; `instead`
    in place of all rows.
    """

    label: str
    rows: tuple[Row, ...]
    no_share: str = ""
    instead: Cell | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption; `heads` name the first column and the numbers."""

    caption: str
    heads: tuple[str, ...]
    bodies: tuple[Body, ...]
    notes: tuple[str, ...] = ()

    @property
    def long(self) -> bool:
        """Whether it does not fit a printed page."""
        return sum(len(body.rows) + 1 for body in self.bodies) > _PAGE


def figure(n: int | None, status: str, words: Words) -> Cell:
    """A count, or its mark."""
    return Cell(words.number(n)) if n is not None and status == PUBLISHED else Cell("", status)


def line(label: str, value: Value, words: Words) -> Row:
    """asked, serious, share, rank."""
    asked = figure(value.asked, value.asked_status, words)
    if not value.shown:
        blank = Cell("", value.status)
        return Row(label, (asked, blank, blank, blank))
    if value.capped:
        most = Cell(words.percent(value.pct or 0, capped=True))
        rank = Cell(str(value.rank)) if value.rank is not None else Cell("", SUPPRESSED)
        return Row(label, (asked, most, most, rank))
    said = figure(value.serious, value.status, words)
    share = Cell(words.percent(value.pct)) if value.pct is not None else Cell("", SUPPRESSED)
    rank = Cell(str(value.rank)) if value.rank is not None else Cell("", SUPPRESSED)
    return Row(label, (asked, said, share, rank))


def ordered(values: Sequence[Value]) -> list[Value]:
    """From most to least: by share, or by count where the place may not have shares; what is not shown comes last."""

    def key(value: Value) -> tuple[bool, float]:
        return (not value.shown, -size(value))

    return sorted(values, key=key)


def size(value: Value) -> float:
    """What values of one place and group are ordered by."""
    if value.pct is not None:
        return value.pct
    return float(value.serious or 0)
