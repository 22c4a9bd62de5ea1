"""Forgotten words, a new vault, recovery with the escrow key, the end of a laptop."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import FieldsurveyError, UnlockError
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.custody import (
    at_stake,
    begin_again,
    recover_person,
    retire,
)
from fieldsurvey.fieldwork.errors import (
    NotAcknowledgedError,
    NotConfirmedRetireError,
    UnknownPersonError,
)
from fieldsurvey.fieldwork.laptop import PROJECT
from fieldsurvey.project.policy import Policy
from fieldsurvey.records.receipt import Level
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.words import WeakPassphraseError
from fieldsurvey.vault import ending
from fieldsurvey.vault.errors import (
    NoRecoverySlotError,
    NoVaultError,
    RecoveryKeyError,
    VaultInUseError,
)
from sync.folder import export_batches
from tests.fieldwork.conftest import CANARY, NOW, OTHER_WORDS, WORDS, SyntheticProject, join, seal
from tests.fieldwork.test_retention import receipt

THIRD_WORDS = "barco luna tigre salto norte queso"


def test_forgotten_words_lose_only_the_forgotten_drafts(worked: Laptop, tmp_path: Path) -> None:
    """A new vault: work goes on at once, all that was sealed exports, only the draft is out of reach; the words found
    again bring it back."""
    begin_again(worked, "E01", OTHER_WORDS, FLOOR)
    session = worked.unlock(OTHER_WORDS)
    assert session.drafts() == []
    seal(session, 1)
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
    seal(session, 1)
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
    seal(session, 2)
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
