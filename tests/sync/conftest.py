"""Fixtures of this room. All devices and records are synthetic."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from sync.central import Central
from tests.sync.projects import Field, SyntheticProject, join, seal_some


@pytest.fixture
def clock() -> FixedClock:
    """Stands still."""
    return FixedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def central(tmp_path: Path, clock: FixedClock) -> Iterator[Central]:
    """An empty central."""
    with Central.open(tmp_path / "central.db", wait=0.2, clock=clock) as made:
        yield made


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    """A laptop with three sealed records, and what goes with it."""
    project = SyntheticProject()
    laptop = join(project, tmp_path / "laptop")
    project.enrol(laptop.locked.device_card())
    seal_some(laptop, 3)
    stick = tmp_path / "stick"
    stick.mkdir()
    yield Field(project, laptop, stick)
    laptop.close()
