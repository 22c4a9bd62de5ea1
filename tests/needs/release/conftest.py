"""One release for the whole room."""

from __future__ import annotations

import polars as pl
import pytest

from fieldsurvey.needs.report.content import ReportContent
from tests.needs.release import made


@pytest.fixture(scope="session")
def frame() -> pl.DataFrame:
    """Synthetic interviews in seven parishes."""
    return made.interviews(150, 7)


@pytest.fixture(scope="session")
def content(frame: pl.DataFrame) -> ReportContent:
    """Their release."""
    return made.release(frame)
