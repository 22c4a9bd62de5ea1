"""A sealed batch with a withdrawn record and other people's: it waits for them, within the policy's days, no longer."""

from __future__ import annotations

import errno
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.policy import Policy, Retention
from fieldsurvey.project.signed import write_project
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.carrying import hand_on, take_stick
from sync.central import Central
from sync.http.errors import NoServerError
from sync.http.relaying import push_relay
from sync.importing import import_folder
from sync.relay import Relay
from sync.settling import settle
from tests.sync.laptops import PROJECT, laptop
from tests.sync.projects import SyntheticProject
from tests.sync.relay.kit import DAYS, REQUESTED, Slip, bring, give, held, lay, outcomes, reported, said


@pytest.fixture
def slip() -> Slip:
    """One."""
    return Slip()


@pytest.fixture
def waiting(relay: Relay, stick: Path, slip: Slip) -> Relay:
    """A relay that took the batch and then heard of the withdrawal."""
    lay(stick, slip.laptop.batch())
    take_stick(relay, stick)
    bring(stick, slip.stone)
    report = take_stick(relay, stick)
    assert (report.erased, [one.until for one in report.waiting]) == (0, [REQUESTED + timedelta(days=DAYS)])
    return relay


def test_it_waits_until_the_policys_last_day(waiting: Relay, slip: Slip, clock: FixedClock) -> None:
    """Others are in it: it stays and nothing is called erased; on the last day whoever only looks makes it go, and it
    is reported. Until then looking changes nothing."""
    clock.move(days=DAYS - 2)
    assert (settle(waiting), held(waiting), reported(waiting)) == (0, slip.whole(), {})
    clock.move(days=1)
    assert settle(waiting) == 1
    assert (held(waiting), reported(waiting), waiting.waiting()) == ([], {slip.tag: 1}, ())
    assert slip.laptop.log[1][1] not in b"".join(
        path.read_bytes() for path in waiting.home.rglob("*") if path.is_file()
    )


def test_a_push_without_a_line_keeps_to_the_day_too(waiting: Relay, slip: Slip, clock: FixedClock) -> None:
    """Who sends has opened the relay: what waited its days goes, though nothing could be sent; before, it stays."""
    with pytest.raises(NoServerError):
        push_relay(waiting)
    assert (held(waiting), reported(waiting)) == (slip.whole(), {})
    clock.move(days=DAYS)
    with pytest.raises(NoServerError):
        push_relay(waiting)
    assert (held(waiting), reported(waiting)) == ([], {slip.tag: 1})


def test_what_is_handed_on_goes_and_central_keeps_the_others(
    waiting: Relay, slip: Slip, project: SyntheticProject, tmp_path: Path, central: Central
) -> None:
    """To a stick: it is on it whole, gone here, and the report of that is on the same stick. At central the others'
    records are held and the withdrawn one is not, though the laptop never comes again."""
    road, office = tmp_path / "road", tmp_path / "office"
    road.mkdir()
    project.devices[slip.laptop.device] = {"id": slip.laptop.device, "name": "synthetic", "card": slip.laptop.card}
    done = hand_on(waiting, road)
    assert (done.written, done.erased, held(waiting)) == (1, 1, [])
    assert reported(waiting) == {slip.tag: 1}
    assert list((road / "fieldsurvey" / "erased").iterdir())
    Withdrawals(office).enter(slip.stone)
    central.withdraw(slip.stone)
    import_folder(central, road, project.publish(), project.central)
    bodies = [central.store.body(entry.record_hash) is not None for entry, _record in slip.laptop.log]
    assert bodies == [True, False, True]


def test_a_stick_that_fails_keeps_it_here(
    waiting: Relay, slip: Slip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not handed on whole, not gone."""
    road = tmp_path / "road"
    road.mkdir()

    def pulled(_self: object) -> None:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))

    with monkeypatch.context() as patch:
        patch.setattr("sync.stick.Stick.stays", pulled)
        with pytest.raises(OSError, match="device"):
            hand_on(waiting, road)
    assert (held(waiting), reported(waiting)) == (slip.whole(), {})


@pytest.mark.parametrize(
    ("up_to", "absent", "goes"), [(3, (), True), (2, (), False), (3, ((3, 3),), False), (3, ((2, 2),), True)]
)
def test_centrals_word_on_the_others_is_enough(
    waiting: Relay, slip: Slip, project: SyntheticProject, stick: Path, *, up_to: int, absent: Any, goes: bool
) -> None:
    """Central has the others: it goes. Not all of them, or one only by name: it waits. The withdrawn one only by name,
    for its laptop heard of it first: it goes."""
    version = {"format_version": 2, "absent": absent} if absent else {}
    give(stick, said(slip.laptop, up_to, **version), project.central)
    take_stick(waiting, stick)
    assert held(waiting) == ([] if goes else slip.whole())
    assert reported(waiting) == ({slip.tag: 1} if goes else {})


def test_what_only_the_withdrawn_one_lacks_at_central_need_not_wait(
    relay: Relay, project: SyntheticProject, stick: Path
) -> None:
    """The withdrawn record is the last: central's receipt for what is before it is for everything else."""
    slip = Slip()
    lay(stick, slip.laptop.batch(1, 2))
    take_stick(relay, stick)
    give(stick, said(slip.laptop, 1), project.central)
    bring(stick, slip.stone)
    assert take_stick(relay, stick).erased == 1
    assert (held(relay), reported(relay)) == ([], {slip.tag: 1})


def test_the_laptop_sends_the_rest_again(waiting: Relay, slip: Slip, stick: Path) -> None:
    """Its new batch without the record is taken, though all of it lies in the one that waits; that one goes then."""
    slip.laptop.erase(2)
    lay(stick, slip.laptop.batch())
    report = take_stick(waiting, stick)
    assert "taken" in outcomes(report)
    assert (report.erased, report.waiting, reported(waiting)) == (1, (), {slip.tag: 1})
    assert held(waiting) == slip.whole()
    assert slip.laptop.log[1][1] not in b"".join(
        path.read_bytes() for path in waiting.home.rglob("*") if path.is_file()
    )


def test_two_that_wait_do_not_vouch_for_each_other(relay: Relay, stick: Path) -> None:
    """Two batches with the same others, each with a withdrawn record: neither goes for the other's sake, and the days
    are each one's own; their cases are reported one by one."""
    first, second = WithdrawalCode.generate(), WithdrawalCode.generate()
    one = laptop(0)
    one.seal(withdrawal=first.tag(PROJECT))
    one.seal()
    one.seal(withdrawal=second.tag(PROJECT))
    lay(stick, one.batch(1, 2))
    lay(stick, one.batch(2, 3))
    take_stick(relay, stick)
    for code, day in ((first, REQUESTED), (second, REQUESTED + timedelta(days=1))):
        bring(stick, Tombstone(project=PROJECT, code=code.raw, requested=day.isoformat()))
    assert take_stick(relay, stick).erased == 0
    assert len(held(relay)) == 2
    clock = relay.clock
    assert isinstance(clock, FixedClock)
    clock.move(days=4)
    assert (settle(relay), reported(relay)) == (1, {first.tag(PROJECT): 1})
    clock.move(days=1)
    assert (settle(relay), reported(relay)) == (1, {first.tag(PROJECT): 1, second.tag(PROJECT): 1})


@pytest.mark.parametrize("days", [-3650, -2, DAYS, 3650])
def test_a_clock_that_cannot_count_the_days_lets_nothing_wait(
    relay: Relay, stick: Path, clock: FixedClock, days: int
) -> None:
    """Years back, or before the request, or past the days: it goes at once. The control: the other tests' clock."""
    slip = Slip(REQUESTED + timedelta(days=1))
    lay(stick, slip.laptop.batch())
    take_stick(relay, stick)
    clock.move(days=days)
    bring(stick, slip.stone)
    assert take_stick(relay, stick).erased == 1
    assert held(relay) == []


def test_a_policy_of_no_days_lets_nothing_wait(
    relay: Relay, project: SyntheticProject, stick: Path, slip: Slip
) -> None:
    """Where the policy says that it goes on the day of the request, it does."""
    lay(stick, slip.laptop.batch())
    take_stick(relay, stick)
    policy = Policy(retention=Retention(withdrawal_days=0))
    relay.update(write_project(project.model(2).model_copy(update={"policy": policy}), {}, project.root))
    bring(stick, slip.stone)
    assert take_stick(relay, stick).erased == 1


def test_it_is_not_taken_anew(waiting: Relay, slip: Slip, clock: FixedClock, stick: Path) -> None:
    """While it waits the same batch is here already; what is cut otherwise is a new copy, and is not taken."""
    assert outcomes(take_stick(waiting, stick)) == ["present"]
    lay(stick, slip.laptop.batch(2, 3))
    assert sorted(outcomes(take_stick(waiting, stick))) == ["present", "withdrawn"]
    clock.move(days=DAYS)
    take_stick(waiting, stick)
    assert sorted(outcomes(take_stick(waiting, stick))) == ["withdrawn", "withdrawn"]


def test_another_withdrawal_meanwhile_forgets_none(waiting: Relay, slip: Slip, stick: Path, clock: FixedClock) -> None:
    """A second tombstone has every batch looked at again: the first still waits, is erased on its day and reported
    once; the second, of nobody here, is reported at once."""
    other = WithdrawalCode.generate()
    bring(stick, Tombstone(project=PROJECT, code=other.raw, requested="2026-03-02"))
    take_stick(waiting, stick)
    assert (held(waiting), reported(waiting)) == (slip.whole(), {other.tag(PROJECT): 0})
    clock.move(days=DAYS)
    settle(waiting)
    assert (held(waiting), reported(waiting)) == ([], {other.tag(PROJECT): 0, slip.tag: 1})


@pytest.mark.parametrize("note", [b"", b"{", b"0" * 64, b'{"named":{"a":1},"of":""}', b'{"named":[],"of":""}'])
def test_a_note_that_is_lost_or_of_an_earlier_version_is_made_again(waiting: Relay, slip: Slip, note: bytes) -> None:
    """Every batch is looked at again: it waits as before."""
    (waiting.folder / "withdrawn").write_bytes(note)
    assert settle(waiting) == 0
    assert [one.held.device for one in waiting.waiting()] == [slip.laptop.device]
    assert held(waiting) == slip.whole()


def test_what_cannot_be_read_is_not_called_erased(
    waiting: Relay, slip: Slip, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that refuses a read while it waits: nothing is handed on or reported; on its day it goes all the same."""
    path = waiting.holding.batches()[0].path
    real = Path.open

    def broken(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self == path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", broken)
    road = tmp_path / "road"
    road.mkdir()
    assert hand_on(waiting, road).written == 0
    assert (path.exists(), reported(waiting)) == (True, {})
    clock.move(days=DAYS)
    settle(Relay.open(waiting.home, clock))
    assert (path.exists(), reported(waiting)) == (False, {slip.tag: 1})


def test_cut_off_anywhere_it_is_reported_once_and_rightly(
    waiting: Relay, slip: Slip, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the batch went and before the report; after that and before the note: the next look ends it."""
    clock.move(days=DAYS)
    with monkeypatch.context() as patch:
        patch.setattr(Relay, "_report", lambda *_args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            waiting.erase()
    assert (held(waiting), reported(waiting)) == ([], {})
    again = Relay.open(waiting.home, clock)
    with monkeypatch.context() as patch:
        patch.setattr("sync.relay.write_found", lambda *_args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            again.erase()
    assert reported(waiting) == {slip.tag: 1}
    assert settle(again) == 0
    assert (reported(waiting), again.noted) == ({slip.tag: 1}, False)
