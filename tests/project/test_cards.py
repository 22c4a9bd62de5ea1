"""Which cards a steward may enrol: a log that goes on from another's must be that laptop's own. All synthetic."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.project import steward
from fieldsurvey.project.errors import UnprovenCardError
from fieldsurvey.project.model import Project
from fieldsurvey.records.device import DeviceCard, LogParent
from fieldsurvey.records.signing import SigningKey
from tests.project.conftest import ROOT_PASS, card, carrier

THIEF = "Laptop 9 (synthetic)"


@pytest.fixture
def before(folder: Path) -> DeviceCard:
    """A laptop that is enrolled."""
    first = card(steward.read_steward(folder).model.id)
    enrol(folder, first)
    return first


def enrol(folder: Path, one: DeviceCard) -> Project:
    """As the steward does."""
    return steward.enrol(folder, one.to_bytes(), root_pass=ROOT_PASS).model


def after(before: DeviceCard, former: SigningKey | None, name: str = THIEF) -> DeviceCard:
    """A card that goes on from that laptop's log, or says so."""
    return card(before.project, name, LogParent(device=before.device, seq=3, head="5e" * 32), former)


@pytest.mark.parametrize("former", [None, carrier(THIEF), SigningKey(b"\x07" * 32)])
def test_a_claim_without_proof_is_not_enrolled(folder: Path, before: DeviceCard, former: SigningKey | None) -> None:
    """Signed by nobody, by itself, by a third: refused, the project stays. The control: the laptop's own key."""
    with pytest.raises(UnprovenCardError) as refused:
        enrol(folder, after(before, former))
    assert before.name in refused.value.message
    assert len(steward.read_steward(folder).model.devices) == 1
    model = enrol(folder, after(before, carrier()))
    assert model.before(model.devices[1]) == model.devices[0]


def test_a_claim_that_was_enrolled_first_counts_only_with_its_proof(folder: Path) -> None:
    """Of a laptop that is not enrolled yet nothing can be checked; once it is, a false claim is none."""
    first = card(steward.read_steward(folder).model.id)
    honest, false = after(first, carrier(), "Laptop 2 (synthetic)"), after(first, carrier(THIEF))
    for one in (false, honest, first):
        model = enrol(folder, one)
    was = [model.before(device) for device in model.devices]
    assert was == [None, model.device(first.device), None]
