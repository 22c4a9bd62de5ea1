"""Returned work goes: withdrawn, too old, with its laptop; a backup brings it back; none of it lies readable."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.cards import SealedCard
from fieldsurvey.fieldwork.custody import Restoring, backup, begin_again, find_backup
from fieldsurvey.fieldwork.withdrawals import WithdrawnError, withdraw
from fieldsurvey.records.receipt import Level, Receipt, Role
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.withdrawal import WithdrawalCode
from fieldsurvey.vault.returned import stored_returns, waiting_returns
from tests.fieldwork.conftest import NOW, OTHER_WORDS, WORDS, SyntheticProject
from tests.fieldwork.returning import ignored, returned, seal_one, take
from tests.vault.canaries import search

CANARIES = [f"canario-Ñandú-{n}-é{n * 6311 + 104729}" for n in range(5)]


def test_a_withdrawn_case_is_dropped_and_erased(sealed: tuple[Laptop, SealedCard], project: SyntheticProject) -> None:
    """A file that waits goes at once, locked; one that comes later is not taken."""
    laptop, card = sealed
    data = returned(laptop, project)
    take(laptop, data)
    database = [laptop.home / "vault.db", laptop.home / "vault.db-wal"]
    assert any(data[-300:] in path.read_bytes() for path in database if path.exists())  # control: it can be found
    assert card.withdrawal_code
    withdraw(laptop.locked, WithdrawalCode.parse(card.withdrawal_code), date(2026, 3, 9))
    assert waiting_returns(laptop.locked) == 0
    assert not any(data[-300:] in path.read_bytes() for path in database if path.exists())
    assert ignored(laptop, data) == "withdrawn"
    session = laptop.unlock(WORDS)
    assert (session.returned(), session.returns.opened) == ([], 0)
    session.close()


def test_a_draft_of_a_withdrawn_case_is_erased_locked_or_at_work(
    sealed: tuple[Laptop, SealedCard], project: SyntheticProject
) -> None:
    """Locked: at once. While somebody is at work: when it is sealed, or at the next unlock."""
    laptop, card = sealed
    session = laptop.unlock(WORDS)
    second = seal_one(session, "another")
    session.close()
    assert card.withdrawal_code
    assert second.withdrawal_code
    take(laptop, returned(laptop, project))
    take(laptop, returned(laptop, project, seq=2))
    session = laptop.unlock(WORDS)
    cards = session.returned()
    assert len(cards) == 2
    drafts = {one.case: one.draft for one in stored_returns(laptop.locked)}
    work = session.resume(drafts[card.case])
    withdraw(laptop.locked, WithdrawalCode.parse(card.withdrawal_code), date(2026, 3, 9))
    with pytest.raises(WithdrawnError):
        work.finalise()
    assert len(session.returned()) == 1
    session.close()
    withdraw(laptop.locked, WithdrawalCode.parse(second.withdrawal_code), date(2026, 3, 9))
    assert laptop.locked.draft_count() == 0
    assert {one.state for one in stored_returns(laptop.locked)} == {"gone"}


def test_an_open_draft_of_a_withdrawn_case_goes_with_the_next_look(
    sealed: tuple[Laptop, SealedCard], project: SyntheticProject
) -> None:
    """Unlocked, but not open on the screen."""
    laptop, card = sealed
    take(laptop, returned(laptop, project))
    session = laptop.unlock(WORDS)
    assert card.withdrawal_code
    withdraw(laptop.locked, WithdrawalCode.parse(card.withdrawal_code), date(2026, 3, 9))
    assert len(session.returned()) == 1
    assert session.open_returned().withdrawn == 1
    assert session.returned() == []
    session.close()


def test_retention_takes_what_nobody_unlocked_for(
    sealed: tuple[Laptop, SealedCard], project: SyntheticProject, clock: FixedClock
) -> None:
    """Like a draft that nobody works on: on signed time only. The same file is not taken again."""
    laptop, _ = sealed
    data = returned(laptop, project)
    take(laptop, data)
    days = laptop.project.model.policy.retention.draft_days
    clock.at += timedelta(days=days * 3)
    laptop.purge()
    assert waiting_returns(laptop.locked) == 1  # no signed time has passed

    def signed(day: int) -> None:
        receipt: dict[str, Any] = {"project": project.id, "device": laptop.locked.device_card().device, "up_to": 1}
        at = (NOW + timedelta(days=day)).isoformat("T", "seconds")
        head = laptop.locked.head_at(1).hex()
        laptop.locked.take_receipt(Receipt(**receipt, head=head, level=Level.COMMITTED, by=Role.CENTRAL, issued=at))
        laptop.purge()

    signed(1)
    assert waiting_returns(laptop.locked) == 1
    signed(days)
    assert waiting_returns(laptop.locked) == 1
    signed(days + 2)
    assert waiting_returns(laptop.locked) == 0
    assert ignored(laptop, data) == "known"


def test_a_new_vault_cannot_open_what_came_before_it(
    sealed: tuple[Laptop, SealedCard], project: SyntheticProject
) -> None:
    """Its keys are gone: it is removed, once somebody was told; what comes later for the former log is not taken."""
    laptop, _ = sealed
    data = returned(laptop, project)
    take(laptop, data)
    begin_again(laptop, "E01", OTHER_WORDS, FLOOR)
    session = laptop.unlock(OTHER_WORDS)
    [(_, why)] = session.returns.failed
    assert "before its new log" in why.message
    assert session.open_returned().failed == ()
    session.close()
    assert waiting_returns(laptop.locked) == 0
    assert ignored(laptop, data) == "history"


def test_a_backup_brings_it_back_as_a_draft(
    sealed: tuple[Laptop, SealedCard], project: SyntheticProject, tmp_path: Path, clock: FixedClock
) -> None:
    """Half mended on a laptop that broke: comments and answers are there on the restored one."""
    laptop, _ = sealed
    take(laptop, returned(laptop, project))
    session = laptop.unlock(WORDS)
    session.resume(session.returned()[0].draft_id).answer("/data/story", "mended")
    session.close()
    backup(laptop, tmp_path)
    with Restoring(tmp_path / "again", find_backup(tmp_path), clock) as restoring:
        restored = restoring.finish(WORDS).laptop
    session = restored.unlock(WORDS)
    work = session.resume(session.returned()[0].draft_id)
    assert work.interview.question("/data/story").value == "mended"
    assert work.returned is not None
    assert work.returned.by_ref == {"/data/story": "Which one?"}
    session.close()
    restored.close()


def test_no_answer_and_no_comment_is_found_on_the_disk(
    laptop: Laptop, project: SyntheticProject, tmp_path: Path
) -> None:
    """Waiting, as a draft, half mended, sealed: 0 hits in any encoding; the control is found."""
    session = laptop.unlock(WORDS)
    work = session.start("synthetic")
    work.answer("/data/story", CANARIES[0])
    work.finalise()
    session.close()
    data = returned(laptop, project, comments={"/data/story": CANARIES[1]}, general=CANARIES[2])
    stick = tmp_path / "home" / "stick-of-the-test"
    stick.write_bytes(data)
    take(laptop, data)
    assert search(tmp_path, CANARIES) == []
    session = laptop.unlock(WORDS)
    work = session.resume(session.returned()[0].draft_id)
    assert search(tmp_path, CANARIES) == []
    for number in range(40):
        work.answer("/data/story", CANARIES[3] + str(number))
    work.close()
    work = session.resume(work.draft_id)
    assert search(tmp_path, CANARIES) == []
    work.finalise()
    session.close()
    assert search(tmp_path, CANARIES) == []
    stick.write_bytes(data + CANARIES[4].encode())
    assert search(tmp_path, CANARIES) != []
