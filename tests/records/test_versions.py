"""A file of another version is refused with a sentence that says so, before anything else is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.needs.opened.store import load_dataset
from fieldsurvey.project.keys import unlock_hmu
from fieldsurvey.project.model import Project
from fieldsurvey.records.container import open_container
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import read_header
from fieldsurvey.records.errors import FormatVersionError
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.slots import read_params
from fieldsurvey.records.wire import FORMAT_VERSION, Wire
from fieldsurvey.records.withdrawal import Tombstone
from tests.records.make_golden import GOLDEN

OTHERS = [0, 3, 255]  # no structure has come as far as 3
EXPECTED: dict[str, Any] = json.loads((GOLDEN / "expected.json").read_bytes())


def version(data: bytes, of: int) -> bytes:
    """The same file with another version byte."""
    magic = 3 if data.startswith(b"FSK") else 4
    assert data[magic] == FORMAT_VERSION
    return data[:magic] + bytes([of]) + data[magic + 1 :]


@pytest.mark.parametrize("found", OTHERS)
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("record-1.fse", read_header),
        ("batch.fsb", lambda data: open_container(data, "batch")),
        ("project.fsp", lambda data: open_container(data, "project")),
        ("receipt-received.fsr", lambda data: open_container(data, "receipt")),
        ("hmu.key", read_params),
    ],
)
def test_a_file_of_another_version_is_told(name: str, read: Callable[[bytes], object], found: int) -> None:
    """By its version byte."""
    with pytest.raises(FormatVersionError, match=rf"of version {found} .* reads version {FORMAT_VERSION}\."):
        read(version((GOLDEN / name).read_bytes(), found))


@pytest.mark.parametrize("found", OTHERS)
def test_a_dataset_of_another_version_is_told(found: int, tmp_path: Any) -> None:
    """The same for an opened round."""
    keys = json.loads((GOLDEN / "keys.json").read_bytes())
    hmu_keys = unlock_hmu(GOLDEN / "hmu.key", keys["passphrases"]["hmu.key"])
    name = f"{keys['round']}.fso"
    (tmp_path / name).write_bytes(version((GOLDEN / name).read_bytes(), found))
    with pytest.raises(FormatVersionError):
        load_dataset(keys["round"], hmu_keys, tmp_path)


@pytest.mark.parametrize("found", OTHERS)
@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (Project, EXPECTED["project.fsp"]["content"]),
        (DeviceCard, EXPECTED["device.card"]),
        (Payload, EXPECTED["record-1.fse"]["payload"]),
    ],
)
def test_a_structure_of_another_version_is_told(kind: type[Wire], content: dict[str, Any], found: int) -> None:
    """By its `format_version`, whatever else has changed in it."""
    with pytest.raises(FormatVersionError, match=f"version {found} "):
        kind.from_bytes(canonical(content | {"format_version": found, "added": 1}))
    with pytest.raises(FormatVersionError, match=f"version {found} "):
        kind.from_bytes(canonical({"format": content["format"], "format_version": found}))


def test_a_part_of_another_version_is_told() -> None:
    """A card within a project."""
    content = json.loads(canonical(EXPECTED["project.fsp"]["content"]))
    content["devices"][0]["card"]["format_version"] = 7
    with pytest.raises(FormatVersionError, match="version 7 "):
        Project.from_bytes(canonical(content))


@pytest.mark.parametrize("name", ["record-1.fse", "tombstone.fsw", "hmu.key"])
def test_what_is_no_file_of_ours_is_not_called_another_version(name: str) -> None:
    """The control: other letters, and a version that is no number, are told in other words."""
    data = b"XX" + (GOLDEN / name).read_bytes()[2:]
    for read in (read_header, Tombstone.from_bytes, read_params, Payload.from_bytes):
        with pytest.raises(FieldsurveyError) as refused:
            read(data)
        assert not isinstance(refused.value, FormatVersionError)
    with pytest.raises(FieldsurveyError) as refused:
        Payload.from_bytes(canonical(EXPECTED["record-1.fse"]["payload"] | {"format_version": True}))
    assert not isinstance(refused.value, FormatVersionError)
