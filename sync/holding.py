"""The folder of batches that a relay holds: copied whole, verified, named by the hash of their manifest. No keys.

A batch that another one here holds as well is not kept twice: laptops export everything since central's last receipt,
so that each night's batch holds the one of the night before.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, Final, Literal, NamedTuple

from fieldsurvey.base.errors import RefusedError, StorageError, UntrustedError
from fieldsurvey.base.files import fsync_folder, storage_error, write_atomic
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.project.model import Project
from fieldsurvey.records.container import MAX_FILE
from sync.batches import Batch, read_batch
from sync.damaged import SUFFIX as NOTE
from sync.damaged import Damaged, drop_note, notes, put_note
from sync.errors import BatchError, RelayFullError
from sync.merge import Position
from sync.refusals import refusal
from sync.stick import opened, read_piece
from sync.withdrawals import withdrawn_in

MAX_BATCHES: Final = 20_000
MAX_STRANGERS: Final = 256 << 20
"""Bytes taken of laptops that the project does not know (yet): anybody can make such a one."""
RESERVE: Final = 64 << 20
"""Bytes of this laptop's disk that stay free."""
SUFFIX: Final = ".fsb"
_INCOMING: Final = "incoming"
_PIECE: Final = 1 << 20

Outcome = Literal["taken", "present", "committed", "withdrawn"]
"""Copied here; here already, as it is or within another; at central; not kept, because it names a withdrawn case."""
Chain = dict[Position, bytes]
"""(seq, head) -> the head before it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A batch that is here, whole. `manifest`: the hash that names it; `end`: the head after entry `last`.

    `erased`: those of its entries that travel without their record.
    """

    manifest: bytes
    path: Path
    size: int
    device: str
    name: str
    first: int
    last: int
    end: bytes
    erased: frozenset[int] = frozenset()

    @classmethod
    def of(cls, batch: Batch, path: Path, size: int) -> Held:
        """What its verified manifest says."""
        end = batch.entries[-1].head
        erased = frozenset(batch.erased)
        return cls(batch.manifest_hash, path, size, batch.device, batch.card.name, batch.first, batch.last, end, erased)


class NamedRecord(NamedTuple):
    """A record of a withdrawn case: its place in its log, its hash (hexadecimal), the withdrawal's tag."""

    seq: int
    record: str
    tag: str


class Named(NamedTuple):
    """The batches with a record of a withdrawn case, and which records those are; the batches that are damaged, so that
    nobody can tell.
    """

    batches: dict[Held, tuple[NamedRecord, ...]]
    damaged: tuple[Held, ...]


class Holding:
    """One process at a time writes to it; see `Relay.alone`."""

    def __init__(self, folder: Path, project: Project) -> None:
        self.folder = folder
        self.project = project
        self._held: dict[bytes, Held] | None = None
        self._unread: list[Damaged] = []

    def batches(self) -> list[Held]:
        """Everything that is here, by device and place in its log. A file whose manifest is damaged is not here, but
        among `damaged`.
        """
        if self._held is None:
            self._held = {}
            self._unread = []
            for path in sorted(self.folder.glob(f"*{SUFFIX}")):
                try:
                    with opened(path) as stream:
                        held = Held.of(read_batch(stream, self.project.id), path, path.stat().st_size)
                except RefusedError:  # another project's: nobody's business here
                    continue
                except (UntrustedError, StorageError):
                    self._unread.append(Damaged(path.name))
                else:
                    self._held[held.manifest] = held
        return sorted(self._held.values(), key=lambda held: (held.device, held.first, held.last, held.manifest))

    def of(self, device: str) -> list[Held]:
        """Those of one device, by place in its log."""
        return [held for held in self.batches() if held.device == device]

    def verified(self, order: Callable[[Held], date]) -> Iterator[Held]:
        """All of them, what has the lowest `order` first, each read to its end just before.

        One that has rotted on this disk is set aside: it is taken anew from the next stick that has it. One that cannot
        be read now stays, and is not given.
        """
        for held in sorted(self.batches(), key=order):
            try:
                self._verify(held.path, held.manifest)
            except UntrustedError:
                self.set_aside(held)
            except StorageError as error:
                refusal(error, held.path)
                self._unread.append(_damaged(held))
                if self._held is not None:  # and nobody is vouched for with it
                    self._held.pop(held.manifest, None)
            else:
                yield held

    def damaged(self) -> list[Damaged]:
        """What was held here and is not whole any more, as far as anybody has noticed; none of it is handed on."""
        self.batches()
        noted = [note for _path, note in notes(self.folder)]
        return noted + self._unread

    def set_aside(self, held: Held) -> None:
        """Remove a batch that is not whole; a note of it stays. Raises StorageError."""
        put_note(self.folder, _damaged(held))
        self.remove(held)

    def set_unread_aside(self) -> None:
        """The same of whatever cannot be read. Raises StorageError."""
        self.batches()
        for one in self._unread:
            put_note(self.folder, one)
            drop_note(self.folder / one.file)
        self._unread = []

    def forget_damaged(self, known: Callable[[Damaged], bool]) -> None:
        """Drop the notes of what is safe elsewhere. Raises StorageError."""
        for path, note in notes(self.folder):
            if note.device and known(note):
                drop_note(path)

    def links(self, device: str) -> Chain:
        """Every entry of a device that is here, and can be read now."""
        found: Chain = {}
        for _held, batch in self.manifests(device):
            found.update({(link.seq, link.head): link.previous for link in batch.links()})
        return found

    def manifests(self, device: str, first: int = 1, last: int | None = None) -> Iterator[tuple[Held, Batch]]:
        """The batches of a device that reach between two entries, with their manifests, verified. One that cannot be
        read now is passed over.
        """
        for held in self.of(device):
            if held.last < first or (last is not None and held.first > last):
                continue
            with suppress(UntrustedError, StorageError):
                yield held, self.manifest(held)

    def take(
        self,
        path: Path,
        size: int,
        tags: AbstractSet[str],
        at_central: Callable[[Batch], bool],
        *,
        waiting: AbstractSet[str] = frozenset(),
    ) -> tuple[Outcome, Batch]:
        """Copy a batch file here, unless its records are here or at central; what became of it, and what it is.

        `waiting`: manifests (hexadecimal) of batches that are soon to go: what only they hold is still taken. What
        breaks off, or is not what its manifest says, leaves nothing behind. Raises what `read_batch` and
        `Batch.records` raise, RelayFullError, StorageError.
        """
        with opened(path) as stream:
            batch = read_batch(stream, self.project.id)
        outcome: Outcome | None = None
        if batch.manifest_hash in {held.manifest for held in self.batches()} or self._within(batch, waiting):
            outcome = "present"
        elif at_central(batch):
            outcome = "committed"
        if outcome is not None:  # it is safe elsewhere: still, a damaged copy is named, so that the stick is looked at
            self._verify(path, batch.manifest_hash)
            return outcome, batch
        if size > MAX_FILE:  # it is not what its manifest says: nobody needs a copy of it to see that
            raise BatchError(reason="too long")
        self._check_room(batch, path, size)
        incoming = self.folder / _INCOMING
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with opened(path) as stream:
                write_atomic(incoming, _pieces(stream, path, size), private=True)
            # the copy is verified, not the stick: that may say something else the second time
            copied, tagged = self._verify(incoming, batch.manifest_hash, tags)
            if tagged:
                return "withdrawn", copied
            target = self.folder / f"{batch.manifest_hash.hex()}{SUFFIX}"
            incoming.replace(target)
            fsync_folder(self.folder)
        except OSError as error:
            raise storage_error(error, self.folder) from error
        finally:
            with suppress(OSError):  # the disk is gone or full: what is left is written over by the next one
                incoming.unlink(missing_ok=True)
        held = Held.of(copied, target, size)
        for other in self._inside(copied, held):
            self.remove(other)
        if self._held is not None:
            self._held[held.manifest] = held
            self._unread = [one for one in self._unread if one.file != target.name]
        drop_note(target.with_name(target.name + NOTE))
        self.forget_damaged(
            lambda note: note.device == held.device and held.first <= note.first <= note.last <= held.last
        )
        return "taken", copied

    def keeps(self, manifest: str) -> bool:
        """Whether a file of that manifest (hexadecimal) lies here, whole or not."""
        return (self.folder / f"{manifest}{SUFFIX}").exists()

    def remove(self, held: Held) -> None:
        """Let go of it. Raises StorageError."""
        try:
            held.path.unlink(missing_ok=True)
            fsync_folder(self.folder)
        except OSError as error:
            raise storage_error(error, held.path) from error
        if self._held is not None:
            self._held.pop(held.manifest, None)

    def named_by(self, tags: AbstractSet[str]) -> Named:
        """The batches with a record of these tags, and those of which nobody can tell."""
        found: dict[Held, tuple[NamedRecord, ...]] = {}
        damaged = []
        for held in self.batches():
            try:
                with opened(held.path) as stream:
                    named = tuple(
                        NamedRecord(entry.seq, entry.record_hash.hex(), header.withdrawal)
                        for entry, header, _body in read_batch(stream, self.project.id).records()
                        if header.withdrawal is not None and header.withdrawal in tags
                    )
            except (UntrustedError, RefusedError, StorageError) as error:
                refusal(error, held.path)
                damaged.append(held)
                continue
            if named:
                found[held] = named
        return Named(found, tuple(damaged))

    def _verify(self, path: Path, manifest: bytes, tags: AbstractSet[str] = frozenset()) -> tuple[Batch, Counter[str]]:
        """A file is the batch of that manifest, to its end; which of `tags` it names."""
        with opened(path) as stream:
            batch = read_batch(stream, self.project.id)
            if batch.manifest_hash != manifest:
                raise BatchError(reason="it changed while it was read")
            return batch, withdrawn_in(batch, tags)

    def manifest(self, held: Held) -> Batch:
        """Its manifest, verified; nothing can be read of its records. Raises UntrustedError, StorageError."""
        with opened(held.path) as stream:
            return read_batch(stream, self.project.id)

    def _within(self, batch: Batch, waiting: AbstractSet[str]) -> bool:
        """Whether one batch here that stays holds every record of this one."""
        around = [held for held in self.of(batch.device) if held.first <= batch.first and held.last >= batch.last]
        return any(_is_within(batch, self.manifest(held)) for held in around if held.manifest.hex() not in waiting)

    def _inside(self, batch: Batch, held: Held) -> list[Held]:
        """Those here whose records are all in this one."""
        inside = [one for one in self.of(held.device) if held.first <= one.first and held.last >= one.last]
        return [one for one in inside if one.manifest != held.manifest and _is_within(self.manifest(one), batch)]

    def _check_room(self, batch: Batch, path: Path, size: int) -> None:
        """`path`: of what is not taken, for other files may be. Raises RelayFullError, StorageError."""
        known = {device.id for device in self.project.devices}
        try:
            free = shutil.disk_usage(self.folder.parent if not self.folder.exists() else self.folder).free
        except OSError as error:
            raise storage_error(error, self.folder) from error
        at = str(path)
        strangers = sum(held.size for held in self.batches() if held.device not in known)
        if batch.device not in known and strangers + size > MAX_STRANGERS:
            raise RelayFullError(reason=_("too much of laptops that are not enrolled"), place=at)
        if len(self.batches()) >= MAX_BATCHES:
            raise RelayFullError(reason=_("too many batches"), place=at)
        if size + RESERVE > free:
            raise RelayFullError(reason=_("its disk is nearly full"), place=at)


def _damaged(held: Held) -> Damaged:
    return Damaged(held.path.name, held.device, held.name, held.first, held.last)


def _is_within(small: Batch, large: Batch) -> bool:
    """Whether every entry of `small` is in `large`, and every record of it too: one may say that it was erased."""
    heads = {entry.head for entry in large.entries}
    records = {entry.record_hash for entry in large.present}
    return all(entry.head in heads for entry in small.entries) and all(
        entry.record_hash in records for entry in small.present
    )


def _pieces(stream: BinaryIO, path: Path, size: int) -> Iterator[bytes]:
    """`size` bytes of `path` and one more, so that a file that grows is seen to be longer.

    Raises StorageError that names `path`: whoever writes the pieces must not take it for the place that it writes to.
    """
    left = size + 1
    while left and (piece := read_piece(stream, path, min(left, _PIECE))):
        left -= len(piece)
        yield piece
