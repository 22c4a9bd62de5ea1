"""Two datasets, compared."""

from __future__ import annotations

from polars.testing import assert_frame_equal

from fieldsurvey.needs.opened.dataset import Dataset


def same(one: Dataset, other: Dataset) -> None:
    """Tables, columns and counts are equal, row for row."""
    assert one.quality == other.quality
    assert [(t.form, t.level, t.columns) for t in one.tables] == [(t.form, t.level, t.columns) for t in other.tables]
    for mine, theirs in zip(one.tables, other.tables, strict=True):
        assert_frame_equal(mine.frame, theirs.frame)
