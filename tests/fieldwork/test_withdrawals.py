"""Withdrawals: the case of a code is erased where it is entered, excluded everywhere else, and does not come back."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.files import MediumGoneError
from fieldsurvey.fieldwork import Laptop, SealedCard, Session, State, custody
from fieldsurvey.fieldwork import withdrawals as room
from fieldsurvey.fieldwork.backup_places import stale_backups
from fieldsurvey.fieldwork.erasures import Reports, Trust
from fieldsurvey.fieldwork.waiting import WaitingCard
from fieldsurvey.fieldwork.withdrawals import Withdrawals, WithdrawnError, access, apply_all, withdraw
from fieldsurvey.project.policy import Policy
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from fieldsurvey.vault import verify_vault
from sync.folder import export_batches
from sync.withdrawals import export_withdrawals, take_withdrawals
from tests.fieldwork.conftest import WORDS, SyntheticProject, join

TODAY = date(2026, 3, 9)


def _seal(session: Session, story: str = "told") -> WithdrawalCode:
    work = session.start("synthetic")
    work.answer("/data/story", story)
    code = work.finalise().withdrawal_code
    assert code is not None
    return WithdrawalCode.parse(code)


@pytest.fixture
def sealed(laptop: Laptop) -> tuple[Laptop, list[WithdrawalCode]]:
    """A locked laptop with three records, and their codes."""
    session = laptop.unlock(WORDS)
    codes = [_seal(session, str(n)) for n in range(3)]
    session.close()
    return laptop, codes


def test_a_locked_laptop_erases_the_case_and_nothing_else(sealed: tuple[Laptop, list[WithdrawalCode]]) -> None:
    """The body goes at once, also from the database's bytes; entries and the other two records stay as they were."""
    laptop, codes = sealed
    [body] = [record for _, record in laptop.locked.entries(2, 2)]
    others = [record for entry, record in laptop.locked.entries() if entry.seq != 2]
    files = [laptop.home / "vault.db", laptop.home / "vault.db-wal"]
    assert any(body[-200:] in path.read_bytes() for path in files if path.exists())  # control: it can be found
    done = withdraw(laptop.locked, codes[1], TODAY)
    assert (done.new, done.bodies, [one.seq for one in done.held]) == (True, 1, [2])
    assert [record for _, record in laptop.locked.entries()] == others
    assert laptop.locked.head().seq == 3
    assert not any(body[-200:] in path.read_bytes() for path in files if path.exists())
    assert done.tombstone.requested == "2026-03-09"


def test_access_says_what_is_held_and_never_an_answer(
    sealed: tuple[Laptop, list[WithdrawalCode]], tmp_path: Path
) -> None:
    """Existence, revision, size, state, where it was copied and when; after erasing, the day of the request."""
    laptop, codes = sealed
    export_batches(laptop.locked, tmp_path / "stick", clock=laptop.clock)
    found = access(laptop.locked, codes[2])
    [held] = found.held
    assert (held.seq, held.kind, held.revision, held.state, found.requested) == (3, "record", 1, State.COPIED, None)
    assert held.copied == ((str(tmp_path / "stick"), "2026-03-01T09:00:00+00:00"),)
    assert access(laptop.locked, WithdrawalCode.generate()).held == ()
    withdraw(laptop.locked, codes[2], TODAY)
    assert access(laptop.locked, codes[2]) == room.Access((), "2026-03-09")


def test_entered_twice_the_first_day_stands(sealed: tuple[Laptop, list[WithdrawalCode]]) -> None:
    """Asking again changes nothing: the policy's days count from the first request."""
    laptop, codes = sealed
    withdraw(laptop.locked, codes[0], TODAY)
    again = withdraw(laptop.locked, codes[0], date(2026, 4, 1))
    assert (again.new, again.bodies) == (False, 0)
    assert [stone.requested for stone in Withdrawals(laptop.home)] == ["2026-03-09"]


def test_a_crash_between_tombstone_and_erasure_brings_nothing_back(
    sealed: tuple[Laptop, list[WithdrawalCode]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tombstone is durable first; the next unlock finishes the erasure."""
    laptop, codes = sealed
    with monkeypatch.context() as patched:
        patched.setattr(room, "erase_bodies", _gone)
        with pytest.raises(MediumGoneError):
            withdraw(laptop.locked, codes[0], TODAY)
    assert len(list(laptop.locked.entries())) == 3
    laptop.unlock(WORDS).close()
    assert [entry.seq for entry, _ in laptop.locked.entries()] == [2, 3]


def _gone(*_args: object) -> int:
    raise MediumGoneError(place="synthetic")


def test_a_waiting_interview_is_erased_not_sealed(tmp_path: Path, project: SyntheticProject, clock: FixedClock) -> None:
    """The code of an interview that waits for the evening, entered while it is locked: nothing is ever sealed."""
    project.policy = Policy(review_window_hours=8)
    laptop = join(tmp_path / "home", project, clock)
    session = laptop.unlock(WORDS)
    cards = []
    for story in ("stays", "goes", "goes too"):
        work = session.start("synthetic")
        work.answer("/data/story", story)
        card = work.complete()
        assert isinstance(card, WaitingCard)
        assert card.withdrawal_code is not None
        cards.append((card, WithdrawalCode.parse(card.withdrawal_code)))
    session.close()
    assert withdraw(laptop.locked, cards[1][1], TODAY).held == ()
    again = laptop.unlock(WORDS)
    assert (again.at_unlock.withdrawn, len(again.waiting())) == (1, 2)
    open_now = again.resume(cards[2][0].draft_id)
    withdraw(laptop.locked, cards[2][1], TODAY)
    with pytest.raises(WithdrawnError):
        open_now.finalise()
    assert [one.draft_id for one in again.waiting()] == [cards[0][0].draft_id]
    assert laptop.locked.head().seq == 0
    again.close()
    laptop.close()


def test_it_travels_and_is_obeyed_elsewhere(
    sealed: tuple[Laptop, list[WithdrawalCode]], tmp_path: Path, project: SyntheticProject, clock: FixedClock
) -> None:
    """Entered on one laptop, carried as bytes in a file, taken by the laptop that holds the case: erased there."""
    laptop, codes = sealed
    other = join(tmp_path / "other", project, clock)
    stick = tmp_path / "stick"
    withdraw(other.locked, codes[1], TODAY)
    assert export_withdrawals(other.home, stick) == 1
    assert export_withdrawals(other.home, stick) == 0
    [file] = (stick / "fieldsurvey" / "withdrawals").glob("*.fsw")
    assert Tombstone.from_bytes(file.read_bytes()).code == codes[1].raw
    assert take_withdrawals(laptop.locked, stick).new == 1
    assert take_withdrawals(laptop.locked, stick).new == 0
    assert [entry.seq for entry, _ in laptop.locked.entries()] == [1, 3]
    other.close()


@pytest.fixture
def planted(sealed: tuple[Laptop, list[WithdrawalCode]], tmp_path: Path) -> tuple[Laptop, Path, str]:
    """A laptop, an empty stick, and the tag of its first record, which anybody can read in the header."""
    laptop, codes = sealed
    folder = tmp_path / "stick" / "fieldsurvey" / "withdrawals"
    folder.mkdir(parents=True)
    return laptop, folder, codes[0].tag(laptop.locked.device_card().project)


def test_a_tombstone_without_the_code_erases_nothing(planted: tuple[Laptop, Path, str], tmp_path: Path) -> None:
    """Rubbish, another project's, a damaged one, or another code under the record's tag: nothing goes."""
    laptop, folder, tag = planted
    project = laptop.locked.device_card().project
    wrong = Tombstone(project=project, code=WithdrawalCode.generate().raw, requested="2026-03-09")
    foreign = Tombstone(project="ab" * 16, code=WithdrawalCode.generate().raw, requested="2026-03-09")
    (folder / f"{tag}.fsw").write_bytes(wrong.to_bytes())
    (folder / "rubbish.fsw").write_bytes(b"FSW1" + b"x" * 5000)
    (folder / "damaged.fsw").write_bytes(wrong.to_bytes()[:-1] + b"?")
    (folder / "foreign.fsw").write_bytes(foreign.to_bytes())
    (folder / "link.fsw").symlink_to("/dev/zero")
    assert take_withdrawals(laptop.locked, tmp_path / "stick").new == 1  # kept: it may be another laptop's
    (laptop.home / "withdrawals" / f"{tag}.fsw").write_bytes(wrong.to_bytes())
    assert apply_all(laptop.locked) == 0
    assert len(list(laptop.locked.entries())) == 3
    assert access(laptop.locked, WithdrawalCode.generate()).requested is None


def test_the_log_still_holds_after_an_erasure(sealed: tuple[Laptop, list[WithdrawalCode]]) -> None:
    """What was erased is no damage: hashes and signatures verify, sealing and copying go on past it.

    Control: a body that is gone without a withdrawal is found.
    """
    laptop, codes = sealed
    withdraw(laptop.locked, codes[0], TODAY)
    session = laptop.unlock(WORDS)
    assert isinstance(_seal(session), WithdrawalCode)
    report = verify_vault(session.vault)
    assert report.whole
    assert laptop.locked.head().seq == 4
    exported = export_batches(laptop.locked, laptop.home / "stick", clock=laptop.clock)
    assert (exported.written, exported.up_to, exported.left_out) == (4, 4, ())  # one of them as an entry only
    laptop.locked.store.connection.execute("DELETE FROM outbox WHERE seq = 3")
    assert not verify_vault(session.vault).whole
    session.close()


def test_the_card_of_a_sealed_interview_gives_the_code_once(session: Session) -> None:
    """The list of what was sealed has no codes: the laptop does not keep them."""
    _seal(session)
    [card] = session.sealed()
    assert isinstance(card, SealedCard)
    assert (card.withdrawal_code, card.withdrawal_words) == (None, None)


def test_a_backup_from_before_is_named_until_it_is_replaced(
    sealed: tuple[Laptop, list[WithdrawalCode]], clock: FixedClock, tmp_path: Path
) -> None:
    """The report says until when a backup may hold it; when its days are over it is named; backed up again it is not.

    A backup from before that nothing was erased since is nobody's concern.
    """
    laptop, codes = sealed
    disk, other = tmp_path / "disk", tmp_path / "other"
    custody.backup(laptop, disk)
    start = clock.now()
    assert stale_backups(laptop.locked, start.date() + timedelta(days=30)) == ()
    clock.at = start + timedelta(days=1)
    withdraw(laptop.locked, codes[0], clock.now().date(), clock.now())
    clock.at = start + timedelta(days=2)
    custody.backup(laptop, other)
    [heard] = Reports(laptop.home, Trust.of(None, laptop.locked.device_card()))
    assert heard.report.backups_until == (start.date() + timedelta(days=10)).isoformat()
    assert stale_backups(laptop.locked, start.date() + timedelta(days=10)) == ()
    [stale] = stale_backups(laptop.locked, start.date() + timedelta(days=11))
    assert (stale.place, stale.made) == (str(disk), start.date().isoformat())
    custody.backup(laptop, disk)
    assert stale_backups(laptop.locked, start.date() + timedelta(days=30)) == ()


def test_a_restored_laptop_erases_again_what_it_knows(
    sealed: tuple[Laptop, list[WithdrawalCode]], clock: FixedClock, tmp_path: Path
) -> None:
    """A backup from before the withdrawal, restored where the tombstone is known: the record is gone before anybody
    unlocks. Control: where it is not known, it is there. An old backup is called old.
    """
    laptop, codes = sealed
    custody.backup(laptop, tmp_path / "disk")
    withdraw(laptop.locked, codes[1], TODAY)
    file = custody.find_backup(tmp_path / "disk")
    clock.at += timedelta(days=11)
    counts = []
    for name, known in (("knows", True), ("new", False)):
        home = tmp_path / name
        if known:
            Withdrawals(home).enter(next(iter(Withdrawals(laptop.home))))
        with custody.Restoring(home, file, clock) as restoring:
            assert restoring.expired
            restored = restoring.finish(WORDS).laptop
        counts.append(sum(1 for log in restored.locked.logs() for _ in log.entries()))
        restored.close()
    assert counts == [2, 3]
