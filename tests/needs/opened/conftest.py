"""One world for the whole room; tests that damage a central take a copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldsurvey.needs.opened.dataset import Dataset
from fieldsurvey.needs.opened.opening import open_round
from sync.central import Central
from tests.needs.opened.world import ROUND, Maker, World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Fieldwork is over and the stick is imported."""
    return Maker(tmp_path_factory.mktemp("world")).make()


@pytest.fixture
def central(world: World, tmp_path: Path) -> Iterator[Central]:
    """A copy of the world's central."""
    copy = tmp_path / "central.db"
    shutil.copy(world.central, copy)
    with Central.open(copy) as opened:
        yield opened


@pytest.fixture(scope="session")
def dataset(world: World) -> Dataset:
    """The first round, opened in this process."""
    with Central.open(world.central) as central:
        return open_round(central, world.project, world.hmu, ROUND)
