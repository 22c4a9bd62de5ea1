"""A supervisor's laptop by itself: set up once, opened by one at a time, rot is noticed, and it reads nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import FieldsurveyError, UntrustedError
from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.signing import SigningKey
from sync.carrying import hand_on, take_stick
from sync.errors import NoRelayError, NotSupervisorsKeyError, RelayBusyError
from sync.relay import Relay
from tests.sync.laptops import PROJECT, laptop
from tests.sync.projects import SyntheticProject
from tests.sync.relay.kit import lay, made, outcomes


def test_it_cannot_read(relay: Relay, stick: Path) -> None:
    """Nothing on a supervisor's laptop opens a record: no recipient's private key is among all its files."""
    one = laptop(1)
    lay(stick, one.batch())
    take_stick(relay, stick)
    everything = b"".join(path.read_bytes() for path in relay.home.rglob("*") if path.is_file())
    from tests.sync.laptops import HMU

    assert HMU.seed not in everything
    assert HMU.seed.hex().encode() not in everything
    assert one.log[0][1] in everything  # control: the search finds what is there


def test_one_at_a_time(relay: Relay, stick: Path) -> None:
    """A second carrier says who holds it; control: afterwards it works."""
    lay(stick, laptop(1).batch())
    with relay.alone(), pytest.raises(RelayBusyError):
        take_stick(Relay.open(relay.home), stick)
    assert outcomes(take_stick(relay, stick)) == ["taken"]


def test_rot_on_its_own_disk_is_never_handed_on(relay: Relay, stick: Path, tmp_path: Path) -> None:
    """A batch that rotted here is dropped, not passed on; the next stick that has it brings it anew."""
    lay(stick, laptop(3).batch())
    take_stick(relay, stick)
    (path,) = relay.holding.folder.iterdir()
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    road = tmp_path / "road"
    road.mkdir()
    assert hand_on(Relay.open(relay.home), road).written == 0
    assert outcomes(take_stick(Relay.open(relay.home), stick)) == ["taken"]


def test_setting_up(tmp_path: Path, project: SyntheticProject, clock: FixedClock) -> None:
    """Another project's key, central's key, one that the project does not name, none: refused, nothing is set up."""
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(NoRelayError):
        Relay.open(home)
    signed = project.publish()
    for data in (
        role_key_bytes(project.id, Role.SUPERVISOR, SigningKey.generate()),
        role_key_bytes(project.id, Role.CENTRAL, project.central),
        role_key_bytes("1e" * 16, Role.SUPERVISOR, project.supervisor),
    ):
        (home / "some.key").write_bytes(data)
        with pytest.raises(NotSupervisorsKeyError):
            Relay.set_up(home, home / "some.key", signed.data)
    assert not (home / "relay").exists()
    relay = made(tmp_path / "other", project, clock)
    old, project.supervisor = project.supervisor, SigningKey.generate()
    assert relay.update(project.publish().data)
    with pytest.raises(NotSupervisorsKeyError):  # the key was replaced: it vouches for nothing any more
        Relay.open(relay.home)
    (home / "new.key").write_bytes(role_key_bytes(project.id, Role.SUPERVISOR, project.supervisor))
    assert Relay.set_up(relay.home, home / "new.key", signed.data).project.model.version == relay.project.model.version
    assert old != project.supervisor
    with pytest.raises(UntrustedError):
        Relay.set_up(relay.home, home / "new.key", b"FSB1")
    foreign = SyntheticProject(PROJECT)
    foreign.supervisor = project.supervisor
    with pytest.raises(FieldsurveyError):
        Relay.set_up(relay.home, home / "new.key", foreign.publish().data)
