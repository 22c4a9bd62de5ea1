"""The last day of batches that wait: what can still be delivered is delivered first, then all of it goes, and is said,
whatever became of the delivery. Past that day nothing of it is carried any further. Everybody here is synthetic."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.files import MediumGoneError, NoSpaceError
from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli import central as central_commands
from fieldsurvey.cli import central_show
from fieldsurvey.tui.central.app import CentralApp
from fieldsurvey.tui.central.carried import carried, carried_summary
from fieldsurvey.tui.central.desk import Desk
from fieldsurvey.tui.central.purposes import words_of
from fieldsurvey.tui.central.pushing import relay_push
from fieldsurvey.tui.central.relaying import relay_hand
from sync.carrying import hand_on, take_stick
from sync.errors import NoFolderError, StickTooSmallError
from sync.http.errors import LineError, NoServerError, PushRefusedError, PushUnderWayError
from sync.http.line import Line
from sync.http.pushing import Patience, alone
from sync.http.relaying import push_relay
from sync.http.wire import Offered
from sync.journal import Journal
from sync.relay import Relay
from sync.settling import settle
from tests.sync.http.worlds import Place
from tests.sync.relay.kit import DAYS, Slip, bring, held, lay, made, reported
from tests.tui.screens import rest, text

TOLD = "2 batches with a withdrawn interview were erased here."
ONCE = Patience(1, lambda _seconds: None)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Words are compared."""
    set_language("en")
    yield
    set_language(None)


@dataclass
class Road:
    """Two batches, each with somebody's withdrawn record and two other people's, at a relay; and central."""

    place: Place
    slips: tuple[Slip, Slip]
    stick: Path

    def relay(self) -> Relay:
        """It took both, and then heard of the withdrawals."""
        relay = made(self.place.home.parent / "supervisor", self.place.project, self.place.clock)
        for one in self.slips:
            lay(self.stick, one.laptop.batch())
        take_stick(relay, self.stick)
        for one in self.slips:
            bring(self.stick, one.stone)
        assert len(take_stick(relay, self.stick).waiting) == 2
        return relay

    def arrived(self) -> list[list[bool]]:
        """Laptop by laptop, which records central has."""
        with self.place.central() as central:
            return [
                [central.store.body(entry.record_hash) is not None for entry, _record in one.laptop.log]
                for one in self.slips
            ]

    def all_reported(self) -> dict[str, int]:
        """What the relay has said once both are erased."""
        return {one.tag: 1 for one in self.slips}


@pytest.fixture
def road(tmp_path: Path, stick: Path) -> Road:
    """One."""
    slips = (Slip(), Slip())
    return Road(Place.make(tmp_path / "central", *(one.laptop for one in slips)), slips, stick)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """An empty stick."""
    (tmp_path / "road").mkdir()
    return tmp_path / "road"


def erasures(relay: Relay) -> int:
    """Batches, as the sync log counts them."""
    return sum(line.counts["batches"] for line in Journal(relay.home).lines() if line.what == "erasure")


def on(target: Path) -> int:
    """Batches on a stick."""
    return len(list(target.rglob("*.fsb")))


def test_a_push_sends_all_of_it_first(road: Road) -> None:
    """Both batches arrive on the day itself, the others' records are at central and the withdrawn ones are not;
    nothing is left here, and both cases are reported."""
    with road.place.running():
        relay = road.relay()
        road.place.clock.move(days=DAYS - 1)
        report = push_relay(relay, patience=ONCE)
    assert (report.pushed.sent, report.erased, erasures(relay)) == (6, 2, 2)
    assert road.arrived() == [[True, False, True]] * 2
    assert (held(relay), reported(relay)) == ([], road.all_reported())


def test_a_push_carries_nothing_further_past_the_day(road: Road) -> None:
    """The control, and the rule: a day later it is erased before a byte of it goes, and that is said."""
    with road.place.running():
        relay = road.relay()
        road.place.clock.move(days=DAYS)
        report = push_relay(relay, patience=ONCE)
    assert (report.pushed.sent, report.erased) == (0, 2)
    assert road.arrived() == [[False] * 3] * 2
    assert (held(relay), reported(relay), erasures(relay)) == ([], road.all_reported(), 2)


class Breaking(Line):
    """Lets one batch through."""

    through = 0
    error: FieldsurveyError

    def whole(self, batch: bytes) -> Offered:
        """The second one breaks."""
        if Breaking.through:
            raise Breaking.error
        Breaking.through += 1
        return super().whole(batch)


@pytest.mark.parametrize(
    "error", [LineError(server="https://synthetic", reason="cut off"), PushRefusedError(server="", reason="synthetic")]
)
def test_a_push_that_breaks_off(road: Road, monkeypatch: pytest.MonkeyPatch, error: FieldsurveyError) -> None:
    """What is due goes first over the line, before what may still wait; what did not get through is erased all the
    same, and the failure itself says so. What is of nobody who withdrew stays."""
    monkeypatch.setattr(Breaking, "through", 0)
    monkeypatch.setattr(Breaking, "error", type(error)(**error.details), raising=False)
    plain = Slip()  # of whom nobody here hears
    with road.place.running():
        relay = road.relay()
        lay(road.stick, plain.laptop.batch())
        take_stick(relay, road.stick)
        road.place.clock.move(days=DAYS - 1)
        with pytest.raises(type(error)) as caught:
            push_relay(relay, patience=ONCE, connect=Breaking)
    assert sorted(map(any, road.arrived())) == [False, True]
    assert (held(relay), reported(relay)) == (plain.whole(), road.all_reported())
    assert TOLD in caught.value.advice
    assert erasures(relay) == 2


def test_a_batch_that_central_refuses_is_in_nobodys_way(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of two is refused: the second arrives all the same, and the refusal is said at the end."""
    sent: list[None] = []
    rightly = Line.whole

    def refuses(self: Line, batch: bytes) -> Offered:
        sent.append(None)
        if len(sent) == 1:
            raise PushRefusedError(server="https://synthetic", reason="synthetic")
        return rightly(self, batch)

    monkeypatch.setattr(Line, "whole", refuses)
    with road.place.running():
        relay = road.relay()
        with pytest.raises(PushRefusedError):
            push_relay(relay, patience=ONCE)
    assert sorted(map(any, road.arrived())) == [False, True]
    assert len(held(relay)) == 1
    assert [line.code for line in Journal(relay.home).lines() if line.what == "refusal"] == ["refused.push"]


@pytest.mark.parametrize("days", [DAYS - 2, DAYS - 1])
def test_without_a_line(road: Road, days: int) -> None:
    """No server at all, on the day: both go, said in the failure and in the log. The control: the day before."""
    relay = road.relay()
    road.place.clock.move(days=days)
    with pytest.raises(NoServerError) as caught:
        push_relay(relay)
    due = days == DAYS - 1
    assert (held(relay) == [], TOLD in caught.value.advice, erasures(relay)) == (due, due, 2 * due)
    assert caught.value.message == "The project synthetic project names no server."


def test_a_push_that_is_killed(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """[Ctrl+C] ends it: what is due goes, and the log has it."""
    relay = road.relay()
    road.place.clock.move(days=DAYS - 1)
    monkeypatch.setattr("sync.http.relaying.through", lambda *_a, **_k: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        push_relay(relay)
    assert (held(relay), erasures(relay)) == ([], 2)


def test_who_looks_while_it_is_sent_takes_nothing_from_it(road: Road) -> None:
    """The screen looks, a stick comes by, another process wants to push and is refused: what is due stays until the
    push that is under way has ended. The control: past the day a look takes it even then."""
    with road.place.running():
        relay = road.relay()
        road.place.clock.move(days=DAYS - 1)
        looks: list[tuple[int, int, int]] = []

        def look(_done: int, _total: int, _text: str) -> None:
            other = Relay.open(relay.home, relay.clock)
            before = len(held(other))
            with pytest.raises(PushUnderWayError):
                push_relay(other)
            erased = take_stick(other, road.stick).erased
            looks.append((settle(other) + erased, before, len(other.waiting())))

        assert push_relay(relay, progress=look, patience=ONCE).pushed.sent == 6
        assert looks[0] == (0, 2, 2)
    assert (held(relay), reported(relay)) == ([], road.all_reported())


def test_past_the_day_a_push_under_way_keeps_nothing(road: Road) -> None:
    """It crosses midnight: the next look erases, though it is still under way."""
    relay = road.relay()
    road.place.clock.move(days=DAYS - 1)
    with alone(relay.home), relay.sending():
        assert settle(relay) == 0
        road.place.clock.move(days=1)
        assert settle(relay) == 2


def test_handing_on_puts_all_of_it_on_the_stick_first(road: Road, target: Path) -> None:
    """Both are on it, whole, and so is the report that they were erased here."""
    relay = road.relay()
    road.place.clock.move(days=DAYS - 1)
    report = hand_on(relay, target)
    assert (report.written, report.erased, on(target)) == (2, 2, 2)
    assert (held(relay), reported(relay), erasures(relay)) == ([], road.all_reported(), 2)
    assert list((target / "fieldsurvey" / "erased").iterdir())


def test_handing_on_carries_nothing_further_past_the_day(road: Road, target: Path) -> None:
    """A day later nothing of it comes onto the stick: it is erased first, and that is said."""
    relay = road.relay()
    road.place.clock.move(days=DAYS)
    report = hand_on(relay, target)
    assert (report.written, report.erased, on(target), held(relay)) == (0, 2, 0, [])
    assert erasures(relay) == 2


def full(patch: pytest.MonkeyPatch) -> None:
    """The stick has no room."""
    patch.setattr("sync.stick.shutil.disk_usage", lambda _path: type("Usage", (), {"free": 1 << 20}))


def fills(patch: pytest.MonkeyPatch) -> None:
    """It fills while it is written to."""

    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise NoSpaceError(place="synthetic stick")

    patch.setattr("sync.carrying.write_atomic", broken)


def pulled(patch: pytest.MonkeyPatch) -> None:
    """Pulled out after the last copy."""

    def gone(self: Any) -> None:
        raise MediumGoneError(place=self.place)

    patch.setattr("sync.stick.Stick.stays", gone)


@pytest.mark.parametrize("days", [DAYS - 2, DAYS - 1])
@pytest.mark.parametrize(
    ("fault", "error"), [(full, StickTooSmallError), (fills, NoSpaceError), (pulled, MediumGoneError)]
)
def test_handing_on_that_fails(
    road: Road, target: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., None], error: Any, days: int
) -> None:
    """A full stick, one that fills, one that is pulled out: on the day both go all the same, and the failure and the
    log say so. The control: the day before they stay, and nothing is called erased."""
    relay = road.relay()
    road.place.clock.move(days=days)
    with monkeypatch.context() as patch:
        fault(patch)
        with pytest.raises(error) as caught:
            hand_on(relay, target)
    due = days == DAYS - 1
    assert (len(held(relay)), TOLD in caught.value.advice) == (0 if due else 2, due)
    assert (reported(relay), erasures(relay)) == (road.all_reported() if due else {}, 2 * due)


def test_what_went_before_a_stick_failed_is_said_too(road: Road, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the day both are erased first; then the stick fails: the log and the failure still say that they went."""
    relay = road.relay()
    lay(road.stick, Slip().laptop.batch())
    take_stick(relay, road.stick)
    road.place.clock.move(days=DAYS)
    full(monkeypatch)
    with pytest.raises(StickTooSmallError) as caught:
        hand_on(relay, target)
    assert (TOLD in caught.value.advice, erasures(relay), len(held(relay))) == (True, 2, 1)


def test_what_went_before_the_own_disk_failed_is_in_the_log(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of a stick that comes in, past the day: its batches cannot be listed; the log has what was erased."""
    relay = road.relay()
    road.place.clock.move(days=DAYS)

    def broken(*_args: Any, **_kwargs: Any) -> Iterator[Any]:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("sync.carrying._batches", broken)
    with pytest.raises(OSError, match="Input"):
        take_stick(relay, road.stick)
    assert (held(relay), erasures(relay)) == ([], 2)


@pytest.mark.parametrize("days", [DAYS - 2, DAYS - 1])
def test_no_stick_is_found(road: Road, tmp_path: Path, days: int) -> None:
    """From the screen, into a folder that is not there: nothing could be handed on, and on the day both go. The
    control: the day before."""
    relay = road.relay()
    road.place.clock.move(days=days)
    with pytest.raises(NoFolderError) as caught:
        relay_hand(Desk.at(relay.home, relay.clock), tmp_path / "nowhere", lambda *_: None, lambda: False)
    due = days == DAYS - 1
    assert (held(relay) == [], TOLD in caught.value.advice, erasures(relay)) == (due, due, 2 * due)


def test_two_failures_are_both_said(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server, and this laptop's own disk refuses as well: the first is what failed, the second is said with it, and
    the next look makes up for it."""
    relay = road.relay()
    road.place.clock.move(days=DAYS - 1)

    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise NoSpaceError(place="own disk")

    with monkeypatch.context() as patch:
        patch.setattr("sync.relay.write_found", broken)
        with pytest.raises(NoServerError) as caught:
            push_relay(relay)
    assert "own disk" in caught.value.advice
    settle(relay)
    assert (held(relay), reported(relay), relay.noted) == ([], road.all_reported(), False)


def test_the_screens_words(road: Road) -> None:
    """After a push past the day, and after a look on it: how many were erased."""
    with road.place.running():
        relay = road.relay()
        road.place.clock.move(days=DAYS)
        done = relay_push(Desk.at(relay.home, relay.clock), Path(), lambda *_: None, lambda: False)
    assert TOLD in [one.text for one in words_of(done)]


def test_a_look_says_what_it_erased(road: Road) -> None:
    """On the day, by whoever only looks; once."""
    relay = road.relay()
    road.place.clock.move(days=DAYS - 1)
    assert TOLD in carried_summary(carried(relay)).splitlines()
    assert TOLD not in carried_summary(carried(relay))
    assert erasures(relay) == 2


@pytest.mark.parametrize("days", [DAYS - 1, DAYS])
async def test_the_screen_leaves_time_until_it_is_left(road: Road, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """On the day somebody opens it to send: what is due is still there, with its day; leaving the screen, in any way,
    erases it and says so. The control: past the day opening it erases."""
    relay = road.relay()
    road.place.clock.move(days=days)
    desk = Desk.at(relay.home, relay.clock)
    app = CentralApp(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        shown = " ".join(text(app).split())
    due = days == DAYS - 1
    assert (len(held(relay)), "wait until" in shown, "were erased here." in shown) == (2 * due, due, not due)
    tty = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(central_show, "sys", SimpleNamespace(stdin=tty, stdout=tty))
    monkeypatch.setattr("fieldsurvey.cli.app.run", lambda **_kwargs: 7)
    monkeypatch.setattr(Desk, "at", lambda *_args: desk)
    done = CliRunner().invoke(central_commands.app, ["show"])
    assert (done.exit_code, TOLD in done.output) == (7, due)
    assert (held(relay), erasures(relay)) == ([], 2)
