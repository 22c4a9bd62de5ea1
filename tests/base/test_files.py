"""A file is whole or not there, whatever the disk does."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldsurvey.base import files


def test_a_file_is_written_and_verified(tmp_path: Path) -> None:
    """The digest returned is that of the bytes on disk, and no .part stays."""
    digest = files.write_atomic(tmp_path / "a.bin", iter([b"one", b"two"]))
    assert (tmp_path / "a.bin").read_bytes() == b"onetwo"
    assert digest == files.file_sha256(tmp_path / "a.bin")
    assert list(tmp_path.iterdir()) == [tmp_path / "a.bin"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, files.NoSpaceError),
        (errno.EIO, files.MediumGoneError),
        (errno.EROFS, files.NotWritableError),
        (errno.EACCES, files.NotWritableError),
    ],
)
def test_a_failing_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[Exception]
) -> None:
    """Full, pulled out, read-only: a typed error, the old content stands, no half file with the real name."""
    target = tmp_path / "a.bin"
    files.write_atomic(target, b"old")

    def failing(_: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", failing)
        with pytest.raises(expected):
            files.write_atomic(target, b"new")
    assert target.read_bytes() == b"old"
    files.write_atomic(target, b"new")
    assert target.read_bytes() == b"new"


def test_a_stick_that_corrupts_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What reads back differently is never called written."""
    monkeypatch.setattr(files, "file_sha256", lambda _: "0" * 64)
    with pytest.raises(files.VerifyError):
        files.write_atomic(tmp_path / "a.bin", b"data")


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_private_files_are_private(tmp_path: Path) -> None:
    """Key files are readable by their owner only."""
    files.write_atomic(tmp_path / "key", b"k", private=True)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_what_is_stopped_while_it_is_written_leaves_nothing(tmp_path: Path) -> None:
    """Whatever stops the one who gives the parts: no half file, and the old one stands."""
    path = tmp_path / "kept"
    files.write_atomic(path, b"old")

    def parts() -> Iterator[bytes]:
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.write_atomic(path, parts())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
