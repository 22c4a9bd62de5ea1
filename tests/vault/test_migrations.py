"""A vault of the first schema opens with what it held; migrations commit with their record or not at all.

The first schema is written down here, apart from the program's: a vault of long ago must open whatever changes there.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fieldsurvey.base.errors import StorageError
from fieldsurvey.records.envelope import Header, record_hash, seal
from fieldsurvey.records.labels import sequence
from fieldsurvey.records.log import next_entry, start_head
from fieldsurvey.records.padding import pad
from fieldsurvey.records.receipt import Level, Receipt, Role
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.slots import FLOOR, lock_slot
from fieldsurvey.vault import open_locked, schema, verify_vault
from fieldsurvey.vault.device_keys import DeviceKeys, open_secrets
from fieldsurvey.vault.errors import NewerVaultError, VaultDamagedError
from fieldsurvey.vault.keys import (
    DRAFT,
    DRAFT_CHANGE,
    DRAFT_HEAD,
    DRAFT_SNAPSHOT,
    OWNER,
    PEOPLE,
    SLOT_LABEL,
    SlotContent,
    derive,
    lock_box,
)
from fieldsurvey.vault.schema import check_tables
from tests.vault.conftest import FORM, HMU, NOW, PROJECT, ROOT, WORDS, make_vault

_TABLES = """
PRAGMA application_id=1179866673;
CREATE TABLE migration (version INTEGER PRIMARY KEY, program TEXT NOT NULL) STRICT;
CREATE TABLE device (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        card BLOB NOT NULL,
        carrier BLOB NOT NULL,
        secrets BLOB NOT NULL,
        root TEXT NOT NULL,
        project_version INTEGER NOT NULL,
        head_seq INTEGER NOT NULL,
        head BLOB NOT NULL
    ) STRICT;
CREATE TABLE slot (
        number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 8),
        slot BLOB NOT NULL,
        owner BLOB NOT NULL UNIQUE,
        person BLOB NOT NULL
    ) STRICT;
CREATE TABLE draft (
        number INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        owner BLOB NOT NULL,
        counter INTEGER NOT NULL,
        head BLOB NOT NULL,
        snapshot BLOB NOT NULL
    ) STRICT;
CREATE TABLE change (place INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE log (seq INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT;
CREATE TABLE outbox (seq INTEGER PRIMARY KEY REFERENCES log (seq), record BLOB NOT NULL) STRICT;
CREATE TABLE receipt (level TEXT PRIMARY KEY, up_to INTEGER NOT NULL, receipt BLOB NOT NULL) STRICT;
CREATE TABLE copied (
        id INTEGER PRIMARY KEY,
        up_to INTEGER NOT NULL,
        place TEXT NOT NULL,
        at TEXT NOT NULL
    ) STRICT;
INSERT INTO migration (version, program) VALUES (1, 'synthetic');
PRAGMA user_version=1;
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A vault of the first schema: E01, two records, a receipt, a copy, a draft with a change."""
    path = tmp_path / "vault.db"
    connection = sqlite3.connect(path)
    connection.executescript(_TABLES)
    content = SlotContent(b"\x01" * 32, b"\x02" * 32, "E01")
    keys = DeviceKeys.make(content.vault_key, project=PROJECT, name="Synthetic laptop", now=NOW)
    signing, _ = open_secrets(content.vault_key, keys.card, keys.secrets)
    _people(connection, content)
    head = _log(connection, keys, signing)
    connection.execute(
        "INSERT INTO device VALUES (1, ?, ?, ?, ?, 4, 2, ?)",
        (keys.card.to_bytes(), keys.carrier, keys.secrets, ROOT, head),
    )
    receipt = Receipt(
        project=PROJECT, device=keys.card.device, up_to=2, head=head.hex(), level=Level.COMMITTED, by=Role.CENTRAL,
        issued=NOW.isoformat(),
    )  # fmt: skip
    connection.execute("INSERT INTO receipt VALUES ('committed', 2, ?)", (receipt.to_bytes(),))
    connection.execute("INSERT INTO copied VALUES (1, 2, 'stick', ?)", (NOW.isoformat(),))
    connection.commit()
    connection.close()
    return path


def _people(connection: sqlite3.Connection, content: SlotContent) -> None:
    project, owner = bytes.fromhex(PROJECT), derive(content.person_key, OWNER)[:16]
    name = lock_box(derive(content.vault_key, PEOPLE), b"\x03E01".ljust(65, b"\0"), PEOPLE, project, b"\x01")
    slot = lock_slot(content.to_bytes(), WORDS, label=SLOT_LABEL, params=FLOOR)
    connection.execute("INSERT INTO slot VALUES (1, ?, ?, ?)", (slot, owner, name))
    draft_id, number = b"\x05" * 16, 77
    key = derive(content.person_key, DRAFT, draft_id)
    head = lock_box(key, pad(FORM + b"head"), DRAFT_HEAD, project, draft_id, sequence(0))
    snapshot = lock_box(key, pad(b"snapshot"), DRAFT_SNAPSHOT, project, draft_id, FORM, sequence(0))
    change = lock_box(key, pad(b"change"), DRAFT_CHANGE, project, draft_id, FORM, sequence(1))
    connection.execute("INSERT INTO draft VALUES (?, ?, ?, 0, ?, ?)", (number, draft_id, owner, head, snapshot))
    connection.execute("INSERT INTO change VALUES (?, ?)", (number << 32 | 1, change))


def _log(connection: sqlite3.Connection, keys: DeviceKeys, signing: SigningKey) -> bytes:
    entry = None
    for n in (1, 2):
        header = Header(project=PROJECT, device=keys.card.device, case=f"{n:032x}")
        record = seal(header, b"payload", [HMU.public])
        entry = next_entry(signing, PROJECT, keys.card.device, entry, record_hash(record))
        connection.execute("INSERT INTO log VALUES (?, ?)", (n, entry.to_bytes()))
        connection.execute("INSERT INTO outbox VALUES (?, ?)", (n, record))
    assert entry is not None
    return entry.head


def test_a_vault_of_the_first_schema_opens_with_all_it_held(old: Path) -> None:
    """Log, receipts, copies, people and drafts are there, whole; the record of the migration agrees."""
    with open_locked(old).unlock(WORDS) as vault:
        assert verify_vault(vault).whole
        assert (vault.locked.head().seq, vault.locked.pin().version) == (2, 4)
        assert vault.locked.acknowledged() == {"committed": 2}
        assert [copy.place for copy in vault.locked.copied()] == ["stick"]
        [draft] = vault.drafts.ids()
        opened = vault.drafts.open(draft)
        assert (opened.snapshot, opened.changes) == (b"snapshot", [b"change"])
        opened.append(b"more")
        assert vault.drafts.open(draft).changes == [b"change", b"more"]
        assert vault.locked.store.rows("SELECT version FROM migration") == [(1,), (2,), (3,), (4,), (5,)]
        check_tables(vault.locked.store.connection, old)
        vault.discard(draft)
        assert vault.locked.draft_count() == 0


def test_a_migrated_vault_has_the_tables_of_a_new_one(old: Path, tmp_path: Path) -> None:
    """Column by column."""
    make_vault(tmp_path / "new.db").close()
    open_locked(old).close()
    tables = "SELECT m.name, p.name, p.type FROM sqlite_schema m, pragma_table_info(m.name) p ORDER BY 1, 2"
    assert (
        sqlite3.connect(old).execute(tables).fetchall()
        == sqlite3.connect(tmp_path / "new.db").execute(tables).fetchall()
    )


@pytest.mark.parametrize(
    ("number", "at"), [(n, at) for n in range(1, len(schema.MIGRATIONS)) for at in range(len(schema.MIGRATIONS[n]))]
)
def test_a_migration_that_fails_leaves_the_vault_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch, number: int, at: int
) -> None:
    """Whichever statement of whichever fails: the tables and version before it are there, the next start migrates."""
    whole = schema.MIGRATIONS
    monkeypatch.setattr(schema, "MIGRATIONS", whole[:number])
    if number > 1:
        open_locked(old).close()
    before = list(sqlite3.connect(old).iterdump())
    broken = (*whole[number][:at], "INSERT INTO log (seq, entry) VALUES (1, 'no')", *whole[number][at:])
    monkeypatch.setattr(schema, "MIGRATIONS", (*whole[:number], broken))
    with pytest.raises((StorageError, sqlite3.Error)):
        open_locked(old)
    assert list(sqlite3.connect(old).iterdump()) == before
    monkeypatch.setattr(schema, "MIGRATIONS", whole)
    with open_locked(old).unlock(WORDS) as vault:
        assert verify_vault(vault).whole


def test_a_vault_from_a_newer_version_is_refused_untouched(old: Path) -> None:
    """A sentence with both versions and what to do; not a byte of it has changed."""
    open_locked(old).close()
    connection = sqlite3.connect(old)
    connection.execute(f"PRAGMA user_version={len(schema.MIGRATIONS) + 1}")
    connection.commit()
    connection.close()
    before = old.read_bytes()
    with pytest.raises(NewerVaultError) as caught:
        open_locked(old)
    assert str(len(schema.MIGRATIONS) + 1) in caught.value.message
    assert "newer" in caught.value.advice
    assert old.read_bytes() == before


def test_a_damaged_migrated_draft_is_told(old: Path) -> None:
    """A draft of the first schema whose bytes are altered does not open; control: see above."""
    with open_locked(old).unlock(WORDS) as vault:
        vault.locked.store.connection.execute("UPDATE draft SET snapshot = zeroblob(1052)")
        with pytest.raises(VaultDamagedError):
            vault.drafts.open(vault.drafts.ids()[0])


def test_the_start_of_a_log_is_its_own(old: Path) -> None:
    """The first log of a migrated vault starts where it always did."""
    locked = open_locked(old)
    assert locked.head_at(0) == start_head(PROJECT, locked.device_card().device)
