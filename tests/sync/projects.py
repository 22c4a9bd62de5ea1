"""A synthetic project, and laptops with a real vault that joined it. Nothing here is anybody's."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork.laptop import PROJECT as PROJECT_FILE
from fieldsurvey.fieldwork.laptop import VAULT, Laptop
from fieldsurvey.project.model import Device, Project, Recipient, RoleKey
from fieldsurvey.project.signed import SignedProject, read_project, write_project
from fieldsurvey.records.backup import BackupNote, write_note
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import Header, seal
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.signing import RootKey, SigningKey
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.withdrawal import WithdrawalCode
from fieldsurvey.vault import Vault
from sync.central import Central
from sync.store import Covered
from tests.sync.laptops import CREATED, HMU, PROJECT, SyntheticLaptop

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSPHRASE = "synthetic words for a test only"


class SyntheticProject:
    """A root, a central and a supervisor, and versions of the project signed by them."""

    def __init__(self, project_id: str = "") -> None:
        self.root, self.central, self.supervisor = RootKey.generate(), SigningKey.generate(), SigningKey.generate()
        self.id = project_id or secrets.token_hex(16)
        self.version = 0
        self.devices: dict[str, dict[str, Any]] = {}

    def publish(self, version: int | None = None) -> SignedProject:
        """The next version, or that one."""
        return read_project(write_project(self.model(version), {}, self.root))

    def model(self, version: int | None = None) -> Project:
        """The next version, or that one, unsigned."""
        self.version = version or self.version + 1
        keys = ((Role.CENTRAL, self.central), (Role.SUPERVISOR, self.supervisor))
        return Project(
            id=self.id,
            name="synthetic project",
            version=self.version,
            issued=CREATED,
            expires="2027-03-01T08:00:00Z",
            root=self.root.public.bytes.hex(),
            recipients=(Recipient.of("operational", HMU.public),),
            roles=tuple(RoleKey(role=role, label=role.value, public=key.public.bytes.hex()) for role, key in keys),
            devices=tuple(Device(**device) for device in self.devices.values()),
        )

    def enrol(self, card: DeviceCard, **standing: Any) -> SignedProject:
        """Enrol a device, or change how it stands, and publish."""
        self.devices[card.device] = {"id": card.device, "name": card.name, "card": card, **standing}
        return self.publish()


_ROOT = SyntheticProject(PROJECT)
CENTRAL = _ROOT.central
"""Central's key of PROJECT, for which `enrol` vouches."""


def published() -> SignedProject:
    """The next version of PROJECT, as `enrol` left it."""
    return _ROOT.publish()


def noted(device: str, seq: int, head: bytes, at: str, /, *, key: SigningKey = CENTRAL, **said: Any) -> Covered:
    """What a backup made at that time holds of a log, as that key signs it. `said`: fields that are not as they are."""
    fields = {"project": PROJECT, "device": device, "up_to": seq, "head": head.hex(), "at": at, "sha256": "5a" * 32}
    return Covered(device, seq, head, write_note(BackupNote(**{**fields, **said}), key))


def enrol(central: Central, *devices: SyntheticLaptop, version: int = 1, **standing: Any) -> None:
    """Let central learn of a version of PROJECT in which these devices, and no others, stand like this."""
    _ROOT.devices = {
        item.device: {"id": item.device, "name": item.card.name, "card": item.card, **standing} for item in devices
    }
    central.learn(_ROOT.model(version))


def join(project: SyntheticProject, home: Path, name: str = "synthetic laptop") -> Laptop:
    """A laptop with a vault, locked. Its Argon2 is at the floor."""
    home.mkdir(parents=True, exist_ok=True)
    signed = project.publish()
    (home / PROJECT_FILE).write_bytes(signed.data)
    Vault.create(
        home / VAULT,
        project=project.id,
        root=signed.root_fingerprint,
        project_version=signed.model.version,
        name=name,
        person="E01",
        passphrase=PASSPHRASE,
        now=NOW,
        params=FLOOR,
    ).close()
    return Laptop.open(home, FixedClock(NOW))


class Field(NamedTuple):
    """A project, a laptop that joined it and sealed some records, and an empty stick."""

    project: SyntheticProject
    laptop: Laptop
    stick: Path


def withdrawable(laptop: Laptop) -> WithdrawalCode:
    """Seal one more record, with a withdrawal code."""
    code = WithdrawalCode.generate()
    with laptop.locked.unlock(PASSPHRASE) as vault:
        tag = code.tag(vault.project)
        header = Header(project=vault.project, device=vault.device, case=secrets.token_hex(16), withdrawal=tag)
        record = seal(header, b"synthetic", [HMU.public])
        vault.finalise(vault.drafts.create(bytes(32), b"head", b"snapshot").draft_id, record)
    return code


def seal_some(laptop: Laptop, count: int = 3, size: int = 40) -> list[bytes]:
    """Finalise that many synthetic records through the vault; returns them."""
    records = []
    with laptop.locked.unlock(PASSPHRASE) as vault:
        for _ in range(count):
            header = Header(project=vault.project, device=vault.device, case=secrets.token_hex(16))
            record = seal(header, b"synthetic" + bytes(size), [HMU.public])
            vault.finalise(vault.drafts.create(bytes(32), b"head", b"snapshot").draft_id, record)
            records.append(record)
    return records
