"""From answers to counts: how many people of each group in each place answered, and how many of them said so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from fieldsurvey.needs.indicators import Indicator
from fieldsurvey.needs.places import Places
from fieldsurvey.needs.protect.cube import Ints

GROUPS: Final = ("", "host", "mobility", "other")
"""Everybody; the host community; people in mobility; family abroad and not said, who are in neither."""


@dataclass(frozen=True)
class Counts:
    """Counts by place and group, shape (places, groups): the nodes of `places` by GROUPS, totals included."""

    places: Places
    asked: dict[str, Ints]
    said: dict[str, Ints]


def with_area(frame: pl.DataFrame, places: Places) -> pl.DataFrame:
    """`frame` with the columns `area` (code of an area of `places`; rows elsewhere are dropped) and `group`."""
    missing = [name for name in ("parish", "host_mobility") if name not in frame.columns]
    frame = frame.with_columns([pl.lit(None, pl.String).alias(name) for name in missing])
    group = pl.col("host_mobility").cast(pl.String)
    return frame.with_columns(
        pl.col("parish")
        .cast(pl.String)
        .replace_strict(places.area_of, default=None, return_dtype=pl.String)
        .alias("area"),
        pl.when(group.is_in(["host", "mobility"])).then(group).otherwise(pl.lit("other")).alias("group"),
    ).filter(pl.col("area").is_not_null())


def count(frame: pl.DataFrame, indicators: Sequence[Indicator], places: Places) -> Counts:
    """Counts of `indicators` in `frame` (one row a record, with `area` and `group`), in one pass."""
    schema = frame.schema
    made = [
        expression
        for i in indicators
        for expression in (
            i.denominator.expression(schema).sum().alias(f"asked:{i.id}"),
            (i.denominator.expression(schema) & i.numerator.expression(schema)).sum().alias(f"said:{i.id}"),
        )
    ]
    found = frame.group_by("area", "group").agg(made)
    grid = _Grid(places, found)
    return Counts(
        places,
        {i.id: grid.of(f"asked:{i.id}") for i in indicators},
        {i.id: grid.of(f"said:{i.id}") for i in indicators},
    )


def records(frame: pl.DataFrame, places: Places) -> Ints:
    """How many rows by place and group."""
    found = frame.group_by("area", "group").agg(pl.len().cast(pl.Int64).alias("n"))
    return _Grid(places, found).of("n")


class _Grid:
    """Lays sums by area and group out over all places and groups."""

    def __init__(self, places: Places, found: pl.DataFrame) -> None:
        self._places = places
        self._found = found
        index = {node: i for i, node in enumerate(places.nodes)}
        self._rows = np.array([index[area] for area in found["area"]], dtype=np.int64)
        self._columns = np.array([GROUPS.index(group) for group in found["group"]], dtype=np.int64)
        self._families = [(index[total], [index[part] for part in parts]) for total, parts in reversed(places.families)]

    def of(self, column: str) -> Ints:
        values = np.zeros((len(self._places.nodes), len(GROUPS)), dtype=np.int64)
        values[self._rows, self._columns] = self._found[column].to_numpy()
        for total, parts in self._families:
            values[total] = values[parts].sum(axis=0)
        values[:, 0] = values[:, 1:].sum(axis=1)
        return values
