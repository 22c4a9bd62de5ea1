"""What a laptop's stick carries: from where it starts, without what was withdrawn, with what comes back; and the purge,
from a sealed record to the body that goes, over sticks, a relay, central and its backup."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork.laptop import Laptop
from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.records.envelope import Header, seal
from fieldsurvey.records.receipt import Level, Role, write_receipt
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.withdrawal import WithdrawalCode
from fieldsurvey.vault import SealedLog
from sync.batches import read_batch
from sync.carrying import hand_on, take_stick
from sync.central import Central
from sync.covering import Backing
from sync.errors import StickTooSmallError
from sync.folder import collect, export_batches
from sync.importing import import_folder, is_unbacked
from sync.journal import Journal
from sync.relay import Relay
from tests.sync.laptops import HMU
from tests.sync.projects import NOW, PASSPHRASE, SyntheticProject, join, noted, seal_some
from tests.sync.test_folder import put_receipt, receipt


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> tuple[SyntheticProject, Path, WithdrawalCode]:
    """A laptop with five records, the third of which has a withdrawal code; enrolled."""
    project, code = SyntheticProject(), WithdrawalCode.generate()
    home = tmp_path_factory.mktemp("made") / "home"
    laptop = join(project, home)
    seal_some(laptop, 2)
    with laptop.locked.unlock(PASSPHRASE) as vault:
        header = Header(project=vault.project, device=vault.device, case="ab" * 16, withdrawal=code.tag(vault.project))
        record = seal(header, b"synthetic", [HMU.public])
        vault.finalise(vault.drafts.create(bytes(32), b"head", b"snapshot").draft_id, record)
    seal_some(laptop, 2)
    laptop.update(project.enrol(laptop.locked.device_card()).data)
    laptop.close()
    return project, home, code


@pytest.fixture
def project(_made: tuple[SyntheticProject, Path, WithdrawalCode]) -> SyntheticProject:
    """The laptop's."""
    return _made[0]


@pytest.fixture
def code(_made: tuple[SyntheticProject, Path, WithdrawalCode]) -> WithdrawalCode:
    """On the slip of record 3."""
    return _made[2]


@pytest.fixture
def clock() -> FixedClock:
    """Everybody's, unless a test gives somebody another."""
    return FixedClock(NOW)


@pytest.fixture
def laptop(_made: tuple[SyntheticProject, Path, WithdrawalCode], tmp_path: Path, clock: FixedClock) -> Iterator[Laptop]:
    """A copy of it, locked."""
    shutil.copytree(_made[1], tmp_path / "home")
    found = Laptop.open(tmp_path / "home", clock)
    yield found
    found.close()


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """An empty one."""
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


def withdraw(laptop: Laptop, code: WithdrawalCode) -> None:
    """The person of record 3 brings the slip to this laptop."""
    from fieldsurvey.fieldwork.withdrawals import withdraw as enter

    assert enter(laptop.locked, code, NOW.date()).bodies == 1


def on(stick: Path) -> dict[int, bool]:
    """Entry -> whether its record is there, of every whole batch on a stick."""
    found: dict[int, bool] = {}
    for path in (stick / "fieldsurvey" / "batches").glob("*.fsb"):
        batch = read_batch(io.BytesIO(path.read_bytes()))
        batch.verify()
        found.update({entry.seq: entry.seq not in batch.erased for entry in batch.entries})
    return dict(sorted(found.items()))


def held(laptop: Laptop) -> list[int]:
    """Entries whose body is on the laptop."""
    return [entry.seq for entry, _record in laptop.locked.entries()]


def test_a_relays_word_does_not_keep_anything_at_home(laptop: Laptop, project: SyntheticProject, stick: Path) -> None:
    """A relay has received all: everything travels again all the same, for it may lose or erase a batch. Control: after
    central's word for 4 only entry 5 does."""
    put_receipt(stick, "r.fsr", receipt(laptop, 5, level=Level.RECEIVED, by=Role.SUPERVISOR), project.supervisor)
    assert len(collect(laptop, stick).taken) == 1
    report = export_batches(laptop.locked, stick)
    assert (report.after, report.written) == (0, 5)
    put_receipt(stick, "c.fsr", receipt(laptop, 4), project.central)
    collect(laptop, stick)
    assert export_batches(laptop.locked, stick).after == 4


def test_what_was_withdrawn_travels_as_an_entry_only(laptop: Laptop, code: WithdrawalCode, stick: Path) -> None:
    """Erased on the laptop: the log travels whole, without that record; nothing is called left out or damaged."""
    withdraw(laptop, code)
    report = export_batches(laptop.locked, stick)
    assert (report.left_out, report.up_to, report.withdrawals) == ((), 5, 1)
    assert on(stick) == {1: True, 2: True, 3: False, 4: True, 5: True}


def test_a_stick_that_has_the_withdrawn_record_loses_it(laptop: Laptop, code: WithdrawalCode, stick: Path) -> None:
    """Copied before the withdrawal: the laptop's own batch is taken off that stick and written anew without it."""
    record = next(record for entry, record in laptop.locked.entries(3, 3))
    export_batches(laptop.locked, stick)
    assert any(record in path.read_bytes() for path in stick.rglob("*.fsb"))  # control
    withdraw(laptop, code)
    export_batches(laptop.locked, stick)
    assert on(stick) == {1: True, 2: True, 3: False, 4: True, 5: True}
    assert not any(record in path.read_bytes() for path in stick.rglob("*") if path.is_file())


def test_a_relay_that_erased_gets_the_rest_again(
    laptop: Laptop, project: SyntheticProject, code: WithdrawalCode, stick: Path, tmp_path: Path, central: Central
) -> None:
    """Relay takes all five, the person withdraws at the laptop, the relay erases the batch with four other records in
    it: the laptop's next stick brings those four, central ends with all entries and four bodies, and acknowledges."""
    relay = _relay(tmp_path / "supervisor", project, FixedClock(NOW))
    export_batches(laptop.locked, stick)
    take_stick(relay, stick)
    withdraw(laptop, code)
    other = tmp_path / "other"
    other.mkdir()
    export_batches(laptop.locked, other)
    report = take_stick(relay, other)
    assert (report.erased, [file.outcome for file in report.files]) == (1, ["taken"])
    road = tmp_path / "road"
    road.mkdir()
    hand_on(relay, road)
    signed = laptop.project
    done = import_folder(central, road, signed, project.central, home=tmp_path)
    assert [item.up_to for item in done.receipts] == [5]
    assert (central.store.counts().entries, central.store.counts().bodies) == (4, 4)
    assert central.store.counts().absent == 1
    assert take_stick(relay, road).forgotten == 1


def test_the_free_space_is_looked_at_first(laptop: Laptop, stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stick that is too small is named before a byte is written, and the log says so; control: with room it works."""
    with monkeypatch.context() as patch:
        patch.setattr("sync.stick.shutil.disk_usage", lambda _path: type("Usage", (), {"free": 1000}))
        with pytest.raises(StickTooSmallError):
            export_batches(laptop.locked, stick)
    assert on(stick) == {}
    assert laptop.locked.copied() == []
    assert [line.code for line in Journal(laptop.home).lines()] == ["storage.stick_too_small"]
    assert export_batches(laptop.locked, stick).written == 5


def test_everything_is_in_the_log(laptop: Laptop, project: SyntheticProject, stick: Path) -> None:
    """An export, a receipt, a forged one, another root's project: each has its line, with the stick and this laptop."""
    export_batches(laptop.locked, stick)
    put_receipt(stick, "a.fsr", receipt(laptop, 5), project.central)
    put_receipt(stick, "b.fsr", receipt(laptop, 5), SigningKey.generate())
    (stick / "fieldsurvey" / "project.fsp").write_bytes(SyntheticProject(project.id).publish(99).data)
    collect(laptop, stick)
    lines = list(Journal(laptop.home).lines())
    assert [line.what for line in lines] == ["export", "receipt", "refusal", "refusal"]
    assert (lines[0].counts["written"], lines[0].counts["up_to"]) == (5, 5)
    assert lines[1].code == "committed"
    assert {line.role for line in lines} == {"laptop"}
    assert all(str(stick) in line.place for line in lines)
    assert {line.device for line in lines} == {laptop.locked.device_card().device}


# -- the purge, end to end


def _relay(home: Path, project: SyntheticProject, clock: FixedClock) -> Relay:
    home.mkdir()
    (home / "given.key").write_bytes(role_key_bytes(project.id, Role.SUPERVISOR, project.supervisor))
    return Relay.set_up(home, home / "given.key", project.publish().data, clock)


def back_up(central: Central, project: SyntheticProject, log: SealedLog, up_to: int, at: FixedClock) -> None:
    """What `central backup` notes when the copy has been audited."""
    when, head = at.now().isoformat("T", "seconds"), log.head_at(up_to)
    with central.store.write() as writer:
        row = noted(log.device_card().device, up_to, head, when, key=project.central, project=project.id)
        writer.covered([row], when)


def test_the_purge_end_to_end(
    laptop: Laptop, project: SyntheticProject, stick: Path, tmp_path: Path, clock: FixedClock
) -> None:
    """Laptop → stick → relay → stick → central → backup → receipts back the same way; seven signed days later another
    receipt comes: the four bodies that the backup holds go, the fifth stays, the entries stay. Each step alone, and
    each a day too early, purges nothing."""
    road = tmp_path / "road"
    road.mkdir()
    relay = _relay(tmp_path / "supervisor", project, clock)
    signed = project.publish()

    def round_trip() -> int:
        export_batches(laptop.locked, stick, clock=clock)
        take_stick(relay, stick)
        hand_on(relay, road)
        with Central.open(tmp_path / "central.db", clock=clock) as central:
            import_folder(central, road, signed, project.central, home=tmp_path / "office")
        take_stick(relay, road)
        take_stick(relay, stick)
        return collect(laptop, stick).purged

    assert round_trip() == 0
    assert laptop.locked.acknowledged() == {"received": 5, "committed": 5}
    clock.move(days=30)
    assert round_trip() == 0  # committed, however long ago, is not backed up
    with Central.open(tmp_path / "central.db", clock=clock) as central:
        back_up(central, project, laptop.locked, 4, clock)
    assert round_trip() == 0
    assert laptop.locked.acknowledged()["backed_up"] == 4
    clock.move(days=6)
    assert round_trip() == 0
    clock.move(days=1)
    assert laptop.purge().records == 0  # the laptop's clock alone
    assert held(laptop) == [1, 2, 3, 4, 5]
    assert round_trip() == 4
    assert held(laptop) == [5]
    assert laptop.locked.head().seq == 5
    assert [line.counts for line in Journal(laptop.home).lines() if line.code == "purged"] == [{"records": 4}]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"key": "anybody"}, id="anybody's key"),
        pytest.param({"key": "supervisor"}, id="the supervisor as central"),
        pytest.param({"key": "supervisor", "by": Role.SUPERVISOR, "level": Level.RECEIVED}, id="a relay's word"),
        pytest.param({"level": Level.COMMITTED}, id="committed only"),
        pytest.param({"head": "00" * 32}, id="another history"),
        pytest.param({"device": "ab" * 16}, id="another laptop's"),
        pytest.param({"project": "ab" * 16}, id="another project's"),
        pytest.param({"up_to": 6}, id="beyond the end"),
        pytest.param({"issued": "9999-12-31T23:59:59-12:00"}, id="at the end of the calendar"),
        pytest.param({"retired": True}, id="a key that was retired"),
        pytest.param({"cut": True}, id="truncated"),
        pytest.param({"altered": True}, id="altered"),
        pytest.param({}, id="control: true"),
    ],
)
def test_no_receipt_but_centrals_own_lets_anything_go(
    laptop: Laptop, project: SyntheticProject, stick: Path, clock: FixedClock, wrong: dict[str, Any]
) -> None:
    """The same receipt, today and forty days on, forged, foreign, weaker or damaged: 0 bodies go. The true one: all."""
    keys = {"anybody": SigningKey.generate(), "supervisor": project.supervisor, "central": project.central}
    key = keys[wrong.get("key", "central")]
    fields = {name: value for name, value in wrong.items() if name in {"by", "level", "head", "device", "project"}}
    for days in (0, 40):
        issued = wrong.get("issued", (NOW + timedelta(days=days)).isoformat("T", "seconds"))
        made = receipt(laptop, 5, **{"level": Level.BACKED_UP, "issued": issued, **fields})
        if "up_to" in wrong:
            made = made.model_copy(update={"up_to": wrong["up_to"]})
        data = write_receipt(made, key)
        if wrong.get("cut"):
            data = data[:-3]
        if wrong.get("altered"):
            data = data.replace(b'"up_to":5', b'"up_to":4')
        put_receipt(stick, f"{days}.fsr", data)
        if wrong.get("retired"):
            spare, project.central = project.central, SigningKey.generate()
            laptop.update(project.publish().data)
            project.central = spare
        clock.move(days=days)
        purged = collect(laptop, stick).purged
    assert purged == (0 if wrong else 5)
    assert held(laptop) == ([] if not wrong else [1, 2, 3, 4, 5])


def test_an_old_receipt_played_again_lets_nothing_more_go(
    laptop: Laptop, project: SyntheticProject, stick: Path, clock: FixedClock
) -> None:
    """A backup of entry 2, forty days old, shown again and again with a fresh `committed`: 1 and 2 go, 3 to 5 never."""
    put_receipt(stick, "b.fsr", receipt(laptop, 2, level=Level.BACKED_UP), project.central)
    collect(laptop, stick)
    for days in (40, 40, 40):
        clock.move(days=days)
        fresh = receipt(laptop, 5, issued=clock.now().isoformat("T", "seconds"))
        put_receipt(stick, "c.fsr", fresh, project.central)
        collect(laptop, stick)
    assert held(laptop) == [3, 4, 5]


def test_central_says_when_nobody_backs_it_up(
    laptop: Laptop, project: SyntheticProject, stick: Path, tmp_path: Path, clock: FixedClock
) -> None:
    """Never, or longer ago than a week: the import says so; after a backup it does not."""
    export_batches(laptop.locked, stick)
    with Central.open(tmp_path / "central.db", clock=clock) as central:
        report = import_folder(central, stick, laptop.project, project.central)
        assert (report.unbacked, report.last_backup) == (True, None)
        back_up(central, project, laptop.locked, 5, clock)
        assert not import_folder(central, stick, laptop.project, project.central).unbacked
        clock.move(days=8)
        report = import_folder(central, stick, laptop.project, project.central)
        assert report.unbacked
        assert report.last_backup == NOW.isoformat("T", "seconds")
    assert not is_unbacked(Backing(NOW.isoformat()), NOW + timedelta(days=7))
