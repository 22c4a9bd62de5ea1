"""Fixtures of the line's tests: a synthetic laptop with a real vault, sealed records in it, and a place to send to."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork.laptop import PROJECT, Laptop
from tests.sync.http.worlds import Place, ServedProject
from tests.sync.projects import NOW, join, seal_some

RECORDS, SIZE = 12, 17_000


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> tuple[ServedProject, Path]:
    """A project, and a laptop's folder with records that nobody has yet."""
    project = ServedProject()
    home = tmp_path_factory.mktemp("stocked") / "laptop"
    laptop = join(project, home)
    seal_some(laptop, RECORDS, SIZE)
    card = laptop.locked.device_card()
    project.enrol(card)
    laptop.close()
    return project, home


@pytest.fixture
def place(stocked: tuple[ServedProject, Path], tmp_path: Path) -> Place:
    """A central of that project, empty, without a server yet."""
    project = ServedProject(stocked[0].id)
    project.__dict__.update({**stocked[0].__dict__, "devices": dict(stocked[0].devices), "servers": ()})
    home = tmp_path / "central"
    home.mkdir()
    return Place(home, project, project.publish())


@pytest.fixture
def arrive(stocked: tuple[ServedProject, Path], tmp_path: Path) -> Iterator[Callable[[Place], Laptop]]:
    """Makes a fresh copy of the stocked laptop that knows the place's newest project."""
    made: list[Laptop] = []

    def copy(place: Place) -> Laptop:
        home = tmp_path / f"laptop-{len(made)}"
        shutil.copytree(stocked[1], home)
        (home / PROJECT).write_bytes(place.signed.data)
        made.append(Laptop.open(home, FixedClock(NOW)))
        return made[-1]

    yield copy
    for one in made:
        one.close()
