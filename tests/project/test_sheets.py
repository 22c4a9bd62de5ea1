"""Keys are recovered from their sheets, and rehearsed. Everything is synthetic."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from fieldsurvey.base.errors import UnlockError
from fieldsurvey.project import keys, recovery, rotation, steward
from fieldsurvey.project.errors import (
    FewSheetsError,
    ForeignSheetsError,
    OtherSheetsError,
    SharesError,
    SheetChecksumError,
    SheetWordError,
)
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.words import WeakPassphraseError
from tests.project.conftest import HMU_PASS, ROOT_PASS, form
from tests.project.test_steward import contents
from tests.project.worlds import BEFORE, IN_R1, WORDS, deeds, interview, opens, plan, secret, sheets


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
            sentence = f"{error.template} {error.hint}".split()  # its own words: a sheet may have "back" or "alone" too
            assert caught.value.advice
            assert not set(typed) & set(said) - set(sentence)
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
