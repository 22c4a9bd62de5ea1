"""A ceremony that is cut off at any write, rename or wiping leaves a folder that signs, opens and can go on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base import files
from fieldsurvey.base.errors import FieldsurveyError, StorageError
from fieldsurvey.project import handing, keys, recovery, rotation, steward
from fieldsurvey.project.ledger import Ledger
from fieldsurvey.records.slots import FLOOR
from tests.project.conftest import HMU_PASS, ROOT_PASS, form
from tests.project.worlds import BEFORE, IN_R1, WORDS, interview, opens, plan, sheets

PAIR = {"H01": WORDS[1], "H02": WORDS[2]}
ROOTS = (ROOT_PASS, WORDS[0])
HMUS: Sequence[Sequence[str]] = ([HMU_PASS], [WORDS[3]], list(PAIR.values()))
Ceremony = Callable[[Path], object]


def _root(folder: Path) -> str:
    """Whichever root passphrase signs; the test fails when none does."""
    project = steward.read_steward(folder)
    for words in ROOTS:
        try:
            steward.open_root(folder, project, words)
        except FieldsurveyError:
            continue
        return words
    pytest.fail("nobody can sign this project any more")


def _hmu(folder: Path) -> Sequence[str]:
    for words in HMUS:
        try:
            keys.open_hmu(folder, words)
        except FieldsurveyError:
            continue
        return words
    pytest.fail("nobody can open records any more")


CEREMONIES: dict[str, Ceremony] = {
    "rotate": lambda f: rotation.rotate(f, rotation.PARTS, root_pass=_root(f), hmu=_hmu(f)),
    "round": lambda f: rotation.rotate_round(f, "r1", root_pass=_root(f), hmu=_hmu(f)),
    "succeed": lambda f: handing.succeed(f, root_pass=_root(f), new_root_pass=WORDS[0], argon2=FLOOR),
    "members": lambda f: handing.members(f, PAIR, root_pass=_root(f), hmu=_hmu(f)),
    "recover hmu": lambda f: recovery.recover_hmu(
        f, sheets(f, "escrow"), root_pass=_root(f), hmu_pass=WORDS[3], argon2=FLOOR
    ),
    "recover root": lambda f: recovery.recover(f, sheets(f, "root"), WORDS[0], argon2=FLOOR),
    "reissue": lambda f: handing.reissue(f, root_pass=_root(f)),
}


def cut_at(patch: pytest.MonkeyPatch, number: int) -> list[str]:
    """From now on the `number`th change of a file fails, and every one after it: the power is gone."""
    done: list[str] = []

    def failing(real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(path: Path, *given: Any, **named: Any) -> Any:
            if len(done) >= number:
                raise StorageError
            done.append(f"{name} {path.name}")
            return real(path, *given, **named)

        return call

    patch.setattr(steward, "write_atomic", failing(files.write_atomic, "write"))
    patch.setattr("fieldsurvey.project.ledger.write_atomic", failing(files.write_atomic, "write"))
    patch.setattr(steward, "wipe", failing(steward.wipe, "wipe"))
    patch.setattr(steward, "settle_root", failing(steward.settle_root, "settle"))
    patch.setattr(Path, "replace", failing(Path.replace, "replace"))
    return done


@pytest.mark.parametrize(("name", "number"), [("members", 3), ("members", 7), ("succeed", 2), ("succeed", 3)])
def test_cut_off_where_it_matters_most(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
    """Around the moment in which hmu.key or the root changes hands; every other moment is in the long campaign."""
    plan(folder)
    old = interview(steward.read_steward(folder), BEFORE)
    assert not cut_off(folder, monkeypatch, name, number, old)


@pytest.mark.long
@pytest.mark.parametrize("name", CEREMONIES)
def test_cut_off_anywhere_it_signs_opens_and_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """At every change of a file: the project is one that was signed, somebody signs it, somebody opens the records of
    before, and the ceremony, done again, goes through; then what is sealed newly opens too.
    """
    plan(folder)
    old = interview(steward.read_steward(folder), BEFORE)
    for number in range(40):
        copy = shutil.copytree(folder, tmp_path / f"{number}")
        if cut_off(copy, monkeypatch, name, number, old):
            assert number > 1
            return
    pytest.fail("the ceremony has no end")


def cut_off(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int, old: bytes) -> bool:
    """Whether the ceremony was through before the cut; what must hold after it is checked."""
    with monkeypatch.context() as patch:
        done = cut_at(patch, number)
        try:
            CEREMONIES[name](folder)
        except StorageError:
            finished = False
        else:
            finished = True
    assert len(done) == number or finished
    Ledger(folder, steward.read_steward(folder).model)
    assert opens(old, keys.open_hmu(folder, _hmu(folder)))
    steward.add_form(folder, form(), root_pass=_root(folder))
    if not finished:
        CEREMONIES[name](folder)
    signed = steward.read_steward(folder)
    held = keys.open_hmu(folder, _hmu(folder))
    assert [opens(blob, held) for blob in (old, interview(signed, BEFORE), interview(signed, IN_R1))] == [True] * 3
    return finished


def test_the_cut_is_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a succession that wiped the old root before the project is signed leaves nobody who signs."""
    with monkeypatch.context() as patch:
        patch.setattr(keys, "ROOT_NEW", keys.ROOT)
        cut_at(patch, 4)  # settling what is settled, and its rename; writing over the root, and its rename
        with pytest.raises(StorageError):
            handing.succeed(folder, root_pass=ROOT_PASS, new_root_pass=WORDS[0], argon2=FLOOR)
    with pytest.raises(pytest.fail.Exception):
        _root(folder)


@pytest.mark.long
def test_destroying_that_was_cut_off_is_done_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every change of a file: done again it goes through, and then nothing opens the round; other days open."""
    plan(folder)
    signed = rotation.rotate_round(folder, "r1", root_pass=ROOT_PASS, hmu=[HMU_PASS]).project
    inside, outside = interview(signed, IN_R1), interview(signed, BEFORE)
    for number in range(40):
        copy = shutil.copytree(folder, tmp_path / f"{number}")
        with monkeypatch.context() as patch:
            done = cut_at(patch, number)
            try:
                rotation.destroy_round(copy, "r1", root_pass=ROOT_PASS, force=True)
            except StorageError:
                finished = False
            else:
                finished = True
        if not finished and (any((copy / "rounds").rglob("*.key")) or len(done) < 3):
            rotation.destroy_round(copy, "r1", root_pass=ROOT_PASS, force=True)
        held = keys.open_hmu(copy, [HMU_PASS])
        assert (opens(inside, held), opens(outside, held)) == (False, True)
        if finished:
            assert number > 4
            return
    pytest.fail("no end")
