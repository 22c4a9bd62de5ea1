"""Reports of erasure: signed by the place that erased, bounded, and the golden ones never change."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from fieldsurvey.project.signed import read_project
from fieldsurvey.records.container import write_container
from fieldsurvey.records.erased import (
    MAX_BYTES,
    MAX_CASES,
    ErasedCase,
    ErasureReport,
    Place,
    read_erasure,
    write_erasure,
)
from fieldsurvey.records.errors import ContainerError, FieldError, SignatureError
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.signing import SigningKey
from tests.records.conftest import PROJECT, seed
from tests.records.golden_erasure import FOLDER, make, reports
from tests.records.make_golden import GOLDEN
from tests.records.test_frozen import hashes

FROZEN = {
    "central.fsx": "c0e7a45548fa427281568d50a25fd1636263802c87fc56ca475258f39a04385f",
    "expected.json": "a833ccbd8d8154eb99883657d61b03f4f585bf2836c0a72dd896d9ee298088fd",
    "hmu.fsx": "7577fa2616209b725a74e9b25a913116a8f9f3d1a0b42d99b7b327b08dc627eb",
    "keys.json": "b5a4685634f90cf43f67a91993e4f3e0d5f6c3c91420314a270b6382cca64b4a",
    "laptop.fsx": "d10c75ba505275356bdcc615b3ce4595077af001297b46ef7eb73018bb12d68a",
    "relay.fsx": "0303b37f0da479984d155c1ebb6aadc4f57ad7af12db333f1d1dfaa81278a13b",
}
CENTRAL, HMU, CARRIER = (SigningKey(seed(name)) for name in ("central", "hmu", "carrier"))
ROLES = [(Role.CENTRAL, CENTRAL.public), (Role.HMU, HMU.public)]
DEVICE = "d1" * 16


def report(**changes: Any) -> ErasureReport:
    """Central's, of one case."""
    said = {"project": PROJECT, "place": Place.CENTRAL, "cases": [ErasedCase(tag="7a" * 32, records=2)]}
    return ErasureReport.model_validate({**said, "at": "2026-02-01T10:00:00Z", **changes})


def test_the_golden_reports_are_as_they_were_made() -> None:
    """Byte for byte; and what is written today is the same."""
    assert hashes(FOLDER) == FROZEN
    assert make() == {path.name: path.read_bytes() for path in FOLDER.iterdir()}


def test_the_golden_reports_are_read_under_the_golden_project() -> None:
    """Each by its place's key: the role's, or the carrier of a laptop of the project."""
    project = read_project((GOLDEN / "project.fsp").read_bytes()).model
    carriers = {device.id: device.card.carrier_key for device in project.devices}
    for name, (made, _key) in reports().items():
        assert read_erasure((FOLDER / name).read_bytes(), project.role_keys, carriers).report == made


def test_a_report_that_its_place_did_not_sign_is_refused() -> None:
    """Another role's key, another laptop's carrier, an unknown laptop, a laptop's word under a role's key: refused.

    Control: the right key is taken, and told.
    """
    laptop = report(place=Place.LAPTOP, device=DEVICE)
    carriers = {DEVICE: CARRIER.public, "d2" * 16: HMU.public}
    assert read_erasure(write_erasure(laptop, CARRIER), ROLES, carriers) == (laptop, CARRIER.public)
    assert read_erasure(write_erasure(report(), CENTRAL), ROLES, {}) == (report(), CENTRAL.public)
    for made, key in ((report(), HMU), (report(), CARRIER), (laptop, CENTRAL), (laptop, HMU)):
        with pytest.raises(SignatureError):
            read_erasure(write_erasure(made, key), ROLES, carriers)
    with pytest.raises(SignatureError):
        read_erasure(write_erasure(laptop, CARRIER), ROLES, {})


def test_a_report_says_nothing_besides() -> None:
    """A frame, a second signature, a device that is no laptop, a laptop without one, cases out of order or twice."""
    content = report().content()
    with pytest.raises(ContainerError):
        read_erasure(b"".join(write_container("erasure", content, [b"x"], CENTRAL)), ROLES, {})
    with pytest.raises(ContainerError):
        read_erasure(b"".join(write_container("erasure", content, [], [CENTRAL, HMU])), ROLES, {})
    one, two = (ErasedCase(tag=tag * 32, records=1) for tag in ("01", "02"))
    wrong: list[dict[str, Any]] = [
        {"device": DEVICE},
        {"place": Place.LAPTOP},
        {"cases": [two, one]},
        {"cases": [one, one]},
        {"cases": []},
    ]
    for changes in wrong:
        with pytest.raises(ValidationError):
            report(**changes)
        forged = {**content, **{name: _plain(value) for name, value in changes.items()}}
        with pytest.raises(FieldError):
            read_erasure(b"".join(write_container("erasure", forged, [], CENTRAL)), ROLES, {DEVICE: CENTRAL.public})
    assert report(cases=[one, two]).cases == (one, two)


def _plain(value: Any) -> Any:
    return [case.content() for case in value] if isinstance(value, list) else value


def test_the_largest_report_fits_and_one_more_case_does_not() -> None:
    """A thousand cases are within the bound that is checked before a byte is believed."""
    cases = [ErasedCase(tag=f"{n:064x}", records=1_000_000) for n in range(MAX_CASES + 1)]
    data = write_erasure(report(cases=cases[:-1], backups_until="2026-02-11"), CENTRAL)
    assert len(data) <= MAX_BYTES
    assert len(read_erasure(data, ROLES, {}).report.cases) == MAX_CASES
    with pytest.raises(ValidationError):
        report(cases=cases)
