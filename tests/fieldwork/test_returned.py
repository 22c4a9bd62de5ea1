"""Returned work on a laptop: taken while locked, a draft of the next revision for its enumerator, sealed once more."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.fieldwork.cards import SealedCard
from fieldsurvey.fieldwork.custody import Restoring, backup, begin_again, find_backup
from fieldsurvey.fieldwork.returned import IgnoredReturn, ReturnGoneError, TakenReturn, take_return
from fieldsurvey.fieldwork.withdrawals import WithdrawnError, withdraw
from fieldsurvey.project.policy import Policy
from fieldsurvey.records.envelope import read_header, record_hash
from fieldsurvey.records.payload import FormRef
from fieldsurvey.records.receipt import Level, Receipt, Role
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.returned import MAX_COMMENTS
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.withdrawal import WithdrawalCode
from fieldsurvey.vault import returned as store
from fieldsurvey.vault import verify_vault
from fieldsurvey.vault.returned import stored_returns, waiting_returns
from tests.fieldwork.conftest import NOW, OTHER_WORDS, WORDS, SyntheticProject, join
from tests.fieldwork.forms import xform
from tests.fieldwork.returning import HMU, payload_of, returned, with_hmu
from tests.vault.canaries import search

CANARIES = [f"canario-Ñandú-{n}-é{n * 6311 + 104729}" for n in range(5)]


@pytest.fixture
def project() -> SyntheticProject:
    """With an HMU that signs."""
    return with_hmu(SyntheticProject())


def seal_one(session: Session, story: str = "told") -> SealedCard:
    """An interview with a note, an accepted warning and a row."""
    work = session.start("synthetic")
    work.answer("/data/story", story)
    work.answer("/data/age", "101")
    work.accept_warning("/data/age", "checked")
    work.set_note("/data/story", "noted")
    work.answer(work.add_repeat("/data/person") + "/first", "one row")
    return work.finalise()


@pytest.fixture
def sealed(laptop: Laptop) -> tuple[Laptop, SealedCard]:
    """A locked laptop with one record, and what it gave."""
    session = laptop.unlock(WORDS)
    card = seal_one(session)
    session.close()
    return laptop, card


def take(laptop: Laptop, data: bytes) -> TakenReturn | IgnoredReturn:
    return take_return(laptop.locked, data, laptop.project)


def ignored(laptop: Laptop, data: bytes) -> str:
    found = take(laptop, data)
    assert isinstance(found, IgnoredReturn)
    assert found.reason
    return found.kind


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


def test_it_survives_leaving_and_coming_back(sealed: tuple[Laptop, SealedCard], project: SyntheticProject) -> None:
    """Half mended, closed, unlocked again: comments and answers are there, and it is no second draft."""
    laptop, _ = sealed
    take(laptop, returned(laptop, project))
    session = laptop.unlock(WORDS)
    session.resume(session.returned()[0].draft_id).answer("/data/story", "mended")
    session.close()
    session = laptop.unlock(WORDS)
    assert session.returns.opened == 0
    [found] = session.returned()
    work = session.resume(found.draft_id)
    assert work.interview.question("/data/story").value == "mended"
    assert work.returned is not None
    assert work.returned.by_ref == {"/data/story": "Which one?"}
    session.close()


def test_time_stands_where_the_interview_ended(
    sealed: tuple[Laptop, SealedCard], project: SyntheticProject, clock: FixedClock
) -> None:
    """Mending a slip weeks later does not move a form's today(); the revision says when it was finished itself."""
    laptop, _ = sealed
    before = payload_of(laptop, project, 1)
    take(laptop, returned(laptop, project))
    clock.at += timedelta(days=20)
    session = laptop.unlock(WORDS)
    work = session.resume(session.returned()[0].draft_id)
    assert work.interview.state.world.now().isoformat("T", "seconds") == before.finished  # type: ignore[attr-defined]
    work.finalise()
    session.close()
    assert payload_of(laptop, project, 2).finished == clock.now().isoformat("T", "seconds")


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


def test_the_form_it_was_made_with_is_used(sealed: tuple[Laptop, SealedCard], project: SyntheticProject) -> None:
    """A newer version is current: the returned interview stays with its own."""
    laptop, _ = sealed
    project.add_form(xform(version="2", title="Newer"), "synthetic", "2")
    laptop.update(project.publish())
    take(laptop, returned(laptop, project))
    session = laptop.unlock(WORDS)
    [card] = session.returned()
    assert (card.version, session.forms()[0].version) == ("1", "2")
    session.resume(card.draft_id).finalise()
    session.close()
    assert payload_of(laptop, project, 2).form.version == "1"


def test_a_form_that_the_project_no_longer_carries_is_told_and_nothing_is_lost(
    sealed: tuple[Laptop, SealedCard], project: SyntheticProject
) -> None:
    """It waits, sealed; with a project that carries the form again it opens."""
    laptop, _ = sealed
    gone = FormRef(id="synthetic", version="0", hash="5d" * 32)
    take(laptop, returned(laptop, project, payload={"form": gone}))
    session = laptop.unlock(WORDS)
    [(_, why)] = session.returns.failed
    assert "version 0" in why.message
    assert "waits" in why.advice
    assert (session.returns.opened, session.returned()) == (0, [])
    session.close()
    assert waiting_returns(laptop.locked) == 1


def test_what_this_laptop_cannot_open_waits_and_is_told(
    sealed: tuple[Laptop, SealedCard], project: SyntheticProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed to other keys, though the manifest names this laptop: a sentence, and unlocking goes on."""
    laptop, _ = sealed
    stranger = RecipientPrivate.generate()
    card = laptop.locked.device_card()
    with monkeypatch.context() as patched:
        patched.setattr(type(card), "recipient", property(lambda _self: stranger.public))
        data = returned(laptop, project)
    take(laptop, data)
    session = laptop.unlock(WORDS)
    assert (session.returns.opened, len(session.returns.failed)) == (0, 1)
    session.close()


def test_consent_is_carried_on(laptop: Laptop, project: SyntheticProject, clock: FixedClock) -> None:
    """What was said then, and when, stands in the next revision; nobody is asked again."""
    source = xform("asking", "1").replace(
        b'<bind nodeset="/data/kind" type="string"/>',
        b'<bind nodeset="/data/kind" type="string" fs:consent="survey" fs:consentVersion="7"/>',
    )
    source = source.replace(b"<value>one</value>", b"<value>yes</value>")
    project.add_form(source, "asking", "1")
    laptop.update(project.publish())
    session = laptop.unlock(WORDS)
    work = session.start("asking")
    work.answer("/data/story", "told")
    work.answer("/data/kind", "yes")
    work.finalise()
    session.close()
    before = payload_of(laptop, project, 1)
    assert before.consent[0].given
    clock.at += timedelta(days=3)
    take(laptop, returned(laptop, project))
    session = laptop.unlock(WORDS)
    work = session.resume(session.returned()[0].draft_id)
    work.answer("/data/story", "mended")
    work.close()
    session.resume(work.draft_id).finalise()
    session.close()
    assert payload_of(laptop, project, 2).consent == before.consent


def test_a_review_window_does_not_hold_it_up(tmp_path: Path, project: SyntheticProject, clock: FixedClock) -> None:
    """It was looked over already: completing a returned interview seals it."""
    project.policy = Policy(review_window_hours=4)
    laptop = join(tmp_path / "home", project, clock)
    session = laptop.unlock(WORDS)
    seal_one(session)
    take(laptop, returned(laptop, project))
    session.open_returned()
    assert isinstance(session.resume(session.returned()[0].draft_id).complete(), SealedCard)
    session.close()
    laptop.close()


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
