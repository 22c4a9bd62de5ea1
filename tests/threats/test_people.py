"""Threats that come with people: they leave, they lose keys, they hand out another project's file."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import UnlockError
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.project import handing, keys, recovery, rotation, steward
from fieldsurvey.project.errors import FewRecipientsError, ForeignRootError, OlderProjectError, SharesError
from fieldsurvey.project.signed import read_project
from fieldsurvey.records.signing import RootKey
from fieldsurvey.records.slots import FLOOR
from tests.project.conftest import HMU_PASS, ROOT_PASS, START, form
from tests.project.worlds import IN_R1, WORDS, interview, opens, plan, sheets
from tests.threats.conftest import World


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A steward's folder with two rounds."""
    folder = tmp_path / "steward"
    clock = FixedClock(START)
    steward.new_project(folder, "Prueba sintética", root_pass=ROOT_PASS, hmu_pass=HMU_PASS, argon2=FLOOR, clock=clock)
    plan(folder, clock)
    return folder


def test_people_leave(made: Path) -> None:
    """The steward goes: the old root signs for the new one, laptops follow, what the leaver kept signs nothing more.

    The HMU's member goes: new records do not open with the key that was kept; control: old ones do.
    """
    pinned = steward.read_steward(made).root_fingerprint
    old_keys = keys.open_hmu(made, [HMU_PASS])
    before = interview(steward.read_steward(made), IN_R1)
    handing.succeed(made, root_pass=ROOT_PASS, new_root_pass=WORDS[0], argon2=FLOOR)
    rotation.rotate(made, ["operational"], root_pass=WORDS[0], hmu=[HMU_PASS])
    after = steward.read_steward(made)
    assert read_project(after.data, pinned=pinned).root_fingerprint == after.root_fingerprint != pinned
    with pytest.raises(UnlockError):
        steward.add_form(made, form(), root_pass=ROOT_PASS)
    assert steward.add_form(made, form(), root_pass=WORDS[0]).form_bytes("prueba")
    assert opens(before, old_keys)
    assert not opens(interview(after, IN_R1), old_keys)


def test_hmu_loses_its_key(made: Path, tmp_path: Path) -> None:
    """Every pair of escrow's three sheets gives the key that opens what was sealed; one sheet alone gives nothing.

    A project with one recipient is not published unless it is asked for by name.
    """
    blob = interview(steward.read_steward(made), IN_R1)
    (made / keys.HMU).unlink()
    (made / keys.ESCROW).unlink(missing_ok=True)
    pages = sheets(made, "escrow")
    assert len(pages) == 3
    for pair in combinations(pages, 2):
        _, path = recovery.recover(made, pair, WORDS[0], root_pass=ROOT_PASS, argon2=FLOOR)
        assert opens(blob, keys.unlock_escrow(path, WORDS[0]))
        path.unlink()
    for alone in pages:
        with pytest.raises(SharesError):
            recovery.recover(made, [alone], WORDS[0], root_pass=ROOT_PASS, argon2=FLOOR)
    steward.publish(made, tmp_path / "p.fsp")
    steward.change(made, ROOT_PASS, lambda d: d._with(recipients=d.model.recipients[:1]))
    with pytest.raises(FewRecipientsError):
        steward.publish(made, tmp_path / "p.fsp")


def test_swapped_project_file(world: World) -> None:
    """Another root's file, an older version, one byte changed: refused, and the one that is trusted stands."""
    trusted = world.laptop.project.model.version
    stranger = world.project.publish(RootKey.generate())
    with pytest.raises(ForeignRootError):
        world.laptop.update(stranger)
    older, newer = world.project.publish(), world.project.publish()
    world.laptop.update(newer)
    with pytest.raises(OlderProjectError):
        world.laptop.update(older)
    assert world.laptop.project.model.version > trusted
    (world.laptop.home / "project.fsp").write_bytes(stranger)
    with pytest.raises(ForeignRootError):
        _ = Laptop.open(world.laptop.home, world.clock).project
