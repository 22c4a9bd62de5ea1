"""A synthetic project with two recipients, two enumerators and one form, and laptops that joined it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.project.model import Device, Person, Project, ProjectForm, Recipient, RoleKey
from fieldsurvey.project.policy import Policy
from fieldsurvey.project.signed import write_project
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey
from fieldsurvey.records.slots import FLOOR
from tests.fieldwork.forms import xform

WORDS = "enero mapa nube cobre lila pauta"
OTHER_WORDS = "zumo duna yate horno grato lunes"
CANARY = "canario-Ñandú-271828"
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class SyntheticProject:
    """Root and recipients whose secrets are known to the test."""

    def __init__(self) -> None:
        self.root = RootKey.generate()
        self.operational = RecipientPrivate.generate()
        self.escrow = RecipientPrivate.generate()
        self.id = secrets.token_hex(16)
        self.forms: list[tuple[bytes, dict[str, Any]]] = []
        self.devices: tuple[Device, ...] = ()
        self.roles: tuple[RoleKey, ...] = ()
        self.people = tuple(Person(code=f"E0{number}", label=f"Enumerator {number}") for number in (1, 2))
        self.policy = Policy()
        self.version = 0
        self.add_form(xform(), "synthetic", "1")

    def add_form(self, source: bytes, form_id: str, version: str) -> None:
        """Make this the current version of a form; the ones before become earlier."""
        for _, fields in self.forms:
            if fields["id"] == form_id:
                fields["status"] = "earlier"
        digest = hashlib.sha256(source).hexdigest()
        fields = {"id": form_id, "version": version, "title": "A synthetic form", "hash": digest, "status": "current"}
        self.forms.append((source, fields))

    def enrol(self, card: DeviceCard, **standing: Any) -> None:
        """Put a device in the next version."""
        self.devices = (Device(id=card.device, name=card.name, card=card, **standing),)

    def publish(self, root: RootKey | None = None) -> bytes:
        """The next version of the file."""
        signer = root or self.root
        self.version += 1
        model = Project(
            id=self.id,
            name="Synthetic project",
            version=self.version,
            issued="2026-02-01T08:00:00Z",
            expires="2027-02-01T08:00:00Z",
            root=signer.public.bytes.hex(),
            recipients=(
                Recipient.of("operational", self.operational.public),
                Recipient.of("escrow", self.escrow.public),
            ),
            roles=self.roles,
            people=self.people,
            devices=self.devices,
            forms=tuple(ProjectForm(**fields) for _, fields in self.forms),
            policy=self.policy,
        )
        return write_project(model, {fields["hash"]: source for source, fields in self.forms}, signer)


@pytest.fixture
def clock() -> FixedClock:
    """Stands still at the start of a morning."""
    return FixedClock(NOW)


@pytest.fixture
def project() -> SyntheticProject:
    """Not published yet."""
    return SyntheticProject()


def join(home: Path, project: SyntheticProject, clock: FixedClock, person: str = "E01") -> Laptop:
    """A laptop that joined, locked, Argon2id at its floor."""
    return Laptop.join(
        home,
        project.publish(),
        device_name="Synthetic laptop",
        person=person,
        passphrase=WORDS,
        clock=clock,
        argon2=FLOOR,
    )


@pytest.fixture
def laptop(tmp_path: Path, project: SyntheticProject, clock: FixedClock) -> Iterator[Laptop]:
    """Joined and locked; its folder is `home` below the test's."""
    made = join(tmp_path / "home", project, clock)
    yield made
    made.close()


@pytest.fixture
def session(laptop: Laptop) -> Iterator[Session]:
    """Unlocked by E01."""
    opened = laptop.unlock(WORDS)
    yield opened
    opened.close()


def seal(session: Session, count: int) -> None:
    """Some records."""
    for _ in range(count):
        work = session.start("synthetic")
        work.answer("/data/story", "told")
        work.finalise()


@pytest.fixture
def worked(laptop: Laptop) -> Laptop:
    """Three sealed records and a draft with a canary; locked."""
    session = laptop.unlock(WORDS)
    seal(session, 3)
    work = session.start("synthetic")
    work.answer("/data/story", CANARY)
    work.close()
    session.close()
    return laptop


Opener = Callable[[int], dict[str, Any]]
