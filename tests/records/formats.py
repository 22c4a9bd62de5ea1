"""Every format that a stranger may hand us: valid files, the reader as the program uses it, and one with a check gone.

A reader takes bytes and gives their content, or refuses with an error of ours. Argon2id is replaced where a file is
made so that it would be reached: what it gives for altered parameters is another key, and that is all that counts.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from unittest.mock import patch

from fieldsurvey.base.canonical import canonical
from fieldsurvey.project import shares
from fieldsurvey.project.errors import SharesError
from fieldsurvey.project.model import Device, Person, Project, ProjectForm, Recipient, RoleKey
from fieldsurvey.project.signed import read_project, write_project
from fieldsurvey.records import envelope, slots, withdrawal
from fieldsurvey.records.container import Signer, open_container
from fieldsurvey.records.device import DeviceCard, device_id
from fieldsurvey.records.envelope import Header, open_record, read_envelope, record_hash, seal
from fieldsurvey.records.erased import ErasedCase, ErasureReport, Place, read_erasure, write_erasure
from fieldsurvey.records.keyfile import lock_secret, unlock_secret
from fieldsurvey.records.log import ENTRY_BYTES, LogEntry, next_entry, start_head, verify_run
from fieldsurvey.records.payload import FormRef, Payload
from fieldsurvey.records.receipt import Level, Receipt, Role, read_receipt, write_receipt
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.returned import Comment, ReturnedWork, ReturnManifest, open_return, read_return, write_return
from fieldsurvey.records.signing import RootKey, SigningKey, VerifyKey
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from fieldsurvey.vault.keys import SLOT_LABEL, SlotContent
from sync.batches import plan_batches, read_batch, write_batch
from tests.records.conftest import PROJECT, seed
from tests.records.structured import Specimen

XFORM = b'<h:html xmlns:h="http://www.w3.org/1999/xhtml"><!-- synthetic --></h:html>\n'
WORDS = "enero mapa nube cobre lila pauta"
Reader = Callable[[bytes], object]
Checkless = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Format:
    """`read` is the program's; under `checkless` one of its checks is gone, or `weak` reads instead of it.

    `loose`: several spellings of one content are meant to be taken (words on a sheet), never of another.
    """

    name: str
    specimens: tuple[Specimen, ...]
    read: Reader
    checkless: Checkless = nullcontext
    weak: Reader | None = None
    loose: bool = False
    setting: Checkless = nullcontext


OPERATIONAL, ESCROW = RecipientPrivate(seed("operational")), RecipientPrivate(seed("escrow"))
DEVICE, CARRIER, CENTRAL, HMU = (SigningKey(seed(name)) for name in ("device", "carrier", "central", "hmu"))
ROOT = RootKey(seed("root"))


@cache
def card(name: str = "device") -> DeviceCard:
    """A synthetic laptop's."""
    return DeviceCard.make(
        SigningKey(seed(name)),
        project=PROJECT,
        name=f"Laptop {name} (synthetic)",
        carrier=SigningKey(seed(f"carrier of {name}")).public,
        recipient=RecipientPrivate(seed(f"recipient of {name}")).public,
        created="2026-01-05T08:00:00-05:00",
    )


def _no_signatures() -> AbstractContextManager[object]:
    return patch.object(VerifyKey, "verify", lambda *_: None)


def _record(text: str, *recipients: RecipientPrivate, device: str = "device") -> bytes:
    header = Header(
        project=PROJECT,
        device=device_id(SigningKey(seed(device)).public),
        case=hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    )
    return seal(header, text.encode(), [recipient.public for recipient in recipients])


def _cut_record(blob: bytes) -> Specimen:
    header_end = envelope.PREFIX_BYTES + int.from_bytes(blob[5:7], "big")
    ids_end = header_end + 8 * blob[7]
    wraps_end = ids_end + 1168 * blob[7]
    ids = range(header_end, ids_end, 8)
    wraps = range(ids_end, wraps_end, 1168)
    body = (wraps_end, wraps_end + 24, wraps_end + 56, len(blob) - 16)
    return Specimen(blob, (5, 7, 8, *ids, *wraps, *body), ((5, 2), (7, 1)))


def _record_format() -> Format:
    blobs = [_record("dato sintético", OPERATIONAL, ESCROW), _record("otro", OPERATIONAL, ESCROW)]
    blobs.append(_record("x" * 3000, OPERATIONAL))

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
            blob = _record(f"{name} {number}", OPERATIONAL, device=name)
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
    return Format("batch", tuple(map(_cut_container, files)), _read_batch, _no_signatures)


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

    return Format("project", tuple(map(_cut_container, files)), read, _no_signatures)


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
    return Format("receipt", tuple(map(_cut_container, files)), lambda data: read_receipt(data, keys), _no_signatures)


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
        "erasure", tuple(map(_cut_container, files)), lambda data: read_erasure(data, roles, carriers), _no_signatures
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

    return Format("return", tuple(map(cut, files)), read, _no_signatures, weak)


_SLOT_CUTS = (4, 8, 9, 10, 26, 38)
_SLOT_LENGTHS = ((4, 4), (8, 1), (9, 1))


def _cut_slot(data: bytes, end: int) -> Specimen:
    return Specimen(data, (*_SLOT_CUTS, len(data) - end), _SLOT_LENGTHS)


def _slot_formats() -> Iterator[Format]:
    floor = slots.FLOOR
    content = [SlotContent(seed("vault"), seed(f"person {code}"), code).to_bytes() for code in ("E01", "E02")]
    vault = [slots.lock_slot(one, WORDS, label=SLOT_LABEL, params=floor) for one in content]
    files = [lock_secret(canonical({"purpose": "synthetic", "seed": seed(name).hex()}), WORDS, floor) for name in "ab"]

    def open_vault(data: bytes) -> object:
        return SlotContent.from_bytes(slots.open_slot(data, WORDS, label=SLOT_LABEL))

    def open_file(data: bytes) -> object:
        return unlock_secret(data, WORDS)

    def no_check() -> AbstractContextManager[object]:
        stack = ExitStack()
        stack.enter_context(patch.object(slots, "_check_of", lambda _locked: _Any(b"12345678")))
        stack.enter_context(_cheap(sealed=False))
        return stack

    yield Format("vault slot", tuple(_cut_slot(slot, 24) for slot in vault), open_vault, no_check)
    yield Format("key file", tuple(_cut_slot(slot, 24) for slot in files), open_file, no_check)
    with _cheap():
        made = [slots.lock_slot(one, WORDS, label=SLOT_LABEL, params=floor)[:-8] for one in content]
    yield Format(
        "vault slot made to fit",
        tuple(_cut_slot(slot, 16) for slot in made),
        lambda data: open_vault(data + hashlib.sha256(b"fieldsurvey slot v1 check" + data).digest()[:8]),
        lambda: _cheap(sealed=False),
        setting=_cheap,
    )


class _Any(bytes):
    """Equal to everything: a check that is not one."""

    def __eq__(self, _other: object) -> bool:
        return True

    def __ne__(self, _other: object) -> bool:
        return False

    __hash__ = bytes.__hash__


class _Unsealed:
    """Encryption without its tag's check."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def decrypt(self, _nonce: bytes, data: bytes, _bound: bytes) -> bytes:
        return self._key[:0] + data


def _cheap(*, sealed: bool = True) -> AbstractContextManager[object]:
    """Argon2id replaced by a hash; with `sealed` False the cipher's tag is not looked at either."""
    stack = ExitStack()
    stack.enter_context(
        patch.object(slots, "_derive", lambda head, words, _: hashlib.sha256(head + words.encode()).digest())
    )
    if not sealed:
        stack.enter_context(patch.object(slots, "AESGCMSIV", _Unsealed))
        stack.enter_context(patch.object(SlotContent, "from_bytes", lambda data: data))
    return stack


def _card_format() -> Format:
    files = [card(name).to_bytes() for name in ("device", "other")]
    specimens = tuple(Specimen(data, tuple(i + 1 for i, byte in enumerate(data) if byte in b",:{")) for data in files)
    return Format("device card", specimens, lambda data: DeviceCard.from_bytes(data).to_bytes(), _no_signatures)


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
    return Format("log entry", (specimen, *spare), read, _no_signatures)


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


def _sheet_format() -> Format:
    mine = shares.split(seed("root"))
    foreign = shares.split(seed("other root"))
    pages = [
        shares.sheet(words, project="Prueba", fingerprint_words="abad abajo", what="root", number=number).encode()
        for number, words in ((1, mine[0]), (2, mine[1]), (1, foreign[0]))
    ]
    combine = cache(lambda words: shares.combine([words, mine[2]]))

    def read(data: bytes) -> object:
        return combine(shares.words_of_sheet(data.decode("utf-8", "replace")))

    def checkless() -> AbstractContextManager[object]:
        return patch("shamir_mnemonic.rs1024.verify_checksum", lambda *_: True)

    def weak(data: bytes) -> object:
        import shamir_mnemonic  # as the program does: only where keys are made or recovered

        try:
            return shamir_mnemonic.Share.from_mnemonic(shares.words_of_sheet(data.decode("utf-8", "replace"))).value
        except (shamir_mnemonic.MnemonicError, ValueError):
            raise SharesError from None

    specimens = tuple(Specimen(page, tuple(i + 1 for i, byte in enumerate(page) if byte == 10)) for page in pages)
    return Format("key sheet", specimens, read, checkless, weak, loose=True)


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
        *_slot_formats(),
        _card_format(),
        _log_format(),
        _tombstone_format(),
        _sheet_format(),
    )
    return {one.name: one for one in made}
