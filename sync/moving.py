"""Move central from one database to another, SQLite or PostgreSQL, either way: nothing is lost and nothing is doubled.

Most is copied while others go on importing. Then every other writer is kept out, the rest is copied, and both sides
are compared byte for byte; only when they are equal is the old one closed for good and the new one named. Interrupted
at any moment, the old one is still central, or nobody can write to it any more: the same command ends what it began.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fieldsurvey.base.errors import RefusedError, StorageError
from fieldsurvey.base.i18n import gettext as _
from sync.copying import Tick, contents_digest, copy_sets, extra, weight
from sync.errors import CentralMovedError
from sync.place import Place, central_exists, read_place, write_place
from sync.sets import COVERED
from sync.stick import Progress
from sync.store import Counts, Covered, Store


class NotEmptyError(RefusedError):
    """The target holds something that central does not."""

    code = "refused.move_target"
    template = "{place} is not empty: it holds something that central does not ({what})."
    hint = (
        "Nothing was changed. Name an empty database or a new file; or, to bring together what two centrals hold, make"
        " a backup of one and restore it into the other."
    )


class SamePlaceError(RefusedError):
    """Source and target are one."""

    code = "refused.move_same"
    template = "Central is at {place} already."
    hint = "Nothing was changed."


class MoveDiffersError(StorageError):
    """What was copied is not what is there."""

    code = "storage.move_differs"
    template = "What was copied to {to} is not the same as what is at {place}."
    hint = "Nothing was switched: central is where it was. Run: fieldsurvey central verify, then move again."


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What a move did. `copied`: rows that were not at the new place before; `digest`: of both, byte for byte.

    `old` is empty where there was no central before.
    """

    old: str
    new: str
    copied: int
    digest: str
    counts: Counts


def move_central(home: Path, to: Place, *, wait: float = 60.0, progress: Progress | None = None) -> MoveReport:
    """Central of this home is at `to` afterwards, with everything in it. `progress` counts records and log entries.

    What was at the old place stays there, closed: it is for its owner to delete. Where this home has no central yet,
    `to` is used from now on, with whatever other sites have put into it. Raises NotEmptyError, SamePlaceError,
    MoveDiffersError, StorageError; central is then where it was.
    """
    if not central_exists(home):
        return _begin(home, to, wait)
    here = read_place(home)
    source = here.store(wait=wait, create=False)
    try:
        target = to.store(wait=wait)
        try:
            return _move(home, source, target, to, progress)
        finally:
            target.close()
    finally:
        source.close()


def _begin(home: Path, to: Place, wait: float) -> MoveReport:
    target = to.store(wait=wait)
    try:
        if (left := target.moved()) is not None:
            raise CentralMovedError(place=target.place, to=left)
        write_place(home, to)
        return MoveReport("", target.place, 0, "", target.counts())
    finally:
        target.close()


def _move(home: Path, source: Store, target: Store, to: Place, progress: Progress | None) -> MoveReport:
    if source.identity == target.identity:
        raise SamePlaceError(place=source.place)
    meter = Meter(4 * weight(source), progress)
    meter.text = _("looking")
    if (different := extra(source, target)) is not None:
        raise NotEmptyError(place=target.place, what=different.name)
    target.reopen()  # it may have been central before
    left = source.moved()
    if left is not None and left != str(to):
        raise CentralMovedError(place=source.place, to=left)
    copied = 0
    if left is None:
        meter.text = _("copying")
        copied = copy_sets(source, target, meter.tick)
        with source.retire(str(to)):
            copied += copy_sets(source, target, meter.tick)
            copy_covered(source, target)
            digest = _compare(source, target, meter)
    else:  # interrupted after the old one was closed
        digest = _compare(source, target, meter)
    write_place(home, to)
    return MoveReport(source.place, target.place, copied, digest, target.counts())


def _compare(source: Store, target: Store, meter: Meter) -> str:
    meter.text = _("comparing")
    digest = contents_digest(source, meter.tick)
    if digest != contents_digest(target, meter.tick):
        raise MoveDiffersError(place=source.place, to=target.place)
    return digest


def copy_covered(source: Store, target: Store) -> None:
    """What the newest backup holds; no set that grows, but replaced as a whole."""
    at = source.last_backup()
    if at is not None:
        with target.write() as writer:
            writer.covered((Covered(*row) for row in source.rows(COVERED)), at)


class Meter:
    """Counts ticks against a total, and passes them on every now and then."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.total = total
        self.done = 0
        self.text = ""
        self._progress = progress
        self._every = max(1, total // 200)
        self.tick: Tick = self._tick if progress else _nothing

    def rest(self, done: int, total: int, _text: str) -> None:
        """A progress of somebody else's, as what is left of this one. `done` and `total` in one unit of theirs."""
        if self._progress and total:
            left = self.total - self.done
            self._progress(self.done + left * min(done, total) // total, self.total, self.text)

    def _tick(self, count: int) -> None:
        self.done += count
        if self._progress and self.done % self._every < count:
            self._progress(min(self.done, self.total), self.total, self.text)


def _nothing(_count: int) -> None:
    return
