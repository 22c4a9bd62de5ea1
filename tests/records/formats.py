"""Every format that a stranger may hand us: valid files, the reader as the program uses it, and one with a check gone.

A reader takes bytes and gives their content, or refuses with an error of ours. Argon2id is replaced where a file is
made so that it would be reached: what it gives for altered parameters is another key, and that is all that counts.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from fieldsurvey.project.model import Device, Person, Project, ProjectForm, Recipient, RoleKey
from fieldsurvey.project.signed import read_project, write_project
from fieldsurvey.records import envelope, withdrawal
from fieldsurvey.records.backup import BackupNote, read_note, write_note
from fieldsurvey.records.container import Signer, open_container
from fieldsurvey.records.device import DeviceCard, LogParent
from fieldsurvey.records.envelope import open_record, read_envelope, record_hash
from fieldsurvey.records.erased import ErasedCase, ErasureReport, Place, read_erasure, write_erasure
from fieldsurvey.records.log import ENTRY_BYTES, LogEntry, next_entry, start_head, verify_run
from fieldsurvey.records.payload import FormRef, Payload
from fieldsurvey.records.receipt import Level, Receipt, Role, read_receipt, write_receipt
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.returned import Comment, ReturnedWork, ReturnManifest, open_return, read_return, write_return
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.batches import plan_batches, read_batch, write_batch
from tests.records.conftest import PROJECT, seed
from tests.records.format_kit import (
    CENTRAL,
    ESCROW,
    HMU,
    OPERATIONAL,
    ROOT,
    XFORM,
    Format,
    card,
    no_signatures,
    record,
)
from tests.records.formats_locked import sheet_format, slot_formats
from tests.records.structured import Specimen


def _cut_record(blob: bytes) -> Specimen:
    header_end = envelope.PREFIX_BYTES + int.from_bytes(blob[5:7], "big")
    ids_end = header_end + 8 * blob[7]
    wraps_end = ids_end + 1168 * blob[7]
    ids = range(header_end, ids_end, 8)
    wraps = range(ids_end, wraps_end, 1168)
    body = (wraps_end, wraps_end + 24, wraps_end + 56, len(blob) - 16)
    return Specimen(blob, (5, 7, 8, *ids, *wraps, *body), ((5, 2), (7, 1)))


def _record_format() -> Format:
    blobs = [record("dato sintético", OPERATIONAL, ESCROW), record("otro", OPERATIONAL, ESCROW)]
    blobs.append(record("x" * 3000, OPERATIONAL))

    def weak(data: bytes) -> object:
        found = read_envelope(data)
        return found.header, found.recipient_ids, found.wraps, found.body

    return Format(
        "record", tuple(map(_cut_record, blobs)), lambda data: _opened(open_record(data, OPERATIONAL)), weak=weak
    )


def _opened(found: envelope.Opened) -> object:
    return found.header, found.payload


class _Log:
    """A device's log with its records, as a batch takes it."""

    def __init__(self, name: str, count: int = 4) -> None:
        self.key, self.carrier, self.card = SigningKey(seed(name)), SigningKey(seed(f"carrier of {name}")), card(name)
        self.rows: list[tuple[LogEntry, bytes]] = []
        for number in range(count):
            blob = record(f"{name} {number}", OPERATIONAL, device=name)
            last = self.rows[-1][0] if self.rows else None
            self.rows.append((next_entry(self.key, PROJECT, self.card.device, last, record_hash(blob)), blob))

    carrier: Signer

    def device_card(self) -> DeviceCard:
        return self.card

    def head_at(self, seq: int) -> bytes:
        return self.rows[seq - 1][0].head if seq else start_head(PROJECT, self.card.device)

    def entries(self, from_seq: int, to_seq: int) -> Iterator[tuple[LogEntry, bytes]]:
        return iter(self.rows[from_seq - 1 : to_seq])


def _cut_container(data: bytes) -> Specimen:
    manifest_end = 10 + int.from_bytes(data[5:9], "big")
    algorithm = data[manifest_end + 8]
    signed = manifest_end + 8 + (65 if algorithm == 1 else 3374)
    places = [5, 9, 10, manifest_end, manifest_end + 8, manifest_end + 9, signed]
    at = signed
    while (found := data.find(b"FSE1", at + 1)) > 0:
        places.append(found)
        at = found
    return Specimen(data, tuple(places), ((5, 4), (9, 1)))


def _batch(name: str, first: int, last: int, erased: int = 0) -> bytes:
    log = _Log(name)
    gone = [entry for entry, _record in log.rows if entry.seq == erased]
    (plan,) = plan_batches(log, first, last, erased=gone)
    return b"".join(write_batch(log, plan))


def _read_batch(data: bytes) -> object:
    batch = read_batch(io.BytesIO(data), PROJECT)
    return batch.card, batch.previous, [(entry, header, blob) for entry, header, blob in batch.records()]


def _batch_format() -> Format:
    files = (_batch("device", 1, 1), _batch("device", 2, 4), _batch("other", 1, 2), _batch("device", 1, 3, erased=2))
    return Format("batch", tuple(map(_cut_container, files)), _read_batch, no_signatures)


def _project_format() -> Format:
    form = hashlib.sha256(XFORM).hexdigest()
    made = Project(
        id=PROJECT,
        name="Proyecto sintético",
        version=4,
        issued="2026-01-05T12:00:00Z",
        expires="2036-01-05T12:00:00Z",
        root=ROOT.public.bytes.hex(),
        recipients=(Recipient.of("operational", OPERATIONAL.public), Recipient.of("escrow", ESCROW.public)),
        roles=(RoleKey(role=Role.CENTRAL, label="Central", public=CENTRAL.public.bytes.hex()),),
        devices=(Device(id=card().device, name="Laptop 1", card=card()),),
        people=(Person(code="E01", label="Uno"),),
        forms=(ProjectForm(id="needs", version="1", title="Necesidades", hash=form),),
    )
    frames = {form: XFORM}
    newer = made.model_copy(update={"version": made.version + 1, "name": "Otro nombre sintético"})
    files = [write_project(model, frames, ROOT) for model in (made, newer)]
    pinned = ROOT.public.fingerprint

    def read(data: bytes) -> object:
        found = read_project(data, pinned=pinned, at_least_version=made.version)
        return found.model, found.frames

    return Format("project", tuple(map(_cut_container, files)), read, no_signatures)


def _receipt_format() -> Format:
    keys = [(Role.CENTRAL, CENTRAL.public)]
    receipts = [
        Receipt(
            project=PROJECT,
            device=card().device,
            up_to=number,
            head=hashlib.sha256(bytes([number])).hexdigest(),
            level=level,
            by=Role.CENTRAL,
            issued="2026-01-06T10:00:00Z",
        )
        for number, level in ((2, Level.COMMITTED), (7, Level.BACKED_UP))
    ]
    files = [write_receipt(receipt, CENTRAL) for receipt in receipts]
    return Format("receipt", tuple(map(_cut_container, files)), lambda data: read_receipt(data, keys), no_signatures)


def _erasure_format() -> Format:
    laptop = ErasureReport(
        project=PROJECT,
        place=Place.LAPTOP,
        device=card().device,
        cases=tuple(ErasedCase(tag=f"{n:02x}" * 32, records=n) for n in range(3)),
        at="2026-01-08T10:00:00Z",
    )
    central = laptop.model_copy(update={"place": Place.CENTRAL, "device": None, "backups_until": "2026-01-18"})
    files = [write_erasure(laptop, SigningKey(seed("carrier of device"))), write_erasure(central, CENTRAL)]
    roles, carriers = [(Role.CENTRAL, CENTRAL.public)], {card().device: card().carrier_key}
    return Format(
        "erasure", tuple(map(_cut_container, files)), lambda data: read_erasure(data, roles, carriers), no_signatures
    )


def _return_format() -> Format:
    keys = [(Role.HMU, HMU.public)]
    laptop = RecipientPrivate(seed("recipient of device"))
    record = Payload(
        form=FormRef(id="needs", version="1", hash=hashlib.sha256(XFORM).hexdigest()),
        instance="<data><need>sintético</need></data>",
        person="E01",
        language="es",
        started="2026-01-05T09:00:00-05:00",
        finished="2026-01-05T09:12:30-05:00",
    )
    files = [
        write_return(
            ReturnManifest(
                project=PROJECT,
                device=card().device,
                case=hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
                revision=number,
                record=hashlib.sha256(text.encode()).hexdigest(),
                withdrawal=hashlib.sha256(b"tag" + text.encode()).hexdigest(),
            ),
            ReturnedWork(
                issued="2026-01-08T10:00:00Z", record=record, comments=(Comment(ref="/data/need", text=text),)
            ),
            laptop.public,
            HMU,
        )
        for number, text in enumerate(("¿de quién?", "otra vez"), 1)
    ]

    def read(data: bytes) -> object:
        sealed = read_return(data, keys)
        return sealed.manifest, open_return(sealed, laptop)

    def cut(data: bytes) -> Specimen:
        made = _cut_container(data)
        frame = max(made.cuts)
        return replace(made, cuts=(*made.cuts, frame + 1120, frame + 1168, frame + 1192, frame + 1224, len(data) - 16))

    def weak(data: bytes) -> object:
        container = open_container(data, "return")
        return container.manifest, container.read_all()

    return Format("return", tuple(map(cut, files)), read, no_signatures, weak)


def _backup_format() -> Format:
    """Nobody hands it over; whoever can write to central's database may have put it there."""
    notes = [
        BackupNote(
            project=PROJECT,
            device=card().device,
            up_to=number,
            head=hashlib.sha256(bytes([number])).hexdigest(),
            absent=absent,
            at="2026-01-09T10:00:00Z",
            sha256=hashlib.sha256(b"a backup").hexdigest(),
        )
        for number, absent in ((4, ()), (9, ((2, 3), (6, 6))))
    ]
    files = [write_note(note, CENTRAL) for note in notes]
    keys = [CENTRAL.public]
    return Format("backup note", tuple(map(_cut_container, files)), lambda data: read_note(data, keys), no_signatures)


def _card_format() -> Format:
    again = card("other", LogParent(device=card().device, seq=4, head="5e" * 32), SigningKey(seed("carrier of device")))
    files = [one.to_bytes() for one in (card(), card("other"), again)]
    specimens = tuple(Specimen(data, tuple(i + 1 for i, byte in enumerate(data) if byte in b",:{")) for data in files)
    return Format("device card", specimens, lambda data: DeviceCard.from_bytes(data).to_bytes(), no_signatures)


def _log_format() -> Format:
    log = _Log("device")
    before = log.rows[0][0].head

    def read(data: bytes) -> object:
        entry = LogEntry.from_bytes(data)
        verify_run(log.key.public, PROJECT, log.card.device, before, [entry])
        return entry

    others = [replace(entry, seq=2) for entry, _ in log.rows[2:]]  # entries after it that say they are this one
    specimen = Specimen(log.rows[1][0].to_bytes(), (16, 32, 40, 72, 104, 105), ((32, 8),))
    assert len(specimen.data) == ENTRY_BYTES
    spare = tuple(Specimen(entry.to_bytes(), specimen.cuts) for entry in others)
    return Format("log entry", (specimen, *spare), read, no_signatures)


def _tombstone_format() -> Format:
    stones = [
        Tombstone(project=PROJECT, code=WithdrawalCode(number).raw, requested=day)
        for number, day in ((99, "2026-01-07"), (12345678901, "2026-02-17"))
    ]
    files = [stone.to_bytes() for stone in stones]
    specimens = tuple(
        Specimen(data, (5, *(i + 1 for i, byte in enumerate(data) if byte in b",:{"), len(data) - 8)) for data in files
    )
    request = withdrawal._Request  # a tombstone but for its check
    return Format(
        "tombstone", specimens, Tombstone.from_bytes, weak=lambda data: request.from_bytes(data[:-8]).to_bytes()
    )


@cache
def formats() -> dict[str, Format]:
    """All of them by name. Made anew in every process: sealing draws randomness."""
    made = (
        _record_format(),
        _batch_format(),
        _project_format(),
        _receipt_format(),
        _return_format(),
        _erasure_format(),
        _backup_format(),
        *slot_formats(),
        _card_format(),
        _log_format(),
        _tombstone_format(),
        sheet_format(),
    )
    return {one.name: one for one in made}
