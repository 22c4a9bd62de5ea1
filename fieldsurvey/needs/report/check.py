"""Refuses what is not protected. Shares no code with the protector: it looks at the finished values alone."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fieldsurvey.needs.report import content
from fieldsurvey.needs.report.content import ReportContent
from fieldsurvey.needs.report.errors import UnprotectedError
from fieldsurvey.needs.tables import PUBLISHED, STATUSES, Thresholds


def check(release: ReportContent) -> None:
    """Raises UnprotectedError for a frame with other columns, a number that is not published, or one too small."""
    limits = release.limits
    for name in ("consulted", "outcomes"):
        _figures(name, getattr(release, name), content.FIGURES, limits)
    _figures("quality", release.quality, content.QUALITY, limits)
    _figures("parishes", release.parishes, content.PARISHES, limits)
    _figures("participation", release.participation, content.PARTICIPATION, limits)
    _figures("unanswered", release.unanswered, content.UNANSWERED, limits)
    _figures("profile", release.profile, content.PROFILE, limits)
    for name in ("needs", "priorities", "barriers"):
        for frame in getattr(release, name):
            _needs(name, frame, limits)
    for comparison in release.comparisons:
        _needs("comparisons", comparison.needs, limits)
        _figures("composition", comparison.composition, content.PROFILE, limits)
        elsewhere = (pl.col("place") != comparison.canton) | (pl.col("level") != "canton")
        _refuse("comparisons", comparison.needs, {"a row is of another place than the comparison": elsewhere})
        if any(0 < n < limits.k_cell for n in comparison.interviews.values()):
            raise UnprotectedError(table="comparisons", rule="a number of interviews is below k_cell")


def _columns(table: str, frame: pl.DataFrame, wanted: Sequence[str]) -> None:
    if set(frame.columns) != set(wanted):
        odd = sorted(set(frame.columns) ^ set(wanted))
        raise UnprotectedError(table=table, rule=f"the columns are not those of a protected table ({', '.join(odd)})")


def _refuse(table: str, frame: pl.DataFrame, rules: dict[str, pl.Expr]) -> None:
    """Raises for the first of `rules` that any row of `frame` meets."""
    for rule, bad in rules.items():
        if frame.select(bad.fill_null(value=False).any()).item():
            raise UnprotectedError(table=table, rule=rule)


def _small(column: str, limits: Thresholds) -> pl.Expr:
    return pl.col(column).is_between(1, limits.k_cell - 1)


def _pairing(number: str, status: str) -> dict[str, pl.Expr]:
    """A number stands if, and only if, its status says that it is published."""
    known = pl.col(status).is_in(STATUSES)
    return {
        f"`{status}` is none of {', '.join(STATUSES)}": ~known | pl.col(status).is_null(),
        f"`{number}` has a value that is not published": (pl.col(status) != PUBLISHED) & pl.col(number).is_not_null(),
        f"`{number}` is published and has no value": (pl.col(status) == PUBLISHED) & pl.col(number).is_null(),
    }


def _figures(table: str, frame: pl.DataFrame | None, wanted: Sequence[str], limits: Thresholds) -> None:
    if frame is None:
        return
    _columns(table, frame, wanted)
    small = _small("n", limits) | (_small("base", limits) if "base" in frame.columns else pl.lit(value=False))
    _refuse(table, frame, {**_pairing("n", "status"), "a published count is below k_cell": small})


def _needs(table: str, frame: pl.DataFrame, limits: Thresholds) -> None:
    _columns(table, frame, content.NEEDS)
    rest = pl.col("asked") - pl.col("serious")
    few = pl.col("asked").is_between(1, limits.k_base - 1)
    _refuse(
        table,
        frame,
        {
            **_pairing("asked", "asked_status"),
            **_pairing("serious", "status"),
            "a published count is below k_cell": _small("asked", limits) | _small("serious", limits),
            "asked less serious is below k_cell": rest.is_between(1, limits.k_cell - 1),
            "more said so than were asked": rest < 0,
            "a count of fewer than k_base people asked is published": few & pl.col("serious").is_not_null(),
            "a share stands without its count": pl.col("pct").is_not_null() & pl.col("serious").is_null(),
            "a share stands without k_base people asked": pl.col("pct").is_not_null()
            & (pl.col("asked").is_null() | (pl.col("asked") < limits.k_base)),
            "a rank stands without its share": pl.col("rank").is_not_null() & pl.col("pct").is_null(),
        },
    )
