"""What lies on a stick while somebody else works on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync.stick import Stick


def test_a_file_that_goes_away_while_it_is_looked_at_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listed, and removed before its size was asked for: the other files are found; none at all only without folder."""
    stick = Stick(tmp_path)
    assert stick.files(stick.batches) == []
    stick.make(stick.batches)
    for name in ("a.fsb", "b.fsb", "c.fsb"):
        (stick.batches / name).write_bytes(b"synthetic")
    real = os.scandir

    @contextmanager
    def scandir(folder: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
        with real(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        (folder / "b.fsb").unlink()
        yield iter(found)

    monkeypatch.setattr(os, "scandir", scandir)
    assert [file.name for file in stick.files(stick.batches)] == ["a.fsb", "c.fsb"]
