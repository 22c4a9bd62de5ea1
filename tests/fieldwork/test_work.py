"""An interview at work: durable with every change, resumed where it was, sealed or refused, never in between."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.files import NoSpaceError
from fieldsurvey.fieldwork import Laptop, Session, State
from fieldsurvey.fieldwork.errors import ClosedError, NoSuchFormError, TooLongError
from fieldsurvey.records.envelope import open_record, read_header
from fieldsurvey.records.errors import NoRecipientError
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.withdrawal import WithdrawalCode
from fieldsurvey.vault import verify_vault
from fieldsurvey.vault.errors import NoSuchDraftError
from fieldsurvey.xforms.errors import NotReadyError
from fieldsurvey.xforms.steps import StepsError
from tests.fieldwork.conftest import WORDS, SyntheticProject


def _payload(laptop: Laptop, project: SyntheticProject, seq: int = 1) -> Payload:
    [(_, record)] = laptop.locked.entries(seq, seq)
    return Payload.from_bytes(open_record(record, project.operational).payload)


def test_every_change_is_on_the_disk_when_the_method_returns(session: Session, tmp_path: Path) -> None:
    """After each call a second connection sees one change more, whatever the change was."""
    work = session.start("synthetic")
    plain = sqlite3.connect(tmp_path / "home" / "vault.db")

    def count() -> int:
        return int(plain.execute("SELECT count(*) FROM change").fetchone()[0])

    assert plain.execute("SELECT count(*) FROM draft").fetchone() == (1,)
    steps: list[Callable[[], object]] = [
        lambda: work.answer("/data/story", "a"),
        work.next,
        lambda: work.answer("/data/age", "not a number"),
        lambda: work.answer("/data/age", "9"),
        work.next,
        work.previous,
        lambda: work.go_to("/data/kind"),
        lambda: work.add_repeat("/data/person"),
        lambda: work.answer("/data/person[1]/first", "b"),
        lambda: work.remove_repeat("/data/person", 1),
        lambda: work.set_language("en"),
        lambda: work.set_note("/data/age", "guessed"),
    ]
    for done, step in enumerate(steps, 1):
        step()
        assert count() == done
        assert work.saved
    plain.close()


def test_resumed_at_the_exact_question_with_everything(session: Session, laptop: Laptop, clock: FixedClock) -> None:
    """Answers, text that did not parse, note, language, repeat, place and the path back: as they were left."""
    work = session.start("synthetic")
    work.answer("/data/story", "first\nsecond \U0001f600 ñ")
    work.next()
    work.answer("/data/age", "nine")
    work.set_language("en")
    work.set_note("/data/age", "said nine")
    work.add_repeat("/data/person")
    work.answer("/data/person[1]/first", "b")
    work.go_to("/data/age")
    left = work.interview
    session.close()
    again = laptop.unlock(WORDS)
    [card] = again.drafts()
    assert (card.form_id, card.place, card.state) == ("synthetic", "/data/age", State.SAVED)
    found = again.resume(card.draft_id).interview
    assert found.current == left.current
    assert found.language == "en"
    assert found.note("/data/age") == "said nine"
    for ref in ("/data/story", "/data/age", "/data/person[1]/first"):
        assert found.question(ref) == left.question(ref)
    assert found.outline() == left.outline()
    assert found.previous() == left.previous()
    again.close()


def test_many_steps_are_one_transaction(session: Session, laptop: Laptop) -> None:
    """`apply` answers, adds and removes as the single calls do, with one row in the database."""
    work = session.start("synthetic")
    work.apply(
        [
            {"answer": {"/data/story": "a", "/data/age": "30"}},
            {"add_repeat": "/data/person"},
            {"add_repeat": "/data/person"},
            {"answer": {"/data/person[2]/first": "b"}},
            {"remove_repeat": "/data/person[1]"},
            {"set_language": "en"},
            {"go_to": "/data/kind"},
        ]
    )
    assert laptop.locked.store.rows("SELECT count(*) FROM change") == [(1,)]
    assert work.interview.question("/data/person[1]/first").value == "b"
    assert work.interview.language == "en"


def test_a_wrong_step_keeps_those_before_it(session: Session) -> None:
    """What is refused is listed and the rest goes on; what is not a step raises; either way what was done is saved."""
    work = session.start("synthetic")
    run = work.apply([{"answer": {"/data/nothing": "x", "/data/story": "kept"}}, {"go_to": "/data/kind"}])
    assert [(failure.step, failure.ref) for failure in run.failures] == [(1, "/data/nothing")]
    for wrong in ({"fly": "/data/story"}, {"remove_repeat": "/data/person"}, {}, {"answer": {}, "go_to": ""}):
        with pytest.raises(StepsError):
            work.apply([{"answer": {"/data/story": "kept"}}, wrong])
        assert work.saved
    assert work.interview.question("/data/story").value == "kept"


def test_a_sealed_interview_says_what_it_must(
    session: Session, laptop: Laptop, project: SyntheticProject, clock: FixedClock
) -> None:
    """The record opens with the HMU's key and holds form, answers, enumerator, language, times, note, paradata."""
    work = session.start("synthetic", language="en")
    work.answer("/data/story", "told")
    clock.move(minutes=4)
    work.set_note("/data/story", "quietly")
    card = work.finalise()
    payload = _payload(laptop, project)
    assert (payload.form.id, payload.form.version, payload.form.hash) == ("synthetic", "1", session.forms()[0].hash)
    assert "<story>told</story>" in payload.instance
    assert (payload.person, payload.language, payload.mode) == ("E01", "en", "screen")
    assert (payload.started, payload.finished) == ("2026-03-01T09:00:00+00:00", "2026-03-01T09:04:00+00:00")
    assert payload.notes == {"/data/story": "quietly"}
    assert payload.paradata == {"seconds": 240, "resumed": 0, "saves": 2}
    [(_, record)] = laptop.locked.entries()
    assert open_record(record, project.escrow).payload == open_record(record, project.operational).payload
    header = read_header(record)
    assert (header.case, header.revision, header.device) == (card.case, 1, laptop.locked.device_card().device)
    assert card.withdrawal_code is not None
    assert header.withdrawal == WithdrawalCode.parse(card.withdrawal_code).tag(project.id)
    assert card.withdrawal_words is not None
    assert WithdrawalCode.parse(card.withdrawal_words) == WithdrawalCode.parse(card.withdrawal_code)
    assert card.withdrawal_code not in repr(card)
    assert session.drafts() == []


def test_not_ready_is_refused_and_nothing_changes(session: Session) -> None:
    """A required blank: the problems are listed, the draft stays, and finalising works once it is answered."""
    work = session.start("synthetic")
    with pytest.raises(NotReadyError) as caught:
        work.finalise()
    assert [problem.ref for problem in caught.value.problems] == ["/data/story"]
    assert len(session.drafts()) == 1
    work.answer("/data/story", "told")
    assert work.finalise().seq == 1


def test_without_recipients_nothing_is_finalised(
    session: Session, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail closed: no recipient, no record; the log is as it was and the draft opens again."""
    work = session.start("synthetic")
    work.answer("/data/story", "told")
    with monkeypatch.context() as patched:
        patched.setattr(Session, "recipients", lambda _: [])
        with pytest.raises(NoRecipientError):
            work.finalise()
    assert laptop.locked.head().seq == 0
    assert session.resume(work.draft_id) is work
    assert work.finalise().seq == 1


def test_a_full_disk_is_said_and_loses_nothing(session: Session, laptop: Laptop) -> None:
    """Answers that could not be saved stay in the open interview; once there is room the next change saves them all."""
    work = session.start("synthetic")
    work.answer("/data/story", "before")
    connection = laptop.locked.store.connection
    connection.execute(f"PRAGMA max_page_count={connection.execute('PRAGMA page_count').fetchone()[0]}")
    failed = 0
    while failed < 2:
        try:
            work.answer("/data/story", "during " + "x" * 3000 + str(failed))
        except NoSpaceError:
            failed += 1
            assert not work.saved
            with pytest.raises(NoSpaceError):
                work.finalise()
    connection.execute("PRAGMA max_page_count=1000000")
    work.save()
    assert work.saved
    session.close()
    again = laptop.unlock(WORDS)
    resumed = again.resume(again.drafts()[0].draft_id)
    assert resumed.interview.question("/data/story").value == "during " + "x" * 3000 + "1"
    assert resumed.finalise().seq == 1
    again.close()


def test_a_draft_is_snapshotted_now_and_then(session: Session, laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long interview is not replayed from its first key press: rows stay few, and nothing of it is lost."""
    monkeypatch.setattr("fieldsurvey.fieldwork.work._SNAPSHOT_AFTER", 10)
    work = session.start("synthetic")
    for n in range(37):
        work.answer("/data/story", f"version {n}")
    assert laptop.locked.store.rows("SELECT count(*) FROM change")[0][0] < 10
    work.close()
    assert session.resume(work.draft_id).interview.question("/data/story").value == "version 36"


def test_closing_a_long_interview_leaves_one_snapshot(session: Session, laptop: Laptop) -> None:
    """After `close` the changes are folded into the snapshot; the list still knows place and time."""
    work = session.start("synthetic")
    for n in range(40):
        work.answer("/data/story", str(n))
    work.go_to("/data/kind")
    work.close()
    assert laptop.locked.store.rows("SELECT count(*) FROM change") == [(0,)]
    assert session.drafts()[0].place == "/data/kind"
    assert session.resume(work.draft_id).interview.question("/data/story").value == "39"


def test_closed_work_refuses(session: Session) -> None:
    """After close, discard or finalise no method changes anything; closing twice does no harm."""
    work = session.start("synthetic")
    work.close()
    work.close()
    for method in (lambda: work.answer("/data/story", "x"), work.next, work.finalise, work.discard):
        with pytest.raises(ClosedError):
            method()
    session.resume(work.draft_id).discard()
    assert session.drafts() == []
    with pytest.raises(NoSuchDraftError):
        session.resume(work.draft_id)


def test_an_unknown_form(session: Session) -> None:
    """A form that the project does not have is named, with those it has."""
    with pytest.raises(NoSuchFormError) as caught:
        session.start("another")
    assert "synthetic" in caught.value.advice


def test_several_drafts_keep_apart(session: Session) -> None:
    """Two interviews at once: each has its own answers, and the list shows the last saved first."""
    one, other = session.start("synthetic"), session.start("synthetic")
    one.answer("/data/story", "one")
    session.clock.move(minutes=1)  # type: ignore[attr-defined]
    other.answer("/data/story", "other")
    assert [card.draft_id for card in session.drafts()] == [other.draft_id, one.draft_id]
    one.close()
    assert session.resume(one.draft_id).interview.question("/data/story").value == "one"
    assert verify_vault(session.vault).whole


def test_what_utf8_cannot_hold_does_not_stop_an_interview(
    session: Session, laptop: Laptop, project: SyntheticProject
) -> None:
    """A lone surrogate in an answer or a note (a broken terminal passes them on): saved, resumed and sealed."""
    work = session.start("synthetic")
    work.answer("/data/story", "a\ud800b")
    work.set_note("/data/story", "c\udfffd")
    work.close()
    session.resume(work.draft_id).finalise()
    assert _payload(laptop, project).notes == {"/data/story": "c?d"}


def test_too_long_for_a_record_is_said_and_kept(session: Session) -> None:
    """Over 8 MiB: refused with the sizes; shortened, it is sealed."""
    work = session.start("synthetic")
    work.answer("/data/story", "x" * (8 << 20))
    with pytest.raises(TooLongError):
        work.finalise()
    work.answer("/data/story", "short")
    assert work.finalise().seq == 1


def test_an_accepted_warning_is_sealed_with_its_reason(
    session: Session, laptop: Laptop, project: SyntheticProject
) -> None:
    """The reason survives closing and is in the record; a reason whose answer changed since is not."""
    for age, reasons in (("104", {"/data/age": "seen the papers"}), ("40", {})):
        work = session.start("synthetic")
        work.answer("/data/story", "told")
        work.answer("/data/age", "104")
        work.accept_warning("/data/age", "seen the papers")
        work.close()
        work = session.resume(work.draft_id)
        if age != "104":
            work.answer("/data/age", age)
        assert _payload(laptop, project, work.finalise().seq).reasons == reasons
