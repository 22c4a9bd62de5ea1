"""Keys are recovered, rehearsed, rotated, destroyed; the root hands over. Everything is synthetic."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import UnlockError, UntrustedError
from fieldsurvey.project import handing, keys, recovery, rotation, steward
from fieldsurvey.project.errors import (
    FewRecipientsError,
    FewSheetsError,
    ForeignRootError,
    ForeignSheetsError,
    KeyFileError,
    LedgerBrokenError,
    NoRoundKeysError,
    NoSuchRoundError,
    OlderProjectError,
    OtherSheetsError,
    SharesError,
    SheetChecksumError,
    SheetWordError,
    TooEarlyError,
)
from fieldsurvey.project.ledger import LEDGER, Ledger
from fieldsurvey.project.signed import SignedProject, read_project
from fieldsurvey.project.succession import hand_over
from fieldsurvey.records.container import write_container
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.words import WeakPassphraseError
from tests.project.conftest import HMU_PASS, ROOT_PASS, form
from tests.project.test_steward import contents
from tests.project.worlds import BEFORE, BETWEEN, IN_R1, IN_R2, WORDS, interview, opens, plan, secret, sheets
from tests.records.conftest import seed


def deeds(folder: Path) -> list[str]:
    """What the ledger says was done."""
    return [line.deed for line in Ledger(folder, steward.read_steward(folder).model).lines]


# --- sheets


@pytest.mark.parametrize("pair", list(combinations(range(3), 2)))
def test_any_two_sheets_recover_the_root_as_a_command_does(folder: Path, pair: tuple[int, int]) -> None:
    """root.key is lost: two sheets write it anew under a new passphrase, and it signs; the old passphrase does not."""
    (folder / keys.ROOT).unlink()
    pages = sheets(folder, "root")
    found, path = recovery.recover(folder, [pages[i] for i in pair], WORDS[0], argon2=FLOOR)
    assert (found.what, path.name) == ("root", "root.key")
    assert steward.add_form(folder, form(), root_pass=WORDS[0]).model.version == 2
    with pytest.raises(UnlockError):
        steward.add_form(folder, form(), root_pass=ROOT_PASS)
    assert deeds(folder) == ["recovered"]


def test_two_sheets_recover_escrow_and_it_opens_records(folder: Path) -> None:
    """escrow.key is written, named in the ledger, and opens what is sealed to the project."""
    blob = interview(steward.read_steward(folder), IN_R1)
    found, path = recovery.recover(folder, sheets(folder, "escrow")[1:], WORDS[0], root_pass=ROOT_PASS, argon2=FLOOR)
    assert (found.what, found.current, path.name) == ("escrow", True, "escrow.key")
    assert opens(blob, keys.unlock_escrow(path, WORDS[0]))
    assert deeds(folder) == ["recovered"]


def test_a_rehearsal_says_which_key_and_writes_nothing(folder: Path) -> None:
    """Both keys are recognised from any two sheets; the folder is as it was; no secret shows."""
    before = contents(folder)
    for what in ("root", "escrow"):
        for pair in combinations(sheets(folder, what), 2):
            found = recovery.rehearse(folder, pair)
            assert (found.what, found.current) == (what, True)
            assert found.secret.hex() not in repr(found)
    assert contents(folder) == before


def test_sheets_that_do_not_restore_say_why(folder: Path, tmp_path: Path) -> None:
    """One sheet, one twice, of two keys, of two sets, a mistyped word, two exchanged, of another project: one sentence
    each, no word of a sheet in it, and nothing written.
    """
    root, escrow = sheets(folder, "root"), sheets(folder, "escrow")
    words = root[0].split("\n")
    place = next(i for i, line in enumerate(words) if line.startswith("  5  "))
    unknown = "\n".join([*words[:place], "  5  ibarra", *words[place + 1 :]])
    typed = [line.split()[1] for line in words if line[:3].strip().isdigit()]
    swapped = " ".join([*typed[:6], typed[7], typed[6], *typed[8:]])
    other = tmp_path / "other"
    steward.new_project(other, "Otra sintética", root_pass=ROOT_PASS, hmu_pass=HMU_PASS, argon2=FLOOR)
    before = contents(folder)
    cases: list[tuple[list[str], type[SharesError]]] = [
        ([], FewSheetsError),
        ([root[0]], FewSheetsError),
        ([root[0], root[0]], FewSheetsError),
        ([root[0], escrow[1]], OtherSheetsError),
        ([root[0], sheets(other, "root")[1]], OtherSheetsError),
        ([unknown, root[1]], SheetWordError),
        ([root[1], swapped], SheetChecksumError),
        ([root[1], " ".join(typed[:-1])], SheetChecksumError),
        (sheets(other, "root"), ForeignSheetsError),
        (sheets(other, "escrow"), ForeignSheetsError),
    ]
    for given, error in cases:
        for attempt in (recovery.rehearse, lambda f, s: recovery.recover(f, s, WORDS[0], root_pass=ROOT_PASS)):
            with pytest.raises(error) as caught:
                attempt(folder, given)
            said = f"{caught.value.message} {caught.value.advice}".split()
            assert caught.value.advice
            assert not set(typed) & set(said) - {"here", "name"}
    assert contents(folder) == before
    with pytest.raises(WeakPassphraseError):
        recovery.recover(folder, root, "abajo")
    with pytest.raises(UnlockError):
        recovery.recover(folder, escrow, WORDS[0], root_pass=HMU_PASS)
    assert contents(folder) == before


def test_an_hmu_that_lost_its_key_goes_on_from_the_escrow_sheets(folder: Path) -> None:
    """A new hmu.key opens what was sealed before and what is sealed from now on; the lost one opens nothing new."""
    lost = keys.unlock_hmu(folder / keys.HMU, HMU_PASS)
    old = interview(steward.read_steward(folder), IN_R1)
    (folder / keys.HMU).unlink()
    with pytest.raises(ForeignSheetsError):
        recovery.recover_hmu(folder, sheets(folder, "root"), root_pass=ROOT_PASS, hmu_pass=WORDS[0])
    signed = recovery.recover_hmu(
        folder, sheets(folder, "escrow"), root_pass=ROOT_PASS, hmu_pass=WORDS[0], argon2=FLOOR
    )
    new = interview(signed, IN_R1)
    held = keys.open_hmu(folder, [WORDS[0]])
    assert (opens(old, held), opens(new, held)) == (True, True)
    assert (opens(old, lost), opens(new, lost)) == (True, False)
    assert opens(new, RecipientPrivate(secret(sheets(folder, "escrow"))))
    assert held.sign.public in dict(signed.model.role_keys).values()
    assert lost.sign.public not in dict(signed.model.role_keys).values()


def test_rounds_are_recovered_from_their_own_sheets(folder: Path) -> None:
    """hmu.key is lost and a round has keys of its own: the project's escrow does not open the round, its own sheets do;
    then the round gets new keys and goes on.
    """
    plan(folder)
    made = rotation.rotate_round(folder, "r1", root_pass=ROOT_PASS, hmu=[HMU_PASS])
    before, outside = interview(made.project, IN_R1), interview(made.project, BEFORE, 2)
    own = [page.read_text(encoding="utf-8") for page in made.sheets]
    (folder / keys.HMU).unlink()
    with pytest.raises(ForeignSheetsError):
        recovery.recover_hmu(folder, own, root_pass=ROOT_PASS, hmu_pass=WORDS[0])
    recovery.recover_hmu(folder, sheets(folder, "escrow"), root_pass=ROOT_PASS, hmu_pass=WORDS[0], argon2=FLOOR)
    held = keys.open_hmu(folder, [WORDS[0]])
    assert (opens(before, held), opens(outside, held)) == (False, True)
    with pytest.raises(ForeignSheetsError):
        recovery.recover_round(folder, sheets(folder, "escrow"), root_pass=ROOT_PASS, hmu=[WORDS[0]])
    with pytest.raises(UnlockError):
        recovery.recover_round(folder, own, root_pass=ROOT_PASS, hmu=[HMU_PASS])
    assert recovery.recover_round(folder, own, root_pass=ROOT_PASS, hmu=[WORDS[0]]).round == "r1"
    signed = rotation.rotate_round(folder, "r1", root_pass=ROOT_PASS, hmu=[WORDS[0]]).project
    held = keys.open_hmu(folder, [WORDS[0]])
    assert [opens(blob, held) for blob in (before, interview(signed, IN_R1, 3))] == [True, True]
    rotation.destroy_round(folder, "r1", root_pass=ROOT_PASS, force=True)
    assert not opens(before, keys.open_hmu(folder, [WORDS[0]]))
    assert not list(folder.glob("rounds/*/*"))


# --- new keys


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


# --- the end of a round's keys


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


# --- a new root


def test_laptops_follow_from_root_to_root(folder: Path) -> None:
    """Pinned to the first root, a laptop takes projects of its successors, one or three steps on; the old root signs
    nothing for the folder any more, its sheets restore nothing, the new ones do; who pinned the new refuses the old.
    """
    first = steward.read_steward(folder)
    passes = (ROOT_PASS, *WORDS[:3])
    for old, new in pairwise(passes):
        done = handing.succeed(folder, root_pass=old, new_root_pass=new, argon2=FLOOR)
        followed = read_project(done.project.data, pinned=first.root_fingerprint, at_least_version=1)
        assert followed.root_fingerprint == done.project.root_fingerprint != first.root_fingerprint
        with pytest.raises(UnlockError):
            steward.add_form(folder, form(), root_pass=old)
    assert len(followed.model.successions) == 3
    assert steward.add_form(folder, form(), root_pass=WORDS[2]).model.version == 5
    with pytest.raises(ForeignRootError):
        read_project(first.data, pinned=done.project.root_fingerprint)
    with pytest.raises(OlderProjectError):
        read_project(first.data, pinned=first.root_fingerprint, at_least_version=4)
    with pytest.raises(ForeignSheetsError):
        recovery.rehearse(folder, sheets(folder, "root"))
    assert recovery.rehearse(folder, [page.read_text(encoding="utf-8") for page in done.sheets]).what == "root"
    assert deeds(folder) == ["succeeded"] * 3


def test_forged_and_looped_successions_are_refused(folder: Path) -> None:
    """Signed by a stranger, for another root, project or version, cut short, looped, out of order: refused though the
    project itself is correctly signed; the control, honestly made, is taken.
    """
    model = steward.read_steward(folder).model
    old, new, third = keys.unlock_root(folder / keys.ROOT, ROOT_PASS), RootKey(seed("new")), RootKey(seed("third"))
    pinned = old.public.fingerprint

    def project(root: RootKey, steps: list[Any], version: int = 9) -> bytes:
        content = {**model.content(), "root": root.public.bytes.hex(), "version": version}
        content["successions"] = [step.content() for step in steps]
        return b"".join(write_container("project", content, (), root))

    good = hand_over(model.id, old, new.public, 4)
    assert read_project(project(new, [good]), pinned=pinned).model.version == 9
    stranger = hand_over(model.id, third, new.public, 4).model_copy(update={"root": good.root})
    bad = {
        "a stranger's signature": (new, [stranger]),
        "for another root": (third, [good]),
        "for another project": (new, [hand_over("00" * 16, old, new.public, 4)]),
        "another version": (new, [good.model_copy(update={"version": 5})]),
        "not yet": (new, [hand_over(model.id, old, new.public, 10)]),
        "a loop": (old, [good, hand_over(model.id, new, old.public, 6)]),
        "itself": (old, [hand_over(model.id, old, old.public, 4)]),
        "out of order": (third, [good, hand_over(model.id, new, third.public, 4)]),
        "a step left out": (third, [hand_over(model.id, new, third.public, 6), good]),
    }
    for name, (root, steps) in bad.items():
        with pytest.raises(UntrustedError):
            read_project(project(root, steps), pinned=pinned)
            pytest.fail(name)
    with pytest.raises(ForeignRootError):
        read_project(project(third, [hand_over(model.id, new, third.public, 6)]), pinned=pinned)
    with pytest.raises(ForeignRootError):
        read_project(project(new, []), pinned=pinned)


def test_a_handing_over_that_was_cut_off_is_taken_up(folder: Path) -> None:
    """Stopped after the new root is written, or after the new project: the folder goes on with whichever root signs."""
    saved = contents(folder)
    handing.succeed(folder, root_pass=ROOT_PASS, new_root_pass=WORDS[0], argon2=FLOOR)
    new_root = (folder / keys.ROOT).read_bytes()
    (folder / keys.ROOT).write_bytes(saved[keys.ROOT])
    (folder / keys.ROOT_NEW).write_bytes(new_root)
    assert steward.add_form(folder, form(), root_pass=WORDS[0]).model.version == 3
    assert (folder / keys.ROOT).read_bytes() == new_root  # what was left over is in its place now
    assert not (folder / keys.ROOT_NEW).exists()
    for name in ("project.fsp", keys.ROOT):
        (folder / name).write_bytes(saved[name])
    (folder / keys.ROOT_NEW).write_bytes(new_root)
    (folder / LEDGER).unlink()
    assert steward.add_form(folder, form(), root_pass=ROOT_PASS).model.version == 2
    (folder / keys.ROOT).write_bytes(keys.lock_root("00" * 16, RootKey.generate(), ROOT_PASS, FLOOR))
    with pytest.raises(KeyFileError):
        steward.add_form(folder, form(), root_pass=ROOT_PASS)


# --- the ledger


def test_a_ledger_that_was_altered_is_noticed(folder: Path) -> None:
    """A line changed, left out, moved, repeated, of another project or signed by a stranger: refused at that line, and
    no ceremony goes on over it; the control is read.
    """
    for part in ("central", "supervisor", "central"):
        rotation.rotate(folder, [part], root_pass=ROOT_PASS)
    model = steward.read_steward(folder).model
    whole = (folder / LEDGER).read_bytes()
    one, two, three = whole.splitlines()
    assert len(Ledger(folder, model).lines) == 3
    line = Ledger(folder, model).lines[1]
    changed = canonical({**line.content(), "text": "nothing"})
    stranger = canonical({**line.content(), "signer": RootKey(seed("x")).public.fingerprint})
    for number, lines in (
        (2, [one, changed, three]),
        (2, [one, three]),
        (1, [two, three]),
        (2, [one, three, two]),
        (3, [one, two, two]),
        (2, [one, stranger, three]),
        (2, [one, b"not json", three]),
        (4, [one, two, three, b""]),
    ):
        (folder / LEDGER).write_bytes(b"\n".join(lines) + b"\n")
        with pytest.raises(LedgerBrokenError) as caught:
            Ledger(folder, model)
        assert caught.value.details["line"] == number
        with pytest.raises(LedgerBrokenError):
            rotation.rotate(folder, ["central"], root_pass=ROOT_PASS)
    with pytest.raises(LedgerBrokenError):
        (folder / LEDGER).write_bytes(b"")
        Ledger(folder, model).append(RootKey(seed("x")), "rotated", at=model.issued)
