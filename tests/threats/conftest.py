"""A synthetic project, and a laptop of it with three sealed interviews and a draft; every answer holds a canary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.project.model import Person, RoleKey
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.signing import SigningKey
from tests.fieldwork.conftest import NOW, WORDS, SyntheticProject, join

CANARY = "canario-Ñandú-3f81-sintético"
PERSON = "ENUMERATOR-01"  # long: three letters would be in a ciphertext by chance now and then


@dataclass
class World:
    """`central` signs receipts; `seeds` are the HMU's."""

    project: SyntheticProject
    laptop: Laptop
    clock: FixedClock
    central: SigningKey
    place: Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Locked; the enumerator has a draft."""
    project, clock, central = SyntheticProject(), FixedClock(NOW), SigningKey.generate()
    project.roles = (RoleKey(role=Role.CENTRAL, label="central", public=central.public.bytes.hex()),)
    project.people = (Person(code=PERSON, label="Enumerator 1"),)
    laptop = join(tmp_path / "home", project, clock, person=PERSON)
    session = laptop.unlock(WORDS)
    for n in range(4):
        work = session.start("synthetic")
        work.answer("/data/story", f"{CANARY} {n}")
        if n < 3:
            work.finalise()
    session.close()
    yield World(project, laptop, clock, central, tmp_path)
    laptop.close()
