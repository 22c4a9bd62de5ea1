"""Fixtures of the line's tests: a synthetic laptop with a real vault, sealed records in it, and a place to send to."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork.laptop import PROJECT, Laptop
from sync.folder import export_batches
from sync.http.limits import Limits
from tests.sync.http.pushes import Arrive, digest
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


@pytest.fixture
def whole(place: Place, arrive: Arrive, tmp_path: Path) -> str:
    """What central holds when everything came, by stick."""
    laptop = arrive(place)
    stick = tmp_path / "stick"
    export_batches(laptop.locked, stick)
    other = Place(tmp_path / "other", place.project, place.signed)
    other.home.mkdir()
    with other.central() as central:
        central.learn(place.signed.model)
        for path in sorted((stick / "fieldsurvey" / "batches").glob("*.fsb")):
            with path.open("rb") as stream:
                central.merge(stream)
    return digest(other)


@pytest.fixture
def small_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several packs in a batch of little data."""
    monkeypatch.setattr(Limits, "__init__", _small(Limits.__init__))


def _small(init: Any) -> Any:
    def made(self: Limits, **kwargs: Any) -> None:
        init(self, **{"pack": 1 << 16, "rate": 1000.0, "burst": 1000, **kwargs})

    return made
