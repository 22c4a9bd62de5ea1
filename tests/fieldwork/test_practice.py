"""Practice: the same interview, with no recipient, no row in the vault and nothing to export."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.fieldwork.practice import PracticeCard, PracticeError
from fieldsurvey.fieldwork.work import Work
from fieldsurvey.vault.errors import NoSuchDraftError
from fieldsurvey.xforms.errors import NotReadyError
from sync.folder import export_batches
from tests.fieldwork.conftest import WORDS


def _practise(session: Session) -> Work:
    work = session.start("synthetic", practice=True)
    work.answer("/data/story", "rehearsed")
    return work


def test_practice_is_checked_as_a_real_interview_and_leaves_nothing(session: Session, laptop: Laptop) -> None:
    """Required answers are asked for; completing it says so and forgets it; log, drafts and outbox stay empty."""
    work = session.start("synthetic", practice=True)
    assert work.practice
    with pytest.raises(NotReadyError):
        work.complete()
    work.answer("/data/story", "rehearsed")
    assert work.complete() == PracticeCard("A synthetic form")
    assert (session.practice_drafts(), session.drafts(), laptop.locked.head().seq) == ([], [], 0)
    assert laptop.locked.draft_count() == 0


def test_practice_cannot_be_sealed_or_exported(
    session: Session, laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealing is refused before anybody asks for a recipient, and an export finds nothing."""
    work = _practise(session)
    monkeypatch.setattr(Session, "recipients", lambda _: pytest.fail("practice has no recipients"))
    with pytest.raises(PracticeError):
        work.finalise()
    work.close()
    assert export_batches(laptop.locked, tmp_path / "stick").files == ()


def test_practice_is_nowhere_on_the_disk(session: Session, laptop: Laptop) -> None:
    """Neither the answer nor a row: the vault's tables are byte for byte what they were; a real draft changes them."""

    def rows() -> list[object]:
        tables = ("draft", "change", "log", "outbox")
        return [laptop.locked.store.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables]

    before = rows()
    work = _practise(session)
    for n in range(40):
        work.answer("/data/story", f"rehearsed {n}")
    work.close()
    assert rows() == before
    session.start("synthetic").answer("/data/story", "real")
    assert rows() != before


def test_practice_is_taken_up_again_until_it_is_wiped(session: Session, laptop: Laptop) -> None:
    """Left and resumed where it was; apart from real drafts; wiped on demand, and by locking."""
    work = _practise(session)
    work.go_to("/data/kind")
    work.close()
    [card] = session.practice_drafts()
    assert (session.drafts(), card.place) == ([], "/data/kind")
    again = session.resume(card.draft_id)
    assert again.practice
    assert again.interview.question("/data/story").value == "rehearsed"
    again.close()
    assert (session.wipe_practice(), session.practice_drafts()) == (1, [])
    with pytest.raises(NoSuchDraftError):
        session.resume(card.draft_id)
    _practise(session).close()
    session.close()
    assert session.practice == {}
    unlocked = laptop.unlock(WORDS)
    assert unlocked.practice_drafts() == []
    unlocked.close()


def test_one_practice_interview_is_erased_like_a_draft(session: Session) -> None:
    """Discarding one leaves the other, and real drafts."""
    first, second = _practise(session), _practise(session)
    real = session.start("synthetic")
    first.close()
    session.discard(first.draft_id)
    second.close()
    assert [card.draft_id for card in session.practice_drafts()] == [second.draft_id]
    assert [card.draft_id for card in session.drafts()] == [real.draft_id]
