"""The root hands over, and the ledger of what was done. Everything is synthetic."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.errors import UnlockError, UntrustedError
from fieldsurvey.project import handing, keys, recovery, rotation, steward
from fieldsurvey.project.errors import (
    ForeignRootError,
    ForeignSheetsError,
    KeyFileError,
    LedgerBrokenError,
    OlderProjectError,
)
from fieldsurvey.project.ledger import LEDGER, Ledger
from fieldsurvey.project.signed import read_project
from fieldsurvey.project.succession import hand_over
from fieldsurvey.records.container import write_container
from fieldsurvey.records.signing import RootKey
from fieldsurvey.records.slots import FLOOR
from tests.project.conftest import ROOT_PASS, form
from tests.project.test_steward import contents
from tests.project.worlds import WORDS, deeds, sheets
from tests.records.conftest import seed


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
