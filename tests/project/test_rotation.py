"""New keys, keys of a round, and their end. Everything is synthetic."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import UnlockError
from fieldsurvey.project import keys, recovery, rotation, steward
from fieldsurvey.project.errors import (
    FewRecipientsError,
    NoRoundKeysError,
    NoSuchRoundError,
    TooEarlyError,
)
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.slots import FLOOR
from tests.project.conftest import HMU_PASS, ROOT_PASS
from tests.project.test_steward import contents
from tests.project.worlds import BEFORE, BETWEEN, IN_R1, IN_R2, WORDS, deeds, interview, opens, plan, secret, sheets


def test_what_was_sealed_to_replaced_keys_still_opens(folder: Path) -> None:
    """After rotating everything: old and new records open for the HMU; new ones not with the keys before; the old
    escrow sheets open old records, the new ones new records; retired keys and roles stay listed.
    """
    first = steward.read_steward(folder)
    before, old_escrow = keys.unlock_hmu(folder / keys.HMU, HMU_PASS), secret(sheets(folder, "escrow"))
    central = keys.read_role_key(folder / keys.CENTRAL)
    old = interview(first, IN_R1)
    done = rotation.rotate(folder, rotation.PARTS, root_pass=ROOT_PASS, hmu=[HMU_PASS])
    new = interview(done.project, IN_R1)
    after = keys.open_hmu(folder, [HMU_PASS])
    pages = [path.read_text(encoding="utf-8") for path in done.sheets]
    assert [opens(old, k) for k in (before, after, RecipientPrivate(old_escrow))] == [True, True, True]
    assert [opens(new, k) for k in (before, after, RecipientPrivate(old_escrow))] == [False, True, False]
    assert opens(new, RecipientPrivate(secret(pages)))
    assert [r.active for r in done.project.model.recipients] == [False, False, True, True]
    assert central.key.public not in [key for _role, key in done.project.model.role_keys]
    assert {key for _role, key in done.project.model.role_keys} == {
        after.sign.public,
        keys.read_role_key(folder / keys.CENTRAL).key.public,
        keys.read_role_key(folder / keys.SUPERVISOR).key.public,
    }
    assert after.dataset != before.dataset
    assert before.dataset in after.datasets
    assert deeds(folder) == ["rotated"]


def test_each_part_rotates_alone(folder: Path) -> None:
    """Only what is named changes; the HMU's passphrase is asked for its own keys alone."""
    for part, changed in (("central", "roles"), ("supervisor", "roles"), ("escrow", "recipients")):
        model = steward.read_steward(folder).model
        after = rotation.rotate(folder, [part], root_pass=ROOT_PASS).project.model  # type: ignore[list-item]
        assert {f for f in ("roles", "recipients") if getattr(model, f) != getattr(after, f)} == {changed}
    before = contents(folder)
    for part in ("operational", "hmu"):
        with pytest.raises(UnlockError):
            rotation.rotate(folder, [part], root_pass=ROOT_PASS, hmu=[ROOT_PASS])  # type: ignore[list-item]
    assert contents(folder) == before


def test_a_round_has_keys_of_its_own(folder: Path) -> None:
    """Its days are sealed to them alone, and the days after it until the next round begins; days before it are not."""
    plan(folder)
    with pytest.raises(NoSuchRoundError):
        rotation.rotate_round(folder, "r9", root_pass=ROOT_PASS, hmu=[HMU_PASS])
    base = keys.unlock_hmu(folder / keys.HMU, HMU_PASS).recipient
    signed = rotation.rotate_round(folder, "r1", root_pass=ROOT_PASS, hmu=[HMU_PASS]).project
    held = keys.open_hmu(folder, [HMU_PASS])
    assert list(held.rounds) == ["r1"]
    for day, own in ((BEFORE, False), (IN_R1, True), (BETWEEN, True), (IN_R2, True)):
        blob = interview(signed, day)
        assert (opens(blob, base), opens(blob, held.rounds["r1"])) == (not own, own)
        assert opens(blob, held)
    done = rotation.rotate_round(folder, "r2", root_pass=ROOT_PASS, hmu=[HMU_PASS])
    blob = interview(done.project, IN_R2)
    held = keys.open_hmu(folder, [HMU_PASS])
    assert (opens(blob, held.rounds["r1"]), opens(blob, held.rounds["r2"])) == (False, True)
    pages = [path.read_text(encoding="utf-8") for path in done.sheets]
    assert recovery.rehearse(folder, pages).round == "r2"
    assert "r2" in pages[0]
    assert opens(blob, RecipientPrivate(secret(pages)))
    again = rotation.rotate_round(folder, "r2", root_pass=ROOT_PASS, hmu=[HMU_PASS]).project
    held = keys.open_hmu(folder, [HMU_PASS])
    assert (opens(blob, held), opens(interview(again, IN_R2), held), len(held.rounds["r2"])) == (True, True, 2)


def test_the_escrow_seed_of_a_round_is_kept_nowhere(folder: Path) -> None:
    """No file of the folder but the sheets holds it, as bytes or digits; the control finds a planted one."""
    plan(folder)
    pages = rotation.rotate_round(folder, "r1", root_pass=ROOT_PASS, hmu=[HMU_PASS]).sheets
    given = secret([page.read_text(encoding="utf-8") for page in pages])

    def hits() -> list[str]:
        return [name for name, data in contents(folder).items() if given in data or given.hex().encode() in data]

    assert hits() == []
    (folder / "planted").write_bytes(b"x" + given)
    assert hits() == ["planted"]


def test_fails_closed_without_an_operational_key(folder: Path) -> None:
    """With every operational key retired there is nobody to seal to; escrow alone is nobody."""
    model = steward.read_steward(folder).model
    left = steward.change(
        folder, ROOT_PASS, lambda d: d.retire_recipients(model.issued, round_id=None, label="operational")
    )
    assert left.recipients_for(IN_R1) == ()


def test_publishing_looks_at_every_round_s_keys(folder: Path, tmp_path: Path) -> None:
    """A round whose records one key alone could open is refused, though the project lists more; whole, it goes out."""
    plan(folder)
    rotation.rotate_round(folder, "r1", root_pass=ROOT_PASS, hmu=[HMU_PASS])
    steward.publish(folder, tmp_path / "whole.fsp")
    at = steward.read_steward(folder).model.issued
    steward.change(folder, ROOT_PASS, lambda d: d.retire_recipients(at, round_id="r1", label="escrow"))
    with pytest.raises(FewRecipientsError):
        steward.publish(folder, tmp_path / "less.fsp")
    assert not (tmp_path / "less.fsp").exists()


def until(folder: Path, day: str) -> SignedProject:
    """Set the end of retention."""
    retention = steward.read_steward(folder).model.policy.retention.model_copy(update={"hmu_until": day})
    return steward.change(folder, ROOT_PASS, lambda d: d.set_policy(retention=retention))


def test_destroyed_keys_open_nothing_any_more(folder: Path, clock: FixedClock) -> None:
    """Before, HMU and round open the record (control); after, no key file and no other round's does, and with the
    sheets shredded nobody. Other rounds stay. The signed project and the ledger say so.
    """
    plan(folder, clock)
    rotation.rotate_round(folder, "r1", root_pass=ROOT_PASS, hmu=[HMU_PASS], clock=clock)
    signed = rotation.rotate_round(folder, "r2", root_pass=ROOT_PASS, hmu=[HMU_PASS], clock=clock).project
    first, second = interview(signed, IN_R1), interview(signed, IN_R2, 2)
    pages = [path.read_text(encoding="utf-8") for path in sorted((folder / "sheets").glob("escrow-r1-*"))]
    recovery.recover(folder, pages, WORDS[0], root_pass=ROOT_PASS, argon2=FLOOR)
    assert opens(first, keys.open_hmu(folder, [HMU_PASS]))
    until(folder, "2026-06-30")
    clock.move(days=365)
    done = rotation.destroy_round(folder, "r1", root_pass=ROOT_PASS, clock=clock)
    held = keys.open_hmu(folder, [HMU_PASS])
    assert (opens(first, held), opens(second, held)) == (False, True)
    assert not list(folder.glob("rounds/r1*"))
    assert not list(folder.glob("sheets/escrow-r1-*"))
    assert done.escrow == tuple(r.id for r in signed.model.recipients if (r.round, r.label) == ("r1", "escrow"))
    assert {r.round for r in done.project.model.recipients if not r.active} == {"r1"}
    assert deeds(folder)[-1] == "destroyed"
    late = interview(done.project, IN_R1, 3)  # an interview of that round that comes late is sealed all the same
    assert opens(late, held)
    with pytest.raises(NoRoundKeysError):
        rotation.destroy_round(folder, "r1", root_pass=ROOT_PASS, clock=clock)


def test_keys_are_not_destroyed_before_the_day(folder: Path, clock: FixedClock) -> None:
    """Without a day in the policy, before that day, before the round's end: refused, unless forced; nothing is gone."""
    plan(folder, clock)
    with pytest.raises(NoRoundKeysError):
        rotation.destroy_round(folder, "r1", root_pass=ROOT_PASS, force=True, clock=clock)
    with pytest.raises(NoSuchRoundError):
        rotation.destroy_round(folder, "r9", root_pass=ROOT_PASS, force=True, clock=clock)
    rotation.rotate_round(folder, "r1", root_pass=ROOT_PASS, hmu=[HMU_PASS], clock=clock)
    for day in (None, "2026-06-30", "2026-01-01"):
        if day:
            until(folder, day)
        before = contents(folder)
        with pytest.raises(TooEarlyError) as caught:
            rotation.destroy_round(folder, "r1", root_pass=ROOT_PASS, clock=clock)
        assert max(day or "", "2026-02-28") in caught.value.message or day is None
        with pytest.raises(UnlockError):
            rotation.destroy_round(folder, "r1", root_pass=HMU_PASS, force=True, clock=clock)
        assert contents(folder) == before
    rotation.destroy_round(folder, "r1", root_pass=ROOT_PASS, force=True, clock=clock)
    assert keys.open_hmu(folder, [HMU_PASS]).rounds == {}
