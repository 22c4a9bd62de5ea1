"""Backup and restore, a new vault, recovery, the end of a laptop: what is sealed always gets out, drafts survive."""

from __future__ import annotations

import hashlib
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import FieldsurveyError, StorageError, UnlockError
from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.fieldwork.custody import (
    Restored,
    Restoring,
    at_stake,
    backup,
    begin_again,
    find_backup,
    recover_person,
    retire,
)
from fieldsurvey.fieldwork.errors import (
    NotAcknowledgedError,
    NotConfirmedRetireError,
    ProjectGoneError,
    UnknownPersonError,
)
from fieldsurvey.fieldwork.laptop import PROJECT, VAULT
from fieldsurvey.fieldwork.withdrawals import Withdrawals, withdraw
from fieldsurvey.project.errors import ForeignRootError
from fieldsurvey.project.policy import Policy
from fieldsurvey.records.envelope import open_record, record_hash
from fieldsurvey.records.log import verify_run
from fieldsurvey.records.receipt import Level
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.withdrawal import WithdrawalCode
from fieldsurvey.records.words import WeakPassphraseError
from fieldsurvey.vault import SealedLog, ending, verify_vault
from fieldsurvey.vault.attachments import DraftFiles
from fieldsurvey.vault.backup import read_manifest
from fieldsurvey.vault.errors import (
    BackupDamagedError,
    NoBackupError,
    NoRecoverySlotError,
    NoVaultError,
    RecoveryKeyError,
    VaultExistsError,
    VaultInUseError,
)
from sync.folder import collect, export_batches
from tests.fieldwork.conftest import NOW, OTHER_WORDS, WORDS, SyntheticProject, join
from tests.fieldwork.test_retention import receipt
from tests.vault.canaries import search

CANARY = "canario-Ñandú-271828"
THIRD_WORDS = "barco luna tigre salto norte queso"


def _seal(session: Session, count: int) -> None:
    for _ in range(count):
        work = session.start("synthetic")
        work.answer("/data/story", "told")
        work.finalise()


@pytest.fixture
def worked(laptop: Laptop) -> Laptop:
    """Three sealed records and a draft with a canary; locked."""
    session = laptop.unlock(WORDS)
    _seal(session, 3)
    work = session.start("synthetic")
    work.answer("/data/story", CANARY)
    work.close()
    session.close()
    return laptop


def _restore(home: Path, place: Path, clock: FixedClock, words: str = WORDS) -> Restored:
    with Restoring(home, find_backup(place), clock) as restoring:
        return restoring.finish(words)


def _whole(log: SealedLog) -> list[bytes]:
    """The records of a log whose chain and signatures hold."""
    pairs = list(log.entries())
    card = log.device_card()
    verify_run(card.sign_key, card.project, card.device, None, [entry for entry, _ in pairs], every_signature=True)
    assert all(record_hash(record) == entry.record_hash for entry, record in pairs)
    return [record for _, record in pairs]


def test_a_restored_laptop_goes_on_under_a_new_device(
    worked: Laptop, tmp_path: Path, clock: FixedClock, project: SyntheticProject
) -> None:
    """The lost laptop's drafts open at the answer given; its records open at the HMU; new ones go to a new log."""
    old = worked.locked.device_card().device
    report = backup(worked, tmp_path / "stick")
    assert report.verified.whole
    restored = _restore(tmp_path / "again", tmp_path / "stick", clock)
    assert (restored.parent.device, restored.parent.seq) == (old, 3)
    session = restored.laptop.unlock(WORDS)
    [draft] = session.drafts()
    assert session.resume(draft.draft_id).interview.question("/data/story").value == CANARY
    _seal(session, 2)
    assert verify_vault(session.vault).whole
    session.close()
    locked = restored.laptop.locked
    assert locked.device_card().device != old
    [former] = locked.former_logs()
    assert [len(_whole(former)), len(_whole(locked))] == [3, 2]
    for record in [*_whole(former), *_whole(locked)]:
        assert b"told" in open_record(record, project.operational).payload
    status = restored.laptop.status()
    assert (status.sealed, status.former, status.former_waiting) == (2, 3, 3)
    assert not list((tmp_path / "again").glob("vault.restoring*"))


def test_what_was_not_acknowledged_travels_under_the_old_signatures(
    worked: Laptop, tmp_path: Path, clock: FixedClock
) -> None:
    """One export writes both logs' batches; receipts for the old device are taken by the former log."""
    backup(worked, tmp_path / "backups")
    restored = _restore(tmp_path / "again", tmp_path / "backups", clock).laptop
    session = restored.unlock(WORDS)
    _seal(session, 1)
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
    restored = _restore(tmp_path / "again", tmp_path / "stick", clock).laptop
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


def test_wrong_words_restore_nothing(worked: Laptop, tmp_path: Path, clock: FixedClock) -> None:
    """Refused with the one sentence; the folder is as it was, and the right words work afterwards."""
    backup(worked, tmp_path / "stick")
    with pytest.raises(UnlockError):
        _restore(tmp_path / "again", tmp_path / "stick", clock, OTHER_WORDS)
    assert list((tmp_path / "again").iterdir()) == []
    _restore(tmp_path / "again", tmp_path / "stick", clock)


def test_a_restore_never_overwrites(worked: Laptop, tmp_path: Path, clock: FixedClock) -> None:
    """Where there is a vault it is refused, and that vault is untouched."""
    backup(worked, tmp_path / "stick")
    before = (worked.home / VAULT).read_bytes()
    with pytest.raises(VaultExistsError):
        _restore(worked.home, tmp_path / "stick", clock)
    assert (worked.home / VAULT).read_bytes() == before
    assert not list(worked.home.glob("vault.restoring*"))


def test_a_cut_restore_is_done_again(worked: Laptop, tmp_path: Path, clock: FixedClock) -> None:
    """A restore that ended before it was in place leaves no vault; the next one clears up and works."""
    backup(worked, tmp_path / "stick")
    home = tmp_path / "again"
    cut = Restoring(home, find_backup(tmp_path / "stick"), clock)
    cut._locked.close()  # the process ends here
    with pytest.raises(NoVaultError):
        Laptop.open(home, clock)
    assert _restore(home, tmp_path / "stick", clock).laptop.status().drafts == 1


def _remade(path: Path, changed: dict[str, object], withdrawals: bytes = b"") -> None:
    """Other values in its manifest, other withdrawals at its end, lengths and hash made to fit."""
    data = path.read_bytes()[:-32]
    manifest = read_manifest(path).model_copy(update={**changed, "withdrawals": len(withdrawals)})
    text = manifest.to_bytes()
    whole = data[:5] + len(text).to_bytes(4, "big") + text + data[9 + int.from_bytes(data[5:9], "big") :] + withdrawals
    path.write_bytes(whole + hashlib.sha256(whole).digest())


@pytest.mark.parametrize(
    "changed", [{"device": "ab" * 16}, {"project": "ab" * 16}, {"seq": 2}, {"head": "00" * 32}, {"root": "00" * 32}]
)
def test_a_manifest_that_lies_is_refused(
    worked: Laptop, tmp_path: Path, clock: FixedClock, changed: dict[str, object]
) -> None:
    """What it says of itself must be what is inside; nothing is restored. Control: remade with the same it restores."""
    path = backup(worked, tmp_path / "stick").path
    whole = path.read_bytes()
    _remade(path, changed)
    with pytest.raises(BackupDamagedError):
        _restore(tmp_path / "again", path, clock)
    assert list((tmp_path / "again").iterdir()) == []
    path.write_bytes(whole)
    _remade(path, {})
    _restore(tmp_path / "again", path, clock)


@pytest.mark.parametrize("withdrawals", [b"\0", b"\0\5short", b"\xff\xff" + bytes(40), b"\0\0"])
def test_withdrawals_that_are_none_are_refused(
    worked: Laptop, tmp_path: Path, clock: FixedClock, withdrawals: bytes
) -> None:
    """Rubbish in place of tombstones restores nothing."""
    path = backup(worked, tmp_path / "stick").path
    _remade(path, {}, withdrawals)
    with pytest.raises(BackupDamagedError):
        _restore(tmp_path / "again", path, clock)
    assert list((tmp_path / "again").iterdir()) == []


def test_a_place_that_cannot_be_made_is_said(worked: Laptop, tmp_path: Path, clock: FixedClock) -> None:
    """A file where the folder should be: typed, and the file is untouched."""
    path = backup(worked, tmp_path / "stick").path
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        _restore(tmp_path / "file" / "home", path, clock)
    assert (tmp_path / "file").read_text() == "in the way"


def test_several_backups_are_described(worked: Laptop, tmp_path: Path) -> None:
    """Which is which: the laptop's name and how far each goes; one that is damaged by its name alone."""
    path = backup(worked, tmp_path / "stick").path
    (tmp_path / "stick" / "damaged.fsv").write_bytes(b"x")
    with pytest.raises(NoBackupError) as caught:
        find_backup(tmp_path / "stick")
    assert path.name in caught.value.message
    assert "Synthetic laptop, 3" in caught.value.message
    assert "damaged.fsv" in caught.value.message


def _swapped(path: Path, project: SyntheticProject) -> None:
    """Its project file replaced by another root's, lengths and hash made to fit."""
    manifest = read_manifest(path)
    data = path.read_bytes()
    body = data[9 + int.from_bytes(data[5:9], "big") :][: manifest.database]
    foreign = project.publish(RootKey.generate())
    text = manifest.model_copy(update={"project_file": len(foreign)}).to_bytes()
    whole = data[:5] + len(text).to_bytes(4, "big") + text + body + foreign
    path.write_bytes(whole + hashlib.sha256(whole).digest())


def test_a_swapped_project_in_a_backup_is_refused(
    worked: Laptop, tmp_path: Path, clock: FixedClock, project: SyntheticProject
) -> None:
    """A backup whose project file is signed by another root than the vault pins restores nothing."""
    path = backup(worked, tmp_path / "stick").path
    _swapped(path, project)
    with pytest.raises(ForeignRootError):
        _restore(tmp_path / "again", path, clock)
    assert list((tmp_path / "again").iterdir()) == []


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
    restored = _restore(tmp_path / "again", tmp_path / "stick", clock).laptop
    tag = WithdrawalCode.parse(code).tag(restored.project.model.id)
    assert Withdrawals(restored.home).holds(tag)
    [former] = restored.locked.former_logs()
    assert [entry.seq for entry, _ in former.entries()] == [1, 2, 3]
    assert retire(restored, force=True, typed_name="Synthetic laptop").withdrawals == 1
    assert Withdrawals(restored.home).holds(tag)


@pytest.mark.parametrize("what", ["nothing", "two", "cut", "text"])
def test_what_is_no_backup_is_refused(worked: Laptop, tmp_path: Path, clock: FixedClock, what: str) -> None:
    """An empty folder, two backups, half of one, a text: a sentence, and nothing restored."""
    place = tmp_path / "stick"
    path = backup(worked, place).path
    expected: type[FieldsurveyError] = BackupDamagedError
    if what == "nothing":
        path.unlink()
        expected = NoBackupError
    elif what == "two":
        shutil.copy(path, place / "other.fsv")
        expected = NoBackupError
    elif what == "cut":
        path.write_bytes(path.read_bytes()[:-4000])
    else:
        path.write_text("a text")
    with pytest.raises(expected):
        _restore(tmp_path / "again", place, clock)
    assert not (tmp_path / "again" / VAULT).exists()


def test_without_its_project_a_laptop_is_not_backed_up_as_whole(
    worked: Laptop, tmp_path: Path, clock: FixedClock
) -> None:
    """The project's file is missing: said, and no backup written."""
    (worked.home / PROJECT).unlink()
    with pytest.raises(ProjectGoneError):
        backup(Laptop.open(worked.home, clock), tmp_path / "stick")
    assert not (tmp_path / "stick").exists()


def test_forgotten_words_lose_only_the_forgotten_drafts(worked: Laptop, tmp_path: Path) -> None:
    """A new vault: work goes on at once, all that was sealed exports, only the draft is out of reach; the words found
    again bring it back."""
    begin_again(worked, "E01", OTHER_WORDS, FLOOR)
    session = worked.unlock(OTHER_WORDS)
    assert session.drafts() == []
    _seal(session, 1)
    assert export_batches(worked.locked, tmp_path / "stick").written == 4
    assert session.vault.take_over_drafts(WORDS) == 1
    [draft] = session.drafts()
    assert session.resume(draft.draft_id).interview.question("/data/story").value == CANARY
    session.close()
    with pytest.raises(UnlockError):
        worked.unlock(WORDS)


def test_a_new_vault_asks_for_a_listed_person_and_a_strong_passphrase(worked: Laptop) -> None:
    """An unlisted code or weak words are refused, and the old words still open."""
    with pytest.raises(UnknownPersonError):
        begin_again(worked, "E99", OTHER_WORDS, FLOOR)
    with pytest.raises(WeakPassphraseError):
        begin_again(worked, "E01", "casa mapa", FLOOR)
    worked.unlock(WORDS).close()


def test_forgotten_drafts_go_with_the_policys_days(worked: Laptop, clock: FixedClock) -> None:
    """Set aside by a new vault, they do not lie there for ever: draft and slot go after the policy's days."""
    begin_again(worked, "E01", OTHER_WORDS, FLOOR)
    session = worked.unlock(OTHER_WORDS)
    _seal(session, 1)
    session.close()
    clock.move(days=100)
    for day in (1, 40):
        moment = NOW + timedelta(days=day)
        worked.locked.take_receipt(receipt(worked.locked, 1, Level.COMMITTED, moment), moment)
        worked.purge()
    assert worked.locked.draft_count() == 0
    assert worked.locked.store.rows("SELECT * FROM former_slot") == []


@pytest.fixture
def recoverable(tmp_path: Path, project: SyntheticProject, clock: FixedClock) -> Laptop:
    """Its policy asks for recovery slots."""
    project.policy = Policy(recovery_slot=True)
    return join(tmp_path / "home", project, clock)


def test_the_escrow_key_gives_a_person_new_words(recoverable: Laptop, project: SyntheticProject) -> None:
    """Only by policy: drafts are there, the old words are not. Another key is refused."""
    session = recoverable.unlock(WORDS)
    work = session.start("synthetic")
    work.answer("/data/story", CANARY)
    work.close()
    session.close()
    with pytest.raises(RecoveryKeyError):
        recover_person(recoverable, RecipientPrivate.generate(), "E01", THIRD_WORDS, FLOOR)
    with pytest.raises(RecoveryKeyError):
        recover_person(recoverable, project.operational, "E01", THIRD_WORDS, FLOOR)
    with pytest.raises(WeakPassphraseError):
        recover_person(recoverable, project.escrow, "E01", "casa", FLOOR)
    with pytest.raises(NoRecoverySlotError):
        recover_person(recoverable, project.escrow, "E02", THIRD_WORDS, FLOOR)
    recover_person(recoverable, project.escrow, "E01", THIRD_WORDS, FLOOR)
    session = recoverable.unlock(THIRD_WORDS)
    assert session.resume(session.drafts()[0].draft_id).interview.question("/data/story").value == CANARY
    session.close()
    with pytest.raises(UnlockError):
        recoverable.unlock(WORDS)


def test_without_the_policy_the_escrow_key_opens_no_laptop(worked: Laptop, project: SyntheticProject) -> None:
    """The default: there is no recovery slot, and the escrow key changes nothing."""
    with pytest.raises(NoRecoverySlotError):
        recover_person(worked, project.escrow, "E01", THIRD_WORDS, FLOOR)
    worked.unlock(WORDS).close()


def test_the_recovery_slot_follows_the_policy(recoverable: Laptop, project: SyntheticProject) -> None:
    """The project no longer asks for it: at the next unlock it is gone; asks again: it is back."""
    slots = "SELECT recovery IS NULL FROM slot"
    for wanted in (False, True):
        project.policy = Policy(recovery_slot=wanted)
        recoverable.update(project.publish())
        recoverable.unlock(WORDS).close()
        assert recoverable.locked.store.rows(slots) == [(int(not wanted),)]


def test_a_laptop_with_unacknowledged_work_is_not_retired(worked: Laptop) -> None:
    """Refused with what would be lost; nothing has changed; forced without its name typed it is refused too."""
    stake = at_stake(worked.locked)
    assert (stake.not_acknowledged, stake.drafts, stake.lost) == (3, 1, True)
    with pytest.raises(NotAcknowledgedError) as caught:
        retire(worked, typed_name="Synthetic laptop")
    assert "3" in caught.value.message
    with pytest.raises(NotConfirmedRetireError):
        retire(worked, force=True, typed_name="another laptop")
    session = worked.unlock(WORDS)
    with pytest.raises(VaultInUseError):
        retire(Laptop.open(worked.home, session.clock), force=True, typed_name="Synthetic laptop")
    assert len(session.drafts()) == 1
    session.close()


def test_a_retired_laptop_holds_nothing(worked: Laptop, tmp_path: Path, clock: FixedClock) -> None:
    """Forced with its name typed: no vault, no project; no stretch of a slot, a secret or a record in any file left.
    Control: before, each is found."""
    rows = worked.locked.store.rows
    planted = [row[0] for sql in ("SELECT slot FROM slot", "SELECT secrets FROM device", "SELECT record FROM outbox",
                                  "SELECT box FROM draft_key") for row in rows(sql)]  # fmt: skip

    def found() -> int:
        files = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
        return sum(any(piece[8:60] in data for data in files) for piece in planted)

    assert found() == len(planted)
    (worked.home / "laptop-card.fsd").write_bytes(worked.locked.device_card().to_bytes())
    retire(worked, force=True, typed_name="Synthetic laptop")
    assert found() == 0
    assert list(worked.home.iterdir()) == []
    with pytest.raises(NoVaultError):
        Laptop.open(worked.home, clock)


def test_what_was_copied_of_a_retired_vault_before_its_files_went_opens_with_nothing(
    worked: Laptop, tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power fails right after the slots were destroyed: the files are there, and no passphrase opens them."""
    monkeypatch.setattr(ending, "_overwrite", lambda _locked: None)
    monkeypatch.setattr(ending, "discard", lambda _path: None)
    (tmp_path / "keep").mkdir()
    shutil.copy(worked.home / PROJECT, tmp_path / "keep")
    retire(worked, force=True, typed_name="Synthetic laptop")
    shutil.copy(tmp_path / "keep" / PROJECT, worked.home)
    left = Laptop.open(worked.home, clock)
    with pytest.raises(FieldsurveyError):
        left.unlock(WORDS)
    assert left.locked.store.rows("SELECT count(*) FROM slot") == [(0,)]
    assert left.locked.draft_count() == 0


def test_an_acknowledged_laptop_is_retired_by_its_name(laptop: Laptop) -> None:
    """Nothing is lost: no force needed; what central has not backed up yet is told."""
    session = laptop.unlock(WORDS)
    _seal(session, 2)
    session.close()
    laptop.locked.take_receipt(receipt(laptop.locked, 2, Level.COMMITTED))
    with pytest.raises(NotConfirmedRetireError):
        retire(laptop)
    stake = retire(laptop, typed_name="Synthetic laptop")
    assert (stake.not_acknowledged, stake.not_backed_up) == (0, 2)


def test_a_former_log_counts_when_a_laptop_retires(worked: Laptop) -> None:
    """Records of the log before a new vault are as much at stake as the others."""
    begin_again(worked, "E01", OTHER_WORDS, FLOOR)
    assert at_stake(worked.locked).not_acknowledged == 3


def test_the_files_of_drafts_survive_a_restore(worked: Laptop, tmp_path: Path, clock: FixedClock) -> None:
    """An encrypted file of a draft is beside the restored vault; one of a draft that is gone is swept away."""
    session = worked.unlock(WORDS)
    draft = session.drafts()[0].draft_id
    kept = DraftFiles(worked.home, draft).add([b"synthetic picture"])
    DraftFiles(worked.home, "ab" * 16).add([b"of a draft that is gone"])
    session.close()
    backup(worked, tmp_path / "stick")
    restored = _restore(tmp_path / "again", tmp_path / "stick", clock).laptop
    restored.unlock(WORDS).close()
    assert b"".join(DraftFiles(restored.home, draft).read(kept)) == b"synthetic picture"
    assert [folder.name for folder in (restored.home / "attachments").iterdir()] == [draft]
    assert not list(restored.home.glob("vault.restoring*"))
