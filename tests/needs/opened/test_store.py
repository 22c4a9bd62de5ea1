"""The dataset at rest: nothing readable without the key, nothing accepted that was touched, nothing half written."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.files import NoSpaceError
from fieldsurvey.needs.opened.dataset import Dataset
from fieldsurvey.needs.opened.errors import DatasetDamagedError, DatasetKeyError, ForeignKeyError, NoDatasetError
from fieldsurvey.needs.opened.store import dataset_path, load_dataset, save_dataset
from fieldsurvey.project.keys import HmuKeys
from fieldsurvey.records.errors import FormatVersionError
from tests.needs.opened.compare import same
from tests.needs.opened.world import CANARY, World
from tests.vault.canaries import search

PLAIN = (CANARY, "host_mobility", "fieldsurvey dataset", "household_walk", "ARROW:schema")


@pytest.fixture
def saved(dataset: Dataset, world: World, tmp_path: Path) -> Path:
    """The round's file."""
    return save_dataset(dataset, world.hmu, tmp_path / "needs")


def test_what_is_saved_comes_back(saved: Path, dataset: Dataset, world: World) -> None:
    """Every table, column, count and the round itself are the same after a round trip."""
    back = load_dataset("r1", world.hmu, saved.parent)
    same(back, dataset)
    assert (back.round, back.project, back.project_version) == (dataset.round, dataset.project, dataset.project_version)
    assert saved == dataset_path("r1", saved.parent)


def test_nothing_readable_lies_in_the_folder(
    saved: Path, dataset: Dataset, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer, no column name, no header: in no file of the folder or of TMPDIR; the control is found."""
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", None)
    save_dataset(dataset, world.hmu, saved.parent)
    load_dataset("r1", world.hmu, saved.parent)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["r1.fso"]
    assert search(tmp_path, PLAIN) == []
    buffer = BytesIO()
    dataset.frame("needs").write_parquet(buffer, compression="uncompressed")
    (scratch / "planted").write_bytes(buffer.getvalue())
    found = "\n".join(search(tmp_path, PLAIN))
    assert all(f"planted: {canary}" in found for canary in (CANARY, "host_mobility", "household_walk"))


def test_no_other_file_is_ever_opened_for_writing(dataset: Dataset, world: World, tmp_path: Path) -> None:
    """Python opens one file to write, the .part that becomes the dataset; the control opens another and is seen."""
    folder = tmp_path / "needs"
    with _writes() as seen:
        save_dataset(dataset, world.hmu, folder)
        load_dataset("r1", world.hmu, folder)
        mine = set(seen)
        (tmp_path / "control").write_bytes(b"x")
    assert mine == {str(folder / "r1.fso.part")}
    assert set(seen) - mine == {str(tmp_path / "control")}


class _writes:  # noqa: N801  reads as a context
    """Paths that Python opens for writing while it lasts; audit hooks cannot be removed, so it is switched off."""

    def __enter__(self) -> list[str]:
        self.seen: list[str] = []
        self.on = True
        sys.addaudithook(self.hook)
        return self.seen

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        """PEP 578: `open` has path, mode and flags."""
        named = self.on and event == "open" and isinstance(args[0], str | os.PathLike)
        if named and int(args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            self.seen.append(str(args[0]))

    def __exit__(self, *_: object) -> None:
        self.on = False


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
def test_only_its_owner_may_read_it(saved: Path) -> None:
    """File 0600, folder 0700."""
    assert saved.stat().st_mode & 0o777 == 0o600
    assert saved.parent.stat().st_mode & 0o777 == 0o700


def test_another_key_is_refused_by_name(saved: Path, dataset: Dataset, world: World) -> None:
    """A fresh key of the same project, and a key of another, load nothing; a foreign one also saves nothing."""
    with pytest.raises(DatasetKeyError):
        load_dataset("r1", HmuKeys.generate(world.project.model.id), saved.parent)
    with pytest.raises(DatasetKeyError):
        load_dataset("r1", HmuKeys("ab" * 16, world.hmu.recipient, world.hmu.sign, world.hmu.dataset), saved.parent)
    with pytest.raises(ForeignKeyError):
        save_dataset(dataset, HmuKeys.generate("ab" * 16), saved.parent)


def test_a_round_that_was_not_opened_is_said_so(saved: Path, world: World) -> None:
    """There is no r2 yet."""
    with pytest.raises(NoDatasetError):
        load_dataset("r2", world.hmu, saved.parent)


def test_one_rounds_file_does_not_pass_for_anothers(saved: Path, world: World) -> None:
    """Renamed, it does not open, though the key is right."""
    saved.rename(saved.with_name("r2.fso"))
    with pytest.raises(DatasetDamagedError):
        load_dataset("r2", world.hmu, saved.parent)


def _damaged(data: bytes) -> Iterator[bytes]:
    size = len(data)
    places = {*range(120), *range(size - 40, size), *range(0, size, max(1, size // 150))}
    for place in sorted(places):
        yield data[:place] + bytes([data[place] ^ 0x40]) + data[place + 1 :]
        yield data[:place]
    yield data + b"\0"


def test_every_flip_and_truncation_is_refused(saved: Path, world: World) -> None:
    """Not one altered or shortened file is read, and the error is typed; the file as it was is read."""
    data = saved.read_bytes()
    count = 0
    for damaged in _damaged(data):
        saved.write_bytes(damaged)
        with pytest.raises((DatasetDamagedError, DatasetKeyError, FormatVersionError)):
            load_dataset("r1", world.hmu, saved.parent)
        count += 1
    assert count > 500
    saved.write_bytes(data)
    assert load_dataset("r1", world.hmu, saved.parent).quality.kept == 10


def test_a_full_disk_leaves_the_dataset_before(
    saved: Path, dataset: Dataset, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it cannot be written, the file of before stands, nothing else is left, and the error says what to do."""
    before = saved.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoSpaceError) as caught:
        save_dataset(dataset, world.hmu, saved.parent)
    assert isinstance(caught.value, FieldsurveyError)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["r1.fso"]


def test_the_same_dataset_is_never_the_same_file(saved: Path, dataset: Dataset, world: World) -> None:
    """Each save has a nonce of its own: two copies do not tell whether something changed."""
    first = saved.read_bytes()
    save_dataset(dataset, world.hmu, saved.parent)
    assert saved.read_bytes()[13:] != first[13:]
