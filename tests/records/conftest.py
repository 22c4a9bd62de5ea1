"""One synthetic device, its keys and its project, shared by the tests of records. Nobody real is in them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from fieldsurvey.records import slots
from fieldsurvey.records.device import DeviceCard, device_id
from fieldsurvey.records.envelope import Header
from fieldsurvey.records.payload import Consent, FormRef, Payload
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import SigningKey

PROJECT = "0f" * 16
CASE = "2a" * 16


def seed(name: str) -> bytes:
    """32 bytes that a name gives: fixed keys, for tests only."""
    return hashlib.sha256(f"synthetic test key: {name}".encode()).digest()


@dataclass(frozen=True)
class Actors:
    """Who takes part."""

    operational: RecipientPrivate
    escrow: RecipientPrivate
    stranger: RecipientPrivate
    device: SigningKey
    carrier: SigningKey
    central: SigningKey
    supervisor: SigningKey
    card: DeviceCard

    @property
    def device_id(self) -> str:
        return device_id(self.device.public)

    def header(self, **changes: object) -> Header:
        fields: dict[str, object] = {"project": PROJECT, "device": self.device_id, "case": CASE, **changes}
        return Header.model_validate(fields)


@pytest.fixture(scope="session")
def actors() -> Actors:
    """The same keys in every run."""
    device = SigningKey(seed("device"))
    carrier = SigningKey(seed("carrier"))
    own = RecipientPrivate(seed("device recipient"))
    return Actors(
        RecipientPrivate(seed("operational")),
        RecipientPrivate(seed("escrow")),
        RecipientPrivate(seed("stranger")),
        device,
        carrier,
        SigningKey(seed("central")),
        SigningKey(seed("supervisor")),
        DeviceCard.make(
            device,
            project=PROJECT,
            name="Laptop 1 (synthetic)",
            carrier=carrier.public,
            recipient=own.public,
            created="2026-01-05T08:00:00-05:00",
        ),
    )


@pytest.fixture(scope="session")
def payload() -> Payload:
    """An invented interview."""
    return Payload(
        form=FormRef(id="needs", version="2026.1", hash="ab" * 32),
        instance="<data xmlns:orx='http://openrosa.org/xforms'><need>canary-ñandú</need></data>",
        person="E01",
        language="es",
        started="2026-01-05T09:00:00-05:00",
        finished="2026-01-05T09:12:30-05:00",
        consent=(Consent(purpose="survey", version="1", language="es", given=True, at="2026-01-05T09:00:10-05:00"),),
        notes={"/data/need": "dijo dos cosas"},
        paradata={"breaks": 0, "screens": [1, 2, {"back": True}]},
    )


@pytest.fixture(autouse=True, scope="session")
def no_threads_before_a_fork() -> Iterator[None]:
    """Under mutmut, which forks after tests ran: a child would wait for ever for Argon2id's threads."""
    with pytest.MonkeyPatch.context() as patch:
        if "MUTANT_UNDER_TEST" in os.environ:
            patch.setattr(slots, "Argon2id", lambda **_: pytest.skip("Argon2id's threads do not survive a fork"))
        yield
