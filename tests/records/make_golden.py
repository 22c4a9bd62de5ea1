"""Makes the golden files of the formats: `python -m tests.records.make_golden FOLDER`. Synthetic throughout.

Sealing, ML-DSA and sheets draw randomness, so the files differ each time they are made; the keys and the expected
contents do not. Those of version 1 stay as they are for ever (`test_frozen`): this makes those of a version to come,
and lets tests compare what is written today. `keys.json` has what a reader needs to know beforehand, `expected.json`
what it should find.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fieldsurvey.project.signed import write_project
from fieldsurvey.records.codewords import CODE_WORDS, fingerprint_words
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import Header, read_envelope, record_hash, seal
from fieldsurvey.records.log import LogEntry, next_entry, start_head
from fieldsurvey.records.payload import Attachment, Consent, FormRef, Payload
from fieldsurvey.records.receipt import Level, Receipt, Role, write_receipt
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.batches import plan_batches, write_batch
from tests.records import golden_hmu, golden_vault
from tests.records.golden_keys import PROJECT, ROUND, XFORM, Keys

GOLDEN = Path(__file__).parent / "golden"
CASE = "2a" * 16
PHOTO = bytes(range(256)) * 300
CUT = 50_000
DAYS = ("2025-12-31", "2026-01-05", "2026-02-01", "2026-03-15", "2026-05-01")
Expected = dict[str, Any]


def consent() -> tuple[Consent, ...]:
    """What an invented respondent said."""
    return (
        Consent(purpose="survey", version="1", language="es", given=True, at="2026-01-05T09:00:10-05:00"),
        Consent(purpose="photo", version="2", language="qu", given=False, at="2026-01-05T09:00:20.5-05:00"),
    )


def payload(parts: tuple[str, ...]) -> Payload:
    """An invented interview with a picture."""
    return Payload(
        form=FormRef(id="needs", version="1", hash=hashlib.sha256(XFORM).hexdigest()),
        instance='<data id="needs" version="1"><need>agua</need><note>ñandú, “comillas” 🐑</note></data>',
        person="E01",
        language="es",
        started="2026-01-05T09:00:00-05:00",
        finished="2026-01-05T09:12:30-05:00",
        consent=consent(),
        attachments=(Attachment(name="photo-1.png", media_type="image/png", size=len(PHOTO), parts=parts),),
        notes={"/data/need": "dijo dos cosas"},
        paradata={"breaks": 0, "\uffff": -1, "🐑": None, "screens": [1, 2, {"back": True}]},
    )


def revised() -> Payload:
    """Its second revision, long enough for several chunks."""
    text = "x" * 40_000
    return payload(()).model_copy(
        update={
            "attachments": (),
            "instance": f'<data id="needs" version="1"><note>{text}</note></data>',
            "reasons": {"/data/note": "se corrigió"},
            "mode": "paper",
        }
    )


@dataclass(frozen=True)
class Log:
    """One device's log with its records, as a batch is written from."""

    keys: Keys
    card: DeviceCard
    blobs: tuple[bytes, ...]

    @property
    def carrier(self) -> SigningKey:
        """Signs the batch."""
        return self.keys.carrier

    def device_card(self) -> DeviceCard:
        """The card in the batch."""
        return self.card

    @cached_property
    def log(self) -> tuple[LogEntry, ...]:
        """All entries."""
        found: list[LogEntry] = []
        for blob in self.blobs:
            last = found[-1] if found else None
            found.append(next_entry(self.keys.device, PROJECT, self.card.device, last, record_hash(blob)))
        return tuple(found)

    def head_at(self, seq: int) -> bytes:
        """The head after entry `seq`."""
        return self.log[seq - 1].head if seq else start_head(PROJECT, self.card.device)

    def entries(self, from_seq: int, to_seq: int) -> Iterator[tuple[LogEntry, bytes]]:
        """Entries with their records."""
        yield from list(zip(self.log, self.blobs, strict=True))[from_seq - 1 : to_seq]


def records(keys: Keys, card: DeviceCard, tag: str) -> dict[str, tuple[bytes, bytes]]:
    """File name -> (record, its payload): two parts of a picture, an interview that names them, its revision."""
    both = [keys.operational.public, keys.escrow.public]

    def sealed(content: bytes, **header: Any) -> tuple[bytes, bytes]:
        return seal(Header(project=PROJECT, device=card.device, case=CASE, **header), content, both), content

    parts = {
        f"attachment-{i}.fse": sealed(PHOTO[start : start + CUT], kind="attachment", withdrawal=tag)
        for i, start in enumerate(range(0, len(PHOTO), CUT), 1)
    }
    hashes = tuple(record_hash(blob).hex() for blob, _content in parts.values())
    first = sealed(payload(hashes).to_bytes(), withdrawal=tag)
    second = sealed(revised().to_bytes(), revision=2, parent=record_hash(first[0]).hex(), withdrawal=tag)
    return {**parts, "record-1.fse": first, "record-2.fse": second}


def record_says(blob: bytes, content: bytes) -> Expected:
    """What a reader finds in a record."""
    envelope = read_envelope(blob)
    header = envelope.header.model_dump(mode="json")
    record = header["kind"] == "record"
    return {
        "header": header,
        "hash": record_hash(blob).hex(),
        "recipients": [one.hex() for one in envelope.recipient_ids],
        "opened_by": 2,
        **(_interview(content) if record else {"part": content.hex()}),
    }


def _interview(content: bytes) -> Expected:
    found = json.loads(content)
    return {"payload": found, "files": [hashlib.sha256(PHOTO).hexdigest() for _ in found["attachments"]]}


def receipts(keys: Keys, log: Log) -> dict[str, tuple[bytes, Expected]]:
    """A receipt of each level, by whom it may be given."""
    found = {}
    for level, by, key in (
        (Level.RECEIVED, Role.SUPERVISOR, keys.supervisor),
        (Level.COMMITTED, Role.CENTRAL, keys.central),
        (Level.BACKED_UP, Role.HMU, keys.hmu.sign),
    ):
        receipt = Receipt(
            project=PROJECT,
            device=log.card.device,
            up_to=len(log.log),
            head=log.log[-1].head.hex(),
            level=level,
            by=by,
            issued="2026-01-06T10:00:00Z",
        )
        found[f"receipt-{level}.fsr"] = (write_receipt(receipt, key), receipt.content())
    return found


def make() -> dict[str, bytes]:
    """File name -> bytes, `keys.json` and `expected.json` included."""
    keys = Keys()
    card, renewed = keys.card(), keys.renewed_card()
    code = WithdrawalCode(int.from_bytes(keys.seed("code"), "big") >> (256 - 77))
    tag = code.tag(PROJECT)
    sealed = records(keys, card, tag)
    log = Log(keys, card, tuple(blob for blob, _content in sealed.values()))
    (plan,) = plan_batches(log, 1, len(log.log))
    stone = Tombstone(project=PROJECT, code=code.raw, requested="2026-01-07")
    model = keys.project(card, renewed)
    said = {"text": code.text, "words": code.words, "tag": tag}
    made: dict[str, tuple[bytes, Any]] = {
        **{name: (blob, record_says(blob, content)) for name, (blob, content) in sealed.items()},
        "log.bin": (
            b"".join(entry.to_bytes() for entry in log.log),
            {"head": log.log[-1].head.hex(), "records": [entry.record_hash.hex() for entry in log.log]},
        ),
        "device.card": (card.to_bytes(), card.content()),
        "device-renewed.card": (renewed.to_bytes(), renewed.content()),
        "batch.fsb": (b"".join(write_batch(log, plan)), batch_says(log)),
        **receipts(keys, log),
        "tombstone.fsw": (stone.to_bytes(), stone.content() | {"tag": tag}),
        "withdrawal.codes": (
            f"{code.text}\n{code.text.lower().replace('-', ' ')}\n{code.words}\n".encode(),
            [said] * 3,
        ),
        "project.fsp": (
            write_project(model, keys.frames, keys.root),
            {
                "content": model.content(),
                "roots": list(model.root_fingerprints),
                "frames": sorted(keys.frames),
                "sealed_to": {day: [one.id for one in model.recipients_on(day)] for day in DAYS},
                "root_words": fingerprint_words(model.root_key.fingerprint),
            },
        ),
        **golden_hmu.make(keys),
        "ledger.jsonl": golden_hmu.ledger(keys, model),
    }
    backup, said_of_it, file_key = golden_vault.make(keys, made["project.fsp"][0], model.root_key.fingerprint, stone)
    made["laptop.fsv"] = backup, said_of_it
    return {
        **{name: data for name, (data, _said) in made.items()},
        "words.txt": "".join(f"{word}\n" for word in CODE_WORDS).encode(),
        "keys.json": _json(keys.told() | {"days": DAYS, "round": ROUND.id, "draft_file": file_key}),
        "expected.json": _json({name: said for name, (_data, said) in made.items()}),
    }


def batch_says(log: Log) -> Expected:
    """What a reader finds in the batch."""
    entries = [
        {"seq": e.seq, "head": e.head.hex(), "record": e.record_hash.hex(), "signature": e.signature.hex()}
        for e in log.log
    ]
    content = {
        "format": "fieldsurvey batch",
        "format_version": log.card.format_version,
        "project": PROJECT,
        "card": log.card.content(),
        "previous": log.head_at(0).hex(),
        "entries": entries,
    }
    return {"content": content, "frames": [record_hash(blob).hex() for blob in log.blobs]}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir()  # never over files that were made before
    for name, data in make().items():
        (folder / name).write_bytes(data)
