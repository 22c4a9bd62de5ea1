"""A relay hands on to central, forgets what central has, and erases what is withdrawn."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork.erasures import Reports, Trust
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.records.erased import Place
from fieldsurvey.records.receipt import Level, Role
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.batches import read_batch
from sync.carrying import hand_on, take_stick
from sync.central import Central
from sync.errors import StickTooSmallError
from sync.importing import import_folder
from sync.relay import Relay
from tests.sync.laptops import PROJECT, laptop
from tests.sync.projects import SyntheticProject
from tests.sync.relay.kit import bring, give, held, lay, on_stick, outcomes, reported, said


def test_forgetting_needs_centrals_word_on_this_very_history(
    relay: Relay, project: SyntheticProject, stick: Path
) -> None:
    """A forged, a supervisor's, a shorter, another history's receipt: the batch stays. Central's own, for its end or
    for an entry that follows from it: it goes. Control: it was there until then."""
    one, other = laptop(4), laptop(4)
    lay(stick, one.batch(1, 3))
    for receipt, key in (
        (said(one, 3), SigningKey.generate()),
        (said(one, 3), project.supervisor),
        (said(one, 3, by=Role.SUPERVISOR, level=Level.RECEIVED), project.supervisor),
        (said(one, 2), project.central),
        (said(one, 3, head=other.head_at(3).hex()), project.central),
        (said(one, 3, project="1e" * 16), project.central),
        (said(one, 4), project.central),  # true, but that 3 leads to 4 is not known here
    ):
        give(stick, receipt, key)
    take_stick(relay, stick)
    assert held(relay) == [(one.device, 1, 3)]
    lay(stick, one.batch(4, 4))
    report = take_stick(relay, stick)
    assert report.forgotten == 1
    assert held(relay) == []
    assert set(outcomes(take_stick(relay, stick))) <= {"committed", "taken", "present"}
    assert held(relay) == [] or held(relay) == [(one.device, 4, 4)]


def test_records_that_central_calls_erased_are_not_forgotten(
    relay: Relay, project: SyntheticProject, stick: Path
) -> None:
    """Central was told that the laptop erased 2, but it is here: the batch stays until central has that too. The
    control: where the laptop itself erased it, or another entry is meant, the batch goes."""
    one, other, third = laptop(3), laptop(3), laptop(3)
    other.erase(2)
    for each in (one, other, third):
        lay(stick, each.batch(1, 3))
    for each, absent in ((one, (2, 2)), (other, (2, 2)), (third, (4, 4))):
        up_to = max(3, absent[1])
        if up_to == 4:
            each.seal()
        give(stick, said(each, up_to, format_version=2, absent=(absent,)), project.central)
    lay(stick, third.batch(4, 4))
    take_stick(relay, stick)
    assert (one.device, 1, 3) in held(relay)
    assert (other.device, 1, 3) not in held(relay)
    assert (third.device, 1, 3) not in held(relay)
    give(stick, said(one, 3, issued="2026-03-02T11:00:00Z"), project.central)
    take_stick(relay, stick)
    assert (one.device, 1, 3) not in held(relay)


def test_an_older_receipt_does_not_vouch_for_what_a_newer_one_leaves_out(
    relay: Relay, project: SyntheticProject, stick: Path
) -> None:
    """Central lacks 3, and says so beyond it; what it says of 2, and a batch that it has, prove nothing of 3. What they
    prove of 5 and 6 stands: that batch is not kept, and the one before it goes once central has 3 too."""
    one = laptop(6)
    lay(stick, one.batch(3, 4))
    take_stick(relay, stick)
    give(stick, said(one, 2), project.central)
    give(stick, said(one, 6, format_version=2, absent=((3, 3),)), project.central)
    lay(stick, one.batch(5, 6))
    assert "committed" in outcomes(take_stick(relay, stick))
    assert held(relay) == [(one.device, 3, 4)]
    give(stick, said(one, 6, issued="2026-03-02T11:00:00Z"), project.central)
    take_stick(relay, stick)
    assert held(relay) == []


def test_there_and_back_with_central(
    relay: Relay, project: SyntheticProject, stick: Path, tmp_path: Path, central: Central
) -> None:
    """Two sticks in, one stick on to central, receipts back through the relay to both laptops' sticks; it forgets all,
    also what central has more of from another carrier."""
    one, two = laptop(5), laptop(3)
    for each in (one, two):
        project.devices[each.device] = {"id": each.device, "name": each.card.name, "card": each.card}
    signed = project.publish()
    other = tmp_path / "other"
    lay(stick, one.batch())
    lay(other, two.batch())
    take_stick(relay, stick)
    take_stick(relay, other)
    two.seal()
    by_hand = tmp_path / "by hand"
    lay(by_hand, two.batch())
    import_folder(central, by_hand, signed, project.central)
    road = tmp_path / "road"
    road.mkdir()
    report = hand_on(relay, road)
    assert (report.written, report.present) == (2, 0)
    done = import_folder(central, road, signed, project.central)
    assert [file.outcome for file in done.files] in (["merged", "present"], ["present", "merged"])
    back = take_stick(relay, road)
    assert back.forgotten == 2
    assert held(relay) == []
    assert back.project == signed.model.version
    take_stick(relay, stick)
    assert on_stick(stick, project, Role.CENTRAL)[one.device] == 5
    assert {file.outcome for file in take_stick(relay, stick).files} == {"committed"}


def test_handing_on_writes_what_is_not_there(relay: Relay, stick: Path, tmp_path: Path) -> None:
    """To the stick it came from: nothing. To another: everything, read back. Again: nothing. A damaged copy: anew."""
    one, two = laptop(3), laptop(2)
    lay(stick, one.batch(), "from the laptop.fsb")
    lay(stick, two.batch(), "other.fsb")
    take_stick(relay, stick)
    assert hand_on(relay, stick).written == 0
    road = tmp_path / "road"
    road.mkdir()
    seen: list[tuple[int, int, str]] = []
    report = hand_on(relay, road, lambda *args: seen.append(args))
    assert (report.written, report.present) == (2, 0)
    assert seen[-1][:2] == (report.bytes, report.bytes)
    assert (hand_on(relay, road).written, hand_on(relay, road).present) == (0, 2)
    victim = next((road / "fieldsurvey" / "batches").iterdir())
    victim.write_bytes(victim.read_bytes()[:-1])
    assert (hand_on(relay, road).written, hand_on(relay, road).present) == (1, 2)
    for path in (road / "fieldsurvey" / "batches").iterdir():
        read_batch(io.BytesIO(path.read_bytes()), PROJECT).verify()


def test_the_free_space_is_looked_at_first(relay: Relay, stick: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """Too small a stick: refused before a byte is written, with what is needed and what there is."""
    lay(stick, laptop(3).batch())
    take_stick(relay, stick)
    road = tmp_path / "road"
    road.mkdir()
    usage = type("Usage", (), {"free": 1 << 20})
    monkeypatch.setattr("sync.stick.shutil.disk_usage", lambda _path: usage)
    with pytest.raises(StickTooSmallError) as caught:
        hand_on(relay, road)
    assert caught.value.details["needed"] == 2
    assert not list(road.rglob("*.fsb*"))


def test_a_batch_of_nobody_else_goes_at_once(
    relay: Relay, project: SyntheticProject, stick: Path, tmp_path: Path
) -> None:
    """The stick that brings the tombstone: a batch with that record alone goes, others stay; it is reported, signed by
    this place; the same batch is not taken again."""
    code = WithdrawalCode.generate()
    one, two = laptop(0), laptop(2)
    one.seal(withdrawal=code.tag(PROJECT))
    lay(stick, one.batch())
    lay(stick, two.batch())
    take_stick(relay, stick)
    assert len(held(relay)) == 2
    other = tmp_path / "other"
    stone = Tombstone(project=PROJECT, code=code.raw, requested="2026-03-01")
    bring(other, stone)
    report = take_stick(relay, other)
    assert (report.withdrawals, report.erased, report.waiting) == (1, 1, ())
    assert held(relay) == [(two.device, 1, 2)]
    assert one.log[0][1] not in b"".join(path.read_bytes() for path in relay.home.rglob("*") if path.is_file())
    (heard,) = Reports(relay.home, Trust.of(relay.project.model))
    assert (heard.report.place, heard.key) == (Place.RELAY, project.supervisor.public)
    assert [(case.tag, case.records) for case in heard.report.cases] == [(stone.tag, 1)]
    assert "withdrawn" in outcomes(take_stick(relay, stick))
    assert list((stick / "fieldsurvey" / "withdrawals").iterdir())
    assert list((stick / "fieldsurvey" / "erased").iterdir())
    assert held(relay) == [(two.device, 1, 2)]


def test_an_erasing_that_was_cut_off_is_done_again(relay: Relay, stick: Path, monkeypatch: Any) -> None:
    """The tombstone is durable, the batch is not yet gone: whatever is done next at this relay ends it."""
    code = WithdrawalCode.generate()
    one = laptop(0)
    one.seal(withdrawal=code.tag(PROJECT))
    lay(stick, one.batch())
    take_stick(relay, stick)
    Withdrawals(relay.home).enter(Tombstone(project=PROJECT, code=code.raw, requested="2026-03-01"))
    with monkeypatch.context() as patch:
        patch.setattr(relay.holding, "remove", lambda _held: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            relay.erase()
    assert len(held(relay)) == 1
    again = Relay.open(relay.home)
    assert len(again.erase()) == 1
    assert held(relay) == []
    assert again.erase() == ()
    assert reported(relay) == {code.tag(PROJECT): 1}


def test_central_moves_its_own_time(relay: Relay, project: SyntheticProject, stick: Path, clock: FixedClock) -> None:
    """Of two receipts for the same entry the later is handed on: laptops count their days by central's time."""
    one = laptop(2)
    lay(stick, one.batch())
    for days in (1, 3, 2):
        issued = (clock.now() + timedelta(days=days)).isoformat("T", "seconds")
        give(stick, said(one, 2, issued=issued, level=Level.BACKED_UP), project.central)
    take_stick(relay, stick)
    ((receipt, _data),) = relay.proofs.files()
    assert receipt.issued.startswith("2026-03-05")
