"""What every run shares, made once: device keys and vaults, sealed records, versions of the project. All synthetic.

Sealing and Argon2 cost more than everything that the machine is about, so a record with the same header is sealed
once in a process, and a vault is made once and copied.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import pytest

from fieldsurvey.fieldwork.laptop import VAULT
from fieldsurvey.project.model import Device, Project, Recipient, RoleKey, Server
from fieldsurvey.project.signed import SignedProject, read_project, write_project
from fieldsurvey.records import device
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import Header, record_hash, seal
from fieldsurvey.records.log import next_entry, start_head
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.recipients import RecipientPublic
from fieldsurvey.records.signing import RootKey, SigningKey, VerifyKey
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.wire import Wire
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from fieldsurvey.vault import LockedVault, Vault, open_locked
from fieldsurvey.vault.renewal import new_vault
from sync.central import Central
from tests.sync.laptops import HMU, OTHER_PROJECT, PROJECT, SyntheticLaptop

BEGIN: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LAPTOPS: Final = 3
CODES: Final = tuple(WithdrawalCode(1000 + number) for number in range(3))
TAGS: Final = tuple(code.tag(PROJECT) for code in CODES)
ROOT = RootKey(bytes([1]) * 32)
CENTRAL, SUPERVISOR, FOREIGN, OFFICE = (SigningKey(bytes([number]) * 32) for number in (2, 3, 4, 5))
SERVER = Server(url="https://central.invalid", pins=("aa" * 32, "bb" * 32))
_MEMORY = Path("/dev/shm")  # a disk in memory, where there is one: the machine is about order, not about fsync


def folder() -> Path:
    """A new folder, in memory where the system has such a place."""
    return Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))


@cache
def _templates() -> Path:
    made = folder()
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@dataclass(frozen=True)
class Template:
    """A laptop that joined: its folder is copied. `key` signs its log; `card` is what central is shown."""

    home: Path
    key: SigningKey
    card: DeviceCard


@cache
def template(number: int) -> Template:
    """Laptop `number`. The last one has a log before its present one, with two records that only export."""
    home = _templates() / f"laptop{number}"
    home.mkdir()
    first = _open(home, f"synthetic laptop {number}")
    with first as vault:
        if number == LAPTOPS - 1:
            for count in range(2):
                append(vault.locked, vault._signing, sealed(vault.device, case_id(900 + count)))
    if number == LAPTOPS - 1:
        new_vault(vault.locked, person="E01", passphrase="synthetic", now=BEGIN, params=FLOOR)
        vault = vault.locked.unlock("synthetic")
        vault.close()
    made = Template(home, vault._signing, vault.locked.device_card())
    vault.locked.close()
    return made


def _open(home: Path, name: str) -> Vault:
    root = ROOT.public.fingerprint
    return Vault.create(
        home / VAULT,
        project=PROJECT,
        root=root,
        project_version=1,
        name=name,
        person="E01",
        passphrase="synthetic",
        now=BEGIN,
        params=FLOOR,
    )


@cache
def empty_central() -> Path:
    """A central in which there is nothing yet."""
    path = _templates() / "empty.db"
    Central.open(path).close()
    return path


def append(log: LockedVault, key: SigningKey, record: bytes) -> None:
    """Log a sealed record, as finalising does once the draft is sealed."""
    card = log.device_card()
    entry = next_entry(key, card.project, card.device, log.last_entry(), record_hash(record))
    with log.store.write() as connection:
        log.append(connection, entry, record)


@lru_cache(maxsize=20_000)
def sealed(
    device: str, case: str, revision: int = 1, parent: str | None = None, tag: str | None = None, copy: int = 0
) -> bytes:
    """A record with this header; `copy` tells apart those that differ only inside."""
    header = Header(project=PROJECT, device=device, case=case, revision=revision, parent=parent, withdrawal=tag)
    return seal(header, b"synthetic %d" % copy, [HMU.public])


@cache
def case_id(number: int) -> str:
    """The id of the case that a run begins as its `number`th."""
    return hashlib.sha256(b"synthetic case %d" % number).hexdigest()[:32]


def tombstone(code: int, day: int = 3) -> Tombstone:
    """That the person with this code took the case back on a day of March."""
    return Tombstone(project=PROJECT, code=CODES[code].raw, requested=f"2026-03-{day:02d}")


@cache
def start(device: str) -> bytes:
    """The head before a device's first entry."""
    return start_head(PROJECT, device)


Standing = int | None
"""None: not enrolled; 0: enrolled; n: revoked from entry n on."""


@cache
def _device(number: int, standing: Standing) -> Device:
    card = template(number).card
    plain = Device(id=card.device, name=card.name, card=card)
    return plain.model_copy(update={"status": "revoked", "revoked_from": standing}) if standing else plain


@cache
def project(version: int, standings: tuple[Standing, ...]) -> SignedProject:
    """That version, in which the laptops stand like this."""
    keys = ((Role.CENTRAL, CENTRAL), (Role.SUPERVISOR, SUPERVISOR), (Role.HMU, OFFICE))
    model = Project(
        id=PROJECT,
        name="synthetic project",
        version=version,
        issued=BEGIN.isoformat(),
        expires="2027-03-01T08:00:00Z",
        root=ROOT.public.bytes.hex(),
        recipients=(Recipient.of("operational", HMU.public),),
        roles=tuple(RoleKey(role=role, label=role.value, public=key.public.bytes.hex()) for role, key in keys),
        devices=tuple(_device(number, standing) for number, standing in enumerate(standings) if standing is not None),
        servers=(SERVER,),
    )
    return read_project(write_project(model, {}, ROOT))


@cache
def strange_batches() -> tuple[bytes, ...]:
    """Files that central must refuse: of another project, in another order, with another's record, cut short."""
    other = SyntheticLaptop(project=OTHER_PROJECT)
    other.seal()
    hostile, victim = SyntheticLaptop(name="hostile"), SyntheticLaptop(name="victim")
    for one in (hostile, victim):
        for _ in range(2):
            one.seal()
    records = [record for _entry, record in hostile.log]
    swapped = hostile.manifest()
    swapped["entries"].reverse()
    claimed = SyntheticLaptop(name="hostile")
    claimed.append(victim.log[0][1])
    stolen = victim.manifest()
    stolen["card"] = hostile.manifest()["card"]
    return (
        other.batch(),
        hostile.resign(swapped, records[::-1]),
        claimed.batch(),
        hostile.resign(stolen, [record for _entry, record in victim.log]),
        victim.batch()[:-1],
    )


def opened(home: Path) -> LockedVault:
    """The vault in a folder."""
    return open_locked(home / VAULT)


@cache
def foreign_project() -> bytes:
    """A project file of the same id and a higher version, signed by somebody else's root."""
    root = RootKey(bytes([9]) * 32)
    model = project(1, (0,) * LAPTOPS).model.model_copy(update={"root": root.public.bytes.hex(), "version": 99})
    return write_project(model, {}, root)


@contextmanager
def remembering() -> Iterator[None]:
    """Each signature, key and structure is checked once in a process: they are functions of their bytes alone.

    Only what holds is remembered; what does not is refused anew each time. Structures are frozen.
    """
    good: set[tuple[bytes, str, bytes, bytes]] = set()
    rightly = VerifyKey.verify

    def verify(self: VerifyKey, label: str, data: bytes, signature: bytes, what: str = "file") -> None:
        asked = (self.bytes, label, data, signature)
        if asked not in good:
            rightly(self, label, data, signature, what)
            good.add(asked)

    read: Any = lru_cache(maxsize=20_000)(Wire.__dict__["from_bytes"].__func__)
    key: Any = lru_cache(maxsize=1_000)(VerifyKey)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VerifyKey, "verify", verify)
        patch.setattr(Wire, "from_bytes", classmethod(lambda kind, data: read(kind, bytes(data))))
        patch.setattr(device, "RecipientPublic", lru_cache(RecipientPublic))
        patch.setattr(device, "VerifyKey", key)
        patch.setattr(device, "_unsigned", lru_cache(device._unsigned))
        yield
