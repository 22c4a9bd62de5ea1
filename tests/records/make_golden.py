"""Makes the golden files of the formats: `python -m tests.records.make_golden`. Synthetic throughout.

Sealing and ML-DSA draw randomness, so the files differ each time they are made; the keys and the expected contents
do not. While the formats are at version byte 0 the files may be made anew; those of version 1 stay for ever.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from fieldsurvey.project.model import Device, Person, Project, ProjectForm, Recipient, RoleKey
from fieldsurvey.project.signed import write_project
from fieldsurvey.records.container import write_container
from fieldsurvey.records.device import DeviceCard, device_id
from fieldsurvey.records.envelope import Header, record_hash, seal
from fieldsurvey.records.log import LogEntry, next_entry
from fieldsurvey.records.payload import Consent, FormRef, Payload
from fieldsurvey.records.receipt import Level, Receipt, Role, write_receipt
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey, SigningKey
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode

GOLDEN = Path(__file__).parent / "golden"
PROJECT = "0f" * 16
XFORM = b'<h:html xmlns:h="http://www.w3.org/1999/xhtml"><!-- synthetic --></h:html>\n'


def seed(name: str) -> bytes:
    """The fixed seed of a golden key."""
    return hashlib.sha256(f"golden: {name}".encode()).digest()


def payload() -> Payload:
    """An invented interview."""
    return Payload(
        form=FormRef(id="needs", version="1", hash=hashlib.sha256(XFORM).hexdigest()),
        instance='<data id="needs" version="1"><need>agua</need><note>ñandú, “comillas”</note></data>',
        person="E01",
        language="es",
        started="2026-01-05T09:00:00-05:00",
        finished="2026-01-05T09:12:30-05:00",
        consent=(Consent(purpose="survey", version="1", language="es", given=True, at="2026-01-05T09:00:10-05:00"),),
        notes={"/data/need": "dijo dos cosas"},
        paradata={"breaks": 0, "screens": [1, 2, {"back": True}]},
    )


def make() -> dict[str, bytes]:
    """File name -> bytes, `expected.json` included."""
    operational, escrow = RecipientPrivate(seed("operational")), RecipientPrivate(seed("escrow"))
    device, carrier, central = (SigningKey(seed(name)) for name in ("device", "carrier", "central"))
    root = RootKey(seed("root"))
    card = DeviceCard.make(
        device,
        project=PROJECT,
        name="Laptop 1 (synthetic)",
        carrier=carrier.public,
        recipient=RecipientPrivate(seed("device recipient")).public,
        created="2026-01-05T08:00:00-05:00",
    )
    code = WithdrawalCode(int.from_bytes(seed("code"), "big") >> (256 - 77))
    header = Header(project=PROJECT, device=card.device, case="2a" * 16, withdrawal=code.tag(PROJECT))
    record = seal(header, payload().to_bytes(), [operational.public, escrow.public])
    second = Header(project=PROJECT, device=card.device, case="2a" * 16, revision=2, parent=record_hash(record).hex())
    records = [record, seal(second, b"x" * 40_000, [operational.public])]
    log: list[LogEntry] = []
    for blob in records:
        log.append(next_entry(device, PROJECT, card.device, log[-1] if log else None, record_hash(blob)))
    receipt = Receipt(
        project=PROJECT,
        device=card.device,
        up_to=2,
        head=log[-1].head.hex(),
        level=Level.BACKED_UP,
        by=Role.CENTRAL,
        issued="2026-01-06T10:00:00Z",
    )
    stone = Tombstone(project=PROJECT, code=code.raw, requested="2026-01-07")
    model = _project(root, operational, escrow, central, card)
    container = b"".join(write_container("batch", {"note": "synthetic"}, records, carrier))
    expected = {
        "seeds": {n: seed(n).hex() for n in ("operational", "escrow", "root", "device", "carrier", "central")},
        "header": header.model_dump(mode="json"),
        "payload": payload().model_dump(mode="json"),
        "record_hash": record_hash(record).hex(),
        "head": log[-1].head.hex(),
        "device": device_id(device.public),
        "root_fingerprint": root.public.fingerprint,
        "code": {"text": code.text, "words": code.words, "tag": code.tag(PROJECT)},
        "receipt": receipt.model_dump(mode="json"),
        "project": model.model_dump(mode="json"),
    }
    return {
        "record-1.fse": record,
        "record-2.fse": records[1],
        "log.bin": b"".join(entry.to_bytes() for entry in log),
        "device.card": card.to_bytes(),
        "receipt.fsr": write_receipt(receipt, central),
        "tombstone.fsw": stone.to_bytes(),
        "container.fsb": container,
        "project.fsp": write_project(model, {hashlib.sha256(XFORM).hexdigest(): XFORM}, root),
        "expected.json": json.dumps(expected, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n",
    }


def _project(
    root: RootKey, operational: RecipientPrivate, escrow: RecipientPrivate, central: SigningKey, card: DeviceCard
) -> Project:
    return Project(
        id=PROJECT,
        name="Proyecto sintético",
        version=4,
        issued="2026-01-05T12:00:00Z",
        expires="2036-01-05T12:00:00Z",
        root=root.public.bytes.hex(),
        recipients=(Recipient.of("operational", operational.public), Recipient.of("escrow", escrow.public)),
        roles=(RoleKey(role=Role.CENTRAL, label="Central", public=central.public.bytes.hex()),),
        devices=(Device(id=card.device, name="Laptop 1", card=card),),
        people=(Person(code="E01", label="Uno"),),
        forms=(ProjectForm(id="needs", version="1", title="Necesidades", hash=hashlib.sha256(XFORM).hexdigest()),),
    )


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, data in make().items():
        (GOLDEN / name).write_bytes(data)
