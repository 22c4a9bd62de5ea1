"""Drafts: what was saved comes back, what was moved about does not open, and nothing shows what form it is."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable

import pytest

from fieldsurvey.records.padding import padme
from fieldsurvey.vault import Vault
from fieldsurvey.vault.errors import NoSuchDraftError, VaultDamagedError
from tests.vault.conftest import FORM


def test_changes_come_back_in_order(vault: Vault) -> None:
    """Head, snapshot and every change since, as they were given."""
    draft = vault.drafts.create(FORM, b"head", b"snapshot")
    for n in range(5):
        draft.append(f"change {n}".encode())
    again = vault.drafts.open(draft.draft_id)
    assert (again.head, again.snapshot) == (b"head", b"snapshot")
    assert again.changes == [f"change {n}".encode() for n in range(5)]
    again.append(b"one more")
    assert vault.drafts.open(draft.draft_id).changes[-1] == b"one more"


def test_a_snapshot_replaces_the_changes(vault: Vault) -> None:
    """After `rebase` only the new snapshot and what comes later are there."""
    draft = vault.drafts.create(FORM, b"old", b"old")
    draft.append(b"change")
    draft.rebase(b"new", b"new")
    draft.append(b"later")
    again = vault.drafts.open(draft.draft_id)
    assert (again.head, again.snapshot, again.changes) == (b"new", b"new", [b"later"])
    assert vault.locked.store.rows("SELECT count(*) FROM change") == [(1,)]


def test_the_list_shows_head_and_last_change(vault: Vault) -> None:
    """Enough for a list, without loading snapshots."""
    draft = vault.drafts.create(FORM, b"head", bytes(100_000))
    [listed] = vault.drafts.listed()
    assert (listed.draft_id, listed.head, listed.last_change) == (draft.draft_id, b"head", None)
    draft.append(b"1")
    draft.append(b"2")
    assert next(vault.drafts.listed()).last_change == b"2"


def test_a_discarded_draft_is_gone(vault: Vault) -> None:
    """Its rows are deleted; saving to it or opening it says so."""
    draft = vault.drafts.create(FORM, b"", b"")
    draft.append(b"change")
    vault.discard(draft.draft_id)
    assert vault.locked.store.rows("SELECT (SELECT count(*) FROM draft) + (SELECT count(*) FROM change)") == [(0,)]
    for gone in (
        lambda: vault.drafts.open(draft.draft_id),
        lambda: draft.append(b"x"),
        lambda: draft.rebase(b"", b""),
        lambda: vault.discard(draft.draft_id),
        lambda: vault.drafts.open("not hex"),
    ):
        with pytest.raises(NoSuchDraftError):
            gone()


def _two(vault: Vault) -> tuple[str, str]:
    drafts = [vault.drafts.create(FORM, b"head", b"snapshot") for _ in range(2)]
    for draft in drafts:
        for n in range(3):
            draft.append(b"%d" % n)
    return drafts[0].draft_id, drafts[1].draft_id


def _sql(*statements: str) -> Callable[[sqlite3.Connection], None]:
    def run(connection: sqlite3.Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    return run


_FIRST = "(SELECT min(place) FROM change)"


@pytest.mark.parametrize(
    "tamper",
    [
        _sql(f"UPDATE change SET data = (SELECT data FROM change WHERE place = {_FIRST} + 1) WHERE place = {_FIRST}"),
        _sql(f"DELETE FROM change WHERE place = {_FIRST}"),
        _sql(f"UPDATE change SET data = (SELECT data FROM change ORDER BY place DESC LIMIT 1) WHERE place = {_FIRST}"),
        _sql("UPDATE draft SET snapshot = head"),
        _sql("UPDATE draft SET head = snapshot"),
        _sql("UPDATE draft SET counter = counter + 1", "DELETE FROM change"),
        _sql("UPDATE draft SET head = zeroblob(2)"),
        _sql("UPDATE change SET data = zeroblob(1080)"),
        _sql("UPDATE draft SET snapshot = (SELECT max(snapshot) FROM draft)",
             "UPDATE draft SET head = (SELECT max(head) FROM draft)"),
        _sql("UPDATE draft_key SET box = (SELECT max(box) FROM draft_key)"),
        _sql("DELETE FROM draft_key"),
    ],
    ids=["swapped", "missing", "from another draft", "head as snapshot", "snapshot as head", "rolled counter", "short",
         "zeros", "whole draft of another", "another draft's key", "no key"],
)  # fmt: skip
def test_moved_ciphertext_does_not_open(vault: Vault, tamper: Callable[[sqlite3.Connection], None]) -> None:
    """Each piece is bound to project, draft, form, counter and purpose; control: untouched both drafts open."""
    ids = _two(vault)
    for draft_id in ids:
        vault.drafts.open(draft_id)
    tamper(vault.locked.store.connection)
    failed = 0
    for draft_id in ids:
        try:
            vault.drafts.open(draft_id)
        except VaultDamagedError:
            failed += 1
    assert failed


def test_the_form_is_bound_and_unseen(vault: Vault) -> None:
    """Neither the form's tag nor its name is in any column; a draft with another form's tag in its head fails."""
    draft = vault.drafts.create(b"T" * 32, b'{"title":"A title that must not be read"}', b"snapshot")
    draft.append(b"x")
    vault.close()
    dump = "\n".join(vault.locked.store.connection.iterdump())
    assert "must not be read" not in dump
    assert (b"T" * 32).hex().upper() not in dump.upper()
    columns = vault.locked.store.rows("SELECT name FROM pragma_table_info('draft')")
    assert [name for (name,) in columns] == ["number", "id", "owner", "counter", "head", "snapshot"]


def test_sizes_are_padded(vault: Vault) -> None:
    """Every ciphertext is as long as a padded plaintext, nonce and tag: two answers of 3 and 300 letters look alike."""
    lengths = set()
    for size in (0, 3, 300, 900):
        draft = vault.drafts.create(FORM, bytes(size), bytes(size))
        draft.append(bytes(size))
    for row in vault.locked.store.rows("SELECT length(head), length(snapshot) FROM draft"):
        lengths |= set(row)
    lengths |= {row[0] for row in vault.locked.store.rows("SELECT length(data) FROM change")}
    assert lengths == {1024 + 28}
    large = vault.drafts.create(FORM, b"", bytes(70_000))
    [(length,)] = vault.locked.store.rows(
        "SELECT length(snapshot) FROM draft WHERE id = ?", (bytes.fromhex(large.draft_id),)
    )
    assert length == padme(70_004) + 28


@pytest.mark.parametrize("size", [100, 400_000])
def test_an_autosave_writes_the_same_whatever_the_form(vault: Vault, size: int) -> None:
    """Saving one answer adds the same few pages to the write-ahead log for a small draft as for a large one."""
    draft = vault.drafts.create(FORM, b"", bytes(size))
    for n in range(30):
        draft.append(b"%d" % n)
    assert vault.locked.store.tidy()
    wal = vault.locked.path.with_name("vault.db-wal")
    draft.append(b"one answer")
    assert wal.stat().st_size <= 32 + 4 * (4096 + 24)


def test_random_histories_come_back(vault: Vault) -> None:
    """Thirty random sequences of saves, snapshots and reopenings: what opens is what was saved last."""
    rng = random.Random(7)
    for _ in range(30):
        draft = vault.drafts.create(FORM, b"h0", b"s0")
        snapshot = b"s0"
        changes: list[bytes] = []
        for step in range(rng.randrange(1, 15)):
            match rng.randrange(4):
                case 0:
                    snapshot, changes = b"s%d" % step, []
                    draft.rebase(b"h", snapshot)
                case 1:
                    draft = vault.drafts.open(draft.draft_id)
                    assert (draft.snapshot, draft.changes) == (snapshot, changes)
                case _:
                    changes.append(rng.randbytes(rng.randrange(2000)))
                    draft.append(changes[-1])
        again = vault.drafts.open(draft.draft_id)
        assert (again.snapshot, again.changes) == (snapshot, changes)
