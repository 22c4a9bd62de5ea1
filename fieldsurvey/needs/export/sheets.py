"""A release as plain tables with codes and labels side by side; one table a level, nothing summed, nothing added.

The rules of the page hold here too: a share of a sensitive trait from 90 % up has no count (needs.md, "Giving nobody
away"), and the province has shares only where six parishes have enough people. Where a number is kept back its cell is
empty and `status` says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from fieldsurvey.needs.report.check import check
from fieldsurvey.needs.report.content import UNITS, ReportContent
from fieldsurvey.needs.report.names import Names
from fieldsurvey.needs.report.shares import Needs, Value
from fieldsurvey.needs.report.words import Words
from fieldsurvey.needs.tables import SUPPRESSED


@dataclass(frozen=True)
class Sheet:
    """One table. `id` names files and sheets, `about` says in one sentence what a row is."""

    id: str
    title: str
    about: str
    frame: pl.DataFrame


@dataclass(frozen=True)
class Reading:
    """A release in one language."""

    release: ReportContent
    words: Words
    names: Names

    @classmethod
    def of(cls, release: ReportContent, language: str) -> Reading:
        """Raises UnprotectedError for a release that is not protected, NoWordsError for an unknown language."""
        check(release)
        words = Words(language)
        return cls(release, words, Names(release.labels, words, release.territory))


def sheets(reading: Reading) -> list[Sheet]:
    """All tables of a release; those it does not have are left out."""
    release = reading.release
    found = list(_needs_sheets(reading))
    found += [
        _plain(reading, name, frame)
        for name, frame in (
            ("parishes", release.parishes),
            ("participation", release.participation),
            ("profile", release.profile),
            ("consulted", release.consulted),
            ("unanswered", release.unanswered),
            ("outcomes", release.outcomes),
            ("quality", release.quality),
        )
        if frame is not None and frame.height
    ]
    return found


def _needs_sheets(reading: Reading) -> Iterator[Sheet]:
    """Needs by unit and level (province, canton, parish), priorities, barriers."""
    words, release = reading.words, reading.release
    for name, frames in (("needs", release.needs), ("priorities", release.priorities), ("barriers", release.barriers)):
        for unit in UNITS:
            values = needs_rows(reading, frames, unit)
            if values is None:
                continue
            for level in values["level"].unique(maintain_order=True).to_list():
                part = values.filter(pl.col("level") == level)
                title = f"{words(f'export.{name}')} · {words(f'level.{level}')} · {reading.names.unit(unit)}"
                yield Sheet(f"{name}_{unit}_{level}", title, words("export.about_needs"), part)


def needs_rows(reading: Reading, frames: Sequence[pl.DataFrame], unit: str) -> pl.DataFrame | None:
    """The values of one unit as they may be read, with labels; None when there are none."""
    mine = [frame for frame in frames if (frame["unit"] == unit).any()]
    if not mine:
        return None
    needs = Needs(mine, unit, reading.release)
    kinds = dict(pl.concat([f.select("indicator", "kind") for f in mine]).unique().iter_rows())
    groups = pl.concat([f.select("group") for f in mine])["group"].unique(maintain_order=True).to_list()
    rows = [
        _row(reading, unit, kinds[value.indicator], level, value)
        for place, level, _canton in needs.places()
        for group in groups
        for value in needs.values(None, place, group)
    ]
    return pl.DataFrame(rows, schema=_NEEDS_SCHEMA, orient="row")


_NEEDS_SCHEMA = {
    "round": pl.String,
    "release": pl.Int64,
    "unit": pl.String,
    "kind": pl.String,
    "level": pl.String,
    "place": pl.String,
    "place_name": pl.String,
    "group": pl.String,
    "group_name": pl.String,
    "sector": pl.String,
    "sector_name": pl.String,
    "indicator": pl.String,
    "indicator_name": pl.String,
    "asked": pl.Int64,
    "asked_status": pl.String,
    "serious": pl.Int64,
    "status": pl.String,
    "pct": pl.Float64,
    "pct_over": pl.Boolean,
    "rank": pl.Int64,
}


def _row(reading: Reading, unit: str, kind: str, level: str, value: Value) -> tuple[object, ...]:
    names, release = reading.names, reading.release
    return (
        release.round_title,
        release.release,
        unit,
        kind,
        level,
        value.place,
        names.place(value.place),
        value.group,
        names.group(value.group),
        value.sector,
        names.label("sector", value.sector),
        value.indicator,
        names.indicator(value.indicator, value.sector),
        value.asked,
        value.asked_status,
        value.serious,
        SUPPRESSED if value.capped else value.status,
        value.pct,
        value.capped,
        value.rank,
    )


def _plain(reading: Reading, name: str, frame: pl.DataFrame) -> Sheet:
    """A table of single numbers, with the name of each code beside it."""
    words, names = reading.words, reading.names
    columns = [pl.lit(reading.release.round_title).alias("round"), pl.lit(reading.release.release).alias("release")]
    rows = frame.rows(named=True)
    labels: dict[str, list[str]] = {}
    if "item" in frame.columns:
        labels["item_name"] = [names.item(name, name, row["item"]) for row in rows]
    if "place" in frame.columns:
        labels["place_name"] = [names.place(row["place"]) for row in rows]
    if name == "participation":
        labels["group_name"] = [names.item("group", "priority_group", row["group"] or "all") for row in rows]
    elif "group" in frame.columns:
        labels["group_name"] = [names.group(row["group"]) for row in rows]
    if "dimension" in frame.columns:
        labels["answer_name"] = [names.answer(row["dimension"], row["code"]) for row in rows]
    named = frame.with_columns([pl.Series(key, found, dtype=pl.String) for key, found in labels.items()])
    order = [c for column in frame.columns for c in (column, f"{column}_name") if c in named.columns]
    order += [c for c in named.columns if c not in order]
    return Sheet(name, words(f"export.{name}"), words(f"export.about_{name}"), named.select([*columns, *order]))
