"""The audit of one table as it will be published: rows with every dimension ("" = total), `count` or none, `status`.

Builds for itself, from the rows alone, which totals are made of which parts; shares no code with the protector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from fieldsurvey.needs.protect.audit import AuditResult, Finding, Published, audit_cells
from fieldsurvey.needs.protect.audit_sums import Interval

_Key = tuple[tuple[str, ...], ...]


def audit_table(
    frame: pl.DataFrame,
    chains: Sequence[tuple[str, ...]],
    *,
    k: int,
    k_base: int,
    traits: Sequence[str] | None = None,
    primary_is_small: bool = True,
    exact: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> AuditResult:
    """Judge a published table; cells in the result are row numbers from 0.

    `chains` are the dimensions, coarse to fine. `traits` and `k_base` as for the protector: a group that a reader
    knows to be smaller than `k_base` (its count is published, its interval ends below, or it is marked `primary`
    where `primary_is_small`) may not be shown to be all in one category.
    """
    keys = [
        tuple(tuple(part for part in row[chain] if part) for chain in _slices(chains))
        for row in frame.select([name for chain in chains for name in chain]).iter_rows()
    ]
    where: dict[_Key, int] = {key: row for row, key in enumerate(keys)}
    lines: list[dict[int, list[int]]] = [{} for _ in chains]
    for row, key in enumerate(keys):
        for axis, node in enumerate(key):
            total = where.get((*key[:axis], node[:-1], *key[axis + 1 :])) if node else None
            if total is not None:
                lines[axis].setdefault(total, []).append(row)
    counts: list[int | None] = frame["count"].to_list()
    published = Published(counts, [(total, parts) for along in lines for total, parts in along.items()])
    result = audit_cells(published, k, exact=exact, progress=progress)
    statuses = frame["status"].to_list()
    alike: list[Finding] = []
    for axis, chain in enumerate(chains):
        if len(chain) > 1 if traits is None else chain[-1] not in traits:
            continue
        for total, parts in lines[axis].items():
            small = _small(counts[total], result.intervals.get(total), k_base) or (
                primary_is_small and statuses[total] == "primary"
            )
            others = [part for part in parts if counts[part] != 0]
            if small and len(parts) > 1 and len(others) == 1:
                alike.append(Finding(others[0], "alike"))
    return AuditResult(result.intervals, result.findings + alike)


def _slices(chains: Sequence[tuple[str, ...]]) -> list[slice]:
    found, start = [], 0
    for chain in chains:
        found.append(slice(start, start + len(chain)))
        start += len(chain)
    return found


def _small(count: int | None, interval: Interval | None, k_base: int) -> bool:
    if count is not None:
        return 1 <= count < k_base
    return interval is not None and interval.high is not None and interval.high < k_base and interval.low >= 1
