"""The needs tables of one unit: how many were asked and how many said so, by place, group, sector and problem.

Sector by sector the protector decides what is shown (a sector, its problems and what is published of the interviews
hang together). Where it finds no way, the sector is collapsed: first without areas, then without groups, then to the
province.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from fieldsurvey.needs.counts import GROUPS, Counts, count, records, with_area
from fieldsurvey.needs.indicators import Indicator, Level, check_place, one_unit
from fieldsurvey.needs.linked import LinkedTables
from fieldsurvey.needs.places import Area, Places
from fieldsurvey.needs.protect.cube import Bools, Ints
from fieldsurvey.needs.protect.errors import UnprotectableError

PUBLISHED: Final = "published"
SUPPRESSED: Final = "suppressed"
NOT_ASKED: Final = "not_asked"
NOT_VISITED: Final = "not_visited"
SHARE_PARISHES: Final = 6
"""Parishes with k_base people asked before the province has a share (needs.md, "Reading it right")."""
STATUSES: Final = (PUBLISHED, SUPPRESSED, NOT_ASKED, NOT_VISITED)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From the project's policy."""

    k_cell: int = 5
    k_base: int = 10
    k_sensitive: int = 10


@dataclass(frozen=True)
class Block:
    """Indicators that hang together: `whole` (the sector) and its `parts` (its problems); no parts = on its own."""

    whole: Indicator
    parts: tuple[Indicator, ...] = ()

    @property
    def all(self) -> tuple[Indicator, ...]:
        """The whole first."""
        return (self.whole, *self.parts)


@dataclass(frozen=True)
class Shown:
    """An indicator's counts and what is shown of them; shape (places, groups) of `places`."""

    indicator: Indicator
    places: Places
    asked: Ints
    said: Ints
    asked_shown: Bools
    said_shown: Bools
    unseen: Bools
    """Cells that are in no table: groups where they are not told apart."""


@dataclass(frozen=True)
class Bound:
    """No more people can have said so than these, by place and group; `shown`: what a reader knows of it."""

    places: Places
    values: Ints
    shown: Bools


@dataclass(frozen=True)
class Interviews:
    """How many interviews, by place and group; which of these numbers are published; where groups are told apart.

    `grouped`: by place. `unseen`: cells that are in no table; shape (places, groups).
    """

    places: Places
    values: Ints
    shown: Bools
    grouped: Bools
    unseen: Bools

    def at(self, places: Places, *, grouped: bool) -> Interviews:
        """The same for coarser `places`, and without groups anywhere if not `grouped`."""
        rows = [self.places.nodes.index(node) for node in places.nodes]
        told = self.grouped[rows] if grouped else np.zeros(len(rows), dtype=np.bool_)
        return Interviews(places, self.values[rows], self.shown[rows], told, _unseen(places, told))


def interviews(frame: pl.DataFrame, of_unit: pl.DataFrame, places: Places, limits: Thresholds) -> Interviews:
    """All of a round's interviews (`frame`). Their number is published by place, and by group for the province only.

    Which groups are told apart where follows the interviews `of_unit`.

    Groups are told apart in a place where each of them is empty or at least k_base, and never in all places but one
    or in all but a few that are small together: what is left over would be had by subtraction.
    """
    values = records(with_area(frame, places), places)
    shown = np.zeros(values.shape, dtype=np.bool_)
    shown[:, 0] = (values[:, 0] == 0) | (values[:, 0] >= limits.k_cell)
    if ((values[0] == 0) | (values[0] >= limits.k_cell)).all():
        shown[0] = True
    told = _told_apart(places, records(with_area(of_unit, places), places), limits.k_base)
    return Interviews(places, values, shown, told, _unseen(places, told))


def _told_apart(places: Places, values: Ints, k_base: int) -> Bools:
    large = ((values == 0) | (values >= k_base)).all(axis=1)
    told = np.zeros(len(places.nodes), dtype=np.bool_)
    told[0] = large[0]
    index = {node: i for i, node in enumerate(places.nodes)}
    for total, parts in places.families:
        if not told[index[total]]:
            continue
        rows = sorted((index[part] for part in parts), key=lambda row: int(values[row, 1:].min()))
        left = [row for row in rows if not large[row]]
        others = [row for row in rows if large[row]]
        while left and others and (len(left) < 2 or ((s := values[left].sum(axis=0)) < k_base)[s > 0].any()):
            left.append(others.pop(0))
        told[others] = True
    return told


def _unseen(places: Places, told: Bools) -> Bools:
    """Cells by group of places among whose siblings nobody is told apart: in no table. (Others are suppressed.)"""
    found = np.zeros((len(places.nodes), len(GROUPS)), dtype=np.bool_)
    index = {node: i for i, node in enumerate(places.nodes)}
    found[0, 1:] = not told[0]
    for _total, parts in places.families:
        rows = [index[part] for part in parts]
        found[rows, 1:] = not told[rows].any()
    return found


def blocks(indicators: Sequence[Indicator], unit: str) -> list[Block]:
    """Sectors with their problems: `sector_*` and `need_*` of one unit that share a sector."""
    mine = [i for i in indicators if i.unit == unit]
    sectors = [i for i in mine if i.id.startswith("sector_")]
    problems = [i for i in mine if i.id.startswith("need_")]
    return [Block(s, tuple(p for p in problems if p.sector == s.sector)) for s in sectors]


def needs_tables(
    frame: pl.DataFrame,
    wanted: Sequence[Block],
    *,
    base: Interviews,
    limits: Thresholds,
    beside: Mapping[str, Shown] | None = None,
    bounds: Mapping[str, Bound] | None = None,
    coarser: Mapping[str, int] | None = None,
) -> list[Shown]:
    """What is shown of each block for the records of one unit.

    `frame`: one row a record. `beside`: by sector, what is shown already for the other unit: the two together are no
    more than the interviews. `bounds`: by indicator. `coarser`: by indicator, how many steps of collapsing to begin
    with. A block for which no way is found is left out. Raises MixedUnitsError, ForbiddenTableError.
    """
    one_unit([indicator for block in wanted for indicator in block.all])
    found: list[Shown] = []
    for block in wanted:
        name = block.whole.id
        for places, grouped in _collapsings(base.places)[(coarser or {}).get(name, 0) :]:
            for indicator in block.all:
                check_place(indicator, finest_level(places))
            plan = _Plan(block, base.at(places, grouped=grouped), limits, (bounds or {}).get(name))
            try:
                found += plan.shown(frame, (beside or {}).get(block.whole.sector))
            except UnprotectableError:
                continue
            break
    return found


def _same(counted: Counts, one: str, other: str) -> bool:
    """Whether a sector is its only problem under another name."""
    return bool((counted.asked[one] == counted.asked[other]).all() and (counted.said[one] == counted.said[other]).all())


def finest_level(places: Places) -> Level:
    """How fine `places` are."""
    if any(area.code != area.canton for area in places.areas):
        return "parish"
    return "canton" if len(places.areas) > 1 else "province"


def _collapsings(places: Places) -> list[tuple[Places, bool]]:
    """From fine to coarse: the places to show, and whether by group."""
    cantons = cantons_only(places)
    found = [(places, True), (cantons, True), (cantons, False), (province_only(places), False)]
    return found[1:] if cantons.nodes == places.nodes else found


def cantons_only(places: Places) -> Places:
    """The same without areas below the cantons."""
    cantons: dict[str, list[str]] = {}
    for area in places.areas:
        cantons.setdefault(area.canton, []).extend(area.parishes)
    return Places(tuple(Area(canton, canton, tuple(parishes)) for canton, parishes in cantons.items()))


def province_only(places: Places) -> Places:
    """The province as the only place."""
    return Places((Area("", "", tuple(parish for area in places.areas for parish in area.parishes)),))


@dataclass(frozen=True)
class _Plan:
    """One block at one fineness."""

    block: Block
    base: Interviews
    limits: Thresholds
    bound: Bound | None = None

    @property
    def places(self) -> Places:
        """Where."""
        return self.base.places

    def shown(self, frame: pl.DataFrame, beside: Shown | None) -> list[Shown]:
        """Decide. Raises UnprotectableError."""
        block, places, base = self.block, self.places, self.base
        counted = count(with_area(frame, places), block.all, places)
        asked_shown = self._asked_shown(counted.asked)
        if len(block.parts) == 1 and _same(counted, block.whole.id, block.parts[0].id):
            alone = _Plan(Block(block.whole), base, self.limits).shown(frame, beside)
            return [*alone, replace(alone[0], indicator=block.parts[0])]
        tables = LinkedTables(places)
        tables.add_decided("interviews", base.values, base.shown)
        for indicator in block.all:
            name, asked, said = indicator.id, counted.asked[indicator.id], counted.said[indicator.id]
            tables.add_decided(f"asked {name}", asked, asked_shown[name])
            for part, values, cost in (("said", said, 1.0), ("not", asked - said, 0.2)):
                primary = self._small(values) | ((asked >= 1) & (asked < self.limits.k_base)) | self._apart
                tables.add(f"{part} {name}", values, primary, cost=cost, unseen=base.unseen)
            tables.split(f"asked {name}", (f"said {name}", f"not {name}"))
        self._link(tables, beside)
        shown = tables.published(self.limits.k_cell)
        return [
            Shown(
                indicator=i,
                places=places,
                asked=counted.asked[i.id],
                said=counted.said[i.id],
                asked_shown=asked_shown[i.id],
                said_shown=shown[f"said {i.id}"],
                unseen=base.unseen,
            )
            for i in block.all
        ]

    def _link(self, tables: LinkedTables, beside: Shown | None) -> None:
        whole = self.block.whole.id
        tables.at_most((f"asked {whole}",), "interviews")
        if beside is not None:
            tables.within_known(f"asked {whole}", "interviews", beside.places, beside.asked, beside.asked_shown)
        bound = self.bound
        if bound is not None and set(self.places.nodes) <= set(bound.places.nodes):
            rows = [bound.places.nodes.index(node) for node in self.places.nodes]
            tables.add_decided("bound", bound.values[rows], bound.shown[rows])
            tables.at_most((f"said {whole}",), "bound")
        for what in ("asked", "said") if self.block.parts else ():
            parts = [f"{what} {part.id}" for part in self.block.parts]
            tables.at_most(parts, f"{what} {whole}")
            tables.at_most(parts, f"{what} {whole}", together=True)

    def _asked_shown(self, asked: dict[str, Ints]) -> dict[str, Bools]:
        """Which denominators are shown. They are tables of their own: how many did not answer is not kept secret."""
        tables = LinkedTables(self.places)
        for name, values in asked.items():
            tables.add(name, values, self._small(values) | self._apart, unseen=self.base.unseen)
        return tables.published(self.limits.k_cell)

    def _small(self, values: Ints) -> Bools:
        return (values >= 1) & (values < self.limits.k_cell)

    @property
    def _apart(self) -> Bools:
        """Cells by group where groups are not told apart."""
        found = np.zeros(self.base.unseen.shape, dtype=np.bool_)
        found[:, 1:] = ~self.base.grouped[:, None]
        return found


def needs_frame(tables: Sequence[Shown], limits: Thresholds, like: pl.DataFrame | None = None) -> pl.DataFrame:
    """Long: one row an indicator, place and group, each number with its status (one of STATUSES).

    `asked`, `serious`: null where not shown. `pct`: where both are shown and `asked` is at least k_base, for the
    province only where SHARE_PARISHES parishes have k_base (those of `like`, for tables that have no parishes of their
    own). `rank`: by share, among the shares that are shown.
    """
    made = [_long(shown) for shown in tables]
    frame = pl.concat(made) if made else pl.DataFrame(schema=_SCHEMA)
    enough = pl.col("asked") >= limits.k_base
    groups = [group for group in GROUPS if like is not None and _parishes(like, group, limits) >= SHARE_PARISHES]
    own = (enough & (pl.col("level") == "parish")).sum().over("indicator", "group")
    parishes = own if like is None else pl.col("group").is_in(groups).cast(pl.Int64) * SHARE_PARISHES
    may = enough & ((pl.col("level") != "province") | (parishes >= SHARE_PARISHES))
    pct = pl.when(may).then((100 * pl.col("serious") / pl.col("asked")).round(1))
    by = ["unit", "kind", "place", "group"]
    return frame.with_columns(pct.alias("pct")).with_columns(
        pl.when(pl.col("pct").is_not_null())
        .then(pl.col("pct").rank("min", descending=True).over(by))
        .cast(pl.Int64)
        .alias("rank")
    )


def _parishes(frame: pl.DataFrame, group: str, limits: Thresholds) -> int:
    """In how many parishes some question was answered by k_base people of a group."""
    here = (pl.col("level") == "parish") & (pl.col("group") == group) & (pl.col("asked") >= limits.k_base)
    return frame.filter(here)["place"].n_unique()


_KINDS: Final = {"sector_": "sector", "need_": "problem", "top3_": "priority", "barrier_": "barrier"}
_SCHEMA: Final = {
    "unit": pl.String,
    "kind": pl.String,
    "indicator": pl.String,
    "sector": pl.String,
    "place": pl.String,
    "level": pl.String,
    "canton": pl.String,
    "group": pl.String,
    "asked": pl.Int64,
    "asked_status": pl.String,
    "serious": pl.Int64,
    "status": pl.String,
}


def _long(shown: Shown) -> pl.DataFrame:
    places, indicator = shown.places, shown.indicator
    nodes = [node for node in places.nodes for _ in GROUPS]
    asked, said = shown.asked.ravel(), shown.said.ravel()
    asked_status = np.where(shown.asked_shown.ravel(), PUBLISHED, SUPPRESSED)
    status = np.where(shown.said_shown.ravel() & shown.asked_shown.ravel(), PUBLISHED, SUPPRESSED)
    nobody = (asked == 0) & shown.asked_shown.ravel()
    status = np.where(nobody, NOT_ASKED, status)
    return (
        pl.DataFrame(
            {
                "unit": indicator.unit,
                "kind": next((kind for start, kind in _KINDS.items() if indicator.id.startswith(start)), "problem"),
                "indicator": indicator.id,
                "sector": indicator.sector,
                "place": nodes,
                "level": [places.level(node) for node in nodes],
                "canton": [places.canton_of(node) for node in nodes],
                "group": list(GROUPS) * len(places.nodes),
                "asked": pl.Series(asked),
                "asked_status": pl.Series(asked_status.tolist()),
                "serious": pl.Series(said),
                "status": pl.Series(status.tolist()),
            },
            schema=_SCHEMA,
        )
        .filter(~pl.Series(shown.unseen.ravel()))
        .with_columns(
            pl.when(pl.col("asked_status") == PUBLISHED).then("asked").alias("asked"),
            pl.when(pl.col("status") == PUBLISHED).then("serious").alias("serious"),
        )
    )
