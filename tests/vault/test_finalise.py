"""Finalising: one transaction, a chained and signed log, nothing unsealed, nothing left behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.sqlite import open_sqlite
from fieldsurvey.records.envelope import Header, open_record, record_hash, seal
from fieldsurvey.records.log import start_head, verify_run
from fieldsurvey.vault import Vault, open_locked
from fieldsurvey.vault.errors import NoSuchDraftError, NotOurRecordError, NoVaultError
from tests.vault.conftest import FORM, HMU, PROJECT, WORDS, make_vault

Sealer = Callable[[bytes], bytes]


def _state(vault: Vault) -> tuple[Any, ...]:
    rows = vault.locked.store.rows
    return (
        rows("SELECT * FROM log"),
        rows("SELECT * FROM outbox"),
        rows("SELECT head_seq, head FROM device"),
        rows("SELECT * FROM draft"),
        rows("SELECT * FROM change"),
    )


def test_a_record_enters_the_log_and_its_draft_is_gone(vault: Vault, sealed: Sealer) -> None:
    """Entry, record, head and draft change together; the entry is signed and the record opens with the HMU's key."""
    draft = vault.drafts.create(FORM, b"", b"")
    draft.append(b"x")
    record = sealed(b"payload")
    entry = vault.finalise(draft.draft_id, record)
    assert entry.seq == 1
    assert entry.record_hash == record_hash(record)
    assert vault.locked.head() == (1, entry.head)
    assert list(vault.locked.entries()) == [(entry, record)]
    assert vault.drafts.ids() == []
    assert vault.locked.store.rows("SELECT * FROM change") == []
    assert open_record(record, HMU).payload == b"payload"


def test_the_log_is_one_chain(vault: Vault, sealed: Sealer) -> None:
    """Entries of several sessions verify as one run from the start; ranges stream in order."""
    for n in range(40):
        vault.finalise(vault.drafts.create(FORM, b"", b"").draft_id, sealed(b"%d" % n))
    entries = [entry for entry, _ in vault.locked.entries()]
    card = vault.locked.device_card()
    head = verify_run(card.sign_key, PROJECT, card.device, None, entries, every_signature=True)
    assert (len(entries), head) == vault.locked.head()
    assert [entry.seq for entry, _ in vault.locked.entries(35, 38)] == [35, 36, 37, 38]
    assert list(vault.locked.entries(41, 50)) == []
    assert vault.locked.head_at(0) == start_head(PROJECT, card.device)
    assert vault.locked.head_at(7) == entries[6].head


def test_nothing_but_a_sealed_record_of_ours_enters(vault: Vault, sealed: Sealer) -> None:
    """Plain text, a cut record, another device's or project's record: refused, and the draft stays."""
    draft = vault.drafts.create(FORM, b"", b"")
    record = sealed(b"payload")
    foreign = [
        seal(Header(project=PROJECT, device="99" * 16, case="00" * 16), b"x", [HMU.public]),
        seal(Header(project="77" * 16, device=vault.device, case="00" * 16), b"x", [HMU.public]),
    ]
    before = _state(vault)
    for wrong in (b"", b'{"answer": "plain"}', record[:-1], b"FSE2" + record[4:], *foreign):
        with pytest.raises(NotOurRecordError):
            vault.finalise(draft.draft_id, wrong)
    assert _state(vault) == before
    vault.finalise(draft.draft_id, record)


def test_a_draft_is_finalised_once(vault: Vault, sealed: Sealer) -> None:
    """The second time there is no draft, and the log does not grow."""
    draft = vault.drafts.create(FORM, b"", b"")
    vault.finalise(draft.draft_id, sealed(b"one"))
    with pytest.raises(NoSuchDraftError):
        vault.finalise(draft.draft_id, sealed(b"two"))
    assert vault.locked.head().seq == 1


class Failing:
    """A connection that fails before its nth statement, as a disk or a power supply would."""

    def __init__(self, connection: sqlite3.Connection, fail_at: int) -> None:
        self._connection = connection
        self.left = fail_at

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql != "ROLLBACK":
            self.left -= 1
            if self.left < 0:
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR
                raise error
        return self._connection.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_finalise_is_all_or_nothing_at_every_statement(vault: Vault, sealed: Sealer) -> None:
    """Failing before each statement in turn: everything is as before, and the retry works. Past the last: all done."""
    for n in range(3):
        vault.finalise(vault.drafts.create(FORM, b"", b"").draft_id, sealed(b"%d" % n))
    draft = vault.drafts.create(FORM, b"head", b"snapshot")
    draft.append(b"change")
    record = sealed(b"payload")
    store = vault.locked.store
    whole = store.connection
    before = _state(vault)
    failures = 0
    while True:
        failing = Failing(whole, failures)
        store.connection = failing  # type: ignore[assignment]
        try:
            vault.finalise(draft.draft_id, record)
        except StorageError:
            store.connection = whole
            assert _state(vault) == before
            failures += 1
            continue
        finally:
            store.connection = whole
        break
    assert failures >= 8  # begin, last entry, three of the log, three of the draft, commit
    assert vault.locked.head().seq == 4
    assert vault.drafts.ids() == []


def test_nothing_lingers_in_the_write_ahead_log(tmp_path: Path, sealed: Sealer, vault: Vault) -> None:
    """After finalising and after discarding, the draft's ciphertext is in no file; control: it was there before."""
    path = vault.locked.path

    def ciphertext() -> list[bytes]:
        rows = vault.locked.store.rows(
            "SELECT head FROM draft UNION SELECT snapshot FROM draft UNION SELECT data FROM change"
        )
        return [row[0][12:76] for row in rows]

    def found(pieces: list[bytes]) -> int:
        data = b"".join(file.read_bytes() for file in path.parent.iterdir())
        return sum(piece in data for piece in pieces)

    for end in ("finalise", "discard"):
        draft = vault.drafts.create(FORM, b"head", b"snapshot")
        for n in range(20):
            draft.append(b"change %d" % n)
        pieces = ciphertext()
        assert len(pieces) == 22
        assert found(pieces) == 22
        if end == "finalise":
            vault.finalise(draft.draft_id, sealed(b"payload"))
        else:
            vault.discard(draft.draft_id)
        assert found(pieces) == 0


def test_a_reader_keeps_the_wal_until_the_next_time(vault: Vault, sealed: Sealer) -> None:
    """Something that still reads does not make finalising fail or wait; the log is emptied once it has gone."""
    reader = open_locked(vault.locked.path)
    reader.store.connection.execute("BEGIN")
    reader.store.rows("SELECT count(*) FROM log")
    draft = vault.drafts.create(FORM, b"", b"")
    assert vault.finalise(draft.draft_id, sealed(b"payload")).seq == 1
    assert not vault.locked.store.tidy()
    reader.store.connection.execute("ROLLBACK")
    assert vault.locked.store.tidy()
    assert vault.locked.path.with_name("vault.db-wal").stat().st_size == 0


def test_two_laptops_do_not_share_keys(tmp_path: Path) -> None:
    """Ids, signing, carrier and receiving keys all differ between two vaults of one project."""
    with make_vault(tmp_path / "a.db") as a, make_vault(tmp_path / "b.db") as b:
        one, other = a.locked.device_card(), b.locked.device_card()
        assert {one.device, one.sign, one.carrier, one.hpke}.isdisjoint(
            {other.device, other.sign, other.carrier, other.hpke}
        )
        assert a.locked.carrier.public == one.carrier_key
        signature = a.locked.carrier_sign(b"data")
        one.carrier_key.verify("fieldsurvey/1/sign request", b"data", signature)
    assert open_locked(tmp_path / "a.db").unlock(WORDS).device == one.device


def test_a_vault_is_made_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Failing before each statement of the creation in turn: no vault, no lock left, and the next attempt works."""
    path = tmp_path / "vault.db"
    failures = 0
    real = open_sqlite
    while True:
        left = failures
        monkeypatch.setattr("fieldsurvey.vault.store.open_sqlite", lambda p, left=left: Failing(real(p), left))
        try:
            make_vault(path).close()
        except StorageError:
            monkeypatch.undo()
            failures += 1
            try:
                open_locked(path)
            except NoVaultError:
                continue
        break  # made, or failed only after the commit
    assert failures >= 15  # the checks, begin, every table, device, slot, commit
    monkeypatch.undo()
    assert open_locked(path).unlock(WORDS).person == "E01"
