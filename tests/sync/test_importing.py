"""A stick comes to central: each file whole or refused by name; receipts and the project go back on it."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base import files
from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.files import NoSpaceError
from fieldsurvey.fieldwork.laptop import Laptop
from fieldsurvey.project.signed import read_project
from sync.central import Central
from sync.errors import CentralBusyError, ForeignProjectError, NothingHereError
from sync.folder import collect, export_batches
from sync.importing import FileReport, ImportReport, import_folder
from tests.sync.current import records
from tests.sync.dumps import dump
from tests.sync.laptops import laptop as synthetic
from tests.sync.projects import NOW, SyntheticProject, join, seal_some


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> tuple[SyntheticProject, Path]:
    """A laptop with six records and a stick with three batches of it, made once."""
    project = SyntheticProject()
    place = tmp_path_factory.mktemp("made")
    laptop = join(project, place / "home")
    seal_some(laptop, 6)
    export_batches(laptop.locked, place / "stick", max_entries=2)
    project.enrol(laptop.locked.device_card())
    laptop.close()
    return project, place


@pytest.fixture
def project(_made: tuple[SyntheticProject, Path]) -> SyntheticProject:
    """Its project."""
    return _made[0]


@pytest.fixture
def stick(_made: tuple[SyntheticProject, Path], tmp_path: Path) -> Path:
    """A copy of the stick."""
    shutil.copytree(_made[1] / "stick", tmp_path / "stick")
    return tmp_path / "stick"


@pytest.fixture
def laptop(_made: tuple[SyntheticProject, Path], tmp_path: Path) -> Any:
    """A copy of the laptop, locked."""
    shutil.copytree(_made[1] / "home", tmp_path / "home")
    found = Laptop.open(tmp_path / "home", FixedClock(NOW))
    yield found
    found.close()


def take(central: Central, stick: Path, project: SyntheticProject, **kwargs: Any) -> ImportReport:
    """Import with the project's newest version and central's key."""
    return import_folder(central, stick, project.publish(project.version), project.central, **kwargs)


def outcomes(report: ImportReport) -> dict[str, str]:
    """File name → outcome."""
    return {file.name: file.outcome for file in report.files}


def names(stick: Path) -> list[Path]:
    """The batches on it."""
    return sorted((stick / "fieldsurvey" / "batches").iterdir())


def test_the_whole_way_there_and_back(central: Central, laptop: Laptop, stick: Path, project: SyntheticProject) -> None:
    """Laptop → stick → central → stick → laptop: merged, counted, confirmed, with the newer project."""
    seen: list[tuple[int, int, str]] = []
    report = take(central, stick, project, progress=lambda *args: seen.append(args))
    assert (report.new, set(outcomes(report).values())) == (6, {"merged"})
    assert (report.project, report.stick_problem) == ("written", None)
    assert seen[-1][0] == seen[-1][1] == sum(path.stat().st_size for path in names(stick))
    assert len(list(records(central))) == 6
    back = collect(laptop, stick)
    assert [(item.level.value, item.up_to) for item in back.taken] == [("committed", 6)]
    assert back.project is not None
    assert laptop.status().acknowledged == 6
    assert laptop.status().enrolment == "enrolled"
    assert export_batches(laptop.locked, stick).files == ()


def test_importing_again_changes_nothing(
    central: Central, stick: Path, project: SyntheticProject, tmp_path: Path
) -> None:
    """Same stick, same answer, no row touched."""
    take(central, stick, project)
    before = dump(tmp_path / "central.db")
    report = take(central, stick, project)
    assert (report.new, set(outcomes(report).values()), report.project) == (0, {"present"}, "there")
    assert dump(tmp_path / "central.db") == before


def test_one_bad_batch_among_good_ones(
    central: Central, stick: Path, project: SyntheticProject, tmp_path: Path
) -> None:
    """Truncated or altered: refused whole and named; the others merge; the receipt stops before it."""
    bad = names(stick)[1]
    data = bad.read_bytes()
    bad.write_bytes(data[: len(data) // 2])
    report = take(central, stick, project)
    assert report.new == 4
    (refused,) = report.refused
    assert refused.name == bad.name
    assert refused.code == "untrusted.container"
    assert "truncated" in refused.reason
    assert [receipt.up_to for receipt in report.receipts] == [2]
    before = dump(tmp_path / "central.db")
    bad.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert outcomes(take(central, stick, project))[bad.name] == "refused"
    assert dump(tmp_path / "central.db") == before
    bad.write_bytes(data)
    report = take(central, stick, project)
    assert (report.new, report.refused) == (2, ())
    assert [receipt.up_to for receipt in report.receipts] == [6]


def test_names_are_not_trusted(central: Central, stick: Path, project: SyntheticProject) -> None:
    """Renamed batches merge; a lie in a name changes nothing; hidden, foreign and unfinished files are named."""
    folder = stick / "fieldsurvey" / "batches"
    first, second, third = names(stick)
    first.rename(folder / "holiday.jpg")
    second.rename(folder / third.name.replace("000005", "000001"))
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    (folder / "._batch.fsb").write_bytes(third.read_bytes())
    (folder / "copy.fsb.part").write_bytes(third.read_bytes())
    (folder / "empty.fsb").write_bytes(b"")
    (folder / "liar.fsb").write_bytes(b"PK\x03\x04" + bytes(100))
    (folder / "double.fsb").write_bytes(third.read_bytes() * 2)
    (folder / "project.fsb").write_bytes(project.publish(project.version).data)
    (folder / "link.fsb").symlink_to(third)
    (folder / "folder.fsb").mkdir()
    os.mkfifo(folder / "pipe.fsb")
    (folder / "another.fsb").write_bytes(synthetic(1).batch())
    (folder / "stranger.fsb").write_bytes(synthetic(2, project=project.id, name="a stranger").batch())
    report = take(central, stick, project)
    assert report.new == 8
    assert report.aside == ("a stranger",)
    found = outcomes(report)
    assert found["holiday.jpg"] == "merged"
    ignored = {"photo.jpg", "._batch.fsb", "copy.fsb.part", "link.fsb", "folder.fsb", "pipe.fsb"}
    assert {name for name, outcome in found.items() if outcome == "ignored"} == ignored
    refused = {"empty.fsb", "liar.fsb", "double.fsb", "project.fsb", "another.fsb"}
    assert {file.name for file in report.refused} == refused
    assert all(file.reason for file in (*report.refused, *report.having("ignored")))


def test_a_stick_of_another_project_or_of_nothing(central: Central, stick: Path, tmp_path: Path) -> None:
    """Refused by name; central is as it was."""
    other = SyntheticProject()
    report = import_folder(central, stick, other.publish(), other.central)
    assert {file.code for file in report.files} == {"refused.foreign_project"}
    assert central.store.counts().entries == 0
    with pytest.raises(ForeignProjectError):
        third = SyntheticProject()
        import_folder(central, stick, third.publish(), third.central)
    with pytest.raises(NothingHereError):
        import_folder(central, tmp_path / "nowhere", other.publish(), other.central)


def test_a_write_protected_stick_is_still_imported(
    central: Central, stick: Path, project: SyntheticProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it carries merges; that no receipt could be put on it is said, not raised."""
    with monkeypatch.context() as patch:
        patch.setattr(files, "_discard", lambda _path: None)
        real = os.open

        def protected(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
            if flags & os.O_CREAT and str(stick) in str(path):
                raise OSError(errno.EROFS, "Read-only file system")
            return real(path, flags, *args, **kwargs)

        patch.setattr(os, "open", protected)
        report = take(central, stick, project)
    assert report.new == 6
    assert report.receipts == ()
    assert report.stick_problem is not None
    assert report.stick_problem.code == "storage.read_only"


def test_a_stick_pulled_out_while_importing(
    central: Central, stick: Path, project: SyntheticProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was merged stays, the rest is named as unreadable, and the next import completes it."""
    reads = [0]
    real = Path.open

    def pulled(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self.suffix == ".fsb":
            reads[0] += 1
            if reads[0] > 1:
                raise OSError(errno.EIO, "Input/output error")
        return real(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", pulled)
        report = take(central, stick, project)
    assert report.new == 2
    assert [file.code for file in report.refused] == ["storage.gone", "storage.gone"]
    assert take(central, stick, project).new == 4


def test_centrals_own_full_disk_is_raised_not_blamed_on_the_batch(
    central: Central, stick: Path, project: SyntheticProject, tmp_path: Path
) -> None:
    """No room for central: nothing of the batch remains; with room again, everything merges."""
    central.learn(project.model(project.version))
    connection = central.store._connection  # type: ignore[attr-defined]
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages + 1}")
    before = dump(tmp_path / "central.db", "projects")
    with pytest.raises(NoSpaceError):
        take(central, stick, project)
    assert dump(tmp_path / "central.db", "projects") == before
    connection.execute("PRAGMA max_page_count=1000000")
    assert take(central, stick, project).new == 6


def _hold(path: Path, ready: Any, done: Any) -> None:
    with Central.open(path) as central, central.store.write():
        ready.set()
        done.wait(20)


def test_a_second_importer_says_who_holds_it_or_waits(stick: Path, project: SyntheticProject, tmp_path: Path) -> None:
    """Not in time: says who. In time: merges as if alone."""
    path = tmp_path / "shared.db"
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(path, ready, done))
    other.start()
    assert ready.wait(20)
    with Central.open(path, wait=0.1) as central, pytest.raises(CentralBusyError) as caught:
        take(central, stick, project)
    assert str(other.pid) in caught.value.message
    threading.Timer(0.3, done.set).start()
    with Central.open(path, wait=20) as central:
        assert take(central, stick, project).new == 6
    other.join(20)


def _import(path: Path, stick: Path, data: bytes, key: bytes, start: Any) -> None:
    from fieldsurvey.records.signing import SigningKey

    start.wait(20)
    with Central.open(path) as central:
        import_folder(central, stick, read_project(data), SigningKey.from_bytes(key))


def test_several_importers_at_once_end_in_one_state(stick: Path, project: SyntheticProject, tmp_path: Path) -> None:
    """Three processes with copies of the same stick: the same state as one alone, each entry once."""
    context = multiprocessing.get_context("spawn")
    start = context.Event()
    data, key = project.publish(project.version).data, project.central.to_bytes()
    workers = []
    for number in range(3):
        copy = tmp_path / f"stick{number}"
        shutil.copytree(stick, copy)
        arguments = (tmp_path / "shared.db", copy, data, key, start)
        workers.append(context.Process(target=_import, args=arguments))
    for worker in workers:
        worker.start()
    start.set()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with Central.open(tmp_path / "alone.db", clock=FixedClock(NOW)) as alone:
        take(alone, stick, project)
        expected = alone.digest()
    with Central.open(tmp_path / "shared.db") as shared:
        assert shared.digest() == expected
        assert shared.verify().sound
    shape = ("batches", "_sqlite_migrations")
    assert dump(tmp_path / "shared.db", *shape) == dump(tmp_path / "alone.db", *shape)


def test_a_newer_or_foreign_project_on_the_stick_is_left_alone(
    central: Central, stick: Path, project: SyntheticProject
) -> None:
    """Central never replaces a newer project by its own, nor somebody else's; a damaged one is replaced."""
    path = stick / "fieldsurvey" / "project.fsp"
    mine = project.publish(project.version)
    newer = project.publish(project.version + 7)
    path.write_bytes(newer.data)
    assert import_folder(central, stick, mine, project.central).project == "newer"
    assert path.read_bytes() == newer.data
    foreign = SyntheticProject().publish().data
    path.write_bytes(foreign)
    assert import_folder(central, stick, mine, project.central).project == "foreign"
    assert path.read_bytes() == foreign
    path.write_bytes(b"FSB1 damaged")
    assert import_folder(central, stick, mine, project.central).project == "written"
    project.version = mine.model.version


def test_every_outcome_has_its_place() -> None:
    """The report counts what it holds."""
    files_ = (FileReport("a", "merged", new=2), FileReport("b", "refused"), FileReport("c", "present"))
    report = ImportReport("stick", files_)
    assert report.new == 2
    assert [file.name for file in report.refused] == ["b"]
