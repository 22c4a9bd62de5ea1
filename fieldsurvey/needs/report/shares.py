"""What a reader is shown of protected needs frames: the rules about shares that hold for the page as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from fieldsurvey.needs.report.content import CAP, NEEDS, SHARE_PARISHES, ReportContent
from fieldsurvey.needs.tables import PUBLISHED, SUPPRESSED


@dataclass(frozen=True, slots=True)
class Value:
    """One indicator in one place and group. A share that is `capped` has no count: it is "more than" the share."""

    indicator: str
    sector: str
    place: str
    group: str
    asked: int | None
    asked_status: str
    serious: int | None
    status: str
    pct: float | None
    rank: int | None
    capped: bool
    counted: bool  # the place may not have shares: counts only

    @property
    def shown(self) -> bool:
        """Whether there is anything to say."""
        return self.status == PUBLISHED


class Needs:
    """Frames of one unit, made ready for reading."""

    def __init__(self, frames: Sequence[pl.DataFrame], unit: str, release: ReportContent) -> None:
        self._release = release
        frame = pl.concat([f.select(NEEDS).filter(pl.col("unit") == unit) for f in frames])
        self._frame = frame
        reach = [f.select(NEEDS).filter(pl.col("unit") == unit) for f in (*release.needs, *release.priorities, *frames)]
        self._reach = pl.concat(reach)
        self._counted = {group: self._parishes(group) < SHARE_PARISHES for group in frame["group"].unique().to_list()}
        self._values = {
            (row["indicator"], row["place"], row["group"]): self._value(row) for row in frame.iter_rows(named=True)
        }

    def indicators(self, kind: str | None = None) -> list[tuple[str, str]]:
        """(indicator, sector) in the frames' order."""
        frame = self._frame if kind is None else self._frame.filter(pl.col("kind") == kind)
        return list(frame.select("indicator", "sector").unique(maintain_order=True).iter_rows())

    def places(self) -> list[tuple[str, str, str]]:
        """(place, level, canton): the province, then each canton and what lies in it, then what was joined."""
        order = ["province", "canton", "parish", "joined"]
        rows = self._frame.select("place", "level", "canton").unique().iter_rows()
        return sorted(rows, key=lambda r: (r[2] == "rest", r[2], order.index(r[1]), r[0]))

    def counted(self, group: str) -> bool:
        """Whether the province has no shares for this group: too few parishes."""
        return self._counted.get(group, True)

    def value(self, indicator: tuple[str, str], place: str, group: str) -> Value:
        """What is known there; where the tables have no such cell it was collapsed away, and is kept back."""
        name, sector = indicator
        found = self._values.get((name, place, group))
        if found is not None:
            return found
        return Value(name, sector, place, group, None, SUPPRESSED, None, SUPPRESSED, None, None, False, False)

    def values(self, kind: str | None, place: str, group: str) -> list[Value]:
        """All indicators of a kind in one place and group."""
        return [self.value(indicator, place, group) for indicator in self.indicators(kind)]

    def across(self, value: Value) -> list[Value]:
        """The same indicator and group in the parishes where its share is published, from low to high."""
        parishes = [place for place, level, _ in self.places() if level == "parish"]
        found = [self.value((value.indicator, value.sector), place, value.group) for place in parishes]
        return sorted((v for v in found if v.pct is not None), key=lambda v: v.pct or 0.0)

    def _parishes(self, group: str) -> int:
        """How many parishes have k_base people asked."""
        enough = (pl.col("asked") >= self._release.limits.k_base).fill_null(value=False)
        parish = (pl.col("level") == "parish") & (pl.col("group") == group)
        return self._reach.filter(parish & enough)["place"].n_unique()

    def _value(self, row: dict[str, object]) -> Value:
        asked, serious, pct = row["asked"], row["serious"], row["pct"]
        counted = row["level"] == "province" and self._counted[str(row["group"])]
        capped = (
            isinstance(asked, int)
            and isinstance(serious, int)
            and asked > 0
            and row["indicator"] in self._release.sensitive
            and 100 * serious >= CAP * asked
        )
        hide_share = counted or not isinstance(pct, (int, float))
        return Value(
            indicator=str(row["indicator"]),
            sector=str(row["sector"]),
            place=str(row["place"]),
            group=str(row["group"]),
            asked=asked if isinstance(asked, int) else None,
            asked_status=str(row["asked_status"]),
            serious=serious if isinstance(serious, int) and not capped else None,
            status=str(row["status"]),
            pct=CAP if capped else None if hide_share else float(pct),  # type: ignore[arg-type]  # a number: see hide_share
            rank=row["rank"] if isinstance(row["rank"], int) and not hide_share else None,
            capped=capped,
            counted=counted,
        )
