"""Withdrawals and reports of erasure on their way: carried on sticks, agreed between a home and its central.

    DIR/fieldsurvey/withdrawals/   tombstones as bytes: whoever meets one can check it, it reveals the code
    DIR/fieldsurvey/erased/        reports of erasure, signed by the place that erased

What is withdrawn is known before anything else of a stick is merged, taken or written. Names are never trusted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.base.files import storage_error, write_atomic
from fieldsurvey.fieldwork.erasures import MAX_KEPT as MAX_REPORTS
from fieldsurvey.fieldwork.erasures import SUFFIX as REPORT_SUFFIX
from fieldsurvey.fieldwork.erasures import Reports, Trust, name_of, read_file
from fieldsurvey.fieldwork.withdrawals import MAX_BYTES as MAX_TOMBSTONE
from fieldsurvey.fieldwork.withdrawals import MAX_KEPT, SUFFIX, Withdrawals, apply_all, read_tombstone
from fieldsurvey.records.container import open_container
from fieldsurvey.records.erased import MAX_BYTES as MAX_REPORT
from fieldsurvey.records.withdrawal import Tombstone
from fieldsurvey.vault import SealedLog
from sync.batches import Batch, read_batch
from sync.putback import clear_returns
from sync.refusals import RefusedFile, passing_over, take_files
from sync.stick import Stick, opened

FOLDER: Final = "withdrawals"
REPORTS: Final = "erased"


def export_withdrawals(home: Path, target: Path) -> int:
    """Put on `target` the tombstones and reports of erasure kept in `home` that are not on it yet; how many tombstones
    were written. One with an earlier day of request takes the place of a later one.

    Raises StorageError.
    """
    stick = Stick(target)
    folder = stick.root / FOLDER
    written = 0
    for tombstone in Withdrawals(home):
        path = folder / f"{tombstone.tag}{SUFFIX}"
        there = read_tombstone(path)  # None: not there, or damaged
        if there is None or there.tag != tombstone.tag or there.requested > tombstone.requested:
            stick.make(folder)
            write_atomic(path, tombstone.to_bytes())
            written += 1
    _export_reports(home, stick)
    _erase_returns(home, stick)
    return written


def _export_reports(home: Path, stick: Stick) -> None:
    folder = stick.root / REPORTS
    for data in Reports(home, Trust()).files():
        path = folder / name_of(data)
        if read_file(path) != data:
            stick.make(folder)
            write_atomic(path, data)


def _erase_returns(home: Path, stick: Stick) -> None:
    """Take returned work of withdrawn cases off a stick: it holds their answers, sealed, and nobody waits for it."""
    tags = frozenset(stone.tag for stone in Withdrawals(home))
    if tags:
        clear_returns(stick, lambda manifest: manifest.withdrawal in tags)


def tag_of_return(data: BinaryIO | bytes) -> str | None:
    """The withdrawal tag in the manifest of returned work; None where there is none, or it is no such file."""
    try:
        found = open_container(data, "return").manifest.get("withdrawal")
    except UntrustedError:
        return None
    return found if isinstance(found, str) else None


class Brought(NamedTuple):
    """What a stick brought: how many were `new` here, and which files were refused."""

    new: int
    refused: tuple[RefusedFile, ...] = ()


def take_withdrawals(log: SealedLog, source: Path) -> Brought:
    """On a laptop: keep what a stick brings, and erase here what it names. Raises StorageError."""
    brought = keep_withdrawals(log.path.parent, log.device_card().project, source)
    if brought.new:
        apply_all(log)
    return brought


def keep_withdrawals(home: Path, project: str, source: Path) -> Brought:
    """Keep the tombstones of a project that a stick brings. Raises StorageError."""
    stick = Stick(source)
    kept = Withdrawals(home)
    room = MAX_KEPT - sum(1 for _ in kept)
    new = 0

    def keep(data: bytes, _name: str) -> None:
        nonlocal new
        tombstone = Tombstone.from_bytes(data)
        if new < room and tombstone.project == project and kept.enter(tombstone):
            new += 1

    refused = take_files(stick, stick.root / FOLDER, SUFFIX, MAX_TOMBSTONE, keep)
    return Brought(new, refused)


def take_reports(home: Path, trust: Trust, source: Path) -> Brought:
    """Keep the reports of erasure on a stick that their places signed. Raises StorageError.

    One of a laptop that is not enrolled yet is not kept, and not refused.
    """
    stick = Stick(source)
    kept = Reports(home, trust)
    room = MAX_REPORTS - sum(1 for _ in kept.files())
    new = 0

    def keep(data: bytes, _name: str) -> None:
        nonlocal new
        new += new < room and kept.keep(data)

    refused = take_files(stick, stick.root / REPORTS, REPORT_SUFFIX, MAX_REPORT, keep)
    return Brought(new, refused)


def tags_withdrawn(home: Path, project: str) -> frozenset[str]:
    """The tags of all cases of a project that are known in `home` to be withdrawn."""
    return frozenset(Withdrawals(home).of(project))


def withdrawn_in(batch: Batch, tags: AbstractSet[str]) -> Counter[str]:
    """Which of `tags` the records in a batch carry, and how many of them; it is verified to its end.

    Raises what `Batch.records` raises.
    """
    found: Counter[str] = Counter()
    for _entry, header, _body in batch.records():
        if header.withdrawal is not None and header.withdrawal in tags:
            found[header.withdrawal] += 1
    return found


def erase_on_stick(stick: Stick, project: str, tags: AbstractSet[str], held: Callable[[Batch], bool]) -> int:
    """Remove from a stick the batch files that hold a record of a withdrawn case, and what the HMU sent back of one;
    how many batches went.

    `held`: whether everything in a batch lies somewhere else too; others stay, and so does what is damaged, which is
    for whoever imports it. Raises StorageError.
    """
    gone = 0
    for file in stick.files(stick.batches) if tags else ():
        if file.ignored:
            continue
        found: Counter[str] | bool = False
        with passing_over(stick, file), opened(file.path) as stream:
            batch = read_batch(stream, project)
            found = held(batch) and withdrawn_in(batch, tags)
        if found:
            try:
                file.path.unlink()
            except OSError as error:
                raise storage_error(error, stick.place) from error
            gone += 1
    if tags:
        clear_returns(stick, lambda manifest: manifest.project == project and manifest.withdrawal in tags)
    return gone
