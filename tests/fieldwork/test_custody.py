"""Backup and restore: what is sealed always gets out, drafts survive."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.custody import (
    Restoring,
    backup,
    find_backup,
    retire,
)
from fieldsurvey.fieldwork.withdrawals import Withdrawals, withdraw
from fieldsurvey.records.envelope import open_record
from fieldsurvey.records.receipt import Level
from fieldsurvey.records.withdrawal import WithdrawalCode
from fieldsurvey.vault import verify_vault
from fieldsurvey.vault.attachments import DraftFiles
from fieldsurvey.vault.errors import (
    NoVaultError,
)
from sync.folder import collect, export_batches
from tests.fieldwork.conftest import CANARY, NOW, WORDS, SyntheticProject, seal
from tests.fieldwork.keeping import restore, whole
from tests.fieldwork.test_retention import receipt
from tests.vault.canaries import search


def test_a_restored_laptop_goes_on_under_a_new_device(
    worked: Laptop, tmp_path: Path, clock: FixedClock, project: SyntheticProject
) -> None:
    """The lost laptop's drafts open at the answer given; its records open at the HMU; new ones go to a new log."""
    old = worked.locked.device_card().device
    report = backup(worked, tmp_path / "stick")
    assert report.verified.whole
    restored = restore(tmp_path / "again", tmp_path / "stick", clock)
    assert (restored.parent.device, restored.parent.seq) == (old, 3)
    session = restored.laptop.unlock(WORDS)
    [draft] = session.drafts()
    assert session.resume(draft.draft_id).interview.question("/data/story").value == CANARY
    seal(session, 2)
    assert verify_vault(session.vault).whole
    session.close()
    locked = restored.laptop.locked
    assert locked.device_card().device != old
    [former] = locked.former_logs()
    assert [len(whole(former)), len(whole(locked))] == [3, 2]
    for record in [*whole(former), *whole(locked)]:
        assert b"told" in open_record(record, project.operational).payload
    status = restored.laptop.status()
    assert (status.sealed, status.former, status.former_waiting) == (2, 3, 3)
    assert not list((tmp_path / "again").glob("vault.restoring*"))


def test_what_was_not_acknowledged_travels_under_the_old_signatures(
    worked: Laptop, tmp_path: Path, clock: FixedClock
) -> None:
    """One export writes both logs' batches; receipts for the old device are taken by the former log."""
    backup(worked, tmp_path / "backups")
    restored = restore(tmp_path / "again", tmp_path / "backups", clock).laptop
    session = restored.unlock(WORDS)
    seal(session, 1)
    session.close()
    report = export_batches(restored.locked, tmp_path / "stick")
    assert (report.written, report.head, [part.head for part in report.former]) == (4, 1, [3])
    assert export_batches(restored.locked, tmp_path / "stick").written == 0
    [former] = restored.locked.former_logs()
    former.take_receipt(receipt(former, 3, Level.COMMITTED))
    assert restored.status().former_waiting == 0
    assert [part.head for part in export_batches(restored.locked, tmp_path / "other").former] == []
    collect(restored, tmp_path / "stick")


def test_a_backup_works_locked_and_while_somebody_is_at_work(worked: Laptop, tmp_path: Path, clock: FixedClock) -> None:
    """With an interview open in another session the backup holds what was saved up to then."""
    session = worked.unlock(WORDS)
    work = session.start("synthetic")
    work.answer("/data/story", "open at the time")
    backup(Laptop.open(worked.home, clock), tmp_path / "stick")
    work.answer("/data/story", "later")
    session.close()
    restored = restore(tmp_path / "again", tmp_path / "stick", clock).laptop
    session = restored.unlock(WORDS)
    values = {session.resume(card.draft_id).interview.question("/data/story").value for card in session.drafts()}
    assert values == {CANARY, "open at the time"}
    session.close()


def test_a_backup_reveals_nothing(worked: Laptop, tmp_path: Path) -> None:
    """No answer in any encoding in the folder of the backup. Control: planted, it is found."""
    path = backup(worked, tmp_path / "stick").path
    assert search(tmp_path / "stick", [CANARY]) == []
    with path.open("ab") as file:
        file.write(CANARY.encode("utf-16-be"))
    assert search(tmp_path / "stick", [CANARY])


def test_a_cut_restore_is_done_again(worked: Laptop, tmp_path: Path, clock: FixedClock) -> None:
    """A restore that ended before it was in place leaves no vault; the next one clears up and works."""
    backup(worked, tmp_path / "stick")
    home = tmp_path / "again"
    cut = Restoring(home, find_backup(tmp_path / "stick"), clock)
    cut._locked.close()  # the process ends here
    with pytest.raises(NoVaultError):
        Laptop.open(home, clock)
    assert restore(home, tmp_path / "stick", clock).laptop.status().drafts == 1


def test_a_withdrawal_survives_a_restore(worked: Laptop, tmp_path: Path, clock: FixedClock) -> None:
    """Entered before the backup, it is there after the restore and its case stays erased; it stays when retired too."""
    session = worked.unlock(WORDS)
    work = session.start("synthetic")
    work.answer("/data/story", "told")
    code = work.finalise().withdrawal_code
    session.close()
    assert code is not None
    assert withdraw(worked.locked, WithdrawalCode.parse(code), NOW.date()).bodies == 1
    backup(worked, tmp_path / "stick")
    restored = restore(tmp_path / "again", tmp_path / "stick", clock).laptop
    tag = WithdrawalCode.parse(code).tag(restored.project.model.id)
    assert Withdrawals(restored.home).holds(tag)
    [former] = restored.locked.former_logs()
    assert [entry.seq for entry, _ in former.entries()] == [1, 2, 3]
    assert retire(restored, force=True, typed_name="Synthetic laptop").withdrawals == 1
    assert Withdrawals(restored.home).holds(tag)


def test_the_files_of_drafts_survive_a_restore(worked: Laptop, tmp_path: Path, clock: FixedClock) -> None:
    """An encrypted file of a draft is beside the restored vault; one of a draft that is gone is swept away."""
    session = worked.unlock(WORDS)
    draft = session.drafts()[0].draft_id
    kept = DraftFiles(worked.home, draft).add([b"synthetic picture"])
    DraftFiles(worked.home, "ab" * 16).add([b"of a draft that is gone"])
    session.close()
    backup(worked, tmp_path / "stick")
    restored = restore(tmp_path / "again", tmp_path / "stick", clock).laptop
    restored.unlock(WORDS).close()
    assert b"".join(DraftFiles(restored.home, draft).read(kept)) == b"synthetic picture"
    assert [folder.name for folder in (restored.home / "attachments").iterdir()] == [draft]
    assert not list(restored.home.glob("vault.restoring*"))
