"""A deleted draft is gone: its bytes from every file, and the key from whatever the disk may still keep of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fieldsurvey.records.slots import FLOOR
from fieldsurvey.vault import Vault
from fieldsurvey.vault.errors import VaultDamagedError
from tests.vault.conftest import FORM, OTHER_WORDS, WORDS

Sealer = Callable[[bytes], bytes]


def _boxes(vault: Vault) -> list[bytes]:
    """Every ciphertext of every draft, as it lies in the tables."""
    rows = vault.locked.store.rows(
        "SELECT head FROM draft UNION ALL SELECT snapshot FROM draft UNION ALL SELECT data FROM change"
        " UNION ALL SELECT box FROM draft_key"
    )
    return [row[0] for row in rows]


def _found(folder: Path, boxes: list[bytes]) -> int:
    """How many of them any file still holds a stretch of; SQLite may split long ones over pages."""
    files = [file.read_bytes() for file in folder.iterdir() if file.is_file()]
    return sum(any(box[20:60] in data or box[-40:] in data for data in files) for box in boxes)


def _worked(vault: Vault, size: int = 6000) -> str:
    draft = vault.drafts.create(FORM, b"head", bytes(size))
    for n in range(5):
        draft.append(b"%d" % n)
    draft.rebase(b"head", bytes(size + 1))
    for n in range(5):
        draft.append(b"%d" % n)
    return draft.draft_id


@pytest.mark.parametrize("way", ["discard", "finalise", "leaver"])
def test_a_deleted_draft_is_in_no_file(vault: Vault, sealed: Sealer, way: str) -> None:
    """Discarded, finalised or removed with a leaver: not a stretch of its ciphertext or key is left in any file.
    Control: before, all of them are found."""
    vault.people.add("E02", OTHER_WORDS, FLOOR)
    draft = _worked(vault)
    boxes = _boxes(vault)
    folder = vault.locked.path.parent
    assert len(boxes) == 2 + 5 + 1
    assert _found(folder, boxes) == len(boxes)
    if way == "discard":
        vault.discard(draft)
    elif way == "finalise":
        vault.finalise(draft, sealed(b"x"))
    else:
        vault.close()
        with vault.locked.unlock(OTHER_WORDS) as other:
            other.people.remove("E01", forget_drafts=True)
    assert _found(folder, boxes) == 0


def test_what_the_disk_kept_of_a_deleted_draft_opens_with_nothing(vault: Vault) -> None:
    """Flash storage may keep old blocks: with every row but the key's back in place and the right words, the draft does
    not open. Control: with the key's row too it does."""
    draft = _worked(vault)
    store = vault.locked.store
    kept = {table: store.rows(f"SELECT * FROM {table}") for table in ("draft", "change", "draft_key")}
    vault.discard(draft)
    vault.close()

    def put_back(table: str) -> None:
        for row in kept[table]:
            marks = ",".join("?" * len(row))
            store.connection.execute(f"INSERT INTO {table} VALUES ({marks})", row)

    put_back("draft")
    put_back("change")
    with vault.locked.unlock(WORDS) as again:
        with pytest.raises(VaultDamagedError):
            again.drafts.open(draft)
        put_back("draft_key")
        assert len(again.drafts.open(draft).changes) == 5


def test_each_draft_has_a_key_of_its_own(vault: Vault) -> None:
    """Two drafts of one person share none, and a draft's id does not give its key."""
    first, second = (vault.drafts.create(FORM, b"", b"") for _ in range(2))
    numbers = dict(vault.locked.store.rows("SELECT id, number FROM draft"))
    keys = {vault.drafts.key_of(numbers[bytes.fromhex(d.draft_id)], bytes.fromhex(d.draft_id)) for d in (first, second)}
    assert len(keys) == 2
    vault.locked.store.connection.execute("DELETE FROM draft_key")
    derived = {vault.drafts.key_of(number, raw_id) for raw_id, number in numbers.items()}
    assert keys.isdisjoint(derived)


def test_tidying_that_fails_leaves_the_store_as_patient_as_before(vault: Vault) -> None:
    """Emptying the write-ahead log is tried for a moment only; what is written later waits for others as long as ever,
    whether it came off or not.
    """
    connection = vault.locked.store.connection

    def patience() -> int:
        """How long a change waits for another process, in milliseconds."""
        (found,) = connection.execute("PRAGMA busy_timeout").fetchone()
        return int(found)

    before = patience()
    assert vault.locked.store.tidy()
    assert patience() == before >= 10_000
    connection.execute("BEGIN IMMEDIATE")  # within a transaction the log cannot be emptied
    assert not vault.locked.store.tidy()
    connection.execute("ROLLBACK")
    assert patience() == before
