"""A laptop in its project: joining, the pin, newer projects, people, and what is shown while it is locked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import UnlockError
from fieldsurvey.fieldwork import Laptop, State
from fieldsurvey.fieldwork.errors import FormGoneError, OtherProjectError, ProjectGoneError, UnknownPersonError
from fieldsurvey.project.errors import ForeignRootError, OlderProjectError
from fieldsurvey.project.policy import Argon2, Policy
from fieldsurvey.records.receipt import Level, Receipt, Role
from fieldsurvey.records.signing import RootKey
from fieldsurvey.records.slots import FLOOR, read_params
from fieldsurvey.records.words import WeakPassphraseError
from fieldsurvey.vault.errors import NoVaultError, VaultExistsError
from tests.fieldwork.conftest import NOW, OTHER_WORDS, WORDS, SyntheticProject, join
from tests.fieldwork.forms import xform


def test_a_laptop_opens_as_it_was(laptop: Laptop, clock: FixedClock) -> None:
    """Closed and opened again: the same device, the same project, pinned to the same root."""
    again = Laptop.open(laptop.home, clock)
    assert again.locked.device_card() == laptop.locked.device_card()
    assert again.project.root_fingerprint == laptop.locked.pin().root
    assert again.unlock(WORDS).person == "E01"


def test_what_a_locked_laptop_shows(laptop: Laptop, project: SyntheticProject, clock: FixedClock) -> None:
    """Counts and states; enrolment as the project says it; an expired project is a warning, not an obstacle."""
    status = laptop.status()
    assert (status.enrolment, status.people, status.drafts, status.sealed, status.expired) == (
        "unknown",
        1,
        0,
        0,
        False,
    )
    project.enrol(laptop.locked.device_card())
    laptop.update(project.publish())
    assert laptop.status().enrolment == "enrolled"
    clock.move(days=400)
    assert laptop.status().expired
    work = laptop.unlock(WORDS).start("synthetic")
    work.answer("/data/story", "told")
    assert work.finalise().seq == 1
    assert laptop.status().sealed == 1


def test_the_state_of_a_record_follows_copies_and_receipts(laptop: Laptop, project: SyntheticProject) -> None:
    """Sealed, then copied, received, acknowledged; each shown for the records it covers."""
    session = laptop.unlock(WORDS)
    for n in range(4):
        work = session.start("synthetic")
        work.answer("/data/story", str(n))
        work.finalise()
    laptop.locked.mark_copied(3, "stick", NOW)
    for up_to, level, by in ((2, Level.RECEIVED, Role.SUPERVISOR), (1, Level.COMMITTED, Role.CENTRAL)):
        laptop.locked.take_receipt(
            Receipt(
                project=project.id,
                device=laptop.locked.device_card().device,
                up_to=up_to,
                head=laptop.locked.head_at(up_to).hex(),
                level=level,
                by=by,
                issued="2026-03-01T12:00:00Z",
            )
        )
    assert [(card.seq, card.state) for card in session.sealed()] == [
        (4, State.SEALED),
        (3, State.COPIED),
        (2, State.RECEIVED),
        (1, State.ACKNOWLEDGED),
    ]
    assert [card.seq for card in session.sealed(limit=2)] == [4, 3]
    status = laptop.status()
    assert (status.copied, status.received, status.acknowledged, status.backed_up) == (3, 2, 1, 0)
    assert status.last_copied == ("stick", NOW.isoformat())
    assert status.last_receipt == "2026-03-01T12:00:00Z"
    session.close()


def test_a_draft_keeps_the_form_it_was_begun_with(laptop: Laptop, project: SyntheticProject, clock: FixedClock) -> None:
    """The project gets a new version of the form: the draft resumes on the old one, new interviews take the new one."""
    session = laptop.unlock(WORDS)
    work = session.start("synthetic")
    work.answer("/data/story", "begun before")
    session.close()
    project.add_form(xform(version="2", title="The second version"), "synthetic", "2")
    laptop.update(project.publish())
    again = Laptop.open(laptop.home, clock).unlock(WORDS)
    resumed = again.resume(again.drafts()[0].draft_id)
    assert resumed.interview.question("/data/story").value == "begun before"
    assert again.drafts()[0].version == "1"
    assert [card.version for card in again.forms()] == ["2"]
    assert again.start("synthetic").title == "The second version"
    assert resumed.finalise().seq == 1
    again.close()


def test_a_form_that_is_gone_is_named_and_the_draft_stays(laptop: Laptop, project: SyntheticProject) -> None:
    """A project without the draft's form version: refused with its name; with it, the draft opens again."""
    session = laptop.unlock(WORDS)
    draft = session.start("synthetic").draft_id
    session.close()
    held = list(project.forms)
    project.forms = []
    project.add_form(xform(version="9"), "synthetic", "9")
    laptop.update(project.publish())
    session = laptop.unlock(WORDS)
    with pytest.raises(FormGoneError) as caught:
        session.resume(draft)
    assert "synthetic" in caught.value.message
    session.close()
    project.forms = held
    laptop.update(project.publish())
    session = laptop.unlock(WORDS)
    assert session.resume(draft).draft_id == draft
    session.close()


def test_a_project_of_another_root_is_refused_with_both_fingerprints(laptop: Laptop, project: SyntheticProject) -> None:
    """Neither an update nor a swapped file on the disk is trusted; both roots are shown."""
    other = RootKey.generate()
    forged = project.publish(other)
    with pytest.raises(ForeignRootError) as caught:
        laptop.update(forged)
    for fingerprint in (other.public.fingerprint, project.root.public.fingerprint):
        assert fingerprint in caught.value.message
    (laptop.home / "project.fsp").write_bytes(forged)
    with pytest.raises(ForeignRootError):
        Laptop.open(laptop.home, laptop.clock).unlock(WORDS)


def test_an_older_project_is_refused(laptop: Laptop, project: SyntheticProject) -> None:
    """Once a newer version was taken, the older file is refused, also when it is put back on the disk by hand."""
    old = (laptop.home / "project.fsp").read_bytes()
    laptop.update(project.publish())
    with pytest.raises(OlderProjectError):
        laptop.update(old)
    (laptop.home / "project.fsp").write_bytes(old)
    with pytest.raises(OlderProjectError):
        _ = Laptop.open(laptop.home, laptop.clock).project


def test_another_project_of_the_same_root_is_refused(laptop: Laptop, project: SyntheticProject) -> None:
    """A laptop works for one project."""
    project.id = "99" * 16
    with pytest.raises(OtherProjectError):
        laptop.update(project.publish())


def test_joining_twice_is_refused_and_a_cut_off_join_is_not(
    tmp_path: Path, project: SyntheticProject, clock: FixedClock
) -> None:
    """A laptop that joined keeps its vault; an empty file that a crash left is joined over."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "vault.db").touch()
    made = join(home, project, clock)
    with pytest.raises(VaultExistsError):
        join(home, project, clock)
    assert Laptop.open(home, clock).locked.device_card() == made.locked.device_card()


def test_before_joining(tmp_path: Path, clock: FixedClock) -> None:
    """Nothing there: the error says how to join."""
    with pytest.raises(NoVaultError) as caught:
        Laptop.open(tmp_path, clock)
    assert "device join" in caught.value.advice


def test_a_missing_project_file_is_told(laptop: Laptop) -> None:
    """The vault is there and the project's file is not: said so, and sealed records still export."""
    (laptop.home / "project.fsp").unlink()
    again = Laptop.open(laptop.home, laptop.clock)
    with pytest.raises(ProjectGoneError):
        again.unlock(WORDS)
    assert list(again.locked.entries()) == []


def test_only_listed_people_join_and_weak_words_do_not(
    tmp_path: Path, project: SyntheticProject, clock: FixedClock
) -> None:
    """A code that the project does not list, or a passphrase under its floor: refused, and nothing is made."""
    with pytest.raises(UnknownPersonError) as caught:
        join(tmp_path, project, clock, person="E09")
    assert "E01, E02" in caught.value.advice
    with pytest.raises(WeakPassphraseError):
        Laptop.join(
            tmp_path,
            project.publish(),
            device_name="x",
            person="E01",
            passphrase="casa mapa",
            clock=clock,
            argon2=FLOOR,
        )
    assert list(tmp_path.iterdir()) == []


def test_the_policy_decides_what_a_guess_costs(tmp_path: Path, project: SyntheticProject, clock: FixedClock) -> None:
    """Argon2id as the signed policy says, when it says so."""
    project.policy = Policy(argon2=Argon2(memory_kib=20 * 1024, iterations=2, lanes=2))
    laptop = Laptop.join(tmp_path, project.publish(), device_name="x", person="E01", passphrase=WORDS, clock=clock)
    [(slot,)] = laptop.locked.store.rows("SELECT slot FROM slot")
    assert read_params(slot) == replace(FLOOR, memory_kib=20 * 1024, lanes=2)


def test_people_keep_apart(laptop: Laptop) -> None:
    """Two enumerators on one laptop: each sees their own drafts, both see what was sealed, records say who."""
    session = laptop.unlock(WORDS)
    session.vault.people.add("E02", OTHER_WORDS, FLOOR)
    mine = session.start("synthetic").draft_id
    session.close()
    other = laptop.unlock(OTHER_WORDS)
    assert (other.person, other.drafts()) == ("E02", [])
    work = other.start("synthetic")
    work.answer("/data/story", "told")
    work.finalise()
    other.close()
    session = laptop.unlock(WORDS)
    assert [card.draft_id for card in session.drafts()] == [mine]
    assert [card.seq for card in session.sealed()] == [1]
    session.close()


def test_a_wrong_passphrase_is_the_same_here(laptop: Laptop) -> None:
    """The laptop adds nothing to the one sentence."""
    with pytest.raises(UnlockError) as caught:
        laptop.unlock("wrong words")
    assert caught.value.message == UnlockError().message
