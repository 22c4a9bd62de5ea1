"""A laptop pushes over real TLS to a real server on this machine; the line breaks wherever it can. All synthetic."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.fieldwork.laptop import Laptop
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.batches import write_batch
from sync.errors import ErasedMeanwhileError
from sync.folder import at_central, export_batches
from sync.http import one_try
from sync.http.errors import (
    LineError,
    NoServerError,
    NotAdmittedError,
    PushUnderWayError,
    WrongServerError,
)
from sync.http.packs import cut
from sync.http.pushing import Patience, alone
from sync.http.relaying import push_relay
from sync.http.sending import PushReport
from sync.http.service import Service
from sync.http.serving import Running
from sync.http.tls import server_keys
from sync.http.wire import Hello
from sync.relay import Relay
from tests.sync.current import records
from tests.sync.http.conftest import RECORDS, SIZE
from tests.sync.http.lines import BreakingLine
from tests.sync.http.pushes import AT_ONCE, EACH, Arrive, counted, digest, over, send
from tests.sync.http.worlds import Place, free_port
from tests.sync.projects import seal_some
from tests.sync.thief import Thief

pytestmark = pytest.mark.usefixtures("small_packs")


def test_a_restored_laptop_hears_of_its_own_part(place: Place, arrive: Arrive, tmp_path: Path) -> None:
    """Central has what it sealed before it was restored, and lacks the beginning: its receipts end where the laptop can
    follow, in the same push. The control: of the later log it has one too.
    """
    with place.running():
        later = arrive(place)
        seal_some(later, 1)
        export_batches(later.locked, tmp_path / "stick", max_entries=1)
        with place.central() as central:
            for path in sorted((tmp_path / "stick" / "fieldsurvey" / "batches").glob("*.fsb"))[1:]:
                with path.open("rb") as stream:
                    central.merge(stream)
        report = send(arrive(place))
        assert (report.new, report.confirmed) == (1, True)
        assert send(later).confirmed


def test_a_push_sends_everything_and_nothing_twice(place: Place, arrive: Arrive, whole: str) -> None:
    """Confirmed by receipts; a second push sends no batch; central is as if a stick had come."""
    with place.running(), counted() as (asked, kept):
        laptop = arrive(place)
        seen: list[tuple[int, int, str]] = []
        report = send(laptop, progress=lambda *now: seen.append(now))
        assert (report.sent, report.new, report.confirmed) == (RECORDS, RECORDS, True)
        assert [receipt.up_to for receipt in report.received.taken] == [EACH, 2 * EACH, 3 * EACH]
        assert at_central(laptop.locked) == RECORDS
        assert seen[-1][0] == seen[-1][1] > EACH * SIZE
        assert set(asked.values()) == {1} == set(kept.values())
        again = send(laptop)
        assert (again.sent, again.new, again.received.taken) == (0, 0, ())
        assert sum(asked.values()) == len(kept)
    assert digest(place) == whole


def test_a_push_that_gives_up_goes_on_next_time(place: Place, arrive: Arrive, whole: str) -> None:
    """What was confirmed stays confirmed, packs that were stored are not sent again, the vault is as it was."""
    with place.running() as running, counted() as (asked, kept), BreakingLine(running.port, 120_000) as line:
        laptop = arrive(place)
        with pytest.raises(LineError):
            send(laptop, connect=over(line.port), patience=Patience(tries=1))
        assert 0 < at_central(laptop.locked) < RECORDS
        assert laptop.locked.head().seq == RECORDS
        assert sum(1 for _ in laptop.locked.entries()) == RECORDS
        assert send(laptop, connect=over(line.port)).confirmed
        assert set(kept.values()) == {1}
        assert sum(asked.values()) <= len(kept) + 1  # one was under way
    assert digest(place) == whole


def test_a_record_that_goes_meanwhile_costs_no_try_of_the_line(
    place: Place, arrive: Arrive, whole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken back while its batch was written: the push begins again at once, even where the line may fail once
    only. Where it always does, it is said (control).
    """
    left = 0

    def erasing(*given: Any) -> Iterator[bytes]:
        nonlocal left
        left -= 1
        if left >= 0:
            raise ErasedMeanwhileError
        return write_batch(*given)

    with place.running():
        laptop = arrive(place)
        monkeypatch.setattr(one_try, "write_batch", erasing)
        left = 100
        with pytest.raises(ErasedMeanwhileError):
            send(laptop, patience=Patience(tries=1))
        left = 2
        assert send(laptop, patience=Patience(tries=1)).confirmed
    assert digest(place) == whole


def test_without_a_line_it_says_so_and_waits_longer_each_time(place: Place, arrive: Arrive) -> None:
    """Nobody listens: the tries are counted, the waits double, with jitter."""
    port = free_port()
    with place.running(port):
        laptop = arrive(place)
    waits: list[float] = []
    with pytest.raises(LineError):
        send(laptop, connect=over(port), patience=Patience(tries=6, wait=waits.append))
    assert len(waits) == 5
    assert all(2**n <= wait <= 2 ** (n + 1) * 1.5 for n, wait in enumerate(waits))
    assert at_central(laptop.locked) == 0


def test_a_wrong_key_gets_not_a_byte(place: Place, arrive: Arrive, tmp_path: Path) -> None:
    """The handshake itself fails on a key that is not pinned: no request arrives. The spare key is trusted."""
    with place.running() as running:
        laptop = arrive(place)
    heard: list[str] = []
    original = Service.hello

    def hello(self: Service, address: str) -> Hello:
        heard.append(address)
        return original(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(Service, "hello", hello)
    try:
        impostor = server_keys(tmp_path / "impostor")
        with place.service(clock=None) as service:
            false = Running(service, impostor)
            try:
                with pytest.raises(WrongServerError) as refused:
                    send(laptop, connect=over(false.port))
            finally:
                false.stop()
            assert refused.value.details["found"] == impostor.pins[0][:16]
            assert heard == []
            spare = Running(service, server_keys(place.home, use_spare=True))
            try:
                assert send(laptop, connect=over(spare.port)).confirmed
            finally:
                spare.stop()
            assert heard
    finally:
        patch.undo()
    assert running.port


def test_not_enrolled_and_revoked(place: Place, arrive: Arrive) -> None:
    """Refused in words, at once; everything stays."""
    card = next(iter(place.project.devices.values()))["card"]
    with place.running():
        laptop = arrive(place)
        place.project.devices = {}
        place.signed = place.project.publish()
        with pytest.raises(NotAdmittedError, match="not_enrolled"):
            send(laptop)
        place.enrol(card, status="revoked", revoked_from=3)
        with pytest.raises(NotAdmittedError, match="revoked"):
            send(laptop)
        assert at_central(laptop.locked) == 0
        place.enrol(card)
        assert send(laptop).confirmed  # the control
        assert laptop.project.model.version == place.signed.model.version  # the newest project came over the line


def test_two_identical_pushes_at_the_same_moment(place: Place, arrive: Arrive, whole: str) -> None:
    """Two processes of a copied home: both end confirmed, and central holds everything once."""
    with place.running():
        laptops = [arrive(place), arrive(place)]
        reports: list[PushReport] = []
        barrier = threading.Barrier(2)

        def go(one: Laptop) -> None:
            barrier.wait()
            reports.append(send(one))

        threads = [threading.Thread(target=go, args=(one,)) for one in laptops]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [report.confirmed for report in reports] == [True, True]
        assert sum(report.new for report in reports) == RECORDS
    assert digest(place) == whole


def test_one_process_of_a_home_sends(place: Place, arrive: Arrive) -> None:
    """The second says who is at it."""
    with place.running():
        laptop = arrive(place)
        with alone(laptop.home), pytest.raises(PushUnderWayError):
            send(laptop)
        assert send(laptop).confirmed


def test_a_project_without_servers(place: Place, arrive: Arrive) -> None:
    """Says how else to send."""
    with pytest.raises(NoServerError):
        send(arrive(place))


def test_a_gap_that_another_carrier_filled_is_not_sent(
    place: Place, arrive: Arrive, whole: str, tmp_path: Path
) -> None:
    """What came by stick is not sent over the line, though no receipt covers it yet."""
    with place.running(), counted() as (_asked, kept):
        laptop = arrive(place)
        stick = tmp_path / "some"
        export_batches(laptop.locked, stick, max_entries=EACH)
        second = sorted((stick / "fieldsurvey" / "batches").glob("*.fsb"))[1]
        with place.central() as central, second.open("rb") as stream:
            central.learn(place.signed.model)
            assert central.merge(stream).new == EACH
        report = send(laptop)
        assert (report.sent, report.confirmed) == (2 * EACH, True)
        assert kept
    assert digest(place) == whole


def test_what_central_was_falsely_told_is_erased_is_sent(place: Place, arrive: Arrive, whole: str) -> None:
    """By somebody with the carrier key of a copied disk: the laptop refuses that receipt, and pushes every record."""
    with place.running():
        laptop = arrive(place)
        with place.central() as central:
            central.learn(place.signed.model)
            central.merge(Thief(laptop.locked).batch())
            assert [receipt.absent for receipt in central.receipts(laptop.locked.device_card().device)] == [
                ((1, RECORDS),)
            ]
        report = send(laptop)
        assert (report.sent, report.new, report.confirmed) == (RECORDS, RECORDS, True)
        with place.central() as central:
            assert [receipt.absent for receipt in central.receipts(laptop.locked.device_card().device)] == [()]
            assert sum(1 for _ in records(central)) == RECORDS
    assert digest(place) != whole  # it also holds what it was told


def test_withdrawals_travel_before_batches(place: Place, arrive: Arrive) -> None:
    """One laptop's withdrawal is known at central and then on the other laptop."""
    from fieldsurvey.fieldwork.withdrawals import Withdrawals  # beside the one test that needs it

    with place.running():
        one, other = arrive(place), arrive(place)
        stone = Tombstone(project=place.project.id, code=WithdrawalCode.generate().raw, requested="2026-03-01")
        Withdrawals(one.home).enter(stone)
        assert send(one).withdrawals == 1
        assert send(one).withdrawals == 0
        assert send(other).received.withdrawals == 1
        assert Withdrawals(other.home).holds(stone.tag)


def test_a_relay_pushes_what_it_holds(place: Place, arrive: Arrive, whole: str, tmp_path: Path) -> None:
    """Batches of another laptop, signed for by the supervisor's key; central's receipts let it forget them."""
    from fieldsurvey.project.keys import role_key_bytes  # beside the one test that needs it
    from fieldsurvey.records.receipt import Role
    from sync.carrying import take_stick

    with place.running(), counted() as (_asked, kept):
        laptop = arrive(place)
        stick = tmp_path / "road"
        export_batches(laptop.locked, stick, max_entries=EACH)
        key = tmp_path / "supervisor.key"
        key.write_bytes(role_key_bytes(place.project.id, Role.SUPERVISOR, place.project.supervisor))
        relay = Relay.set_up(tmp_path / "relay", key, place.signed.data, place.clock)
        assert len(take_stick(relay, stick).having("taken")) == 3
        report = push_relay(relay, patience=AT_ONCE)
        assert (report.pushed.new, report.forgotten, report.left) == (RECORDS, 3, 0)
        assert report.receipts[-1].up_to == RECORDS
        assert kept
    assert digest(place) == whole


def test_packs_are_cut_from_the_frames_alone(place: Place, arrive: Arrive, tmp_path: Path) -> None:
    """A batch that has grown shares its first packs, and head and packs are the file again."""
    laptop = arrive(place)
    export_batches(laptop.locked, tmp_path / "all")
    (path,) = (tmp_path / "all" / "fieldsurvey" / "batches").glob("*.fsb")
    data = path.read_bytes()
    whole_cut = cut(lambda: iter([data[:7], data[7:]]), 1 << 16)
    packs = dict(whole_cut.data(frozenset(whole_cut.names)))
    assert whole_cut.head + b"".join(packs[name] for name in whole_cut.names) == data
    from sync.batches import plan_batches, write_batch  # beside the one test that needs it

    (plan,) = plan_batches(laptop.locked, 1, RECORDS - 4)
    less = cut(lambda: write_batch(laptop.locked, plan), 1 << 16)
    assert less.names[:-1] == whole_cut.names[: len(less.names) - 1]
    assert less.head != whole_cut.head
