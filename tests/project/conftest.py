"""A synthetic steward's folder, made once: Argon2id at its floor, passphrases that open nothing else."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.project import steward
from fieldsurvey.project.formfile import FormFile, form_of
from fieldsurvey.records.device import DeviceCard, LogParent
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.slots import FLOOR
from tests.records.conftest import seed

ROOT_PASS = "abad abajo abanico abarcar abedul zorro"
HMU_PASS = "lema brote oleaje conserva calesa reducir"
START = datetime(2026, 1, 5, 12, tzinfo=UTC)

XFORM = """<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
 xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>Prueba</h:title><model>
<instance><data id="{id}" version="{version}"><need/><place/></data></instance>
<bind nodeset="/data/need" type="string"/>{binds}</model></h:head><h:body>
<input ref="/data/need"><label>¿Qué hace falta?</label></input>{body}</h:body></h:html>"""


def xform(form_id: str = "prueba", version: str = "1", binds: str = "", body: str = "") -> bytes:
    """A small synthetic XForm."""
    return XFORM.format(id=form_id, version=version, binds=binds, body=body).encode()


def form(form_id: str = "prueba", version: str = "1", binds: str = "", body: str = "") -> FormFile:
    """The same, read."""
    return form_of(xform(form_id, version, binds, body))


def carrier(name: str = "Laptop 1 (synthetic)") -> SigningKey:
    """The carrier key of the card of that name."""
    return SigningKey(seed(f"{name} carrier"))


def card(
    project: str,
    name: str = "Laptop 1 (synthetic)",
    parent: LogParent | None = None,
    former: SigningKey | None = None,
) -> DeviceCard:
    """A card with keys that its name gives. `former` signs that its log goes on from `parent`."""
    return DeviceCard.make(
        SigningKey(seed(f"{name} sign")),
        project=project,
        name=name,
        carrier=carrier(name).public,
        recipient=RecipientPrivate(seed(f"{name} recipient")).public,
        created="2026-01-05T08:00:00-05:00",
        parent=parent,
        former=former,
    )


@pytest.fixture
def clock() -> FixedClock:
    """It stands at the start of a synthetic year."""
    return FixedClock(START)


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("steward") / "folder"
    steward.new_project(
        folder, "Prueba sintética", root_pass=ROOT_PASS, hmu_pass=HMU_PASS, argon2=FLOOR, clock=FixedClock(START)
    )
    return folder


@pytest.fixture
def folder(_made: Path, tmp_path: Path) -> Path:
    """A steward's folder of one's own."""
    return Path(shutil.copytree(_made, tmp_path / "steward"))
