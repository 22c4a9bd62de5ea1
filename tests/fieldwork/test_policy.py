"""What the signed policy decides is held on the laptop; a wrong clock or an expired project warns and stops nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop, SealedCard
from fieldsurvey.fieldwork.clocks import clock_warning
from fieldsurvey.fieldwork.forms import offered_languages
from fieldsurvey.fieldwork.waiting import WaitingCard
from fieldsurvey.project.policy import Policy
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.words import WeakPassphraseError
from sync.folder import export_batches
from tests.fieldwork.conftest import NOW, WORDS, SyntheticProject, join

WRONG = [
    datetime(1970, 1, 1, 0, 5, tzinfo=UTC),
    NOW - timedelta(days=3652),
    NOW + timedelta(days=3652),
]


@pytest.mark.parametrize("wrong", WRONG, ids=["1970", "ten years behind", "ten years ahead"])
@pytest.mark.parametrize("hours", [0, 8], ids=["sealed at once", "evening review"])
def test_a_wrong_clock_warns_and_stops_nothing(
    tmp_path: Path, project: SyntheticProject, clock: FixedClock, wrong: datetime, hours: int
) -> None:
    """Joined at the right time, then 1970 or ten years off: interview, sealing and export work, with a warning."""
    project.policy = Policy(review_window_hours=hours)
    laptop = join(tmp_path / "home", project, clock)
    assert clock_warning(laptop.project, laptop.locked.signed_time(), clock.now()) == ""
    before = laptop.unlock(WORDS)
    left = before.start("synthetic")
    left.answer("/data/story", "begun at the right time")
    before.close()
    clock.at = wrong
    assert str(wrong.year) in clock_warning(laptop.project, laptop.locked.signed_time(), clock.now())
    session = laptop.unlock(WORDS)
    assert [card.draft_id for card in session.drafts()] == [left.draft_id]  # nothing is deleted on a clock alone
    for work in (session.resume(left.draft_id), session.start("synthetic")):
        work.answer("/data/story", "told")
        assert isinstance(work.complete(), WaitingCard if hours else SealedCard)
    assert session.seal_waiting(everything=True).failed == ()
    session.close()
    report = export_batches(laptop.locked, tmp_path / "stick", clock=clock)
    assert (report.written, report.left_out) == (2, ())
    clock.at = NOW
    again = laptop.unlock(WORDS)
    assert len(again.sealed()) == 2
    again.close()
    laptop.close()


def test_an_expired_project_warns_and_goes_on(laptop: Laptop, clock: FixedClock, tmp_path: Path) -> None:
    """A day after its end: the status says expired; interview and export go on."""
    clock.at = datetime.fromisoformat(laptop.project.model.expires) + timedelta(days=1)
    assert laptop.status().expired
    session = laptop.unlock(WORDS)
    work = session.start("synthetic")
    work.answer("/data/story", "told")
    assert isinstance(work.complete(), SealedCard)
    session.close()
    assert export_batches(laptop.locked, tmp_path / "stick", clock=clock).written == 1


def test_only_the_languages_of_the_policy_are_offered(
    tmp_path: Path, project: SyntheticProject, clock: FixedClock
) -> None:
    """By code, in the form's order; an interview begins in one of them; a form with none keeps its default."""
    project.policy = Policy(languages=("en",))
    laptop = join(tmp_path / "home", project, clock)
    session = laptop.unlock(WORDS)
    assert session.languages("synthetic") == ("en",)
    assert session.start("synthetic").interview.language == "en"
    form = session.form("synthetic")
    assert offered_languages(form, Policy(languages=("qvi", "es", "en"))) == ("es", "en")
    assert offered_languages(form, Policy(languages=("qvi",))) == ("es",)
    session.close()
    laptop.close()


def test_a_language_is_known_by_the_code_in_its_name() -> None:
    """`Español (es)` is `es`; the policy's capitals do not matter."""

    class Named:
        languages = ("Español (es)", "English (en)", "Kichwa (qvi)")
        default_language = "Español (es)"

    form = Named()
    assert offered_languages(form, Policy(languages=("EN", "qvi"))) == ("English (en)", "Kichwa (qvi)")  # type: ignore[arg-type]


def test_the_policys_strength_holds_for_every_new_passphrase(
    tmp_path: Path, project: SyntheticProject, clock: FixedClock
) -> None:
    """Six of our words are 66 bits: enough by default, refused where the policy asks for more; nothing is made."""
    project.policy = Policy(passphrase_bits=80)
    with pytest.raises(WeakPassphraseError):
        Laptop.join(
            tmp_path / "home",
            project.publish(),
            device_name="x",
            person="E01",
            passphrase=WORDS,
            clock=clock,
            argon2=FLOOR,
        )
    assert not (tmp_path / "home" / "vault.db").exists()
    project.policy = Policy()
    join(tmp_path / "home", project, clock).close()
