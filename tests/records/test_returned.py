"""Returned work: it opens on the laptop it is sealed to, and nothing of it is believed unless the HMU signed it."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.records.container import write_container
from fieldsurvey.records.errors import AlteredError, ContainerError, FieldError, SignatureError
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.returned import (
    MAX_BODY,
    MAX_BYTES,
    MAX_COMMENT,
    MAX_COMMENTS,
    MAX_GENERAL,
    Comment,
    ReturnedWork,
    ReturnManifest,
    open_return,
    read_return,
    write_return,
)
from fieldsurvey.records.signing import SigningKey
from tests.records.conftest import CASE, PROJECT, Actors, seed

HMU = SigningKey(seed("hmu"))
KEYS = [(Role.CENTRAL, SigningKey(seed("central")).public), (Role.HMU, HMU.public)]
DEVICE = RecipientPrivate(seed("device recipient"))
AT = "2026-02-01T10:00:00Z"


def manifest(actors: Actors, **changes: Any) -> ReturnManifest:
    """Of the first revision of a case that the synthetic laptop made."""
    said = {"project": PROJECT, "device": actors.device_id, "case": CASE, "revision": 1, "record": "5e" * 32}
    return ReturnManifest.model_validate({**said, "withdrawal": "7a" * 32, **changes})


def work(payload: Payload, **changes: Any) -> ReturnedWork:
    """What the HMU says to it."""
    record = payload.model_copy(update={"paradata": {}})
    said = {"issued": AT, "record": record, "comments": [Comment(ref="/data/need", text="canary: ¿agua?")]}
    return ReturnedWork.model_validate({**said, "general": "", **changes})


@pytest.fixture(scope="module")
def file(actors: Actors, payload: Payload) -> bytes:
    """A whole return."""
    return write_return(manifest(actors), work(payload), DEVICE.public, HMU)


def test_it_opens_on_its_laptop(actors: Actors, payload: Payload, file: bytes) -> None:
    """Manifest and content are as they were written; the identity is the manifest's hash."""
    sealed = read_return(file, KEYS)
    assert sealed.manifest == manifest(actors)
    assert open_return(sealed, DEVICE) == work(payload)
    length = int.from_bytes(file[5:9], "big")
    assert sealed.digest == hashlib.sha256(file[10 : 10 + length]).digest()


def test_it_opens_nowhere_else(actors: Actors, file: bytes) -> None:
    """Neither another laptop nor the HMU nor escrow can read it."""
    sealed = read_return(file, KEYS)
    for key in (actors.stranger, actors.operational, actors.escrow):
        with pytest.raises(AlteredError):
            open_return(sealed, key)


def test_nothing_of_its_content_is_in_the_clear(payload: Payload, actors: Actors, file: bytes) -> None:
    """No answer, comment, person or form; the control finds them in what was sealed."""
    words = ("canary", "ñandú", "¿agua?", "E01", "needs", "2026.1", "/data/need")
    assert [word for word in words if word.encode() in file] == []
    clear = work(payload).to_bytes() + manifest(actors).to_bytes()
    assert [word for word in words if word.encode() not in clear] == []


def test_only_the_hmu_signs_it(actors: Actors, payload: Payload, file: bytes) -> None:
    """Central, a supervisor or a stranger cannot return work, and the HMU's key counts in that role only."""
    for signer in (actors.central, actors.supervisor, SigningKey(seed("somebody"))):
        with pytest.raises(SignatureError):
            read_return(write_return(manifest(actors), work(payload), DEVICE.public, signer), KEYS)
    with pytest.raises(SignatureError):
        read_return(file, [(Role.CENTRAL, HMU.public), (Role.SUPERVISOR, HMU.public)])
    with pytest.raises(SignatureError):
        read_return(file, [])


def test_a_body_belongs_to_its_manifest(actors: Actors, file: bytes) -> None:
    """The HMU itself, deceived into signing another manifest over the same frame, makes nothing that opens."""
    sealed = read_return(file, KEYS)
    for change in ({"case": "3b" * 16}, {"revision": 2}, {"record": "6f" * 32}, {"withdrawal": None}):
        content = manifest(actors, **change).content()
        other = b"".join(write_container("return", content, [sealed.frame], HMU))
        with pytest.raises(AlteredError):
            open_return(read_return(other, KEYS), DEVICE)


def test_it_has_one_frame_and_one_signature(actors: Actors, file: bytes) -> None:
    """Two files of one identity cannot be made by adding something."""
    sealed = read_return(file, KEYS)
    content = sealed.manifest.content()
    for frames, signers in (
        ([], HMU),
        ([sealed.frame, b"x"], HMU),
        ([sealed.frame[:100]], HMU),
        ([sealed.frame], [HMU, actors.central]),
    ):
        with pytest.raises(ContainerError):
            read_return(b"".join(write_container("return", content, frames, signers)), KEYS)


@pytest.mark.parametrize(
    "change",
    [
        {"comments": [], "general": ""},
        {"comments": [], "general": " \n"},
        {"comments": [Comment(ref="/data/a", text="x"), Comment(ref="/data/a", text="y")]},
        {"comments": [Comment(ref=f"/data/q{i}", text="x") for i in range(MAX_COMMENTS + 1)]},
        {"general": "x" * (MAX_GENERAL + 1)},
        {"issued": "yesterday"},
    ],
)
def test_what_it_may_say_is_bounded(payload: Payload, change: dict[str, Any]) -> None:
    """Something is said, once to a question, and not without end."""
    with pytest.raises(ValueError, match=r"."):
        work(payload, **change)


def test_at_the_bounds(actors: Actors, payload: Payload) -> None:
    """The most that may be said is read."""
    most = work(
        payload,
        comments=[Comment(ref=f"/data/q{i}", text="x" * MAX_COMMENT) for i in range(MAX_COMMENTS)],
        general="y" * MAX_GENERAL,
    )
    sealed = read_return(write_return(manifest(actors, revision=2**20 - 1), most, DEVICE.public, HMU), KEYS)
    assert open_return(sealed, DEVICE) == most
    with pytest.raises(ValueError, match="revision"):
        manifest(actors, revision=2**20)
    with pytest.raises(ValueError, match="text"):
        Comment(ref="/data/a", text="x" * (MAX_COMMENT + 1))
    with pytest.raises(ValueError, match="text"):
        Comment(ref="/data/a", text="")


def test_practice_and_paradata_do_not_come_back(payload: Payload) -> None:
    """What is not of the interview stays where it is."""
    for change in ({"paradata": {"seconds": 1}}, {"mode": "practice"}):
        with pytest.raises(ValueError, match="record"):
            work(payload, record=payload.model_copy(update={"paradata": {}, **change}))


def test_a_large_one_is_refused_where_it_is_made_and_where_it_is_read(actors: Actors, payload: Payload) -> None:
    """9 MiB of content, 10 MiB of file; the control, just under, is read."""
    large = payload.model_copy(update={"paradata": {}, "instance": "x" * (MAX_BODY - 2000)})
    data = write_return(manifest(actors), work(large), DEVICE.public, HMU)
    assert len(data) <= MAX_BYTES
    assert open_return(read_return(data, KEYS), DEVICE) == work(large)
    over = payload.model_copy(update={"paradata": {}, "instance": "x" * MAX_BODY})
    with pytest.raises(FieldError):
        write_return(manifest(actors), work(over), DEVICE.public, HMU)
    with pytest.raises(UntrustedError):
        read_return(b"".join(write_container("return", manifest(actors).content(), [bytes(10 << 20)], HMU)), KEYS)


def test_nothing_prints_what_it_holds(payload: Payload, file: bytes) -> None:
    """Neither the content nor the sealed file shows itself where objects are printed."""
    assert "canary" not in repr(work(payload))
    assert "FSB1" not in repr(read_return(file, KEYS))
