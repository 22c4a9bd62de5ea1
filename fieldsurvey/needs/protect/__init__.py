"""Giving nobody away: count tables with suppressed cells, and the audit that refuses them.

`protect_table` chooses what is not published and has `audit_table` judge the result as a reader would see it. The two
share no code. Rules: `docs/protection.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from fieldsurvey.needs.protect.audit import AuditResult
from fieldsurvey.needs.protect.audit_sums import Interval
from fieldsurvey.needs.protect.audit_table import audit_table
from fieldsurvey.needs.protect.cube import build_cube, parse_hierarchy
from fieldsurvey.needs.protect.errors import AuditError, TableError, TableTooLargeError
from fieldsurvey.needs.protect.suppression import Progress, suppress
from fieldsurvey.needs.protect.system import cube_system

__all__ = [
    "AuditError",
    "AuditResult",
    "Interval",
    "Protected",
    "TableError",
    "TableTooLargeError",
    "audit_table",
    "parse_hierarchy",
    "protect_table",
]


@dataclass(frozen=True, slots=True)
class Protected:
    """A table that passed its audit. `frame`: the dimensions ("" = total), `count` (null where not published),
    `status` (published, primary, secondary), and `low`, `high` (feasible interval; null high = no bound) if asked for.
    """

    frame: pl.DataFrame
    audit: AuditResult

    def number(self, status: str) -> int:
        """Cells with a status."""
        return int((self.frame["status"] == status).sum())

    def public(self) -> pl.DataFrame:
        """`frame` with `suppressed` for both kinds: which is which helps a reader to guess."""
        return self.frame.with_columns(pl.col("status").replace({"primary": "suppressed", "secondary": "suppressed"}))

    @property
    def narrowest(self) -> int | None:
        """The width of the narrowest interval; None where none has an upper bound."""
        return min((i.high - i.low for i in self.audit.intervals.values() if i.high is not None), default=None)


def protect_table(
    frame: pl.DataFrame,
    dimensions: list[tuple[str, ...]],
    *,
    k: int = 5,
    k_base: int | None = None,
    traits: Sequence[str] | None = None,
    known: pl.Expr | None = None,
    intervals: bool = False,
    progress: Progress | None = None,
    audit_progress: Progress | None = None,
) -> Protected:
    """Protect a count table: finest-level rows in, every cell with its totals out.

    `frame`: string columns named in `dimensions` (chains coarse to fine), `count` integers ≥ 0, optional `primary`.
    `k`: counts of 1 to k − 1 are primary; intervals are at least k wide. `k_base` (default 2 k) and `traits`: all of
    a group smaller than `k_base` are never shown to be alike in a trait (default: every dimension without hierarchy).
    `known`: a condition on the dimensions for cells that are published elsewhere, and stay so. Raises TableError,
    TableTooLargeError, UnprotectableError (only with `known`), and AuditError when the audit refuses the result.
    """
    base = 2 * k if k_base is None else k_base
    cube = build_cube(frame, dimensions)
    fixed = None if known is None else cube.frame().select(known.alias("known"))["known"].to_numpy().reshape(cube.shape)
    system = cube_system(cube, k=k, k_base=base, traits=traits, known=fixed)
    pattern = suppress(system, k, progress=progress)
    status = np.where(pattern.primary, "primary", np.where(pattern.secondary, "secondary", "published"))
    whole = cube.frame(count=cube.values.ravel(), status=status.tolist())
    public = whole.with_columns(pl.when(pl.col("status") == "published").then(pl.col("count")).alias("count"))
    judged = audit_table(
        public,
        dimensions,
        k=k,
        k_base=base,
        traits=traits,
        primary_is_small="primary" not in frame.columns,
        exact=intervals,
        progress=audit_progress,
    )
    if not judged.passed:
        names = public.row(judged.findings[0].cell)[: sum(len(d) for d in dimensions)]
        raise AuditError(cells=len(judged.findings), first=" · ".join(str(n) or "∑" for n in names))
    if intervals:
        found = [judged.intervals.get(row) for row in range(public.height)]
        public = public.with_columns(
            pl.Series("low", [None if i is None else i.low for i in found], dtype=pl.Int64),
            pl.Series("high", [None if i is None else i.high for i in found], dtype=pl.Int64),
        )
    return Protected(public, judged)
