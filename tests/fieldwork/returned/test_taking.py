"""Returned work is taken while locked: by whom, when, and what is ignored with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.cards import SealedCard
from fieldsurvey.fieldwork.returned import ReturnGoneError, TakenReturn, take_return
from fieldsurvey.records.envelope import read_header, record_hash
from fieldsurvey.records.returned import MAX_COMMENTS
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.vault import returned as store
from fieldsurvey.vault import verify_vault
from fieldsurvey.vault.returned import stored_returns, waiting_returns
from tests.fieldwork.conftest import OTHER_WORDS, WORDS, SyntheticProject, join
from tests.fieldwork.returning import HMU, ignored, payload_of, returned, take, with_hmu


def test_it_is_taken_locked_and_becomes_a_draft_at_unlock(
    sealed: tuple[Laptop, SealedCard], project: SyntheticProject
) -> None:
    """The next revision of the same case: parent, tag, person, answers, note and accepted warning as they were."""
    laptop, card = sealed
    comments = {"/data/kind": "Missing", "/data/person[1]/first": "Spelling?"}
    data = returned(laptop, project, comments=comments, general="The rest is fine.")
    assert take(laptop, data) == TakenReturn(card.case, 1)
    assert waiting_returns(laptop.locked) == 1
    session = laptop.unlock(WORDS)
    assert (session.returns.opened, session.drafts()) == (1, [])
    [found] = session.returned()
    assert (found.comments, found.revision, found.general) == (2, 2, "The rest is fine.")
    work = session.resume(found.draft_id)
    assert work.returned is not None
    assert work.returned.by_ref == comments
    assert work.interview.current.ref == "/data/kind"  # type: ignore[union-attr]
    assert work.interview.question("/data/age").value == "101"
    assert work.interview.question("/data/person[1]/first").value == "one row"
    assert work.interview.note("/data/story") == "noted"
    work.answer("/data/kind", "two")
    done = work.complete()
    assert isinstance(done, SealedCard)
    assert (done.case, done.revision, done.withdrawal_code) == (card.case, 2, None)
    [(_, first), (_, second)] = laptop.locked.entries()
    header = read_header(second)
    assert (header.revision, header.parent) == (2, record_hash(first).hex())
    assert (header.case, header.withdrawal) == (card.case, read_header(first).withdrawal)
    payload, before = payload_of(laptop, project, 2), payload_of(laptop, project, 1)
    assert "<kind>two</kind>" in payload.instance
    assert (payload.person, payload.started, payload.notes) == (before.person, before.started, before.notes)
    assert payload.reasons == {"/data/age": "checked"}
    assert session.returned() == []
    session.close()
    assert verify_vault(laptop.locked.unlock(WORDS)).whole
    assert ignored(laptop, data) == "known"


def test_another_person_does_not_get_it_until_its_enumerator_has_left(
    sealed: tuple[Laptop, SealedCard], project: SyntheticProject
) -> None:
    """A colleague hears that something waits; once the enumerator's slot is gone, whoever takes it owns it."""
    laptop, card = sealed
    session = laptop.unlock(WORDS)
    session.vault.people.add("E02", OTHER_WORDS, FLOOR)
    session.close()
    take(laptop, returned(laptop, project))
    session = laptop.unlock(OTHER_WORDS)
    assert (session.returns.opened, session.returns.others, session.returns.left) == (0, 1, ())
    assert session.returned() == []
    digest = stored_returns(laptop.locked)[0].digest.hex()
    with pytest.raises(ReturnGoneError):
        session.take_returned(digest)
    session.vault.people.remove("E01")
    report = session.open_returned()
    [left] = report.left
    assert (left.person, left.comments, left.title) == ("E01", 1, "A synthetic form")
    session.take_returned(left.digest)
    assert session.returns.left == ()
    done = session.resume(session.returned()[0].draft_id).finalise()
    assert (done.case, done.revision) == (card.case, 2)
    session.close()
    assert payload_of(laptop, project, 2).person == "E02"


def test_somebody_who_left_the_project_has_left(sealed: tuple[Laptop, SealedCard], project: SyntheticProject) -> None:
    """Their slot may still be on the laptop: the project says that they are gone."""
    laptop, _ = sealed
    session = laptop.unlock(WORDS)
    session.vault.people.add("E02", OTHER_WORDS, FLOOR)
    session.close()
    take(laptop, returned(laptop, project, payload={"person": "E09"}))  # never was on this laptop
    session = laptop.unlock(OTHER_WORDS)
    assert [one.person for one in session.returns.left] == ["E09"]
    session.close()


def test_what_is_not_ours_or_not_the_hmus_is_ignored_with_its_reason(
    sealed: tuple[Laptop, SealedCard], project: SyntheticProject, tmp_path: Path, clock: FixedClock
) -> None:
    """Another laptop's, forged, foreign, of a record that is not in the log: nothing is kept."""
    laptop, _ = sealed
    data = returned(laptop, project)
    assert ignored(laptop, returned(laptop, project, signer=SigningKey.generate())) == "forged"
    assert ignored(laptop, b"no file of ours") == "forged"
    assert ignored(laptop, data[:-1]) == "forged"
    assert ignored(laptop, data + bytes(20 << 20)) == "forged"
    assert ignored(laptop, returned(laptop, project, device="3c" * 16)) == "other"
    assert ignored(laptop, returned(laptop, project, id_of_project="3c" * 16)) == "other"
    assert ignored(laptop, returned(laptop, project, record="3c" * 32)) == "history"
    other = join(tmp_path / "other", project, clock)
    assert take_return(other.locked, data, other.project).kind == "other"  # type: ignore[union-attr]
    other.close()
    assert stored_returns(laptop.locked) == []
    assert isinstance(take(laptop, data), TakenReturn)  # control


def test_a_return_that_was_answered_is_older(sealed: tuple[Laptop, SealedCard], project: SyntheticProject) -> None:
    """While it waits, while it is mended, once it is sealed: another of the same revision changes nothing; of the
    next revision it is taken, and then the first is older still.
    """
    laptop, card = sealed
    assert isinstance(take(laptop, returned(laptop, project)), TakenReturn)
    again = returned(laptop, project, comments={"/data/kind": "Other words"})
    assert ignored(laptop, again) == "older"
    session = laptop.unlock(WORDS)
    assert ignored(laptop, again) == "older"
    session.resume(session.returned()[0].draft_id).finalise()
    session.close()
    assert ignored(laptop, again) == "older"
    assert take(laptop, returned(laptop, project, seq=2)) == TakenReturn(card.case, 2)
    assert ignored(laptop, again) == "older"
    session = laptop.unlock(WORDS)
    assert session.resume(session.returned()[0].draft_id).finalise().revision == 3
    session.close()


def test_a_discarded_one_can_be_sent_again_but_the_same_file_does_not_come_back(
    sealed: tuple[Laptop, SealedCard], project: SyntheticProject
) -> None:
    """The stick still carries it: the laptop remembers. What the HMU sends anew is taken."""
    laptop, _ = sealed
    data = returned(laptop, project)
    take(laptop, data)
    session = laptop.unlock(WORDS)
    session.discard(session.returned()[0].draft_id)
    session.close()
    assert ignored(laptop, data) == "known"
    assert isinstance(take(laptop, returned(laptop, project)), TakenReturn)


def test_the_inbox_is_bounded(
    sealed: tuple[Laptop, SealedCard], project: SyntheticProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In files and in bytes; what is there stays."""
    laptop, _ = sealed
    data = returned(laptop, project)
    monkeypatch.setattr(store, "MAX_WAITING_BYTES", len(data) - 1)
    assert ignored(laptop, data) == "full"
    monkeypatch.undo()
    monkeypatch.setattr(store, "MAX_WAITING", 0)
    assert ignored(laptop, data) == "full"
    monkeypatch.undo()
    assert isinstance(take(laptop, data), TakenReturn)
    many = {f"/data/q{number}": "x" * 1000 for number in range(MAX_COMMENTS)}
    assert ignored(laptop, returned(laptop, project, comments=many)) == "older"


def test_the_hmus_key_of_then_no_longer_counts(sealed: tuple[Laptop, SealedCard], project: SyntheticProject) -> None:
    """Signed by a key that was retired since: it is not opened, and says so."""
    laptop, _ = sealed
    take(laptop, returned(laptop, project))
    project.roles = tuple(
        role.model_copy(update={"retired": "2026-03-05T08:00:00Z"}) for role in with_hmu(project).roles
    )
    laptop.update(project.publish())
    assert HMU.public not in {key for _, key in laptop.project.model.role_keys}
    session = laptop.unlock(WORDS)
    assert (session.returns.opened, len(session.returns.failed)) == (0, 1)
    session.close()
