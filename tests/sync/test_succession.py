"""After a root handed over, sticks that carry the project before are brought up to date. All of it is synthetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fieldsurvey.project.model import Project
from fieldsurvey.project.signed import SignedProject, read_project, write_project
from fieldsurvey.project.succession import hand_over
from fieldsurvey.records.signing import RootKey
from sync.answers import offer_project
from sync.stick import Stick
from tests.project.test_signed import OTHER_ROOT, ROOT, fields
from tests.records.conftest import seed

NEW = RootKey(seed("successor"))


def project(root: RootKey, version: int, **more: Any) -> SignedProject:
    """A version of the one project, by either root."""
    model = Project.model_validate({**fields(root), "version": version, **more})
    return read_project(write_project(model, {}, root))


def test_a_stick_with_the_root_before_gets_the_new_project(tmp_path: Path) -> None:
    """The old root's file is replaced, also one that claims a higher version; a newer file of the new root stays; so
    does a stranger's; and central with the old project leaves the new one alone.
    """
    step = hand_over(str(fields()["id"]), ROOT, NEW.public, 4)
    old, new = project(ROOT, 3), project(NEW, 5, successions=(step,))
    newer, late, stranger = project(NEW, 6, successions=(step,)), project(ROOT, 9), project(OTHER_ROOT, 9)
    for there, ours, said in (
        (old, new, "written"),
        (late, new, "written"),
        (new, new, "there"),
        (newer, new, "newer"),
        (stranger, new, "foreign"),
        (new, old, "newer"),
    ):
        stick = Stick(tmp_path / f"{there.model.version}-{ours.model.version}-{said}")
        stick.make(stick.root)
        stick.project.write_bytes(there.data)
        assert offer_project(stick, ours) == said
        assert read_project(stick.project).data == (ours.data if said in {"written", "there"} else there.data)
