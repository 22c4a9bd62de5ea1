"""A laptop seals to the keys of the round an interview belongs to, and follows its project from root to root."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.sealing_day import fieldwork_day
from fieldsurvey.project.errors import ForeignRootError
from fieldsurvey.project.model import ProjectForm, Recipient
from fieldsurvey.project.policy import Plan, Round
from fieldsurvey.project.signed import read_project, write_project
from fieldsurvey.project.succession import hand_over
from fieldsurvey.records.envelope import open_record, read_envelope
from fieldsurvey.records.errors import NoRecipientError, NotARecipientError
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey
from tests.fieldwork.conftest import NOW, WORDS, SyntheticProject, join

R1 = Round(id="r1", title="One", start="2026-01-01", end="2026-01-31")
R2 = Round(id="r2", title="Two", start="2026-02-15", end="2026-03-15")
DATED = b"""<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head>
<h:title>Dated</h:title><model><instance><data id="dated" version="1"><fieldwork_date/></data></instance>
<bind nodeset="/data/fieldwork_date" type="date"/></model></h:head><h:body>
<input ref="/data/fieldwork_date"><label>Day</label></input></h:body></h:html>"""


def published(project: SyntheticProject, signer: RootKey | None = None, **changes: Any) -> bytes:
    """The next version, with more in it."""
    before = read_project(project.publish())
    frames = {**before.frames, hashlib.sha256(DATED).hexdigest(): DATED}
    dated = ProjectForm(id="dated", version="1", title="Dated", hash=hashlib.sha256(DATED).hexdigest())
    fields = {**dict(before.model), "forms": (*before.model.forms, dated), **changes}
    return write_project(type(before.model).model_validate(fields), frames, signer or project.root)


def test_an_interview_is_sealed_to_the_keys_of_its_day(
    tmp_path: Path, project: SyntheticProject, clock: FixedClock
) -> None:
    """Today lies in round 2; an interview dated in round 1 is sealed to round 1's key, one without a date to today's
    round, one from before both to the project's own; none opens with another's key. The control: without rounds'
    keys all go to the project's own.
    """
    one, two = RecipientPrivate.generate(), RecipientPrivate.generate()
    own = (Recipient.of("operational", project.operational.public), Recipient.of("escrow", project.escrow.public))
    laptop = join(tmp_path / "home", project, clock)
    plan = Plan(rounds=(R1, R2))
    laptop.update(published(project, plan=plan))
    assert sealed(laptop, "2026-01-10") == {project.operational.id, project.escrow.id}
    rounds = (
        Recipient.of("operational", one.public, round_id="r1"),
        Recipient.of("operational", two.public, round_id="r2"),
    )
    laptop.update(published(project, plan=plan, recipients=(*own, *rounds)))
    assert sealed(laptop, "2026-01-10") == {one.id}
    assert sealed(laptop, None) == {two.id}
    assert sealed(laptop, "2025-12-24") == {project.operational.id, project.escrow.id}
    _entry, blob = next(laptop.locked.entries(2, 2))
    assert open_record(blob, two, one).payload
    with pytest.raises(NotARecipientError):
        open_record(blob, two, project.operational, project.escrow)
    laptop.close()


def sealed(laptop: Laptop, day: str | None) -> set[bytes]:
    """The ids of those to whom an interview with that date is sealed."""
    with_session = laptop.unlock(WORDS)
    work = with_session.start("dated")
    if day:
        work.answer("/data/fieldwork_date", day)
    seq = work.finalise().seq
    with_session.close()
    _entry, blob = next(laptop.locked.entries(seq, seq))
    return set(read_envelope(blob).recipient_ids)


def test_nothing_is_sealed_to_escrow_alone(tmp_path: Path, project: SyntheticProject, clock: FixedClock) -> None:
    """Every operational key is retired: finalising is refused, the draft stays, and goes on with a newer project."""
    laptop = join(tmp_path / "home", project, clock)
    gone = Recipient.of("operational", project.operational.public).model_copy(
        update={"retired": "2026-02-28T00:00:00Z"}
    )
    laptop.update(published(project, recipients=(gone, Recipient.of("escrow", project.escrow.public))))
    session = laptop.unlock(WORDS)
    work = session.start("dated")
    with pytest.raises(NoRecipientError):
        work.finalise()
    assert laptop.locked.head().seq == 0
    draft = work.draft_id
    session.close()
    laptop.update(published(project))
    session = laptop.unlock(WORDS)
    assert session.resume(draft).finalise().seq == 1
    session.close()
    laptop.close()


def test_the_day_is_read_as_the_hmu_reads_it() -> None:
    """The question's answer, whatever its namespace and group; the laptop's day for none, a blank or nonsense."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    for xml, day in (
        ("<data><fieldwork_date>2026-01-10</fieldwork_date></data>", date(2026, 1, 10)),
        ('<d xmlns="urn:x"><g><fieldwork_date> 2026-01-10 </fieldwork_date></g></d>', date(2026, 1, 10)),
        ("<data><fieldwork_date/></data>", now.date()),
        ("<data><fieldwork_date>soon</fieldwork_date></data>", now.date()),
        ("<data/>", now.date()),
    ):
        assert fieldwork_day(xml, now) == day


def test_a_laptop_follows_its_project_to_a_new_root(
    tmp_path: Path, project: SyntheticProject, clock: FixedClock
) -> None:
    """It takes the successor's project and trusts the successor alone: the root before signs nothing for it any more,
    a root that nobody signed for is refused, and after opening again it is as it was.
    """
    laptop = join(tmp_path / "home", project, clock)
    new, stranger = RootKey.generate(), RootKey.generate()
    step = hand_over(project.id, project.root, new.public, 2)
    fields = {"successions": (step,), "root": new.public.bytes.hex()}
    with pytest.raises(ForeignRootError):
        laptop.update(project.publish(stranger))
    signed = laptop.update(published(project, new, version=8, **fields))
    assert laptop.locked.pin() == (new.public.fingerprint, 8)
    assert signed.root_fingerprint == new.public.fingerprint
    old = published(project, version=20)
    with pytest.raises(ForeignRootError):
        laptop.update(old)
    laptop.close()
    again = Laptop.open(laptop.home, clock)
    assert again.project.root_fingerprint == new.public.fingerprint
    assert again.status().sealed == 0
    assert sealed(again, NOW.date().isoformat())
    again.close()
