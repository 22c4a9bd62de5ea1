"""`verify` finds every kind of change to what a laptop holds, and nothing where nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fieldsurvey.records.receipt import Level, Receipt, Role
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.vault import Vault, verify_log, verify_vault
from fieldsurvey.vault.errors import ReceiptMismatchError
from tests.vault.conftest import FORM, NOW, OTHER_WORDS, PROJECT

Sealer = Callable[[bytes], bytes]


@pytest.fixture
def worked(vault: Vault, sealed: Sealer) -> Vault:
    """Six sealed records, two drafts of E01, one of E02, a receipt."""
    for n in range(6):
        vault.finalise(vault.drafts.create(FORM, b"", b"").draft_id, sealed(b"%d" % n))
    for _ in range(2):
        draft = vault.drafts.create(FORM, b"head", b"snapshot")
        draft.append(b"change")
    vault.people.add("E02", OTHER_WORDS, FLOOR)
    vault.locked.take_receipt(_receipt(vault, 4))
    vault.locked.store.connection.execute(
        "INSERT INTO draft (number, id, owner, counter, head, snapshot)"
        " SELECT 5, randomblob(16), owner, 0, zeroblob(99), zeroblob(99) FROM slot WHERE number = 2"
    )
    return vault


def _receipt(vault: Vault, up_to: int, head: bytes | None = None, device: str = "") -> Receipt:
    return Receipt(
        project=PROJECT,
        device=device or vault.device,
        up_to=up_to,
        head=(head or vault.locked.head_at(min(up_to, vault.locked.head().seq))).hex(),
        level=Level.COMMITTED,
        by=Role.CENTRAL,
        issued=NOW.isoformat(),
    )


def test_a_whole_vault_is_whole(worked: Vault) -> None:
    """Counts are right and nothing is found; what only the other person can open is counted."""
    report = verify_vault(worked)
    assert report.whole
    assert (report.entries, report.records, report.drafts, report.changes, report.slots) == (6, 6, 2, 2, 2)
    assert report.unchecked == 1


_FLIP = "CAST(substr({0}, 1, {1}) || x'ff' || substr({0}, {1} + 2) AS BLOB)"
_SWAP = (
    "CREATE TEMP TABLE held AS SELECT * FROM {0} WHERE seq IN (2, 3)",
    "DELETE FROM {0} WHERE seq IN (2, 3)",
    "INSERT INTO {0} SELECT 5 - seq, {1} FROM held",
)


@pytest.mark.parametrize(
    ("statements", "part"),
    [
        (("UPDATE log SET entry = " + _FLIP.format("entry", 45) + " WHERE seq = 3",), "log"),  # record hash
        (("UPDATE log SET entry = " + _FLIP.format("entry", 80) + " WHERE seq = 3",), "log"),  # head
        (("UPDATE log SET entry = " + _FLIP.format("entry", 120) + " WHERE seq = 3",), "log"),  # signature
        (("UPDATE log SET entry = substr(entry, 1, 100) WHERE seq = 3",), "log"),
        (("DELETE FROM outbox WHERE seq = 3", "DELETE FROM log WHERE seq = 3"), "log"),
        (("DELETE FROM outbox WHERE seq = 6", "DELETE FROM log WHERE seq = 6"), "log"),
        (("INSERT INTO log SELECT 7, entry FROM log WHERE seq = 6",), "log"),
        ((s.format("log", "entry") for s in _SWAP), "log"),
        (("UPDATE device SET head_seq = 5",), "log"),
        (("UPDATE device SET head = zeroblob(32)",), "log"),
        (("UPDATE outbox SET record = " + _FLIP.format("record", 2000) + " WHERE seq = 3",), "record"),
        (("UPDATE outbox SET record = zeroblob(3000) WHERE seq = 3",), "record"),
        ((s.format("outbox", "record") for s in _SWAP), "record"),
        (("UPDATE slot SET slot = zeroblob(9) WHERE number = 2",), "slot"),
        (("UPDATE slot SET person = zeroblob(93) WHERE number = 2",), "people"),
        (("UPDATE receipt SET receipt = zeroblob(9)",), "receipt"),
        (("UPDATE draft SET snapshot = " + _FLIP.format("snapshot", 50) + " WHERE counter = 0",), "draft"),
        (("UPDATE draft SET head = " + _FLIP.format("head", 50),), "draft"),
        (("UPDATE change SET data = " + _FLIP.format("data", 50),), "draft"),
        (("UPDATE draft_key SET box = " + _FLIP.format("box", 30),), "draft"),
        (("DELETE FROM outbox WHERE seq = 5",), "record"),
        (("CREATE TRIGGER t AFTER INSERT ON log BEGIN DELETE FROM slot; END",), "tables"),
        (("CREATE VIEW v AS SELECT 1",), "tables"),
    ],
)
def test_every_change_is_found(worked: Vault, statements: tuple[str, ...], part: str) -> None:
    """Edit, cut, delete, insert, reorder; log, record, slot, people, receipt, draft: the part is named."""
    connection = worked.locked.store.connection
    connection.execute("PRAGMA foreign_keys=OFF")
    for statement in statements:
        connection.execute(statement)
    found = {finding.part for finding in verify_vault(worked).findings}
    assert part in found


def test_every_bit_of_every_entry_counts(worked: Vault) -> None:
    """Each byte of each log entry changed in turn is found (the audit reads the rows itself)."""
    store = worked.locked.store
    missed = []
    for seq, entry in store.rows("SELECT seq, entry FROM log"):
        for place in range(0, len(entry), 7):
            store.connection.execute(
                "UPDATE log SET entry = ? WHERE seq = ?",
                (entry[:place] + bytes([entry[place] ^ 1]) + entry[place + 1 :], seq),
            )
            if verify_log(worked.locked).whole:
                missed.append((seq, place))
            store.connection.execute("UPDATE log SET entry = ? WHERE seq = ?", (entry, seq))
    assert missed == []
    assert verify_log(worked.locked).whole


def test_a_purged_record_is_counted_not_missed(worked: Vault) -> None:
    """An entry without its body is whole where central has a backup: its hash and signature stay. Elsewhere: a loss."""
    worked.locked.store.connection.execute("DELETE FROM outbox WHERE seq = 2")
    assert [found.where for found in verify_log(worked.locked).findings] == ["2"]
    receipt = _receipt(worked, 4).model_copy(update={"level": Level.BACKED_UP})
    assert worked.locked.take_receipt(receipt)
    worked.locked.store.connection.execute("DELETE FROM outbox WHERE seq = 2")
    report = verify_log(worked.locked)
    assert report.whole
    assert (report.records, report.purged) == (5, 1)
    assert [entry.seq for entry, _ in worked.locked.entries()] == [1, 3, 4, 5, 6]


def test_receipts_move_forward_only(worked: Vault) -> None:
    """A further receipt is kept, an earlier or equal one is not; each level stands for itself."""
    assert not worked.locked.take_receipt(_receipt(worked, 3))
    assert not worked.locked.take_receipt(_receipt(worked, 4))
    assert worked.locked.take_receipt(_receipt(worked, 5))
    assert worked.locked.acknowledged() == {"committed": 5}
    assert [receipt.up_to for receipt in worked.locked.receipts()] == [5]


@pytest.mark.parametrize("wrong", ["device", "beyond", "head"])
def test_receipts_of_another_log_are_left_aside(worked: Vault, wrong: str) -> None:
    """Another device's, beyond our end, or with another head: refused, and what was held stays."""
    receipt = {
        "device": lambda: _receipt(worked, 5, device="99" * 16),
        "beyond": lambda: _receipt(worked, 7),
        "head": lambda: _receipt(worked, 5, head=bytes(32)),
    }[wrong]()
    with pytest.raises(ReceiptMismatchError):
        worked.locked.take_receipt(receipt)
    assert worked.locked.acknowledged() == {"committed": 4}


def test_copies_are_marked_by_place(worked: Vault) -> None:
    """One mark a place, the last one; never beyond the end of the log."""
    worked.locked.mark_copied(3, "stick A", NOW)
    worked.locked.mark_copied(2, "stick B", NOW)
    worked.locked.mark_copied(6, "stick A", NOW)
    assert [(copy.up_to, copy.place) for copy in worked.locked.copied()] == [(2, "stick B"), (6, "stick A")]
    with pytest.raises(ReceiptMismatchError):
        worked.locked.mark_copied(7, "stick A", NOW)
