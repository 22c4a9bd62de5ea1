"""The evening review: completed interviews wait as encrypted drafts, for as long as the policy says and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop, SealedCard, Session
from fieldsurvey.fieldwork.waiting import WaitingCard
from fieldsurvey.project.policy import Policy
from fieldsurvey.records.envelope import open_record, read_header
from fieldsurvey.records.errors import NoRecipientError
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.withdrawal import WithdrawalCode
from fieldsurvey.xforms.errors import NotReadyError
from tests.fieldwork.conftest import WORDS, SyntheticProject, join
from tests.fieldwork.forms import xform

HOURS = 8


@pytest.fixture
def reviewing(tmp_path: Path, project: SyntheticProject, clock: FixedClock) -> Iterator[Laptop]:
    """A laptop of a project that lets completed interviews wait; `guarded` is a form with a part that must not."""
    project.policy = Policy(review_window_hours=HOURS)
    marked = xform("guarded").replace(b'<bind nodeset="/data/kind"', b'<bind fs:seal="at-once" nodeset="/data/kind"')
    assert marked.count(b"fs:seal") == 1
    project.add_form(marked, "guarded", "1")
    made = join(tmp_path / "home", project, clock)
    yield made
    made.close()


def _complete(session: Session, story: str = "told", form: str = "synthetic", **more: str) -> WaitingCard | SealedCard:
    work = session.start(form)
    work.answer("/data/story", story)
    for name, value in more.items():
        work.answer(f"/data/{name}", value)
    card = work.complete()
    assert isinstance(card, WaitingCard | SealedCard)
    return card


def _payload(laptop: Laptop, project: SyntheticProject, seq: int) -> Payload:
    [(_, record)] = laptop.locked.entries(seq, seq)
    return Payload.from_bytes(open_record(record, project.operational).payload)


def test_by_default_nothing_waits(session: Session) -> None:
    """With a window of 0 hours, which is the default, completing is sealing."""
    assert session.policy.review_window_hours == 0
    assert isinstance(_complete(session), SealedCard)
    assert (session.waiting(), session.drafts()) == ([], [])


def test_it_waits_is_mended_and_sealed_in_the_evening(
    reviewing: Laptop, project: SyntheticProject, clock: FixedClock
) -> None:
    """Completed at nine, mended and sealed at five: the record holds the mended answer, nine o'clock and the code."""
    session = reviewing.unlock(WORDS)
    card = _complete(session, "told with a slip")
    assert isinstance(card, WaitingCard)
    assert (card.completed, card.seal_by) == ("2026-03-01T09:00:00+00:00", "2026-03-01T17:00:00+00:00")
    assert (session.drafts(), reviewing.locked.head().seq) == ([], 0)
    [shown] = session.waiting()
    assert (shown.draft_id, shown.title, shown.withdrawal_code) == (card.draft_id, "A synthetic form", None)
    clock.move(hours=7)
    work = session.resume(card.draft_id)
    assert work.completed
    work.answer("/data/story", "told")
    work.close()
    assert [one.completed for one in session.waiting()] == [card.completed]
    report = session.seal_waiting(everything=True)
    [sealed] = report.sealed
    assert (report.failed, sealed.withdrawal_code, session.waiting()) == ((), None, [])
    payload = _payload(reviewing, project, sealed.seq)
    assert "<story>told</story>" in payload.instance
    assert payload.finished == card.completed
    [(_, record)] = reviewing.locked.entries()
    assert card.withdrawal_code is not None
    assert card.withdrawal_words is not None
    assert read_header(record).withdrawal == WithdrawalCode.parse(card.withdrawal_code).tag(project.id)
    assert WithdrawalCode.parse(card.withdrawal_words) == WithdrawalCode.parse(card.withdrawal_code)
    session.close()


def test_what_waits_is_unreadable_without_the_passphrase(reviewing: Laptop) -> None:
    """A waiting interview is a draft like any other: neither answers nor its code are in the folder's bytes."""
    session = reviewing.unlock(WORDS)
    canary = "canary-7b1d-synthetic"
    card = _complete(session, canary)
    assert card.withdrawal_code is not None
    session.close()
    seen = b"".join(path.read_bytes() for path in reviewing.home.rglob("*") if path.is_file())
    for secret in (canary, card.withdrawal_code, WithdrawalCode.parse(card.withdrawal_code).raw):
        assert secret.encode() not in seen
        assert secret.encode("utf-16-le") not in seen
    assert reviewing.locked.device_card().name.encode() in seen  # control: what lies in the clear is found


def test_the_window_ends_by_itself(reviewing: Laptop, clock: FixedClock) -> None:
    """Not a minute before; then it is sealed while the laptop is unlocked, or when it is unlocked next."""
    session = reviewing.unlock(WORDS)
    _complete(session)
    clock.move(hours=1)
    _complete(session)
    clock.move(hours=HOURS - 1, minutes=-1)
    assert session.seal_waiting().sealed == ()
    clock.move(minutes=1)
    assert [card.seq for card in session.seal_waiting().sealed] == [1]
    session.close()
    clock.move(days=3)
    again = reviewing.unlock(WORDS)
    assert [card.seq for card in again.at_unlock.sealed] == [2]
    assert (again.waiting(), reviewing.locked.head().seq) == ([], 2)
    again.close()


@pytest.mark.parametrize("years", [-56, -10, 10])
def test_a_wrong_clock_never_makes_it_wait_longer(reviewing: Laptop, clock: FixedClock, years: int) -> None:
    """A clock that falls back to before the interview, or runs ahead: what waits is sealed at the next unlock."""
    session = reviewing.unlock(WORDS)
    _complete(session)
    session.close()
    clock.move(days=years * 365)
    again = reviewing.unlock(WORDS)
    assert len(again.at_unlock.sealed) == 1
    again.close()


def test_a_clock_set_back_a_little_changes_nothing(reviewing: Laptop, clock: FixedClock) -> None:
    """Control: a clock that is corrected by a minute does not cut the window short."""
    session = reviewing.unlock(WORDS)
    _complete(session)
    clock.move(minutes=-1)
    assert session.seal_waiting().sealed == ()
    session.close()


def test_a_marked_part_is_sealed_at_once(reviewing: Laptop) -> None:
    """Where a part that says `fs:seal` was answered the interview never waits; the same form without it does."""
    session = reviewing.unlock(WORDS)
    assert isinstance(_complete(session, form="guarded"), WaitingCard)
    card = _complete(session, form="guarded", kind="one")
    assert isinstance(card, SealedCard)
    assert card.withdrawal_code is not None
    session.close()


def test_mending_into_a_marked_part_seals_it_on_leaving(reviewing: Laptop) -> None:
    """An answer that is added there in the evening ends the wait as well."""
    session = reviewing.unlock(WORDS)
    card = _complete(session, form="guarded")
    assert isinstance(card, WaitingCard)
    work = session.resume(card.draft_id)
    work.answer("/data/kind", "two")
    work.close()
    assert (session.waiting(), reviewing.locked.head().seq) == ([], 1)
    session.close()


def test_an_unfinished_mending_does_not_keep_it_open(
    reviewing: Laptop, project: SyntheticProject, clock: FixedClock
) -> None:
    """What was emptied or broken in the evening and left so: at the end it is sealed as it was completed."""
    session = reviewing.unlock(WORDS)
    card = _complete(session, "told")
    assert isinstance(card, WaitingCard)
    work = session.resume(card.draft_id)
    for n in range(40):
        work.answer("/data/story", str(n))
    work.answer("/data/story", "")
    with pytest.raises(NotReadyError):
        work.finalise()
    work.close()
    clock.move(hours=HOURS)
    assert len(session.seal_waiting().sealed) == 1
    assert "<story>told</story>" in _payload(reviewing, project, 1).instance
    session.close()


def test_it_is_checked_when_it_is_completed(reviewing: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A required blank, or a project without recipients, is said while the person is there; the draft stays open."""
    session = reviewing.unlock(WORDS)
    work = session.start("synthetic")
    with pytest.raises(NotReadyError):
        work.complete()
    work.answer("/data/story", "told")
    with monkeypatch.context() as patched:
        patched.setattr(Session, "recipients", lambda _: [])
        with pytest.raises(NoRecipientError):
            work.complete()
    assert (len(session.drafts()), session.waiting()) == (1, [])
    assert isinstance(work.complete(), WaitingCard)
    session.close()


def test_what_cannot_be_sealed_is_named_and_keeps_nobody_out(
    reviewing: Laptop, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No recipients any more when the window ends: unlocking works, the interview still waits, the reason is given."""
    session = reviewing.unlock(WORDS)
    _complete(session)
    session.close()
    clock.move(days=1)
    with monkeypatch.context() as patched:
        patched.setattr(Session, "recipients", lambda _: [])
        again = reviewing.unlock(WORDS)
        assert [(title, why.code) for title, why in again.at_unlock.failed] == [
            ("A synthetic form", NoRecipientError.code)
        ]
    assert len(again.waiting()) == 1
    assert len(again.seal_waiting().sealed) == 1
    again.close()


def test_one_on_the_screen_is_left_alone(reviewing: Laptop, clock: FixedClock) -> None:
    """An interview that is being mended when its window ends is sealed once it is left."""
    session = reviewing.unlock(WORDS)
    card = _complete(session)
    assert isinstance(card, WaitingCard)
    work = session.resume(card.draft_id)
    clock.move(hours=HOURS)
    assert session.seal_waiting(everything=True).sealed == ()
    work.close()
    assert len(session.seal_waiting().sealed) == 1
    session.close()
