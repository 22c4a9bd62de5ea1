"""A laptop and a stick: export works locked, goes on where it was, loses nothing; forged receipts change nothing."""

from __future__ import annotations

import errno
import io
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base import files
from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.files import MediumGoneError, NoSpaceError
from fieldsurvey.fieldwork.laptop import VAULT, Laptop
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.container import Signer
from fieldsurvey.records.receipt import Level, Receipt, Role, write_receipt
from fieldsurvey.records.signing import SigningKey
from sync.batches import read_batch
from sync.errors import NothingHereError
from sync.folder import collect, export_batches, take_receipts
from tests.sync.dumps import dump, spoil
from tests.sync.projects import NOW, SyntheticProject, join, seal_some


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> tuple[SyntheticProject, Path]:
    """One laptop with seven records, made once (Argon2 and sealing cost the most here)."""
    project = SyntheticProject()
    home = tmp_path_factory.mktemp("made") / "home"
    laptop = join(project, home)
    seal_some(laptop, 7)
    laptop.close()
    return project, home


@pytest.fixture
def project(_made: tuple[SyntheticProject, Path]) -> SyntheticProject:
    """The project of `laptop`."""
    return _made[0]


@pytest.fixture
def laptop(_made: tuple[SyntheticProject, Path], tmp_path: Path) -> Any:
    """A copy of it, locked."""
    home = tmp_path / "home"
    shutil.copytree(_made[1], home)
    found = Laptop.open(home, FixedClock(NOW))
    yield found
    found.close()


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """An empty one."""
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def on_stick(stick: Path) -> list[bytes]:
    """Every record of every whole batch on it, once each, in the order of their entries."""
    found: dict[int, bytes] = {}
    for path in (stick / "fieldsurvey" / "batches").glob("*.fsb"):
        for entry, _header, record in read_batch(io.BytesIO(path.read_bytes())).records():
            found[entry.seq] = record
    return [found[seq] for seq in sorted(found)]


def sealed(laptop: Laptop) -> list[bytes]:
    """What the vault holds."""
    return [record for _entry, record in laptop.locked.entries()]


def receipt(laptop: Laptop, up_to: int, **fields: Any) -> Receipt:
    """A receipt for this laptop as central would write it."""
    card = laptop.locked.device_card()
    values: dict[str, Any] = {
        "project": card.project,
        "device": card.device,
        "up_to": up_to,
        "head": laptop.locked.head_at(up_to).hex(),
        "level": Level.COMMITTED,
        "by": Role.CENTRAL,
        "issued": "2026-03-02T10:00:00Z",
    }
    return Receipt(**{**values, **fields})


def put_receipt(stick: Path, name: str, what: Receipt | bytes, key: Signer | None = None) -> None:
    """Lay it on the stick."""
    folder = stick / "fieldsurvey" / "receipts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(what if isinstance(what, bytes) else write_receipt(what, key or SigningKey.generate()))


def test_a_locked_laptop_exports_everything(laptop: Laptop, stick: Path) -> None:
    """No passphrase anywhere: all records are on the stick, and the vault notes where they were copied."""
    seen: list[tuple[int, int, str]] = []
    report = export_batches(
        laptop.locked, stick, progress=lambda *args: seen.append(args), clock=laptop.clock, max_entries=3
    )
    assert on_stick(stick) == sealed(laptop)
    assert (report.written, report.up_to, report.head) == (7, 7, 7)
    assert [done for done, _total, _text in seen] == list(range(1, 8))
    assert {total for _done, total, _text in seen} == {7}
    (copied,) = laptop.locked.copied()
    assert (copied.up_to, copied.place) == (7, str(stick))


def test_exporting_again_writes_nothing(laptop: Laptop, stick: Path) -> None:
    """What is on the stick is verified and left as it is."""
    export_batches(laptop.locked, stick, max_entries=3)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in stick.rglob("*.fsb")}
    report = export_batches(laptop.locked, stick, max_entries=3)
    assert (report.written, report.present, report.up_to) == (0, 7, 7)
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in stick.rglob("*.fsb")} == before


def test_a_damaged_copy_on_the_stick_is_written_again(laptop: Laptop, stick: Path) -> None:
    """ "It is there" is believed only after reading it whole."""
    export_batches(laptop.locked, stick, max_entries=3)
    victim = sorted(stick.rglob("*.fsb"))[1]
    data = victim.read_bytes()
    victim.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    report = export_batches(laptop.locked, stick, max_entries=3)
    assert (report.written, report.present) == (3, 4)
    assert on_stick(stick) == sealed(laptop)


def test_only_what_is_not_confirmed_travels(laptop: Laptop, stick: Path) -> None:
    """A receipt moves the start; a mere copy elsewhere does not; `everything` starts from the first."""
    laptop.locked.mark_copied(7, "another stick", NOW)
    laptop.locked.take_receipt(receipt(laptop, 4))
    report = export_batches(laptop.locked, stick)
    assert (report.after, report.written) == (4, 3)
    assert on_stick(stick) == sealed(laptop)[4:]
    laptop.locked.take_receipt(receipt(laptop, 7))
    assert export_batches(laptop.locked, stick).files == ()
    assert export_batches(laptop.locked, stick, everything=True).written == 4
    assert on_stick(stick) == sealed(laptop)


def test_a_copy_of_another_history_is_not_taken_for_ours(laptop: Laptop, stick: Path, tmp_path: Path) -> None:
    """Two clones share a stick: neither believes the other's batch to be its own, nor overwrites it."""
    twin_home = tmp_path / "twin"
    shutil.copytree(laptop.home, twin_home)
    twin = Laptop.open(twin_home, FixedClock(NOW))
    seal_some(laptop, 1)
    seal_some(twin, 1)
    export_batches(laptop.locked, stick)
    report = export_batches(twin.locked, stick)
    twin.close()
    assert report.written == 8
    assert len(list(stick.rglob("*.fsb"))) == 2


@pytest.mark.parametrize("bytes_left", [0, 100, 9_000, 17_000])
def test_a_full_stick_loses_nothing_and_a_retry_goes_on(
    laptop: Laptop, stick: Path, monkeypatch: pytest.MonkeyPatch, bytes_left: int
) -> None:
    """Disk full at several points: a typed error, nothing marked as copied, no half file taken for whole."""
    before = sealed(laptop)
    with monkeypatch.context() as patch:
        _failing(patch, stick, bytes_left, errno.ENOSPC)
        with pytest.raises(NoSpaceError):
            export_batches(laptop.locked, stick, max_entries=3)
    assert laptop.locked.copied() == []
    assert sealed(laptop) == before
    assert set(on_stick(stick)) <= set(before)
    report = export_batches(laptop.locked, stick, max_entries=3)
    assert report.written + report.present == 7
    assert on_stick(stick) == before
    assert not list(stick.rglob("*.part"))


@pytest.mark.parametrize("bytes_left", [0, 9_000])
def test_a_stick_pulled_out_loses_nothing(
    laptop: Laptop, stick: Path, monkeypatch: pytest.MonkeyPatch, bytes_left: int
) -> None:
    """The medium goes away while copying: typed, nothing marked; it works when it is back."""
    with monkeypatch.context() as patch:
        _failing(patch, stick, bytes_left, errno.EIO)
        with pytest.raises(MediumGoneError):
            export_batches(laptop.locked, stick, max_entries=3)
    assert laptop.locked.copied() == []
    export_batches(laptop.locked, stick, max_entries=3)
    assert on_stick(stick) == sealed(laptop)


def _failing(patch: pytest.MonkeyPatch, stick: Path, bytes_left: int, code: int) -> None:
    """After so many bytes, writing to the stick fails with `code`."""
    real = os.fdopen
    left = [bytes_left]

    def fdopen(handle: int, *args: Any, **kwargs: Any) -> Any:
        opened = real(handle, *args, **kwargs)
        write = opened.write

        class Failing:
            def __enter__(self) -> Any:
                return self

            def __exit__(self, *_: object) -> None:
                opened.close()

            def write(self, data: bytes) -> int:
                left[0] -= len(data)
                if left[0] < 0:
                    raise OSError(code, os.strerror(code))
                return int(write(data))

            def flush(self) -> None:
                opened.flush()

            def fileno(self) -> int:
                return int(opened.fileno())

        return Failing()

    patch.setattr(os, "fdopen", fdopen)


def test_what_does_not_read_back_is_not_called_copied(
    laptop: Laptop, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failing stick that takes the bytes and returns others."""
    with monkeypatch.context() as patch:
        patch.setattr(files, "file_sha256", lambda _path: "0" * 64)
        with pytest.raises(StorageError):
            export_batches(laptop.locked, stick)
    assert laptop.locked.copied() == []


def test_a_damaged_record_does_not_keep_the_others_at_home(laptop: Laptop, stick: Path) -> None:
    """One record rotted on the laptop's disk: all others travel, in batches around it, and it is named."""
    every = sealed(laptop)
    spoil(laptop.home / VAULT, "UPDATE outbox SET record = zeroblob(100) WHERE seq = ?", 3)
    spoil(laptop.home / VAULT, "DELETE FROM outbox WHERE seq = ?", 5)
    report = export_batches(laptop.locked, stick)
    assert report.left_out == (3, 5)
    assert report.up_to == 2
    assert on_stick(stick) == [record for seq, record in enumerate(every, 1) if seq not in {3, 5}]


def test_receipts_come_back(laptop: Laptop, project: SyntheticProject, stick: Path) -> None:
    """Central's and a relay's are taken; taking them again changes nothing and says that they are older."""
    put_receipt(stick, "a.fsr", receipt(laptop, 6), project.central)
    put_receipt(stick, "b.fsr", receipt(laptop, 7, level=Level.RECEIVED, by=Role.SUPERVISOR), project.supervisor)
    report = take_receipts(laptop.locked, stick)
    assert {(item.level.value, item.up_to) for item in report.taken} == {("committed", 6), ("received", 7)}
    assert laptop.locked.acknowledged() == {"committed": 6, "received": 7}
    again = take_receipts(laptop.locked, stick)
    assert again.taken == ()
    assert [item.kind for item in again.ignored] == ["older", "older"]


def test_a_receipt_of_a_key_that_was_replaced_is_old_and_not_forged(
    laptop: Laptop, project: SyntheticProject, stick: Path
) -> None:
    """It is not taken, and nobody is warned of it; of the same in a role that the key never had, somebody is."""
    model = laptop.project.model
    roles = tuple(one.model_copy(update={"retired": "2026-03-02T08:00:00Z"}) for one in model.roles)
    after = SignedProject(model.model_copy(update={"roles": roles}), laptop.project.frames, laptop.project.data)
    put_receipt(stick, "a.fsr", receipt(laptop, 6), project.central)
    put_receipt(stick, "b.fsr", receipt(laptop, 7, level=Level.RECEIVED, by=Role.SUPERVISOR), project.central)
    report = take_receipts(laptop.locked, stick, after)
    assert report.taken == ()
    assert [(item.name, item.kind) for item in report.ignored] == [("a.fsr", "older"), ("b.fsr", "forged")]
    assert [item.name for item in report.warnings] == ["b.fsr"]
    assert [item.up_to for item in take_receipts(laptop.locked, stick).taken] == [6]


def test_forged_foreign_and_older_receipts_have_no_effect(
    laptop: Laptop, project: SyntheticProject, stick: Path
) -> None:
    """Every receipt that should not count leaves every row of the vault as it was; a true one then counts (control)."""
    laptop.locked.take_receipt(receipt(laptop, 3))
    before = dump(laptop.home / VAULT)
    whole = write_receipt(receipt(laptop, 7), project.central)
    forged: dict[str, tuple[Receipt | bytes, Signer | None]] = {
        "anybody's key": (receipt(laptop, 7), SigningKey.generate()),
        "supervisor posing as central": (receipt(laptop, 7), project.supervisor),
        "central's signature, altered": (whole.replace(b'"up_to":7', b'"up_to":6'), None),
        "truncated": (whole[:-1], None),
        "something follows": (whole + b"x", None),
        "empty": (b"", None),
        "another device": (receipt(laptop, 7, device="ab" * 16), project.central),
        "another project": (receipt(laptop, 7, project="ab" * 16), project.central),
        "another history": (receipt(laptop, 7, head="00" * 32), project.central),
        "beyond the end": (receipt(laptop, 7).model_copy(update={"up_to": 8}), project.central),
        "older": (receipt(laptop, 2), project.central),
        "huge": (whole + bytes(1 << 20), None),
    }
    for number, (what, key) in enumerate(forged.values()):
        put_receipt(stick, f"{number}.fsr", what, key)
    report = take_receipts(laptop.locked, stick)
    assert report.taken == ()
    assert len(report.ignored) == len(forged)
    assert all(item.reason for item in report.ignored)
    kinds = {
        name: item.kind
        for name, item in zip(forged, sorted(report.ignored, key=lambda i: int(i.name[:-4])), strict=True)
    }
    assert kinds["another device"] == kinds["another project"] == "other"
    assert kinds["another history"] == kinds["beyond the end"] == "history"
    assert kinds["older"] == "older"
    assert [kinds[name] for name in list(forged)[:6]] == ["forged"] * 6
    assert dump(laptop.home / VAULT) == before
    put_receipt(stick, "true.fsr", whole)
    assert [item.up_to for item in take_receipts(laptop.locked, stick).taken] == [7]
    assert dump(laptop.home / VAULT) != before


def test_a_newer_project_is_taken_with_the_receipts(laptop: Laptop, project: SyntheticProject, stick: Path) -> None:
    """The stick's project replaces the laptop's if it is newer and of the same root; older or equal is no news."""
    old = laptop.project
    newer = project.enrol(laptop.locked.device_card())
    (stick / "fieldsurvey").mkdir()
    path = stick / "fieldsurvey" / "project.fsp"
    path.write_bytes(newer.data)
    put_receipt(stick, "a.fsr", receipt(laptop, 6), project.central)
    report = collect(laptop, stick)
    assert report.project is not None
    assert report.project.model.version == newer.model.version == laptop.project.model.version
    assert len(report.taken) == 1
    assert collect(laptop, stick).project is None
    path.write_bytes(old.data)
    report = collect(laptop, stick)
    assert (report.project, report.project_problem) == (None, None)
    assert laptop.project.model.version == newer.model.version


def test_a_foreign_project_is_refused_and_keeps_no_receipt_away(
    laptop: Laptop, project: SyntheticProject, stick: Path
) -> None:
    """Both fingerprints are shown, nothing changes, the receipts still count."""
    put_receipt(stick, "a.fsr", receipt(laptop, 6), project.central)
    foreign = SyntheticProject().publish(99)
    (stick / "fieldsurvey" / "project.fsp").write_bytes(foreign.data)
    report = collect(laptop, stick)
    assert report.project is None
    assert report.project_problem is not None
    assert foreign.root_fingerprint in report.project_problem.message
    assert laptop.project.root_fingerprint in report.project_problem.message
    assert len(report.taken) == 1
    (stick / "fieldsurvey" / "project.fsp").write_bytes(b"FSB1 and then nothing")
    assert collect(laptop, stick).project_problem is not None


def test_a_stick_without_anything_says_so(laptop: Laptop, stick: Path) -> None:
    """A wrong stick is named."""
    with pytest.raises(NothingHereError) as caught:
        collect(laptop, stick)
    assert str(stick) in caught.value.message


def test_the_folder_itself_may_be_named(laptop: Laptop, stick: Path) -> None:
    """STICK and STICK/fieldsurvey are the same place."""
    export_batches(laptop.locked, stick)
    assert export_batches(laptop.locked, stick / "fieldsurvey").written == 0
    assert not (stick / "fieldsurvey" / "fieldsurvey").exists()


def test_nothing_sealed_is_nothing_to_export(tmp_path: Path, stick: Path) -> None:
    """An empty log leaves the stick untouched."""
    empty = join(SyntheticProject(), tmp_path / "empty")
    report = export_batches(empty.locked, stick)
    empty.close()
    assert (report.head, report.files) == (0, ())
    assert list(stick.iterdir()) == []
