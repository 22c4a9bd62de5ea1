"""A supervisor's laptop by itself: set up once, opened by one at a time, rot is noticed, and it reads nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import FieldsurveyError, UntrustedError
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.records.receipt import Role, write_receipt
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.carrying import hand_on, take_stick
from sync.errors import NoRelayError, NotSupervisorsKeyError, RelayBusyError
from sync.journal import Journal
from sync.relay import Relay
from tests.sync.laptops import PROJECT, laptop
from tests.sync.projects import SyntheticProject
from tests.sync.relay.kit import lay, made, outcomes, said


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


def rot(path: Path, at: int) -> None:
    """One bit of a file falls over."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def test_rot_is_reported_until_the_batch_comes_again(relay: Relay, stick: Path, tmp_path: Path) -> None:
    """A record or a manifest that rotted: said when it is handed on and by the status afterwards, whose it is as far as
    that can be read, and written into the log; another batch is handed on, and what comes again is said no more."""
    rotten, sound, torn = laptop(3), laptop(2), laptop(1)
    for one in (rotten, sound, torn):
        lay(stick, one.batch())
    take_stick(relay, stick)
    where = {held.device: held.path for held in relay.holding.batches()}
    rot(where[rotten.device], -1)
    rot(where[torn.device], 20)
    assert [one.device for one in Relay.open(relay.home).holding.damaged()] == [""]  # the manifest's, at once
    road = tmp_path / "road"
    road.mkdir()
    report = hand_on(Relay.open(relay.home), road)
    assert report.written == 1
    assert {(one.device, one.first, one.last) for one in report.damaged} == {(rotten.device, 1, 3), ("", 0, 0)}
    assert len(list((road / "fieldsurvey" / "batches").iterdir())) == 1
    told = [one.told for one in Relay.open(relay.home).holding.damaged()]
    assert any("1 to 3" in text and rotten.device[:8] in text for text in told)
    codes = [(line.device, line.code) for line in Journal(relay.home).lines() if line.what == "refusal"]
    assert set(codes) == {(rotten.device, "untrusted.batch"), ("", "untrusted.batch")}
    again = take_stick(Relay.open(relay.home), stick)
    assert sorted(outcomes(again)) == ["present", "taken", "taken"]
    assert again.damaged == ()
    assert Relay.open(relay.home).holding.damaged() == []


def test_rot_cannot_hide_what_was_withdrawn(relay: Relay, stick: Path, project: SyntheticProject) -> None:
    """Nobody can tell whose a damaged record is: with a withdrawal it goes, and is said; control: a sound batch of
    others stays. Central's receipt for it ends the matter."""
    rotten, sound = laptop(3), laptop(2)
    for one in (rotten, sound):
        lay(stick, one.batch())
    take_stick(relay, stick)
    where = {held.device: held.path for held in relay.holding.batches()}
    rot(where[rotten.device], -1)
    code = WithdrawalCode.generate()
    stone = Tombstone(project=PROJECT, code=code.raw, requested="2026-03-01")
    relay = Relay.open(relay.home)
    Withdrawals(relay.home).enter(stone)
    assert relay.erase() == ()
    assert not where[rotten.device].exists()
    assert where[sound.device].exists()
    assert [one.device for one in relay.holding.damaged()] == [rotten.device]
    relay.take_receipt(write_receipt(said(rotten, 3), project.central))
    relay.forget()
    assert relay.holding.damaged() == []


def test_a_batch_that_cannot_be_read_now_stays(
    relay: Relay, stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that refuses a read keeps no other batch from the road; control: read again, it is handed on."""
    two = [laptop(2), laptop(2)]
    for one in two:
        lay(stick, one.batch())
    take_stick(relay, stick)
    bad = relay.holding.batches()[0]
    real = Path.open

    def broken(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self == bad.path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(self, *args, **kwargs)

    road = tmp_path / "road"
    road.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", broken)
        report = hand_on(relay, road)
        assert (report.written, [one.device for one in report.damaged]) == (1, [bad.device])
    assert hand_on(Relay.open(relay.home), road).written == 1


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
