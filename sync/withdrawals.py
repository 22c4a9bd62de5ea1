"""Withdrawals on a stick: tombstones as bytes in `DIR/fieldsurvey/withdrawals/`, carried out and taken in.

Whoever meets one can check it: it reveals the code whose hash the records' headers carry. Names are never trusted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fieldsurvey.base.files import write_atomic
from fieldsurvey.fieldwork.withdrawals import MAX_KEPT, SUFFIX, Withdrawals, apply_all, read_tombstone
from fieldsurvey.vault import SealedLog
from sync.stick import Stick

FOLDER: Final = "withdrawals"


def export_withdrawals(home: Path, target: Path) -> int:
    """Put on `target` the tombstones kept in `home` that are not on it yet; how many were written.

    Raises StorageError.
    """
    stick = Stick(target)
    folder = stick.root / FOLDER
    written = 0
    for tombstone in Withdrawals(home):
        path = folder / f"{tombstone.tag}{SUFFIX}"
        if read_tombstone(path) is None:  # not there, or damaged
            stick.make(folder)
            write_atomic(path, tombstone.to_bytes())
            written += 1
    return written


def take_withdrawals(log: SealedLog, source: Path) -> int:
    """On a laptop: keep what a stick brings, and erase here what it names; how many were new. Raises StorageError."""
    new = keep_withdrawals(log.path.parent, log.device_card().project, source)
    if new:
        apply_all(log)
    return new


def keep_withdrawals(home: Path, project: str, source: Path) -> int:
    """Keep the tombstones of a project that a stick brings; how many were new. Raises StorageError."""
    stick = Stick(source)
    kept = Withdrawals(home)
    room = MAX_KEPT - sum(1 for _ in kept)
    new = 0
    for file in stick.files(stick.root / FOLDER):
        if file.ignored or new >= room:
            continue
        tombstone = read_tombstone(file.path)
        if tombstone is not None and tombstone.project == project and kept.enter(tombstone):
            new += 1
    return new
