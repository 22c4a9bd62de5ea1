"""One synthetic release, and its page in both languages, for all tests of the report."""

from __future__ import annotations

import pytest

from fieldsurvey.needs.report import ReportContent, page
from tests.needs.report import made


@pytest.fixture(scope="session")
def whole() -> ReportContent:
    """A release with every part."""
    return made.release()


@pytest.fixture(scope="session")
def pages(whole: ReportContent) -> dict[str, str]:
    """Its page by language."""
    return {language: page(whole, language) for language in ("es", "en")}
