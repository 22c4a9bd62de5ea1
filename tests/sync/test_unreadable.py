"""A file on a stick that is truncated, rubbish or unreadable is refused by name, and everything else is taken; this
machine's own disk is nobody's fault and stops it. All is synthetic."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base import files as base_files
from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork.erasures import name_of
from fieldsurvey.records.container import write_container
from fieldsurvey.records.erased import ErasedCase, ErasureReport, Place, write_erasure
from fieldsurvey.records.receipt import Level, Receipt, Role, write_receipt
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.carrying import hand_on, take_stick
from sync.central import Central
from sync.errors import OwnDiskFullError
from sync.folder import collect, export_batches
from sync.importing import import_folder
from sync.journal import Journal
from sync.stick import read_piece
from tests.sync.laptops import PROJECT, SyntheticLaptop, laptop
from tests.sync.projects import SyntheticProject, join, seal_some
from tests.sync.relay.kit import lay, made, outcomes

HEAD = "00" * 32
FOLDERS = {"receipts": ".fsr", "returned": ".fsc", "withdrawals": ".fsw", "erased": ".fsx"}


@pytest.fixture
def project() -> SyntheticProject:
    """With the id that synthetic laptops have."""
    return SyntheticProject(PROJECT)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """An empty one."""
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


def post(project: SyntheticProject, device: str, head: str = HEAD, up_to: int = 1) -> dict[str, bytes]:
    """Folder -> a whole file that belongs there."""
    receipt = Receipt(
        project=project.id, device=device, up_to=up_to, head=head, level=Level.COMMITTED, by=Role.CENTRAL,
        issued="2026-03-02T10:00:00Z",
    )  # fmt: skip
    code = WithdrawalCode.generate()
    report = ErasureReport(
        project=project.id,
        place=Place.CENTRAL,
        cases=(ErasedCase(tag=code.tag(project.id), records=1),),
        at="2026-03-02T10:00:00Z",
    )
    manifest = {"project": project.id, "device": device}  # enough to be cut short
    return {
        "receipts": write_receipt(receipt, project.central),
        "returned": b"".join(write_container("return", manifest, [bytes(64)], SigningKey.generate())),
        "withdrawals": Tombstone(project=project.id, code=code.raw, requested="2026-03-01").to_bytes(),
        "erased": write_erasure(report, project.central),
    }


def spoil(stick: Path, whole: dict[str, bytes]) -> set[str]:
    """Beside one whole file of each kind but returned work: a truncated, a rubbish and an unreadable one of each.

    The names sort so that the bad ones come first.
    """
    bad = set()
    for folder, suffix in FOLDERS.items():
        place = stick / "fieldsurvey" / folder
        place.mkdir(parents=True, exist_ok=True)
        for name, data in (
            ("a cut", whole[folder][: len(whole[folder]) // 2]), ("b rubbish", b"rubbish"), ("c bad", whole[folder]),
        ):  # fmt: skip
            (place / f"{name}{suffix}").write_bytes(data)
            bad.add(f"{folder}/{name}{suffix}")
        if folder != "returned":
            (place / f"whole{suffix}").write_bytes(whole[folder])
        (place / "read me.txt").write_bytes(b"somebody's note is nothing of ours")
    return bad


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is called `c bad` has a bad sector; a file `d locked` belongs to somebody else."""
    real = Path.open

    def broken(self: Path, *args: Any, **kwargs: Any) -> Any:
        reading = args[:1] == ("rb",)
        if reading and self.stem == "c bad":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if reading and self.stem == "d locked":
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return real(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", broken)
        yield


def logged(home: Path, place: str) -> set[str]:
    """What the sync log says was refused, by name."""
    lines = [line for line in Journal(home).lines() if line.what == "refusal"]
    assert all(line.code for line in lines)
    return {line.place.removeprefix(f"{place}: ") for line in lines}


@pytest.mark.usefixtures("unreadable")
def test_a_relay_takes_the_rest(project: SyntheticProject, stick: Path, tmp_path: Path, clock: FixedClock) -> None:
    """Twelve bad files and four whole ones: each bad one is named, typed and logged; the whole ones are kept."""
    relay = made(tmp_path / "supervisor", project, clock)
    one = laptop(3)
    bad = spoil(stick, post(project, one.device, one.head_at(1).hex()))
    lay(stick, one.batch())
    report = take_stick(relay, stick)
    assert {file.name for file in report.having("refused")} == bad
    assert all(file.code and file.reason and file.advice for file in report.having("refused"))
    assert (len(report.having("taken")), len(report.committed), report.withdrawals) == (1, 1, 1)
    assert len(report.receipts) == 1
    assert report.stick_problem is None
    assert len(list((relay.home / "erased").iterdir())) == 2  # central's, and its own
    assert logged(relay.home, str(stick)) == bad
    assert hand_on(relay, stick).written == 0  # what it holds is whole on it


@pytest.mark.usefixtures("unreadable")
def test_central_takes_the_rest(project: SyntheticProject, stick: Path, tmp_path: Path, clock: FixedClock) -> None:
    """The same at central, which takes no receipts and no returned work from sticks; they do not stop it either."""
    one = laptop(3)
    whole = post(project, one.device)
    bad = spoil(stick, whole)
    lay(stick, one.batch())
    project.enrol(one.card)
    home = tmp_path / "office"
    home.mkdir()
    with Central.open(home / "central.db", clock=clock) as central:
        report = import_folder(central, stick, project.publish(project.version), project.central, home=home)
    ours = {name for name in bad if name.startswith(("withdrawals", "erased"))}
    assert {file.name for file in report.refused} == ours
    assert (report.new, report.withdrawals, len(report.receipts)) == (3, 1, 1)
    assert report.stick_problem is None
    assert logged(home, str(stick)) == ours
    assert (home / "erased" / name_of(whole["erased"])).is_file()


@pytest.mark.usefixtures("unreadable")
def test_a_laptop_takes_the_rest_and_exports(project: SyntheticProject, stick: Path, tmp_path: Path) -> None:
    """The same on a laptop; a batch on the stick that cannot be read keeps no export from it."""
    one = join(project, tmp_path / "home")
    seal_some(one, 2)
    bad = spoil(stick, post(project, one.locked.device_card().device, one.locked.head_at(1).hex()))
    lay(stick, b"rubbish", f"{one.locked.device_card().device[:12]}-c.fsb")
    lay(stick, b"FSB1", "c bad.fsb")
    (stick / "fieldsurvey" / "project.fsp").write_bytes(b"FSB1")
    report = collect(one, stick)
    unread = {name for name in bad if "c bad" in name}
    named = {item.name for item in report.refused} | {f"receipts/{item.name}" for item in report.ignored}
    assert named | {f"returned/{item.name}" for item in report.returns_ignored} == bad
    assert unread <= {item.name for item in report.refused}
    assert [item.up_to for item in report.taken] == [1]
    assert report.withdrawals == 1
    assert report.project_problem is not None
    assert len(list((one.home / "erased").iterdir())) >= 1
    assert unread <= logged(one.home, str(stick))
    assert export_batches(one.locked, stick, clock=one.clock).written == 1
    one.close()


def test_what_belongs_to_somebody_else_is_said_so(
    project: SyntheticProject, stick: Path, tmp_path: Path, clock: FixedClock, unreadable: None
) -> None:
    """A file that may not be read is not called one that cannot be written."""
    relay = made(tmp_path / "supervisor", project, clock)
    lay(stick, b"FSB1", "d locked.fsb")
    (file,) = take_stick(relay, stick).files
    assert (file.outcome, file.code) == ("refused", "storage.unreadable")
    assert "read" in file.reason
    assert "written" not in file.reason


def test_a_stick_pulled_out_is_no_files_fault(
    project: SyntheticProject, stick: Path, tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gone in the middle of its receipts: the stick is named, not a file. Control: put back, all of it is taken."""
    relay = made(tmp_path / "supervisor", project, clock)
    one = laptop(3)
    folder = stick / "fieldsurvey" / "receipts"
    folder.mkdir(parents=True)
    (folder / "a.fsr").write_bytes(post(project, one.device, one.head_at(1).hex())["receipts"])
    real = Path.open

    def pulled(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self.suffix == ".fsr" and stick in self.parents:
            (stick / "fieldsurvey").rename(stick / "away")
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(self, *args, **kwargs)

    with monkeypatch.context() as patch, pytest.raises(base_files.MediumGoneError) as caught:
        patch.setattr(Path, "open", pulled)
        take_stick(relay, stick)
    assert caught.value.details["place"] == str(stick)
    (stick / "away").rename(stick / "fieldsurvey")
    assert len(take_stick(relay, stick).committed) == 1


def two_batches(stick: Path) -> list[SyntheticLaptop]:
    """Of two laptops, the first named first."""
    two = [laptop(2), laptop(2)]
    for number, one in enumerate(two):
        lay(stick, one.batch(), f"{number}.fsb")
    return two


def test_a_full_disk_stops_a_relay_and_central_alike(
    project: SyntheticProject, stick: Path, tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full in the middle: the own disk is named, what is safe is said, and what came before is in the log. With room
    again, the rest is taken."""
    two = two_batches(stick)
    relay = made(tmp_path / "supervisor", project, clock)
    real = base_files.write_atomic
    done: list[Path] = []

    def full(path: Path, *args: Any, **kwargs: Any) -> str:
        done.append(path)
        if len(done) > 1:
            raise base_files.NoSpaceError(place=str(path))
        return real(path, *args, **kwargs)

    with monkeypatch.context() as patch, pytest.raises(OwnDiskFullError) as caught:
        patch.setattr("sync.holding.write_atomic", full)
        take_stick(relay, stick)
    assert "taken before is safe" in caught.value.advice
    lines = list(Journal(relay.home).lines())
    assert [line.counts["taken"] for line in lines if line.what == "import"] == [1]
    assert [line.code for line in lines if line.what == "refusal"] == ["storage.own_disk_full"]
    assert outcomes(take_stick(relay, stick)) == ["present", "taken"]

    for one in two:
        project.enrol(one.card)
    home = tmp_path / "office"
    home.mkdir()
    with Central.open(home / "central.db", clock=clock) as central:
        merge = central.merge
        merged: list[int] = []

        def no_room(*args: Any, **kwargs: Any) -> Any:
            merged.append(1)
            if len(merged) > 1:
                raise base_files.NoSpaceError(place=str(home / "central.db"))
            return merge(*args, **kwargs)

        monkeypatch.setattr(central, "merge", no_room)
        with pytest.raises(OwnDiskFullError):
            import_folder(central, stick, project.publish(project.version), project.central, home=home)
        lines = list(Journal(home).lines())
        assert [line.counts["new"] for line in lines if line.what == "import" and line.device] == [2]
        assert [line.code for line in lines if line.what == "refusal"] == ["storage.own_disk_full"]
        monkeypatch.setattr(central, "merge", merge)
        again = import_folder(central, stick, project.publish(project.version), project.central, home=home)
    assert (again.new, len(again.refused)) == (2, 0)


def test_a_bad_sector_under_a_batch_is_the_sticks_fault(
    project: SyntheticProject, stick: Path, tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read that fails in the middle of the copy is the file's, though the own disk was being written then."""
    two_batches(stick)
    relay = made(tmp_path / "supervisor", project, clock)
    real = read_piece

    def broken(stream: Any, path: Path, size: int) -> bytes:
        class Bad:
            def read(self, _size: int) -> bytes:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        return real(Bad() if path.name == "0.fsb" else stream, path, size)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("sync.holding.read_piece", broken)
        assert outcomes(take_stick(relay, stick)) == ["refused", "taken"]
    assert outcomes(take_stick(relay, stick)) == ["taken", "present"]
