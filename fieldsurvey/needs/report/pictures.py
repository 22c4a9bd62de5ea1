"""What the charts show, from what may be shown; and the sheet for an assembly, which says the same in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from fieldsurvey.needs.report import charts
from fieldsurvey.needs.report.cells import MARKS, ordered, size
from fieldsurvey.needs.report.charts import Bar, Line, Square
from fieldsurvey.needs.report.content import PAIR_BASE, SHARE_PARISHES, Comparison
from fieldsurvey.needs.report.shares import Needs, Value
from fieldsurvey.needs.report.views import Reader
from fieldsurvey.needs.tables import NOT_ASKED, NOT_VISITED, PUBLISHED, SUPPRESSED

TOP: Final = 8
"""Bars a chart."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart and what stands around it. `svg` is empty where there is nothing to draw."""

    svg: str
    caption: str
    notes: tuple[str, ...] = ()
    counted: bool = False  # bars are counts, not shares


def said(reader: Reader, value: Value) -> str:
    """ "43 % · 41 de 96", as far as it may be said."""
    words = reader.words
    if value.capped:
        return words.percent(value.pct or 0, capped=True)
    if value.serious is None or value.asked is None:
        return MARKS.get(value.status, "")
    of = words("format.of", n=words.number(value.serious), base=words.number(value.asked))
    return f"{words.percent(value.pct)} · {of}" if value.pct is not None else of


def top(reader: Reader, needs: Needs, unit: str, group: str, name: str) -> Picture:
    """What one group said most in the whole territory, as shares where there may be shares, else as counts."""
    words, names = reader.words, reader.names
    caption = words("top.caption", group=names.group(group), territory=names.territory, unit=names.unit(unit))
    values = ordered(needs.values("sector", "", group))
    shown = [value for value in values if value.shown][:TOP]
    silent = [reader.label(value) for value in values if not value.shown and value.status != NOT_ASKED]
    notes = [words("top.reserved", list=words.listed(silent))] if silent and shown else []
    if not shown:
        return Picture("", caption, (words("top.empty"),))
    counted = needs.counted(group)
    rows = [(_bar(reader, needs, value, counted),) for value in shown]
    lines = "; ".join(f"{bar.label}: {bar.text}" for (bar,) in rows)
    axis = words("top.axis_counts" if counted else "top.axis_shares")
    if counted:
        notes.insert(0, words("top.counts", parishes=SHARE_PARISHES, base=reader.release.limits.k_base))
    svg = charts.bars(rows, name=name, title=caption, description=words("top.desc", lines=lines), axis=axis)
    return Picture(svg, caption, tuple(notes), counted)


def _bar(reader: Reader, needs: Needs, value: Value, counted: bool) -> Bar:
    if counted:
        whole = float(value.asked or 0)
        return Bar(reader.label(value), size(value), whole, said(reader, value), group=value.group)
    note = _range(reader, needs.across(value))
    return Bar(reader.label(value), value.pct or 0.0, 100.0, said(reader, value), f"({note})", value.group)


def _range(reader: Reader, across: list[Value]) -> str:
    words = reader.words
    if not across:
        return words("top.range_reserved")
    low, high = (
        f"> {words.whole(v.pct or 0)}" if v.capped else words.whole(v.pct or 0) for v in (across[0], across[-1])
    )
    return words("top.range_one", low=low) if low == high else words("top.range", low=low, high=high)


def comparable(comparison: Comparison) -> bool:
    """Whether both groups have enough people to stand side by side."""
    return all(comparison.interviews.get(group, 0) >= PAIR_BASE for group in ("host", "mobility"))


def pairs(reader: Reader, comparison: Comparison, name: str) -> Picture:
    """Host and mobility side by side, sector by sector, in the order of what all of both said most."""
    words, names = reader.words, reader.names
    needs = Needs([comparison.needs], comparison.unit, reader.release)
    area = words(f"area.{comparison.area}")
    caption = words(
        "compare.caption", place=names.place(comparison.canton), area=area, unit=names.unit(comparison.unit)
    )
    found = []
    for indicator in needs.indicators("sector"):
        both = [needs.value(indicator, comparison.canton, group) for group in ("host", "mobility")]
        if all(value.pct is not None and (value.asked or 0) >= PAIR_BASE for value in both):
            found.append(both)
    found.sort(key=lambda both: -max(value.pct or 0.0 for value in both))
    rows = [[_side(reader, value) for value in both] for both in found[:TOP]]
    if not rows:
        return Picture("", caption, (words("top.empty"),))
    lines = "; ".join(words("compare.line", label=h.label, host=h.text, mobility=m.text) for h, m in rows)
    description = words("compare.desc", lines=lines)
    axis = words("top.axis_shares")
    return Picture(charts.bars(rows, name=name, title=caption, description=description, axis=axis), caption)


def _side(reader: Reader, value: Value) -> Bar:
    group = reader.names.group(value.group, short=True)
    return Bar(reader.label(value), value.pct or 0.0, 100.0, f"{group} {said(reader, value)}", group=value.group)


def heat(reader: Reader, needs: Needs, unit: str, name: str) -> Picture:
    """Places by sectors, everyone who answered."""
    words, names = reader.words, reader.names
    sectors = needs.indicators("sector")
    lines = _lines(reader, needs, sectors)
    caption = words("heat.caption", unit=names.unit(unit))
    legend = [
        ("hatch", words("heat.reserved")),
        ("", words("heat.canton")),
        ("", words("heat.not_asked")),
        ("", words("heat.not_visited")),
    ]
    svg = charts.heatmap(
        [names.indicator(*sector) for sector in sectors],
        lines,
        name=name,
        title=caption,
        description=words("heat.desc", rows=len(lines), columns=len(sectors)),
        n=words("heat.n"),
        legend=legend,
    )
    return Picture(svg, caption)


def _lines(reader: Reader, needs: Needs, sectors: list[tuple[str, str]]) -> list[Line]:
    names, words = reader.names, reader.words
    known = needs.places()
    planned = reader.release.parishes
    rows = [] if planned is None else list(planned.sort("place").iter_rows(named=True))
    here = {row["place"]: (row["canton"], row["status"] != NOT_VISITED) for row in rows}
    here |= {place: (canton, True) for place, level, canton in known if level == "parish"}
    lines = [] if needs.counted("") else [_own(reader, needs, sectors, "", names.territory)]
    codes = {place for place, level, _ in known if level == "canton"} | {canton for canton, _ in here.values()}
    for canton in sorted(codes):
        parishes = sorted(place for place, (where, _) in here.items() if where == canton)
        reached = [place for place in parishes if here[place][1]]
        missed = len(parishes) - len(reached)
        if parishes and not reached:
            lines.append(Line(names.place(canton), MARKS[NOT_VISITED], _crosses(sectors), strong=True))
            continue
        lines.append(_own(reader, needs, sectors, canton, names.place(canton)))
        lines += [_own(reader, needs, sectors, place, _brief(names.place(place)), canton=canton) for place in reached]
        if 0 < missed <= 2:
            lines += [
                Line(_brief(names.place(place)), MARKS[NOT_VISITED], _crosses(sectors))
                for place in parishes
                if not here[place][1]
            ]
        elif missed:
            lines.append(Line(words("heat.unvisited", n=missed), MARKS[NOT_VISITED], _crosses(sectors)))
    return lines


def _brief(name: str) -> str:
    """Without the other name in brackets: the chart's column is narrow."""
    return name.partition(" (")[0]


def _crosses(sectors: list[tuple[str, str]]) -> tuple[Square, ...]:
    return tuple(Square(MARKS[NOT_VISITED]) for _ in sectors)


def _own(
    reader: Reader, needs: Needs, sectors: list[tuple[str, str]], place: str, label: str, *, canton: str | None = None
) -> Line:
    """A place's own shares; a parish's falls back on its canton's."""
    values = [needs.value(sector, place, "") for sector in sectors]
    asked = [value.asked for value in values if value.asked is not None]
    n = reader.words.number(max(asked)) if asked else MARKS[SUPPRESSED]
    squares = []
    for sector, value in zip(sectors, values, strict=True):
        wider = needs.value(sector, canton, "") if canton is not None else None
        squares.append(_square(reader, value, wider))
    return Line(label, n, tuple(squares), strong=canton is None)


def _square(reader: Reader, value: Value, wider: Value | None) -> Square:
    words = reader.words
    if value.pct is not None:
        text = f">{words.whole(value.pct)}" if value.capped else words.whole(value.pct)
        return Square(text, 80.0 if value.capped else value.pct)
    if value.status == NOT_ASKED:
        return Square(MARKS[NOT_ASKED])
    if wider is not None and wider.pct is not None:
        text = f">{words.whole(wider.pct)}" if wider.capped else words.whole(wider.pct)
        return Square(words("heat.fallback", n=text), hatched=True)
    return Square("", hatched=True)


@dataclass(frozen=True, slots=True)
class Told:
    """A list of plain sentences under a heading."""

    title: str
    lines: tuple[str, ...]


def told(reader: Reader, frames: tuple[pl.DataFrame, ...], unit: str, group: str, limit: int) -> Told:
    """What a group said most, in plain words. Sectors where there are sectors, else all."""
    words = reader.words
    needs = Needs(frames, unit, reader.release)
    kind = "sector" if needs.indicators("sector") else None
    shown = [value for value in ordered(needs.values(kind, "", group)) if value.status == PUBLISHED]
    lines = []
    for value in shown[:limit]:
        label = reader.label(value)
        if value.capped:
            lines.append(words("summary.line_capped", label=label))
            continue
        n, base = words.number(value.serious or 0), words.number(value.asked or 0)
        tenth = 0 if value.pct is None else int(value.pct / 10 + 0.5)
        key = "summary.line_tenth" if 1 <= tenth <= 9 else "summary.line"
        lines.append(words(key, label=label, n=n, base=base, tenth=tenth))
    return Told(reader.names.group(group), tuple(lines))
