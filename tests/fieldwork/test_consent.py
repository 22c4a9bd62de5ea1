"""Consent as it is stored: per purpose, with version, language and time. A refusal is one count and nothing else."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.fieldwork.consent import ConsentNotAskedError, asked_by
from fieldsurvey.fieldwork.waiting import WaitingCard
from fieldsurvey.fieldwork.work import Work
from fieldsurvey.project.errors import FormFileError
from fieldsurvey.project.formfile import form_of
from fieldsurvey.project.policy import Policy
from fieldsurvey.records.envelope import open_record, read_header
from fieldsurvey.records.payload import Consent, Payload
from fieldsurvey.xforms import load_form
from forms import catalogue
from tests.fieldwork.conftest import NOW, WORDS, SyntheticProject, join

_FORM = """<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
  xmlns:fs="https://fieldsurvey.org/xforms" xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>Agreed</h:title><model>
<itext><translation lang="es" default="true()"><text id="q"><value>¿Acepta?</value></text></translation>
<translation lang="en"><text id="q"><value>Do you agree?</value></text></translation></itext>
<instance><data id="agreed" version="7"><ask/><share/><need/><meta><instanceID/></meta></data></instance>
<bind nodeset="/data/ask" type="string" fs:consent="survey" fs:consentVersion="2026-02"/>
<bind nodeset="/data/share" type="string" fs:consent="sharing" relevant="/data/ask = 'yes'"/>
<bind nodeset="/data/need" type="string" relevant="/data/ask = 'yes'" fs:warning="false()"/>
</model></h:head><h:body>
{select}<input ref="/data/need"><label>Need</label></input></h:body></h:html>"""
_SELECT = """<select1 ref="/data/{name}"><label ref="jr:itext('q')"/><item><label>Yes</label><value>yes</value></item>
<item><label>No</label><value>no</value></item>
<item><label>Not clear</label><value>not_understood</value></item></select1>"""


def consent_form() -> bytes:
    """Synthetic: two purposes, the second only after the first, then one answer about the person."""
    return _FORM.format(select=_SELECT.format(name="ask") + _SELECT.format(name="share")).encode()


@pytest.fixture
def project() -> SyntheticProject:
    """With a form that asks for consent."""
    made = SyntheticProject()
    made.add_form(consent_form(), "agreed", "7")
    return made


def _payload(laptop: Laptop, project: SyntheticProject, seq: int = 1) -> Payload:
    [(_, record)] = laptop.locked.entries(seq, seq)
    return Payload.from_bytes(open_record(record, project.operational).payload)


def _later(session: Session, clock: FixedClock, minutes: int) -> None:
    session.clock = FixedClock(clock.now() + timedelta(minutes=minutes))


def _agree(work: Work, share: str) -> None:
    work.answer("/data/ask", "yes")
    work.answer("/data/share", share)
    work.answer("/data/need", "agua")
    work.set_note("/data/need", "dijo dos cosas")
    work.accept_warning("/data/need", "así lo dijo")


def test_each_purpose_has_version_language_answer_and_time(
    session: Session, laptop: Laptop, project: SyntheticProject, clock: FixedClock
) -> None:
    """Each as it was when the answer was given, not when the record was sealed; apart from one another."""
    work = session.start("agreed", language="es")
    _later(session, clock, 5)
    work.answer("/data/ask", "yes")
    work.set_language("en")
    _later(session, clock, 9)
    work.answer("/data/share", "no")
    _later(session, clock, 40)
    work.answer("/data/need", "agua")
    work.finalise()
    at = [(NOW + timedelta(minutes=minutes)).isoformat("T", "seconds") for minutes in (5, 9)]
    assert _payload(laptop, project).consent == (
        Consent(purpose="survey", version="2026-02", language="es", given=True, at=at[0]),
        Consent(purpose="sharing", version="7", language="en", given=False, at=at[1]),  # without its own: the form's
    )


def test_a_resumed_interview_keeps_when_it_was_said(
    session: Session, laptop: Laptop, project: SyntheticProject, clock: FixedClock
) -> None:
    """Closed after one answer, and again after a snapshot: the times are those of the answers."""
    work = session.start("agreed")
    work.answer("/data/ask", "no")
    work.answer("/data/ask", "yes")
    for _ in range(40):
        work.next()
        work.previous()
    work.close()
    session.close()
    again = laptop.unlock(WORDS)
    _later(again, clock, 60)
    work = again.resume(again.drafts()[0].draft_id)
    work.answer("/data/share", "yes")
    work.finalise()
    found = {consent.purpose: consent.at for consent in _payload(laptop, project).consent}
    assert found["survey"] == NOW.isoformat("T", "seconds")
    assert found["sharing"] > found["survey"]
    again.close()


def test_a_changed_mind_is_the_last_word_and_its_time(
    session: Session, laptop: Laptop, project: SyntheticProject, clock: FixedClock
) -> None:
    """Taken back before sealing: one entry, the later one; a purpose no longer asked is not in the record."""
    work = session.start("agreed")
    _agree(work, "yes")
    _later(session, clock, 3)
    work.answer("/data/ask", "no")
    work.finalise()
    (only,) = _payload(laptop, project).consent
    assert (only.purpose, only.given, only.at) == ("survey", False, (NOW + timedelta(minutes=3)).isoformat())


@pytest.mark.parametrize("refusal", ["no", "not_understood"])
def test_a_refusal_is_one_count_and_nothing_else(
    session: Session, laptop: Laptop, project: SyntheticProject, refusal: str
) -> None:
    """No note, reason or paradata goes along, and no code is given; control: with consent all of them do."""
    work = session.start("agreed")
    _agree(work, "yes")
    work.answer("/data/ask", refusal)
    work.set_note("/data/ask", "habló de su vecina")
    card = work.finalise()
    refused = _payload(laptop, project)
    assert (refused.notes, refused.reasons, refused.paradata) == ({}, {}, {})
    assert "agua" not in refused.to_bytes().decode()
    assert "vecina" not in refused.to_bytes().decode()
    assert card.withdrawal_code is None
    assert card.withdrawal_words is None

    work = session.start("agreed")
    _agree(work, "no")
    card = work.finalise()
    kept = _payload(laptop, project, 2)
    assert kept.notes == {"/data/need": "dijo dos cosas"}
    assert kept.reasons == {"/data/need": "así lo dijo"}
    assert kept.paradata
    assert card.withdrawal_code


def test_nobody_sees_from_outside_who_refused(session: Session, laptop: Laptop) -> None:
    """Clear header and size of a refusal are those of a consent: only what is inside differs."""
    for answer in ("yes", "no"):
        work = session.start("agreed")
        work.answer("/data/ask", answer)
        work.finalise()
    records = [record for _, record in laptop.locked.entries(1, 2)]
    given, refused = (read_header(record).model_dump(exclude={"case", "withdrawal"}) for record in records)
    assert given == refused
    assert all(read_header(record).withdrawal for record in records)
    assert len({len(record) for record in records}) == 1


def test_a_refusal_that_waits_for_the_review_has_no_code_either(
    tmp_path: Path, project: SyntheticProject, clock: FixedClock
) -> None:
    """With a review window the card that is shown at the end says nothing to take along; control: a consent does."""
    project.policy = Policy(review_window_hours=4)
    laptop = join(tmp_path / "waiting", project, clock)
    with_review = laptop.unlock(WORDS)
    for answer, code in (("no", False), ("yes", True)):
        work = with_review.start("agreed")
        work.answer("/data/ask", answer)
        card = work.complete()
        assert isinstance(card, WaitingCard)
        assert bool(card.withdrawal_code) is code
    with_review.close()
    laptop.close()


def test_a_purpose_that_the_policy_demands_must_be_asked(
    tmp_path: Path, project: SyntheticProject, clock: FixedClock
) -> None:
    """A form about people without it cannot even be begun; and refusing it leaves the count only."""
    project.policy = Policy(consent_forms=("survey", "sharing"))
    laptop = join(tmp_path / "demanding", project, clock)
    demanding = laptop.unlock(WORDS)
    with pytest.raises(ConsentNotAskedError) as caught:
        demanding.start("synthetic")
    assert caught.value.details["purposes"] == "sharing, survey"
    assert demanding.drafts() == []
    work = demanding.start("agreed")
    _agree(work, "no")
    work.finalise()
    assert _payload(laptop, project).notes == {}
    demanding.close()
    laptop.close()


def test_a_form_that_asks_for_no_consent_stores_none(
    session: Session, laptop: Laptop, project: SyntheticProject
) -> None:
    """Forms not about people keep their notes, and their records hold no consent."""
    work = session.start("synthetic")
    work.answer("/data/story", "a")
    work.set_note("/data/story", "b")
    work.finalise()
    found = _payload(laptop, project)
    assert found.consent == ()
    assert found.notes == {"/data/story": "b"}


def test_the_built_in_form_names_its_three_purposes() -> None:
    """`needs` asks for survey, sharing and referral, in this order, each with a version of its words."""
    asked = asked_by(load_form(catalogue.compiled("needs")))
    assert [(one.purpose, one.version) for one in asked] == [("survey", "1"), ("sharing", "1"), ("referral", "1")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('fs:consent="sharing"', 'fs:consent="survey"'),
        ('fs:consent="sharing"', 'fs:consent="sharing with others"'),
        ("</h:body>", '<group><repeat nodeset="/data"/></group></h:body>'),
    ],
    ids=("twice", "no code", "in a repeat"),
)
def test_questions_of_consent_that_cannot_be_told_apart_are_refused(old: str, new: str) -> None:
    """When the form is added, not in the field; control: the form as it is is taken."""
    form = consent_form()
    assert form_of(form).id == "agreed"
    with pytest.raises(FormFileError):
        form_of(form.replace(old.encode(), new.encode()))
    assert hashlib.sha256(form).hexdigest() != hashlib.sha256(form.replace(old.encode(), new.encode())).hexdigest()
