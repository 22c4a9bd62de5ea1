"""The tables and lists of the page, from what may be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from fieldsurvey.needs.report.cells import Body, Cell, Row, Table, figure, line, ordered
from fieldsurvey.needs.report.content import GROUPS, REASONS, SHARE_PARISHES, ReportContent
from fieldsurvey.needs.report.names import Names
from fieldsurvey.needs.report.shares import Needs, Value
from fieldsurvey.needs.report.words import Words
from fieldsurvey.needs.tables import NOT_ASKED, NOT_VISITED, PUBLISHED, SUPPRESSED


@dataclass(frozen=True)
class Reader:
    """What every view needs."""

    release: ReportContent
    words: Words
    names: Names

    def label(self, value: Value) -> str:
        """What a value is about."""
        return self.names.indicator(value.indicator, value.sector)

    def no_share(self) -> str:
        """Why a province has counts only."""
        return self.words("tables.no_share", parishes=SHARE_PARISHES, base=self.release.limits.k_base)


def figures(reader: Reader, frame: pl.DataFrame, section: str, *, caption: str, heads: tuple[str, ...]) -> Table:
    """Lines of one number, or of one number out of another."""
    words, rows = reader.words, []
    for row in frame.iter_rows(named=True):
        cells = [figure(row["n"], row["status"], words)]
        if "base" in row:
            cells.append(figure(row["base"], PUBLISHED, words) if row["base"] is not None else Cell("", SUPPRESSED))
        rows.append(Row(reader.names.item(section, section, row["item"]), tuple(cells)))
    return Table(caption, heads, (Body("", tuple(rows)),))


def unanswered(reader: Reader, frame: pl.DataFrame, unit: str) -> Table:
    """Problems of a unit, one column a reason why there is no answer."""
    words, names = reader.words, reader.names
    mine = frame.filter(pl.col("unit") == unit)
    known = {
        (row["indicator"], row["reason"]): figure(row["n"], row["status"], words) for row in mine.iter_rows(named=True)
    }
    rows = [
        Row(
            names.indicator(indicator, sector),
            tuple(known.get((indicator, reason), Cell("", SUPPRESSED)) for reason in REASONS),
        )
        for indicator, sector in mine.select("indicator", "sector").unique(maintain_order=True).iter_rows()
    ]
    heads = (words("tables.problem"), *(words(f"unanswered.{reason}") for reason in REASONS))
    return Table(words("unanswered.caption", unit=names.unit(unit)), heads, (Body("", tuple(rows)),))


def consulted(reader: Reader) -> list[tuple[Cell, str]]:
    """Who was asked, each with a number of its own."""
    frame = reader.release.consulted
    rows = [] if frame is None else frame.iter_rows(named=True)
    return [
        (figure(row["n"], row["status"], reader.words), reader.names.item("consulted", "consulted", row["item"]))
        for row in rows
    ]


def recruited(reader: Reader) -> list[tuple[Cell, str]]:
    """How the people were reached: all groups, of the unit `person` if it is there, else of the first."""
    profile = reader.release.profile
    if profile is None:
        return []
    found = profile.filter((pl.col("dimension") == "recruited_by") & (pl.col("group") == ""))
    units = found["unit"].unique(maintain_order=True).to_list()
    unit = "person" if "person" in units else next(iter(units), "")
    return [
        (figure(row["n"], row["status"], reader.words), reader.names.answer("recruited_by", row["code"]))
        for row in found.filter(pl.col("unit") == unit).iter_rows(named=True)
    ]


def visited(reader: Reader, frame: pl.DataFrame) -> tuple[Table, int, int]:
    """The parishes by canton, how many were visited and how many planned. Those not visited end as a note."""
    words, names, bodies = reader.words, reader.names, []
    for canton in sorted(set(frame["canton"])):
        here = frame.filter((pl.col("canton") == canton) & (pl.col("status") != NOT_VISITED)).sort("place")
        rows = [
            Row(names.place(row["place"]), (figure(row["n"], row["status"], words),))
            for row in here.iter_rows(named=True)
        ]
        if rows:
            bodies.append(Body(names.place(canton), tuple(rows)))
    missed = frame.filter(pl.col("status") == NOT_VISITED).sort("place")["place"].to_list()
    listed = words.listed([names.place(place) for place in missed])
    note = words("parishes.not_visited", list=listed) if missed else words("parishes.all_visited")
    heads = (words("parishes.parish"), words("parishes.n"))
    return Table(words("parishes.caption"), heads, tuple(bodies), (note,)), frame.height - len(missed), frame.height


def participation(reader: Reader, frame: pl.DataFrame) -> Table:
    """Planned and actual by place; whoever was planned and not heard is named under it."""
    words, names, bodies = reader.words, reader.names, []
    for place in frame["place"].unique(maintain_order=True).to_list():
        rows = [
            Row(
                names.item("group", "priority_group", row["group"] or "all"),
                (
                    figure(row["planned"], PUBLISHED if row["planned"] is not None else NOT_ASKED, words),
                    figure(row["n"], row["status"], words),
                ),
            )
            for row in frame.filter(pl.col("place") == place).iter_rows(named=True)
        ]
        bodies.append(Body(names.place(place), tuple(rows)))
    absent = frame.filter((pl.col("planned") > 0) & (pl.col("n") == 0) & (pl.col("status") == PUBLISHED))
    listed = [
        f"{names.item('group', 'priority_group', row['group'] or 'all')} ({names.place(row['place'])})"
        for row in absent.iter_rows(named=True)
    ]
    notes = (words("participation.missing", list=words.listed(listed)),) if listed else ()
    heads = (words("participation.group"), words("participation.planned"), words("participation.actual"))
    return Table(words("participation.caption"), heads, tuple(bodies), notes)


def profile(reader: Reader, frame: pl.DataFrame, *, caption: str = "") -> list[Table]:
    """One table a unit: dimensions, their answers, one column a group."""
    words, names, tables = reader.words, reader.names, []
    for unit in frame["unit"].unique(maintain_order=True).to_list():
        mine = frame.filter(pl.col("unit") == unit)
        groups = [group for group in GROUPS if group in set(mine["group"])]
        bodies = []
        for dimension in mine["dimension"].unique(maintain_order=True).to_list():
            rows = mine.filter(pl.col("dimension") == dimension)
            known = {(r["code"], r["group"]): figure(r["n"], r["status"], words) for r in rows.iter_rows(named=True)}
            codes = names.order(dimension, rows["code"].unique(maintain_order=True).to_list())
            lines = [
                Row(
                    names.answer(dimension, code),
                    tuple(known.get((code, group), Cell("", SUPPRESSED)) for group in groups),
                )
                for code in codes
            ]
            label = words(f"dimension.{dimension}") if words.has(f"dimension.{dimension}") else dimension
            bodies.append(Body(names.label("question", dimension) if label == dimension else label, tuple(lines)))
        heads = (words("profile.answer"), *(names.group(group, short=True) for group in groups))
        title = caption or words("profile.caption", dimension=words("profile.title"), unit=names.unit(unit))
        tables.append(Table(title, heads, tuple(bodies)))
    return tables


def needs_table(reader: Reader, needs: Needs, place: tuple[str, str, str], unit: str, kind: str) -> Table:
    """One place: sectors (or problems) by group."""
    words, names = reader.words, reader.names
    code, level, _ = place
    groups = GROUPS if level == "province" else GROUPS[:-1]
    bodies = [group_body(reader, needs, kind, code, group) for group in groups]
    notes = [words("tables.joined")] if level == "joined" else []
    silent = [body.instead is not None for body in bodies[1:]]
    if all(silent):
        bodies = bodies[:1]
        notes.append(words("tables.collapsed"))
    label = words("tables.label" if kind == "sector" else "tables.problem")
    heads = (label, *(words(f"tables.{name}") for name in ("asked", "serious", "pct", "rank")))
    caption = words("tables.caption", place=place_name(reader, place), unit=names.unit(unit))
    return Table(caption, heads, tuple(bodies), tuple(notes))


def group_body(reader: Reader, needs: Needs, kind: str | None, place: str, group: str) -> Body:
    """The rows of one group in one place, from most to least."""
    values = ordered(needs.values(kind, place, group))
    label = reader.names.group(group)
    statuses = {value.status for value in values}
    if statuses <= {SUPPRESSED, NOT_ASKED}:
        return Body(label, (), instead=Cell("", SUPPRESSED if SUPPRESSED in statuses else NOT_ASKED))
    rows = tuple(line(reader.label(value), value, reader.words) for value in values)
    counted = place == "" and needs.counted(group)
    return Body(label, rows, reader.no_share() if counted else "")


def ranked(reader: Reader, frames: Sequence[pl.DataFrame], unit: str, section: str, limit: int) -> list[Table]:
    """One table a group for the province: what was named most, from most to least, and the rest left to the files."""
    words, names = reader.words, reader.names
    needs = Needs(frames, unit, reader.release)
    what, named = ("problem", "priorities.chosen") if section == "priorities" else ("", "barriers.named")
    head = words(f"tables.{what}") if what else words("barriers.label")
    heads = (head, words("tables.asked"), words(named), words("tables.pct"), words("tables.rank"))
    tables = []
    for group in ("host", "mobility", ""):
        body = group_body(reader, needs, None, "", group)
        if body.instead is not None:
            continue
        caption = words(f"{section}.caption", group=names.group(group), place=names.territory, unit=names.unit(unit))
        tables.append(Table(caption, heads, (Body("", body.rows[:limit], body.no_share),)))
    return tables


def place_name(reader: Reader, place: tuple[str, str, str]) -> str:
    """With its level, and a parish with its canton."""
    code, level, canton = place
    name = reader.names.place(code)
    if level == "parish":
        return f"{name} ({reader.words('place.level_parish')}, {reader.names.place(canton)})"
    return f"{name} ({reader.words('place.level_canton')})" if level == "canton" else name
