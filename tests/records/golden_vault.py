"""The golden backup: a laptop's vault with a sealed record and a draft, under the words of one person."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fieldsurvey.records.envelope import Header, record_hash, seal
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.withdrawal import Tombstone
from fieldsurvey.vault import Vault
from fieldsurvey.vault.attachments import DraftFiles
from fieldsurvey.vault.backup import Beside, write_backup
from tests.records.golden_keys import PROJECT, Keys

WORDS = "enero mapa nube cobre lila pauta"
DRAFT = "borrador sintético: ñandú".encode()
FORM_TAG = bytes(range(32))
PAYLOAD = b"synthetic"
PICTURE = bytes(range(256)) * 100
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def make(keys: Keys, project_file: bytes, root: str, stone: Tombstone) -> tuple[bytes, Any, str]:
    """(bytes, what a reader finds, the key of its draft's file). The device's keys are drawn at random."""
    told = stone.to_bytes()
    beside = Beside(project_file, len(told).to_bytes(2, "big") + told)
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault.create(
            Path(folder) / "vault.db",
            project=PROJECT,
            root=root,
            project_version=4,
            name="Laptop 2 (synthetic)",
            person="E01",
            passphrase=WORDS,
            now=NOW,
            params=FLOOR,
            recovery=keys.escrow.public,
        )
        with vault:
            record = seal(
                Header(project=PROJECT, device=vault.device, case="2c" * 16), PAYLOAD, [keys.operational.public]
            )
            entry = vault.finalise(vault.drafts.create(FORM_TAG, b"", b"").draft_id, record)
            draft = vault.drafts.create(FORM_TAG, b"head", DRAFT)
            kept = DraftFiles(Path(folder), draft.draft_id).add([PICTURE])
            report = write_backup(vault.locked, beside, Path(folder) / "out", NOW)
        vault.locked.close()
        data = report.path.read_bytes()
    manifest = report.manifest.content()
    start = len(data) - 32 - sum(manifest[part] for part in ("database", "project_file", "withdrawals", "files"))
    database = data[start:][: manifest["database"]]
    said = {
        "manifest": manifest,
        "database": hashlib.sha256(database).hexdigest(),
        "project": hashlib.sha256(project_file).hexdigest(),
        "withdrawals": [stone.content() | {"tag": stone.tag}],
        "entries": [entry.to_bytes().hex()],
        "records": [record_hash(record).hex()],
        "files": [{"draft": draft.draft_id, "id": kept.id, "content": hashlib.sha256(PICTURE).hexdigest()}],
        "person": "E01",
        "drafts": [{"form": FORM_TAG.hex(), "head": b"head".hex(), "snapshot": DRAFT.hex()}],
    }
    return data, said, kept.key
