"""A supervisor's laptop: it takes whole batches, vouches for what it holds, forgets what central has, reads nothing."""

from __future__ import annotations

import io
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import FieldsurveyError, UntrustedError
from fieldsurvey.base.files import write_atomic
from fieldsurvey.fieldwork.erasures import Reports, Trust
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.records.erased import Place
from fieldsurvey.records.receipt import Level, Receipt, Role, read_receipt, write_receipt
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync import holding as holding_module
from sync.batches import read_batch
from sync.carrying import RelayFile, TakeReport, hand_on, take_stick
from sync.central import Central
from sync.errors import NoRelayError, NothingHereError, NotSupervisorsKeyError, RelayBusyError, StickTooSmallError
from sync.importing import import_folder
from sync.journal import Journal
from sync.relay import Relay
from tests.sync.laptops import PROJECT, SyntheticLaptop, laptop
from tests.sync.projects import SyntheticProject


@pytest.fixture
def project() -> SyntheticProject:
    """A synthetic project, with the id that synthetic laptops have."""
    return SyntheticProject(PROJECT)


@pytest.fixture
def relay(tmp_path: Path, project: SyntheticProject, clock: FixedClock) -> Relay:
    """A supervisor's laptop that holds nothing yet."""
    return made(tmp_path / "supervisor", project, clock)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """An empty one."""
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


def made(home: Path, project: SyntheticProject, clock: FixedClock) -> Relay:
    """A relay of that project."""
    home.mkdir()
    key = home / "given.key"
    key.write_bytes(role_key_bytes(project.id, Role.SUPERVISOR, project.supervisor))
    return Relay.set_up(home, key, project.publish().data, clock)


def lay(stick: Path, data: bytes, name: str = "") -> Path:
    """Put a batch file on a stick, under any name."""
    folder = stick / "fieldsurvey" / "batches"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name or f"{secrets.token_hex(4)}.fsb")
    path.write_bytes(data)
    return path


def give(stick: Path, receipt: Receipt, key: SigningKey) -> None:
    """Put a receipt on a stick."""
    folder = stick / "fieldsurvey" / "receipts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{secrets.token_hex(4)}.fsr").write_bytes(write_receipt(receipt, key))


def said(one: SyntheticLaptop, up_to: int, **fields: Any) -> Receipt:
    """As central would say it of this laptop's log."""
    values: dict[str, Any] = {
        "project": one.card.project,
        "device": one.device,
        "up_to": up_to,
        "head": one.head_at(up_to).hex(),
        "level": Level.COMMITTED,
        "by": Role.CENTRAL,
        "issued": "2026-03-02T10:00:00Z",
    }
    return Receipt(**{**values, **fields})


def on_stick(stick: Path, project: SyntheticProject, by: Role = Role.SUPERVISOR) -> dict[str, int]:
    """Device -> up to where a role's receipts on a stick reach; each must be signed by a key of the project."""
    keys = [(Role.SUPERVISOR, project.supervisor.public), (Role.CENTRAL, project.central.public)]
    found = [read_receipt(path.read_bytes(), keys) for path in (stick / "fieldsurvey" / "receipts").glob("*.fsr")]
    return {receipt.device: receipt.up_to for receipt in found if receipt.by is by}


def held(relay: Relay) -> list[tuple[str, int, int]]:
    """(device, first, last) of each batch that a fresh start finds whole."""
    return [(one.device, one.first, one.last) for one in Relay.open(relay.home).offers()]


def outcomes(report: TakeReport) -> list[str]:
    """What became of each file."""
    return [file.outcome for file in report.files]


def test_batches_of_many_laptops_are_taken_and_vouched_for(
    relay: Relay, project: SyntheticProject, stick: Path
) -> None:
    """Three laptops on one stick: every batch is held whole; a signed `received` for each is on the same stick."""
    three = [laptop(4), laptop(2), laptop(7)]
    for one in three:
        lay(stick, one.batch())
    seen: list[tuple[int, int, str]] = []
    report = take_stick(relay, stick, lambda *args: seen.append(args))
    assert outcomes(report) == ["taken"] * 3
    assert sorted(held(relay)) == sorted((one.device, 1, len(one.log)) for one in three)
    assert on_stick(stick, project) == {one.device: len(one.log) for one in three}
    assert {receipt.level for receipt in report.receipts} == {Level.RECEIVED}
    assert seen[-1][0] == seen[-1][1] == sum(file.stat().st_size for file in stick.rglob("*.fsb"))
    assert (stick / "fieldsurvey" / "project.fsp").exists()


def test_taking_again_changes_nothing(relay: Relay, stick: Path) -> None:
    """The same stick, and the same batch under another name: present; nothing is written twice."""
    one = laptop(3)
    lay(stick, one.batch())
    take_stick(relay, stick)
    before = {path: path.stat().st_mtime_ns for path in relay.holding.folder.iterdir()}
    lay(stick, one.batch(), "zz.fsb")
    assert outcomes(take_stick(Relay.open(relay.home), stick)) == ["present", "present"]
    assert {path: path.stat().st_mtime_ns for path in relay.holding.folder.iterdir()} == before


def test_a_damaged_copy_of_what_is_here_is_named(relay: Relay, project: SyntheticProject, stick: Path) -> None:
    """Its manifest is whole and known, its last record is not: refused by name, as central does it, and only it."""
    one = laptop(3)
    data = one.batch()
    lay(stick, data, "a.fsb")
    take_stick(relay, stick)
    lay(stick, data[:-1], "b.fsb")
    assert outcomes(take_stick(relay, stick)) == ["present", "refused"]
    give(stick, said(one, 3), project.central)
    assert outcomes(take_stick(relay, stick)) == ["present", "refused"]  # and is then forgotten
    assert outcomes(take_stick(relay, stick)) == ["committed", "refused"]


def test_a_longer_batch_takes_the_place_of_those_within_it(relay: Relay, stick: Path) -> None:
    """Each night's export holds the one before: one is kept, and the shorter one is then `present`."""
    one = laptop(3)
    short = one.batch()
    lay(stick, short)
    take_stick(relay, stick)
    one.seal()
    lay(stick, one.batch())
    take_stick(relay, stick)
    assert held(relay) == [(one.device, 1, 4)]
    assert outcomes(take_stick(relay, stick)) == ["present", "present"]


@pytest.mark.parametrize("place", range(0, 100, 7))
def test_what_is_damaged_is_refused_by_name_and_the_others_are_taken(relay: Relay, stick: Path, place: int) -> None:
    """A byte flipped anywhere, a truncation, something behind the end, another project's: refused, typed, logged."""
    good, bad = laptop(2), laptop(2)
    whole = bad.batch()
    at = len(whole) * place // 100
    lay(stick, whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], "a-flipped.fsb")
    lay(stick, whole[: at + 1], "b-cut.fsb")
    lay(stick, whole + b"x", "c-longer.fsb")
    lay(stick, laptop(1, project="1e" * 16).batch(), "d-foreign.fsb")
    lay(stick, good.batch(), "e-good.fsb")
    report = take_stick(relay, stick)
    refused = report.having("refused")
    assert [file.name for file in refused] == ["a-flipped.fsb", "b-cut.fsb", "c-longer.fsb", "d-foreign.fsb"]
    assert all(file.code and file.reason and file.advice for file in refused)
    assert held(relay) == [(good.device, 1, 2)]
    assert [path.name for path in relay.holding.folder.iterdir()] == [next(iter(relay.holding.folder.iterdir())).name]
    logged = [line for line in Journal(relay.home).lines() if line.what == "refusal"]
    assert [line.code for line in logged] == [file.code for file in refused]


def test_a_stick_that_says_something_else_the_second_time(
    relay: Relay, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is verified is the copy: a stick that shows another file once it has been looked at gets nothing in."""
    one = laptop(3)
    path = lay(stick, one.batch())
    other = one.clone().batch(1, 2)
    real = write_atomic

    def swapped(target: Path, chunks: Any, **more: Any) -> str:
        return real(target, other if target.name == "incoming" else chunks, **more)

    monkeypatch.setattr(holding_module, "write_atomic", swapped)
    assert [file.code for file in take_stick(relay, stick).files] == ["untrusted.batch"]
    assert held(relay) == []
    monkeypatch.undo()
    assert [file.outcome for file in take_stick(relay, stick).files] == ["taken"]
    assert path.exists()


def test_only_what_hangs_on_a_beginning_is_vouched_for(relay: Relay, project: SyntheticProject, stick: Path) -> None:
    """Entries 4 to 6 alone: held, but no `received`, for nobody says where 1 to 3 are; central's receipt for 3, or the
    missing batch, gives one."""
    one, two = laptop(6), laptop(6)
    for each in (one, two):
        lay(stick, each.batch(4, 6))
    assert take_stick(relay, stick).receipts == ()
    assert len(held(relay)) == 2
    give(stick, said(one, 3), project.central)
    lay(stick, two.batch(1, 3))
    take_stick(relay, stick)
    assert on_stick(stick, project) == {one.device: 6, two.device: 6}


def test_a_fork_gets_a_receipt_for_each_history(relay: Relay, stick: Path) -> None:
    """A cloned laptop: both ends are vouched for, each with its own head."""
    one = laptop(2)
    twin = one.clone()
    one.seal()
    twin.seal()
    lay(stick, one.batch())
    lay(stick, twin.batch())
    report = take_stick(relay, stick)
    assert {receipt.head for receipt in report.receipts} == {one.head_at(3).hex(), twin.head_at(3).hex()}


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


def test_a_withdrawal_takes_the_whole_batch_at_once(
    relay: Relay, project: SyntheticProject, stick: Path, tmp_path: Path
) -> None:
    """The stick that brings the tombstone: every batch with such a record goes, the others stay; it is reported, signed
    by this place; the same batch is not taken again; what the laptop sends without the record is."""
    code = WithdrawalCode.generate()
    one, two = laptop(2), laptop(2)
    one.seal(withdrawal=code.tag(PROJECT))
    lay(stick, one.batch())
    lay(stick, two.batch())
    take_stick(relay, stick)
    assert len(held(relay)) == 2
    other = tmp_path / "other"
    withdrawals = other / "fieldsurvey" / "withdrawals"
    withdrawals.mkdir(parents=True)
    stone = Tombstone(project=PROJECT, code=code.raw, requested="2026-03-01")
    (withdrawals / "any.fsw").write_bytes(stone.to_bytes())
    report = take_stick(relay, other)
    assert (report.withdrawals, report.erased) == (1, 1)
    assert held(relay) == [(two.device, 1, 2)]
    assert one.log[2][1] not in b"".join(path.read_bytes() for path in relay.home.rglob("*") if path.is_file())
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
    one = laptop(1)
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


def test_strangers_and_the_disk_are_bounded(
    relay: Relay, project: SyntheticProject, stick: Path, monkeypatch: Any
) -> None:
    """Of laptops not enrolled only so much is taken; with a full disk nothing; each says so and stays on its stick."""
    known, stranger = laptop(2), laptop(2)
    project.devices[known.device] = {"id": known.device, "name": "known", "card": known.card}
    relay.update(project.publish().data)
    lay(stick, stranger.batch(1, 1), "a.fsb")
    lay(stick, stranger.batch(2, 2), "b.fsb")
    lay(stick, known.batch(), "c.fsb")
    monkeypatch.setattr(holding_module, "MAX_STRANGERS", len(stranger.batch(1, 1)) + 10)
    report = take_stick(relay, stick)
    assert outcomes(report) == ["taken", "refused", "taken"]
    assert report.files[1].code == "storage.relay_full"
    monkeypatch.setattr(holding_module, "RESERVE", 1 << 60)
    lay(stick, laptop(1).batch(), "d.fsb")
    assert take_stick(relay, stick).files[3].code == "storage.relay_full"
    monkeypatch.setattr(holding_module, "MAX_BATCHES", 2)
    assert take_stick(relay, stick).files[3].code == "storage.relay_full"


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


def test_a_wrong_stick_and_a_foreign_project(relay: Relay, stick: Path) -> None:
    """A stick without anything says so; one with another root's project keeps no batch away, and is not trusted."""
    with pytest.raises(NothingHereError):
        take_stick(relay, stick)
    lay(stick, laptop(1).batch())
    (stick / "fieldsurvey" / "project.fsp").write_bytes(SyntheticProject(PROJECT).publish(99).data)
    report = take_stick(relay, stick)
    assert report.project is None
    assert report.project_problem is not None
    assert outcomes(report) == ["taken"]


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


def test_stopping_between_files(relay: Relay, stick: Path) -> None:
    """What was taken before the stop is vouched for; the rest is left, and taken the next time."""
    for name in ("a.fsb", "b.fsb", "c.fsb"):
        lay(stick, laptop(1).batch(), name)
    answers = iter([False, True, True])
    report = take_stick(relay, stick, stop=lambda: next(answers))
    assert outcomes(report) == ["taken", "left", "left"]
    assert len(report.receipts) == 1
    assert sorted(outcomes(take_stick(relay, stick))) == ["present", "taken", "taken"]
    assert isinstance(report.files[0], RelayFile)
