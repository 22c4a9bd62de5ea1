"""A supervisor's laptop and a stick. All is synthetic."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from sync.relay import Relay
from tests.sync.laptops import PROJECT
from tests.sync.projects import SyntheticProject
from tests.sync.relay.kit import made


@pytest.fixture
def project() -> SyntheticProject:
    """A synthetic project, with the id that synthetic laptops have."""
    return SyntheticProject(PROJECT)


@pytest.fixture
def relay(tmp_path: Path, project: SyntheticProject, clock: FixedClock) -> Relay:
    """A supervisor's laptop that holds nothing yet."""
    return made(tmp_path / "supervisor", project, clock)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """An empty one."""
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"
