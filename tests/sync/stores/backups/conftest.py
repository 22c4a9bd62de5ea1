"""Each kind of central in turn, and a disk for its backups. All records are synthetic."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from sync.backups import (
    BackupReport,
    back_up,
)
from sync.central import Central
from sync.place import DATABASE, Place, open_central, write_place
from tests.sync.stores.filled import fill_central

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    """Moves when told."""
    return FixedClock(NOW)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Where backups are kept."""
    made = tmp_path / "disk"
    made.mkdir()
    return made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home."""
    made = tmp_path / "home"
    made.mkdir()
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, home: Path) -> Place:
    """Each kind of central in turn, named by the home."""
    if request.param == "sqlite":
        return Place(path=home / DATABASE)
    found = Place(dsn=request.getfixturevalue("dsn"))
    found.store().close()
    write_place(home, found)
    return found


@pytest.fixture
def central(home: Path, place: Place, clock: FixedClock) -> Iterator[Central]:
    """An empty one."""
    with open_central(home, clock=clock) as made:
        yield made


@pytest.fixture
def backup(central: Central, home: Path, disk: Path, clock: FixedClock) -> BackupReport:
    """One that holds something, without its sum beside it: then only what is inside can tell."""
    fill_central(central.store, laptops=1, records=3)
    made = back_up(central, home, disk, clock=clock)
    Path(made.path + ".sha256").unlink()
    return made
