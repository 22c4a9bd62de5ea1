"""A project is taken only from its pinned root, only newer, only whole; expiry warns and never stops."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.errors import StorageError, UntrustedError
from fieldsurvey.project.errors import ForeignRootError, OlderProjectError, ProjectFormatError
from fieldsurvey.project.model import Project, Recipient
from fieldsurvey.project.signed import SignedProject, read_project, write_project
from fieldsurvey.records.container import write_container
from fieldsurvey.records.errors import ContainerError, SignatureError
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey, SigningKey
from tests.project.conftest import START, card, form
from tests.records.conftest import PROJECT, seed
from tests.records.mutants import flips, mutants, survivors, truncations

ROOT = RootKey(seed("root"))
OTHER_ROOT = RootKey(seed("other root"))


def fields(root: RootKey = ROOT) -> dict[str, Any]:
    """A small project."""
    return {
        "id": PROJECT,
        "name": "Prueba sintética",
        "version": 3,
        "issued": "2026-01-05T12:00:00Z",
        "expires": "2027-01-05T12:00:00Z",
        "root": root.public.bytes.hex(),
        "recipients": (
            Recipient.of("operational", RecipientPrivate(seed("operational")).public),
            Recipient.of("escrow", RecipientPrivate(seed("escrow")).public),
        ),
        "roles": (),
    }


def small(root: RootKey = ROOT, **changes: Any) -> bytes:
    return write_project(Project.model_validate({**fields(root), **changes}), {}, root)


def raw(content: object, frames: tuple[bytes, ...] = (), signer: Any = ROOT) -> bytes:
    """A container of kind project with any content, correctly signed."""
    return b"".join(write_container("project", content, frames, signer))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def data() -> bytes:
    """A signed project."""
    return small()


def test_a_project_comes_back(data: bytes) -> None:
    """The control: the right root and version are taken, the words are those of the fingerprint."""
    signed = read_project(data, pinned=ROOT.public.fingerprint, at_least_version=3)
    assert signed.model == Project.model_validate(fields())
    assert signed.root_fingerprint == ROOT.public.fingerprint
    assert len(signed.words.split()) == 8
    assert read_project(small(OTHER_ROOT)).words != signed.words


def test_another_root_is_refused_with_both_fingerprints(data: bytes) -> None:
    """Words and digits of the trusted root and of the other stand in the message."""
    with pytest.raises(ForeignRootError) as caught:
        read_project(small(OTHER_ROOT), pinned=ROOT.public.fingerprint)
    for words in (ROOT.public.fingerprint, OTHER_ROOT.public.fingerprint, read_project(data).words):
        assert words in caught.value.message


def test_an_older_project_is_refused(data: bytes) -> None:
    """Version 3 is refused where 4 is known, and taken where 3 is."""
    with pytest.raises(OlderProjectError):
        read_project(data, pinned=ROOT.public.fingerprint, at_least_version=4)


def test_expiry_is_a_value(data: bytes) -> None:
    """An expired project is read; it says that it has expired."""
    signed = read_project(data)
    assert not signed.is_expired(START + timedelta(days=364))
    assert signed.is_expired(START + timedelta(days=366))


def test_flips_truncations_and_mutants_are_refused(data: bytes) -> None:
    """The last 800 bytes changed, 500 prefixes, 300 mutants: 0 taken, typed errors only (all of them: see below)."""
    sampled = 800
    assert survivors(read_project, islice(flips(data), len(data) - sampled, None)) == ([], sampled)
    assert survivors(read_project, truncations(data[:500])) == ([], 500)
    assert survivors(read_project, mutants(data, 300)) == ([], 300)


@pytest.mark.long
def test_every_byte_of_a_project_flipped_and_ten_thousand_mutants(data: bytes) -> None:
    """All flips, all prefixes, 10,000 mutants: 0 taken, typed errors only."""
    assert survivors(read_project, flips(data)) == ([], len(data))
    assert survivors(read_project, truncations(data)) == ([], len(data))
    assert survivors(read_project, mutants(data, 10_000, 3)) == ([], 10_000)


def test_who_is_not_the_root_cannot_sign(data: bytes) -> None:
    """The manifest's own root must have signed: another root, a role key, or half a root's signature is refused."""
    content = json.loads(canonical(Project.model_validate(fields()).model_dump(mode="json")))
    assert read_project(raw(content)).model.version == 3
    for signer in (OTHER_ROOT, SigningKey(seed("central"))):
        with pytest.raises(SignatureError):
            read_project(raw(content, signer=signer))

    class Half:
        public = ROOT.public

        def sign(self, label: str, given: bytes) -> bytes:
            return ROOT.sign(label, given)[:65] + OTHER_ROOT.sign(label, given)[65:]

    with pytest.raises(SignatureError):
        read_project(raw(content, signer=Half()))


def test_a_classical_root_is_refused() -> None:
    """A project whose root is Ed25519 alone is refused, although it is correctly signed."""
    key = SigningKey(seed("classical"))
    content = {**json.loads(canonical(Project.model_validate(fields()).model_dump(mode="json")))}
    content["root"] = key.public.bytes.hex()
    with pytest.raises(UntrustedError):
        read_project(raw(content, signer=key))


def _content(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(canonical(Project.model_validate(fields()).model_dump(mode="json")))
    return {**whole, **changes}


ZERO = {"id": "00" * 8, "label": "operational", "public": (bytes(1184) + b"\x09" + bytes(31)).hex()}
ROLE = {"role": "central", "label": "x", "person": None, "retired": None}
DEVICE = card(PROJECT)
FOREIGN = card("ee" * 16)


def _device(of: Any, **changes: Any) -> dict[str, Any]:
    entry = {"id": of.device, "name": of.name, "card": json.loads(of.to_bytes()), "status": "enrolled"}
    return {**entry, "revoked_from": None, "revoked_reason": None, **changes}


def _person(code: str, label: str) -> dict[str, Any]:
    return {"code": code, "label": label, "role": "enumerator", "left": None}


def _recipient(name: str, **changes: Any) -> dict[str, Any]:
    made = Recipient.of("operational", RecipientPrivate(seed(name)).public).content()
    return {**made, **changes}


ROUND = {"id": "r1", "title": "R", "start": "2026-02-01", "end": "2026-02-28"}
ROUND |= {"parishes": [], "quotas": [], "modules": [], "routes": []}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "changes",
    [
        {"recipients": []},
        {"recipients": [ZERO]},
        {"recipients": "two"},
        {"version": 0},
        {"version": "3"},
        {"version": 3.0},
        {"issued": "2026-01-05"},
        {"id": "short"},
        {"devices": [_device(FOREIGN)]},
        {"devices": [_device(DEVICE), _device(DEVICE)]},
        {"devices": [_device(DEVICE, id="ab" * 16)]},
        {"devices": [_device(DEVICE, status="revoked")]},
        {"devices": [_device(DEVICE, card={**json.loads(DEVICE.to_bytes()), "name": "renamed"})]},
        {"people": [_person("E01", "a"), _person("E01", "b")]},
        {"people": [_person("../E01", "a")]},
        {"people": [{**_person("E01", "a"), "role": "boss"}]},
        {"people": [{**_person("E01", "a"), "left": "yesterday"}]},
        {"devices": [_device(DEVICE, revoked_reason="lost")]},
        {"devices": [_device(DEVICE, status="revoked", revoked_from=1, revoked_reason="sold")]},
        {"recipients": [_recipient("a", round="r1")]},
        {"recipients": [_recipient("a", retired="soon")]},
        {"recipients": [_recipient(f"key {i}") for i in range(9)]},
        {"roles": [{**ROLE, "role": "boss", "public": SigningKey(seed("x")).public.bytes.hex()}]},
        {"roles": [{**ROLE, "public": "01" + "00" * 32}]},
        {"policy": {**_content()["policy"], "k_cell": 1}},
        {"policy": {**_content()["policy"], "review_window_hours": 13}},
        {"policy": {**_content()["policy"], "people_to_open": 2}},
        {"policy": {**_content()["policy"], "consent_forms": ["a", "a"]}},
        {"plan": {"rounds": [{"id": "r"}]}},
        {"format_version": 9},
        {"more": 1},
    ],
)
def test_signed_nonsense_is_refused(changes: dict[str, Any]) -> None:
    """Correctly signed by the root and yet refused: dead keys, doubles, foreign cards, values out of bounds."""
    with pytest.raises(UntrustedError):
        read_project(raw(_content(**changes)))


def test_signed_sense_is_taken() -> None:
    """The control of the nonsense: the same construction with good devices and people is read."""
    other = card(PROJECT, "Laptop 2 (synthetic)")
    devices = [_device(DEVICE), _device(other, status="revoked", revoked_from=4, revoked_reason="lost")]
    recipients = [_recipient("a", round="r1"), *(_recipient(f"key {i}", round=None) for i in range(8))]
    good: dict[str, Any] = {"devices": devices, "people": [_person("E01", "a")], "recipients": recipients}
    good |= {"plan": {"rounds": [ROUND]}, "roles": [{**ROLE, "public": SigningKey(seed("x")).public.bytes.hex()}]}
    good |= {"policy": {**_content()["policy"], "people_to_open": 2, "hmu_people": 3}}
    model = read_project(raw(_content(**good))).model
    assert [d.status for d in model.devices] == ["enrolled", "revoked"]
    assert model.device(DEVICE.device) is not None
    assert model.device("00" * 16) is None


def test_left_out_defaults_are_refused() -> None:
    """There is one encoding: a manifest without a field that has a default is not it."""
    content = _content()
    del content["people"]
    with pytest.raises(UntrustedError):
        read_project(raw(content))


def test_frames_must_be_those_named() -> None:
    """A form without its frame, or a frame that nothing names, is refused by reader and writer."""
    with pytest.raises(ProjectFormatError):
        read_project(raw(_content(), (b"stray",)))
    named = [{**_form_entry(), "hash": "ab" * 32}]
    with pytest.raises(ProjectFormatError):
        read_project(raw(_content(forms=named)))
    with pytest.raises(ProjectFormatError):
        write_project(Project.model_validate(fields()), {"ab" * 32: b"x"}, ROOT)


def _form_entry() -> dict[str, Any]:
    return {
        "id": "f",
        "version": "1",
        "title": "F",
        "hash": "",
        "status": "current",
        "about_people": True,
        "allowed": [],
        "media": [],
    }


def test_a_form_needs_one_current_version() -> None:
    """Two current versions of a form, or none, are refused."""
    one, two = form("f", "1"), form("f", "2")
    entries = [{**_form_entry(), "hash": sha256(f.xform).hexdigest(), "version": f.version} for f in (one, two)]
    earlier = [{**entry, "status": "earlier"} for entry in entries]
    for bad in (entries, earlier):
        with pytest.raises(UntrustedError):
            read_project(raw(_content(forms=bad), (one.xform, two.xform)))
    good = read_project(raw(_content(forms=[earlier[0], entries[1]]), (one.xform, two.xform)))
    assert good.form_bytes("f") == two.xform
    assert good.form_bytes_of(entries[0]["hash"]) == one.xform


def test_a_missing_or_huge_file_is_a_sentence(tmp_path: Path) -> None:
    """No file, a folder, more than 64 MiB: typed errors."""
    for place in (tmp_path / "none.fsp", tmp_path):
        with pytest.raises(StorageError):
            read_project(place)
    huge = tmp_path / "huge.fsp"
    huge.write_bytes(b"FSB1\x01" + bytes(64 << 20))
    with pytest.raises(ContainerError):
        read_project(huge)


def test_media_and_indicators_come_by_name(data: bytes) -> None:
    """A form's files are found by their names, the indicators by their hash; unknown forms raise KeyError."""
    signed = SignedProject(read_project(data).model, {}, data)
    assert signed.indicators_csv is None
    assert signed.media_of("ab" * 32) == {}
    for call in (signed.form_bytes, signed.media):
        with pytest.raises(KeyError):
            call("none")
