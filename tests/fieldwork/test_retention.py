"""Letting go: never without central's backup, never on the laptop's clock alone, never before its days; hashes stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop, Session, State
from fieldsurvey.fieldwork.retention import purge
from fieldsurvey.project.policy import Policy
from fieldsurvey.records.receipt import Level, Receipt, Role
from fieldsurvey.vault import SealedLog, verify_log, verify_vault
from fieldsurvey.vault.errors import ReceiptMismatchError
from fieldsurvey.vault.sealed_log import note_signed_time
from tests.fieldwork.conftest import NOW, WORDS, SyntheticProject, join


def _seal(session: Session, count: int) -> None:
    for _ in range(count):
        work = session.start("synthetic")
        work.answer("/data/story", "told")
        work.finalise()


def receipt(
    log: SealedLog, up_to: int, level: Level = Level.BACKED_UP, issued: datetime = NOW, by: Role = Role.CENTRAL
) -> Receipt:
    """As central would sign it."""
    card = log.device_card()
    return Receipt(
        project=card.project, device=card.device, up_to=up_to, head=log.head_at(up_to).hex(), level=level, by=by,
        issued=issued.isoformat("T", "seconds"),
    )  # fmt: skip


@pytest.fixture
def worked(laptop: Laptop) -> Laptop:
    """Five sealed records, locked."""
    session = laptop.unlock(WORDS)
    _seal(session, 5)
    session.close()
    return laptop


def _held(laptop: Laptop) -> list[int]:
    return [entry.seq for entry, _ in laptop.locked.entries()]


def _days(count: int) -> datetime:
    return NOW + timedelta(days=count)


def test_bodies_go_after_the_backup_and_its_days_and_the_log_stays_whole(worked: Laptop, clock: FixedClock) -> None:
    """Backed up to 3, a later receipt eight days on: 1 to 3 go, hashes stay, verify is whole, the status says it."""
    worked.locked.take_receipt(receipt(worked.locked, 3), NOW)
    assert worked.purge().records == 0
    clock.move(days=8)
    worked.locked.take_receipt(receipt(worked.locked, 4, issued=_days(8)), _days(8))
    assert worked.purge().records == 3
    assert _held(worked) == [4, 5]
    report = verify_log(worked.locked)
    assert (report.whole, report.entries, report.purged) == (True, 5, 3)
    assert worked.status().removed == 3
    with worked.unlock(WORDS).vault as vault:
        assert verify_vault(vault).whole
    session = worked.unlock(WORDS)
    cards = {card.seq: (card.state, card.removed) for card in session.sealed()}
    session.close()
    assert cards[3] == (State.ACKNOWLEDGED, True)
    assert cards[4] == (State.ACKNOWLEDGED, False)
    assert cards[5] == (State.SEALED, False)
    assert worked.locked.purged_up_to() == 3


def test_not_one_second_before_its_days(worked: Laptop) -> None:
    """Seven days less a second keep everything; seven days let go."""
    worked.locked.take_receipt(receipt(worked.locked, 5), NOW)
    policy = Policy()
    worked.locked.take_receipt(receipt(worked.locked, 5, issued=_days(7) - timedelta(seconds=1)), _days(7))
    assert purge(worked.locked, policy, _days(9)).records == 0
    worked.locked.take_receipt(receipt(worked.locked, 5, issued=_days(7)), _days(7))
    assert purge(worked.locked, policy, _days(9)).records == 5


def test_the_laptops_clock_alone_never_purges(worked: Laptop) -> None:
    """Ten years on by the laptop's clock, nothing newer signed: everything stays."""
    worked.locked.take_receipt(receipt(worked.locked, 5), NOW)
    assert purge(worked.locked, Policy(), NOW + timedelta(days=3650)).records == 0
    assert len(_held(worked)) == 5


def test_signed_time_alone_never_purges(worked: Laptop) -> None:
    """Whoever holds central's key and dates receipts back and forth at once gets nothing: the laptop's clock must have
    seen the days pass too. Control: when it has, the bodies go."""
    worked.locked.take_receipt(receipt(worked.locked, 5, issued=NOW - timedelta(days=30)), NOW)
    worked.locked.take_receipt(receipt(worked.locked, 5, issued=_days(30)), NOW)
    assert purge(worked.locked, Policy(), NOW + timedelta(hours=1)).records == 0
    assert purge(worked.locked, Policy(), _days(8)).records == 5


@pytest.mark.parametrize("level", [Level.RECEIVED, Level.COMMITTED])
def test_a_weaker_receipt_never_purges(worked: Laptop, level: Level) -> None:
    """Received by a relay, or committed without a backup: everything stays, whatever the time."""
    by = Role.SUPERVISOR if level is Level.RECEIVED else Role.CENTRAL
    worked.locked.take_receipt(receipt(worked.locked, 5, level, by=by), NOW)
    worked.locked.take_receipt(receipt(worked.locked, 5, level, _days(40), by), _days(40))
    assert purge(worked.locked, Policy(), _days(40)).records == 0


def test_a_relays_time_does_not_count(worked: Laptop) -> None:
    """A supervisor's receipt from the future does not move signed time; control: central's does."""
    worked.locked.take_receipt(receipt(worked.locked, 5), NOW)
    worked.locked.take_receipt(receipt(worked.locked, 5, Level.RECEIVED, _days(40), Role.SUPERVISOR), NOW)
    assert purge(worked.locked, Policy(), _days(40)).records == 0
    worked.locked.take_receipt(receipt(worked.locked, 1, Level.COMMITTED, _days(40)), NOW)
    assert purge(worked.locked, Policy(), _days(40)).records == 5


def test_another_head_never_purges(worked: Laptop) -> None:
    """A receipt of another history is refused; one altered in the vault afterwards purges nothing."""
    wrong = receipt(worked.locked, 5).model_copy(update={"head": "00" * 32})
    with pytest.raises(ReceiptMismatchError):
        worked.locked.take_receipt(wrong, NOW)
    worked.locked.take_receipt(receipt(worked.locked, 5), NOW)
    worked.locked.take_receipt(receipt(worked.locked, 5, Level.COMMITTED, _days(9)), _days(9))
    worked.locked.store.connection.execute(
        "UPDATE receipt SET receipt = ? WHERE level = 'backed_up'", (wrong.to_bytes(),)
    )
    assert purge(worked.locked, Policy(), _days(9)).records == 0


def test_a_receipt_at_the_end_of_the_calendar_is_refused(worked: Laptop) -> None:
    """A time that no clock reaches is a refusal, not a crash."""
    odd = receipt(worked.locked, 5).model_copy(update={"issued": "9999-12-31T23:59:59-12:00"})
    with pytest.raises(ReceiptMismatchError):
        worked.locked.take_receipt(odd, NOW)


def test_the_policy_may_keep_everything(worked: Laptop) -> None:
    """purge_after_receipts off: bodies stay; more days: they stay longer."""
    worked.locked.take_receipt(receipt(worked.locked, 5), NOW)
    worked.locked.take_receipt(receipt(worked.locked, 5, issued=_days(20)), _days(20))
    assert purge(worked.locked, Policy(purge_after_receipts=False), _days(20)).records == 0
    longer = Policy(retention=Policy().retention.model_copy(update={"laptop_days_after_backup": 30}))
    assert purge(worked.locked, longer, _days(20)).records == 0
    assert purge(worked.locked, Policy(), _days(20)).records == 5


def _signed(laptop: Laptop, day: int) -> None:
    """Central's time arrives; the laptop lets go of what is due."""
    laptop.locked.take_receipt(receipt(laptop.locked, 1, issued=_days(day)), _days(day))
    laptop.purge()


def test_drafts_go_after_their_days_of_signed_time(laptop: Laptop, clock: FixedClock) -> None:
    """A draft untouched while signed time passes its days goes with its key; one worked on since stays. A long silence
    before the first signed time counts for nothing."""
    session = laptop.unlock(WORDS)
    for _ in range(2):
        session.start("synthetic").close()
    _seal(session, 1)
    old, fresh = (card.draft_id for card in session.drafts())
    session.close()
    clock.move(days=400)
    assert laptop.purge().drafts == 0  # the laptop's clock alone
    _signed(laptop, 380)
    assert laptop.locked.draft_count() == 2  # worked on an unknown time before: the days begin now
    session = laptop.unlock(WORDS)
    work = session.resume(fresh)
    work.answer("/data/age", "30")
    work.close()
    session.close()
    clock.move(days=40)
    _signed(laptop, 409)
    assert laptop.locked.draft_count() == 2
    _signed(laptop, 410)
    session = laptop.unlock(WORDS)
    assert [card.draft_id for card in session.drafts()] == [fresh]
    assert old != fresh
    session.close()


def test_drafts_wait_while_somebody_is_at_work(laptop: Laptop, clock: FixedClock) -> None:
    """A draft that is due is not pulled away from an open session; it goes when the laptop is locked."""
    session = laptop.unlock(WORDS)
    session.start("synthetic").close()
    _seal(session, 1)
    clock.move(days=90)
    _signed(laptop, 1)
    _signed(laptop, 90)
    assert len(session.drafts()) == 1
    session.close()
    assert laptop.purge().drafts == 1


def test_a_completed_interview_is_never_let_go_of(tmp_path: Path, project: SyntheticProject, clock: FixedClock) -> None:
    """It waits for the evening review and its enumerator does not come back: years later it is there to be sealed.
    Control: the unfinished one beside it went."""
    project.policy = Policy(review_window_hours=8)
    laptop = join(tmp_path / "home", project, clock)
    session = laptop.unlock(WORDS)
    work = session.start("synthetic")
    work.answer("/data/story", "told")
    work.complete()
    session.start("synthetic").close()
    session.close()
    clock.move(days=900)
    for day, gone in ((1, 0), (900, 1)):
        with laptop.locked.store.write() as connection:
            note_signed_time(connection, _days(day).isoformat("T", "seconds"))
        assert laptop.purge().drafts == gone
    session = laptop.unlock(WORDS)
    assert session.drafts() == []
    assert laptop.locked.head().seq == 1
    session.close()
    laptop.close()


def test_a_full_disk_keeps_nobody_out(worked: Laptop, clock: FixedClock) -> None:
    """What was due to go could not be written away: unlocking works all the same, and nothing is lost."""
    worked.locked.take_receipt(receipt(worked.locked, 5), NOW)
    worked.locked.take_receipt(receipt(worked.locked, 5, issued=_days(9)), _days(9))
    clock.move(days=9)
    worked.locked.store.connection.execute("PRAGMA query_only=ON")
    session = worked.unlock(WORDS)
    assert len(_held(worked)) == 5
    worked.locked.store.connection.execute("PRAGMA query_only=OFF")
    session.close()


def test_signed_time_comes_from_the_project_too(laptop: Laptop, project: SyntheticProject) -> None:
    """Joining remembers when the root signed; never a time before that."""
    assert laptop.locked.signed_time() == datetime(2026, 2, 1, 8, tzinfo=UTC).isoformat("T", "seconds")
    laptop.update(project.publish())
    assert laptop.locked.signed_time().startswith("2026-02-01")
