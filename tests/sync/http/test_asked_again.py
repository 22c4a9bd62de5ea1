"""Central lost what it had confirmed: a push sends it again, as far as the laptop has it still, and within bounds.

All synthetic.
"""

from __future__ import annotations

import shutil
import threading
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from typer.testing import CliRunner

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.cli.sync import app
from fieldsurvey.fieldwork.laptop import Laptop
from fieldsurvey.records.receipt import Level, Receipt, Role
from fieldsurvey.tui.sending import sent_line
from fieldsurvey.vault.purge import purge_records
from sync.folder import at_central
from sync.http.asked_again import MOST, REST, trouble
from sync.http.callers import Caller
from sync.http.errors import AskedTooOftenError, LineError, LostAtCentralError
from sync.http.pushing import Patience
from sync.http.service import Refusal, Service
from sync.http.serving import Running
from sync.http.state import PushState, read_state
from sync.http.watching import watch
from sync.http.wire import Heads, Offered
from sync.journal import Journal
from tests.sync.http.conftest import RECORDS
from tests.sync.http.lines import BreakingLine
from tests.sync.http.pushes import EACH, Arrive, digest, over, requests, send
from tests.sync.http.test_lies_again import ALL
from tests.sync.http.worlds import Place
from tests.sync.projects import NOW, seal_some


def roll_back(place: Place, to: Path | None = None) -> None:
    """Central's disk is empty, or what it was when it was copied there."""
    for path in place.home.glob("central.db*"):
        path.unlink()
    if to is not None:
        shutil.copy(to, place.home / "central.db")


def again(place: Place) -> AbstractContextManager[Running]:
    """The server once more, where the laptop knows it."""
    return place.running(int(place.project.servers[0].url.rpartition(":")[2]))


def sent(place: Place, arrive: Arrive) -> Laptop:
    """A laptop all of whose records central has confirmed."""
    with place.running():
        laptop = arrive(place)
        assert send(laptop).confirmed
    return laptop


def purge(laptop: Laptop, up_to: int) -> None:
    """Central had these backed up long ago."""
    log = laptop.locked
    card = log.device_card()
    fields: dict[str, Any] = {"project": card.project, "device": card.device, "head": log.head_at(up_to).hex()}
    said = Receipt(**fields, up_to=up_to, level=Level.BACKED_UP, by=Role.CENTRAL, issued=NOW.isoformat())
    log.take_receipt(said, NOW)
    assert purge_records(log, NOW) == up_to


def test_a_central_that_lost_everything_gets_everything(place: Place, arrive: Arrive, whole: str) -> None:
    """Though its receipts cover all of it; the number is said. The next push sends nothing."""
    laptop = sent(place, arrive)
    roll_back(place)
    with again(place), requests() as asked:
        report = send(laptop)
        assert (report.sent, report.new, report.again, report.confirmed) == (RECORDS, RECORDS, RECORDS, True)
        assert trouble(report) is None
        asked.clear()
        assert (send(laptop).again, [what for what in asked if "batch" in what]) == (0, [])
    assert digest(place) == whole
    assert [line.counts["again"] for line in Journal(laptop.home).lines() if line.what == "push"] == [0, RECORDS, 0]


def test_a_central_of_an_earlier_backup_gets_what_came_since(place: Place, arrive: Arrive, tmp_path: Path) -> None:
    """And what was sealed meanwhile is confirmed in the same push: no gap is left before it."""
    laptop = sent(place, arrive)
    shutil.copy(place.home / "central.db", tmp_path / "backup")
    seal_some(laptop, 3)
    with again(place):
        assert send(laptop).confirmed
    roll_back(place, tmp_path / "backup")
    seal_some(laptop, 2)
    with again(place):
        report = send(laptop)
    assert (report.again, report.new, report.confirmed) == (3, 5, True)
    assert at_central(laptop.locked) == RECORDS + 5
    with place.central() as central:
        assert central.log(laptop.locked.device_card().device).whole_to == RECORDS + 5
        assert central.verify().sound


def test_a_record_that_central_took_out_comes_back_alone(place: Place, arrive: Arrive, whole: str) -> None:
    """It was damaged in its database, in the middle of the log: what follows is not asked for with it."""
    laptop = sent(place, arrive)
    with place.central() as central, central.store.write() as writer:
        hashes = [entry.record_hash for entry in central.store.entries(laptop.locked.device_card().device)]
        assert writer.discard([hashes[3], hashes[4], hashes[9]]) == 3
    with again(place):
        report = send(laptop)
    assert (report.sent, report.again, report.confirmed) == (3, 3, True)
    assert digest(place) == whole


def test_what_the_laptop_let_go_of_is_named(place: Place, arrive: Arrive) -> None:
    """With what to do; the rest goes all the same, and what follows upon a loss is not said to be confirmed."""
    laptop = sent(place, arrive)
    roll_back(place)
    purge(laptop, 5)
    seal_some(laptop, 1)
    with again(place):
        report = send(laptop)
        (log,) = report.logs
        assert (log.again, log.lost, log.confirmed, log.head) == (RECORDS - 5, ((1, 5),), RECORDS, RECORDS + 1)
        assert not report.confirmed
        error = trouble(report)
        assert isinstance(error, LostAtCentralError)
        assert "1-5" in error.message
        assert "central restore" in error.advice
        assert "refused.lost_at_central" in {line.code for line in Journal(laptop.home).lines()}
        with place.central() as central:
            assert central.store.counts().bodies == RECORDS - 5 + 1


def test_a_line_that_breaks_in_between_is_taken_up(place: Place, arrive: Arrive, whole: str) -> None:
    """What went again goes not a third time; the next push brings the rest."""
    laptop = sent(place, arrive)
    roll_back(place)
    with again(place) as running, BreakingLine(running.port, 120_000) as line:
        with pytest.raises(LineError):
            send(laptop, connect=over(line.port), patience=Patience(tries=1))
        report = send(laptop, connect=over(line.port))
    assert 0 < report.again < RECORDS
    assert digest(place) == whole


class Forgetful:
    """A server that takes everything, says that it lacks everything, and sometimes is busy."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, busy: int = 0) -> None:
        self.got = self.told = 0
        real = Service.heads

        def greedy(service: Service, caller: Caller, body: bytes) -> Heads:
            found = real(service, caller, body)
            lacks = [(at, RECORDS) for at in range(1, RECORDS + 1)] + [(RECORDS, 1)]
            logs = (log.model_copy(update={"lacks": tuple(lacks), "receipts": ()}) for log in found.logs)
            return found.model_copy(update={"logs": tuple(logs)})

        def silent(service: Service, caller: Caller, body: BinaryIO) -> Offered:
            self.told += 1
            if busy and self.told % busy == 0:
                raise Refusal(503, "busy", after=1)
            self.got += len(body.read())
            return Offered()

        monkeypatch.setattr(Service, "heads", greedy)
        monkeypatch.setattr(Service, "whole", silent)


def test_in_one_push_a_liar_gets_each_record_once(
    place: Place, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it words it, and however often the line is taken up again."""
    laptop = sent(place, arrive)
    server = Forgetful(monkeypatch, busy=2)
    waits: list[float] = []
    with again(place):
        report = send(laptop, max_entries=1, patience=Patience(tries=2, wait=waits.append))
    assert report.again == RECORDS
    assert 0 < server.got < 3 * ALL / 2
    assert len(waits) <= RECORDS + 2


def test_by_itself_a_laptop_sends_a_liar_less_and_less(
    place: Place, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a hundred days: the log goes a handful of times, and somebody is told. By hand it goes."""
    laptop = sent(place, arrive)
    clock = FixedClock(NOW)
    laptop.clock = clock
    server = Forgetful(monkeypatch)
    with again(place):
        for _push in range(25):
            report = send(laptop, by_hand=False, max_entries=EACH)
            clock.move(days=4)
        assert isinstance(trouble(report), AskedTooOftenError)
        assert report.logs[0].resting == RECORDS
        assert 3 * ALL / 2 < server.got < 12 * ALL
        got = server.got
        assert send(laptop).again == RECORDS
        assert server.got > got


def test_a_wrong_clock_opens_no_door_and_shuts_none(
    place: Place, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock jumps back and forth: no more goes; after a while by the right clock it goes again."""
    laptop = sent(place, arrive)
    clock = FixedClock(NOW + timedelta(days=3650))
    laptop.clock = clock
    Forgetful(monkeypatch)
    with again(place):
        went = [send(laptop, by_hand=False).again for _push in range(4)]
        assert went[:2] == [RECORDS, RECORDS]
        assert went[3] == 0
        clock.at = NOW
        assert send(laptop, by_hand=False).again == 0
        clock.move(days=(REST * MOST).days)
        assert send(laptop, by_hand=False).again == RECORDS


def test_it_is_said_to_the_person(place: Place, arrive: Arrive, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the command line, with what to do about what is gone; and on the screens, of what went by itself."""
    laptop = sent(place, arrive)
    roll_back(place)
    purge(laptop, 5)
    monkeypatch.setenv("FIELDSURVEY_HOME", str(laptop.home))
    with again(place):
        said = CliRunner().invoke(app, ["push"], catch_exceptions=False)
        assert f"Central had lost {RECORDS - 5} records that it had confirmed" in said.output
        assert "Central lost 5 records" in said.output
        assert "central restore FILE" in said.output
        assert "Everything that is sealed on this laptop is confirmed" not in said.output
        assert by_itself(laptop).code == "refused.lost_at_central"
    assert sent_line(laptop.home)[1]


def test_what_went_again_by_itself_is_said_too(place: Place, arrive: Arrive) -> None:
    """Once: the next push has nothing to tell of it."""
    laptop = sent(place, arrive)
    roll_back(place)
    with again(place):
        assert by_itself(laptop).again == RECORDS
        assert sent_line(laptop.home) == (
            f"Central had lost {RECORDS} records that it had confirmed: it asked again, and got them.", False,
        )  # fmt: skip
        assert by_itself(laptop).again == 0


def by_itself(laptop: Laptop) -> PushState:
    """What the process that sends by itself says after one push."""
    ended = threading.Event()

    class Once(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            ended.set()
            return True

        def is_set(self) -> bool:
            return ended.is_set()

    watch(laptop.home, FixedClock(NOW), Once())
    state = read_state(laptop.home)
    assert state is not None
    return state


@pytest.mark.usefixtures("small_packs")
def test_a_bad_line_uses_no_allowance_up(place: Place, arrive: Arrive, whole: str) -> None:
    """By itself, over a line that breaks at every pack: what did not go out is not counted, and all comes."""
    laptop = sent(place, arrive)
    roll_back(place)
    with again(place) as running:
        for _evening in range(30):
            with BreakingLine(running.port, 100_000) as line:
                try:
                    report = send(laptop, connect=over(line.port), patience=Patience(tries=1), by_hand=False)
                except LineError:
                    continue
                break
        assert trouble(report) is None
    assert digest(place) == whole
