"""A project whose HMU signs, and a laptop with one record to return. All is synthetic."""

from __future__ import annotations

import pytest

from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.cards import SealedCard
from tests.fieldwork.conftest import WORDS, SyntheticProject
from tests.fieldwork.returning import seal_one, with_hmu


@pytest.fixture
def project() -> SyntheticProject:
    """With an HMU that signs."""
    return with_hmu(SyntheticProject())


@pytest.fixture
def sealed(laptop: Laptop) -> tuple[Laptop, SealedCard]:
    """A locked laptop with one record, and what it gave."""
    session = laptop.unlock(WORDS)
    card = seal_one(session)
    session.close()
    return laptop, card
