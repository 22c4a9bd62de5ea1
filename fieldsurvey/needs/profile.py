"""The small tables of a release: who was consulted and where, contact outcomes, data quality. Each protected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from fieldsurvey.needs.counts import GROUPS
from fieldsurvey.needs.indicators import Indicator
from fieldsurvey.needs.places import REST, Gazetteer, join_small
from fieldsurvey.needs.protect import protect_table
from fieldsurvey.needs.protect.errors import UnprotectableError
from fieldsurvey.needs.report.content import REASONS, UNANSWERED
from fieldsurvey.needs.tables import NOT_VISITED, PUBLISHED, SUPPRESSED, Thresholds

_KEPT: Final = ("complete", "partial")
# What the profile is broken down by, and whether it is sensitive (then for everybody together only).
_DIMENSIONS: Final = (
    ("mobility", False),
    ("sex", False),
    ("age_band", False),
    ("recruited_by", False),
    ("origin", True),
)
_MISSING: Final = "dont_know"


def parishes(frame: pl.DataFrame, planned: Sequence[str], gazetteer: Gazetteer, limits: Thresholds) -> pl.DataFrame:
    """PARISHES: each planned or visited parish; its interviews, or why they are not said."""
    canton = {parish.code: parish.canton for parish in gazetteer.parishes}
    counted = frame.group_by("parish").agg(pl.len().alias("count")).filter(pl.col("parish").is_in(list(canton)))
    counted = counted.with_columns(pl.col("parish").replace_strict(canton, return_dtype=pl.String).alias("canton"))
    shown: dict[str, tuple[int | None, str]] = {}
    if not counted.is_empty():
        made = protect_table(counted, [("canton", "parish")], k=limits.k_cell, k_base=limits.k_base).public()
        shown = {place: (n, status) for place, n, status in made.select("parish", "count", "status").iter_rows()}
    wanted = [p.code for p in gazetteer.parishes if p.code in shown or not planned or p.code in planned]
    return pl.DataFrame(
        {
            "place": wanted,
            "canton": [canton[code] for code in wanted],
            "n": [shown[code][0] if code in shown else None for code in wanted],
            "status": [shown[code][1] if code in shown else NOT_VISITED for code in wanted],
        },
        schema={"place": pl.String, "canton": pl.String, "n": pl.Int64, "status": pl.String},
    )


def profile(frame: pl.DataFrame, limits: Thresholds, *, by_group: bool) -> pl.DataFrame:
    """PROFILE of the province; `frame` has a column `group`. `by_group`: the groups' totals are published.

    Answers that few people gave are joined, together with the next smallest where needed (see `joined`).
    """
    made = [_dimension(frame, name, limits, by_group and not sensitive, sensitive) for name, sensitive in _DIMENSIONS]
    return pl.concat([part for part in made if part is not None] or [pl.DataFrame(schema=_PROFILE)])


def joined(frame: pl.DataFrame, limits: Thresholds) -> dict[str, tuple[str, ...]]:
    """By dimension, the answers that `profile` joins under the code REST."""
    found = {}
    for name, sensitive in _DIMENSIONS:
        if name in frame.columns:
            together = _together(frame, name, limits.k_sensitive if sensitive else limits.k_cell)
            if together:
                found[name] = together
    return found


def _together(frame: pl.DataFrame, name: str, k: int) -> tuple[str, ...]:
    counts = dict(_answers(frame, name).group_by("code").len().sort("code").iter_rows())
    return tuple(code for code in counts if code in join_small(counts, k))


def _answers(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.with_columns(pl.col(name).cast(pl.String).fill_null(_MISSING).alias("code"))


_PROFILE: Final = {
    "unit": pl.String,
    "dimension": pl.String,
    "code": pl.String,
    "group": pl.String,
    "n": pl.Int64,
    "status": pl.String,
}


def _dimension(
    frame: pl.DataFrame, name: str, limits: Thresholds, by_group: bool, sensitive: bool
) -> pl.DataFrame | None:
    if name not in frame.columns:
        return None
    k = limits.k_sensitive if sensitive else limits.k_cell
    small = _together(frame, name, k)
    answers = _answers(frame, name).with_columns(pl.col("code").replace(dict.fromkeys(small, REST)))
    if by_group and name != "mobility":  # `mobility` is what the groups are made from: nothing to cross
        counted = answers.group_by("code", "group").agg(pl.len().alias("count")).sort("code", "group")
        try:
            made = protect_table(
                counted, [("code",), ("group",)], k=k, k_base=limits.k_base, known=pl.col("code") == ""
            )
        except UnprotectableError:
            return _dimension(frame, name, limits, by_group=False, sensitive=sensitive)
        return _as_profile(made.public().filter(pl.col("code") != ""), name)
    counted = answers.group_by("code").agg(pl.len().alias("count")).sort("code")
    if len(counted) < 2 or answers.height < k:
        return None
    made = protect_table(counted, [("code",)], k=k, k_base=limits.k_base, known=pl.col("code") == "")
    return _as_profile(made.public().filter(pl.col("code") != "").with_columns(pl.lit("").alias("group")), name)


def _as_profile(made: pl.DataFrame, name: str) -> pl.DataFrame:
    return made.select(
        pl.lit("person").alias("unit"),
        pl.lit(name).alias("dimension"),
        "code",
        "group",
        pl.col("count").alias("n"),
        "status",
    ).sort("code", pl.col("group").cast(pl.Enum(list(GROUPS))))


def outcomes(frame: pl.DataFrame, withdrawn: int, limits: Thresholds) -> pl.DataFrame:
    """FIGURES of all contacts (`frame`: kept interviews and those that hold nothing but their outcome)."""
    kept = pl.when(pl.col("outcome").is_in(_KEPT)).then(pl.lit("kept")).otherwise(pl.lit("not_kept"))
    counted = frame.with_columns(kept.alias("kind")).group_by("kind", "outcome").agg(pl.len().alias("count"))
    counted = counted.filter(pl.col("outcome").is_not_null()).sort("kind", "outcome")
    rows: list[tuple[str, int | None, str]] = []
    if not counted.is_empty():
        made = protect_table(
            counted,
            [("kind", "outcome")],
            k=limits.k_cell,
            k_base=limits.k_base,
            known=(pl.col("kind") == "kept") & (pl.col("outcome") == ""),
        )
        rows += made.public().filter(pl.col("outcome") != "").select("outcome", "count", "status").rows()
    tallies: dict[str, int] = {
        name: int(frame[name].sum() or 0) for name in ("approached", "declined") if name in frame.columns
    }
    tallies["withdrawn"] = withdrawn
    rows += [_figure(name, n, limits) for name, n in tallies.items()]
    return pl.DataFrame(rows, schema=_FIGURES, orient="row")


_FIGURES: Final = {"item": pl.String, "n": pl.Int64, "status": pl.String}


def _figure(item: str, n: int, limits: Thresholds) -> tuple[str, int | None, str]:
    small = 1 <= n < limits.k_cell
    return item, None if small else n, SUPPRESSED if small else PUBLISHED


def unanswered(frame: pl.DataFrame, indicators: Sequence[Indicator], limits: Thresholds) -> pl.DataFrame:
    """UNANSWERED: for the records of one unit, how many gave no answer to each problem, by reason.

    How many they are in all is known (interviews less those asked) and stays so; reasons are shown from k up.
    """
    rows: list[tuple[object, ...]] = []
    for indicator in indicators:
        question = next((t.question for t in indicator.denominator.tests if t.question in indicator.questions[:1]), "")
        if question not in frame.columns:
            continue
        out = frame.filter(~indicator.denominator.expression(frame.schema))
        reason = pl.when(pl.col(question).is_in(REASONS)).then(pl.col(question)).otherwise(pl.lit("no_answer"))
        counts = dict(out.group_by(reason.alias("reason")).len().iter_rows())
        numbers = {code: int(counts.get(code, 0)) for code in REASONS if code != "total"}
        for code, (n, status) in _reasons(numbers, limits).items():
            rows.append((indicator.unit, indicator.id, indicator.sector, code, n, status))
    schema = {name: pl.Int64 if name == "n" else pl.String for name in UNANSWERED}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _reasons(numbers: Mapping[str, int], limits: Thresholds) -> dict[str, tuple[int | None, str]]:
    total = sum(numbers.values())
    hidden: tuple[int | None, str] = (None, SUPPRESSED)
    if 1 <= total < limits.k_cell:
        return dict.fromkeys(("total", *numbers), hidden)
    counted = pl.DataFrame({"reason": list(numbers), "count": list(numbers.values())})
    known = pl.col("reason") == ""
    try:
        made = protect_table(counted, [("reason",)], k=limits.k_cell, k_base=limits.k_cell, known=known).public()
    except UnprotectableError:
        return {"total": (total, PUBLISHED), **dict.fromkeys(numbers, hidden)}
    shown = made.with_columns(pl.col("reason").replace("", "total")).select("reason", "count", "status")
    return {code: (n, status) for code, n, status in shown.iter_rows()}


def consulted(units: Mapping[str, int], limits: Thresholds) -> pl.DataFrame:
    """FIGURES: interviews by unit; together where one of them is small."""
    if any(1 <= n < limits.k_cell for n in units.values()):
        return pl.DataFrame([_figure("interview", sum(units.values()), limits)], schema=_FIGURES, orient="row")
    return pl.DataFrame([(unit, n, PUBLISHED) for unit, n in units.items() if n], schema=_FIGURES, orient="row")


def quality(frame: pl.DataFrame, unreadable: int, limits: Thresholds) -> pl.DataFrame:
    """QUALITY: signs about the interviews, each of all of them; neither it nor the rest is shown when small."""
    marks = {
        "duplicate": ("_duplicate", pl.col("_duplicate")),
        "paper": ("_mode", pl.col("_mode") == "paper"),
        "partial": ("outcome", pl.col("outcome") == "partial"),
        "interpreter": ("interpreter", pl.col("interpreter") == "yes"),
        "not_private": ("privacy", pl.col("privacy") == "not_private"),
    }
    base = frame.height
    rows = []
    for item, (column, met) in marks.items():
        if column in frame.columns:
            n = int(frame.select(met.fill_null(value=False).sum()).item())
            small = 1 <= n < limits.k_cell or 1 <= base - n < limits.k_cell
            rows.append((item, None if small else n, base, SUPPRESSED if small else PUBLISHED))
    small = 1 <= unreadable < limits.k_cell
    rows.append(
        (
            "unreadable",
            None if small else unreadable,
            base + unreadable if not small else base,
            SUPPRESSED if small else PUBLISHED,
        )
    )
    return pl.DataFrame(
        rows, schema={"item": pl.String, "n": pl.Int64, "base": pl.Int64, "status": pl.String}, orient="row"
    )
