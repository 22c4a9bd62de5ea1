"""What a central holds, and a disk that is full."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from sync.central import Central
from sync.sets import BODIES
from sync.sqlite_store import SqliteStore


def bodies(central: Central) -> set[bytes]:
    """The hashes of the records that are held."""
    return {row[0] for row in central.store.rows(BODIES, keys=True)}


def fill_up(path: Path) -> None:
    """What SQLite does on a full disk."""
    store = SqliteStore(path)
    try:
        store._connection.execute("PRAGMA max_page_count=1")
        with store.write() as writer:
            writer.tombstone(b"t" * 32, bytes(1 << 20))
    finally:
        store.close()


def no_room(patch: pytest.MonkeyPatch, disk: Path, *, sums: bool) -> None:
    """The disk is full when a backup is written, or when its sum is."""
    real = os.fdopen

    def fdopen(handle: int, *args: Any, **kwargs: Any) -> Any:
        opened = real(handle, *args, **kwargs)
        name = str(Path(f"/proc/self/fd/{handle}").readlink())
        if name.startswith(str(disk)) and (".sha256" in name) == sums:
            opened.close()
            raise OSError(errno.ENOSPC, "full")
        return opened

    patch.setattr(os, "fdopen", fdopen)
