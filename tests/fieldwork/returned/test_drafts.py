"""The draft that returned work becomes: what it carries on, the form it is made with, and when it has to wait."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.cards import SealedCard
from fieldsurvey.project.policy import Policy
from fieldsurvey.records.payload import FormRef
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.vault.returned import waiting_returns
from tests.fieldwork.conftest import WORDS, SyntheticProject, join
from tests.fieldwork.forms import xform
from tests.fieldwork.returning import payload_of, returned, seal_one, take


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
