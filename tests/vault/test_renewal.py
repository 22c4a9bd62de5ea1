"""A new vault, a restored one, recovery: the former log stays whole and exportable, and cannot grow."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from fieldsurvey.base.errors import StorageError, UnlockError
from fieldsurvey.records.log import start_head, verify_run
from fieldsurvey.records.receipt import Level, Receipt, Role
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.vault import SealedLog, Vault, open_locked, verify_log, verify_vault
from fieldsurvey.vault.errors import (
    NoRecoverySlotError,
    ReceiptMismatchError,
    RecoveryKeyError,
    VaultInUseError,
)
from fieldsurvey.vault.renewal import begin_after_restore, new_vault, recover
from tests.vault.conftest import FORM, NOW, OTHER_WORDS, PROJECT, WORDS, make_vault

Sealer = Callable[[bytes], bytes]
ESCROW = RecipientPrivate(b"\x09" * 32)
THIRD_WORDS = "barco luna tigre salto norte queso"


def _receipt(log: SealedLog, up_to: int, level: Level = Level.COMMITTED) -> Receipt:
    return Receipt(
        project=PROJECT,
        device=log.device_card().device,
        up_to=up_to,
        head=log.head_at(up_to).hex(),
        level=level,
        by=Role.CENTRAL,
        issued=NOW.isoformat(),
    )


def _seal_some(vault: Vault, sealed: Sealer, count: int) -> None:
    for n in range(count):
        vault.finalise(vault.drafts.create(FORM, b"", b"").draft_id, sealed(b"%d" % n))


def test_a_new_vault_goes_on_where_the_words_are_forgotten(vault: Vault, sealed: Sealer) -> None:
    """Without the old words: a new device whose card names the old head, and the old log with all its signatures."""
    _seal_some(vault, sealed, 3)
    old_card, old_head = vault.locked.device_card(), vault.locked.head()
    vault.close()
    new_vault(vault.locked, person="E01", passphrase=OTHER_WORDS, now=NOW, params=FLOOR)
    with vault.locked.unlock(OTHER_WORDS) as again:
        card = again.locked.device_card()
        assert card.device != old_card.device
        assert card.parent is not None
        assert (card.parent.device, card.parent.seq, card.parent.head) == (old_card.device, 3, old_head.head.hex())
        assert card.proof is not None
        assert card.goes_on_from(old_card)
        assert again.locked.head() == (0, start_head(PROJECT, card.device))
        [former] = again.locked.former_logs()
        assert (former.device_card(), former.head(), former.former) == (old_card, old_head, True)
        entries = [entry for entry, _ in former.entries()]
        assert verify_run(old_card.sign_key, PROJECT, old_card.device, None, entries) == old_head.head
        assert former.carrier.public == old_card.carrier_key
        report = verify_vault(again)
        assert (report.whole, report.former, report.entries) == (True, 1, 3)
    with pytest.raises(UnlockError):
        vault.locked.unlock(WORDS)


def test_the_new_log_grows_beside_the_former(vault: Vault, sealed: Sealer) -> None:
    """Entries of the two are never mixed: each streams its own from 1 on, and takes its own receipts and copies."""
    _seal_some(vault, sealed, 2)
    vault.close()
    new_vault(vault.locked, person="E01", passphrase=OTHER_WORDS, now=NOW, params=FLOOR)
    with vault.locked.unlock(OTHER_WORDS) as again:
        from fieldsurvey.records.envelope import Header, seal
        from tests.vault.conftest import HMU

        header = Header(project=PROJECT, device=again.device, case="00" * 16)
        record = seal(header, b"x", [HMU.public])
        entry = again.finalise(again.drafts.create(FORM, b"", b"").draft_id, record)
        [former] = again.locked.former_logs()
        assert list(again.locked.entries()) == [(entry, record)]
        assert [held.seq for held, _ in former.entries()] == [1, 2]
        assert former.take_receipt(_receipt(former, 2))
        with pytest.raises(ReceiptMismatchError):
            again.locked.take_receipt(_receipt(former, 1))
        former.mark_copied(2, "stick", NOW)
        again.locked.mark_copied(1, "stick", NOW)
        assert (former.acknowledged(), again.locked.acknowledged()) == ({"committed": 2}, {})
        assert [copy.up_to for copy in former.copied()] == [2]
        assert [copy.up_to for copy in again.locked.copied()] == [1]
        assert [log.number for log in again.locked.logs()] == [0, 1]
        assert verify_log(again.locked).whole


def test_the_former_signing_key_is_gone(vault: Vault, sealed: Sealer) -> None:
    """After a new vault no file holds the old device's locked secrets: nothing can be added to the former log.
    Control: before, they are found."""
    _seal_some(vault, sealed, 1)
    (box,) = vault.locked.store.one("SELECT secrets FROM device")
    vault.close()
    folder = vault.locked.path.parent
    assert any(box in file.read_bytes() for file in folder.iterdir())
    new_vault(vault.locked, person="E01", passphrase=OTHER_WORDS, now=NOW, params=FLOOR)
    assert not any(box in file.read_bytes() for file in folder.iterdir())


def test_words_found_again_bring_the_drafts_back(vault: Vault) -> None:
    """Drafts left behind are nobody's; with the old words they are the new person's, change by change, once."""
    draft = vault.drafts.create(FORM, b"head", b"snapshot")
    draft.append(b"change")
    vault.close()
    new_vault(vault.locked, person="E01", passphrase=OTHER_WORDS, now=NOW, params=FLOOR)
    with vault.locked.unlock(OTHER_WORDS) as again:
        assert again.drafts.ids() == []
        assert verify_vault(again).unchecked == 1
        with pytest.raises(UnlockError):
            again.take_over_drafts(THIRD_WORDS)
        assert again.take_over_drafts(WORDS) == 1
        found = again.drafts.open(draft.draft_id)
        assert (found.head, found.snapshot, found.changes) == (b"head", b"snapshot", [b"change"])
        with pytest.raises(UnlockError):
            again.take_over_drafts(WORDS)


def test_a_new_vault_is_all_or_nothing(vault: Vault, sealed: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the transaction fails, the old words still open, the device is the old one and there is no former log."""
    _seal_some(vault, sealed, 1)
    device = vault.device
    vault.close()
    connection = vault.locked.store.connection
    connection.execute("CREATE TEMP TRIGGER stop BEFORE INSERT ON slot BEGIN SELECT RAISE(ABORT, 'stop'); END")
    with pytest.raises((StorageError, sqlite3.Error)):
        new_vault(vault.locked, person="E01", passphrase=OTHER_WORDS, now=NOW, params=FLOOR)
    connection.execute("DROP TRIGGER stop")
    with vault.locked.unlock(WORDS) as again:
        assert again.device == device
        assert again.locked.former_logs() == []
        assert verify_vault(again).whole


def test_a_new_vault_waits_for_who_is_at_work(vault: Vault) -> None:
    """While it is unlocked elsewhere a new vault is refused, and nothing has changed."""
    with pytest.raises(VaultInUseError):
        new_vault(open_locked(vault.locked.path), person="E01", passphrase=OTHER_WORDS, now=NOW, params=FLOOR)
    assert vault.locked.former_logs() == []


def test_after_a_restore_the_people_and_drafts_are_the_same(vault: Vault, sealed: Sealer) -> None:
    """The old words open, drafts go on, the device and its log are new; wrong words change nothing."""
    _seal_some(vault, sealed, 2)
    draft = vault.drafts.create(FORM, b"head", b"snapshot").draft_id
    old, old_card = vault.device, vault.locked.device_card()
    vault.close()
    with pytest.raises(UnlockError):
        begin_after_restore(vault.locked, THIRD_WORDS, NOW)
    assert vault.locked.device_card().device == old
    parent = begin_after_restore(vault.locked, WORDS, NOW)
    assert (parent.device, parent.seq) == (old, 2)
    assert vault.locked.device_card().proof is not None
    assert vault.locked.device_card().goes_on_from(old_card)
    with vault.locked.unlock(WORDS) as again:
        assert again.device != old
        assert again.drafts.open(draft).snapshot == b"snapshot"
        assert verify_vault(again).whole


def test_the_recovery_slot_gives_new_words(tmp_path: Path) -> None:
    """With the escrow key the person gets new words and all drafts; the old words no longer open."""
    made = Vault.create(
        tmp_path / "vault.db", project=PROJECT, root="cd" * 32, project_version=1, name="Synthetic laptop",
        person="E01", passphrase=WORDS, now=NOW, params=FLOOR, recovery=ESCROW.public,
    )  # fmt: skip
    made.people.add("E02", OTHER_WORDS, FLOOR, recovery=ESCROW.public)
    draft = made.drafts.create(FORM, b"", b"kept").draft_id
    made.close()
    recover(made.locked, ESCROW, "E01", THIRD_WORDS, FLOOR)
    with made.locked.unlock(THIRD_WORDS) as again:
        assert (again.person, again.drafts.open(draft).snapshot) == ("E01", b"kept")
    with made.locked.unlock(OTHER_WORDS) as other:
        assert other.person == "E02"
    with pytest.raises(UnlockError):
        made.locked.unlock(WORDS)


def test_recovery_is_refused_without_the_right_key_or_slot(vault: Vault) -> None:
    """Another key, a person without a recovery slot, an altered one: refused, and the words still open."""
    vault.people.add("E02", OTHER_WORDS, FLOOR)
    assert vault.people.keep_recovery(ESCROW.public)
    assert not vault.people.keep_recovery(ESCROW.public)
    vault.close()
    with pytest.raises(RecoveryKeyError):
        recover(vault.locked, RecipientPrivate(b"\x0a" * 32), "E01", THIRD_WORDS, FLOOR)
    with pytest.raises(NoRecoverySlotError):
        recover(vault.locked, ESCROW, "E02", THIRD_WORDS, FLOOR)
    vault.locked.store.connection.execute(
        "UPDATE slot SET recovery = CAST(substr(recovery, 1, 60) || zeroblob(1240) AS BLOB)"
    )
    with pytest.raises((RecoveryKeyError, NoRecoverySlotError)):
        recover(vault.locked, ESCROW, "E01", THIRD_WORDS, FLOOR)
    with vault.locked.unlock(WORDS) as again:
        assert again.people.keep_recovery(None)
    with pytest.raises(NoRecoverySlotError):
        recover(vault.locked, ESCROW, "E01", THIRD_WORDS, FLOOR)
    vault.locked.unlock(WORDS).close()


def test_without_the_policy_there_is_no_recovery_slot(tmp_path: Path) -> None:
    """A vault made without an escrow key has none."""
    with make_vault(tmp_path / "vault.db") as made:
        assert made.locked.store.rows("SELECT recovery FROM slot") == [(None,)]
