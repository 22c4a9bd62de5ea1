"""How a stick, or any folder that is carried, is laid out. Names on it are never trusted and never used as paths.

DIR/fieldsurvey/batches/    what laptops export
DIR/fieldsurvey/receipts/   what central and relays answer
DIR/fieldsurvey/returned/   work that the HMU sends back to a laptop
DIR/fieldsurvey/project.fsp the newest project, for laptops to take
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.files import MediumGoneError, NotWritableError, storage_error
from fieldsurvey.base.i18n import n_
from sync.errors import NoFolderError, NothingHereError, StickTooSmallError, UnreadableError

FOLDER: Final = "fieldsurvey"
MAGIC: Final = b"FSB1"
SLACK: Final = 1 << 20
"""Bytes that receipts, withdrawals and the like may take on a stick beside the batches."""
MOUNTS: Final = ("/media/", "/run/media/", "/Volumes/")
"""Where desktops mount what is plugged in: what lies there is never on the system's disk."""
SYSTEM: Final = Path("/")
Progress = Callable[[int, int, str], None]
"""(done, total, text): both in bytes unless the caller says otherwise; text names what is under way."""


@dataclass(frozen=True, slots=True)
class Found:
    """A name in a folder. `ignored` says why it is not looked into (a message id), or None."""

    path: Path
    size: int
    ignored: str | None

    @property
    def name(self) -> str:
        """For messages only."""
        return self.path.name


def there(place: Path, *, mounts: tuple[str, ...] = MOUNTS, system: Path = SYSTEM) -> Path:
    """`place`, which something is about to be put into. Raises NoFolderError: also where a stick was pulled out and
    only the empty folder that it was mounted on is left, on the system's own disk.
    """
    if not place.is_dir() or (str(place.absolute()).startswith(mounts) and place.stat().st_dev == system.stat().st_dev):
        raise NoFolderError(place=str(place))
    return place


class Stick:
    """The `fieldsurvey` folder of a stick."""

    def __init__(self, place: Path) -> None:
        """`place`: the stick's root; its `fieldsurvey` folder itself is taken too."""
        self.root = place if place.name == FOLDER and not (place / FOLDER).is_dir() else place / FOLDER
        self.place = str(place)

    @property
    def batches(self) -> Path:
        """Where laptops put batches."""
        return self.root / "batches"

    @property
    def receipts(self) -> Path:
        """Where central puts receipts."""
        return self.root / "receipts"

    @property
    def returned(self) -> Path:
        """Where work lies that goes back to laptops."""
        return self.root / "returned"

    @property
    def project(self) -> Path:
        """The project file."""
        return self.root / "project.fsp"

    def require(self) -> None:
        """Raises NothingHereError unless it is laid out as ours."""
        if not self.root.is_dir():
            raise NothingHereError(place=self.place)

    def stays(self) -> None:
        """Raises MediumGoneError once it was pulled out: its mount point may still be there, as an empty folder of
        this machine's own disk, and nothing must be written into that.
        """
        if not self.root.is_dir():
            raise MediumGoneError(place=self.place)

    def make(self, folder: Path) -> None:
        """Create one of its folders. Raises StorageError."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, self.place) from error

    def files(self, folder: Path) -> list[Found]:
        """What lies in one of its folders, by name; empty when the folder is not there. Raises StorageError."""
        try:
            with os.scandir(folder) as entries:
                found = [one for one in map(_look, entries) if one is not None]
                return sorted(found, key=lambda one: one.path)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise storage_error(error, self.place) from error


def _look(entry: os.DirEntry[str]) -> Found | None:
    try:
        information = entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # removed this moment: the others are still there
        return None
    reason = None
    if not stat.S_ISREG(information.st_mode):  # a link could point anywhere, a pipe would make us wait for ever
        reason = n_("not a file")
    elif entry.name.startswith("."):
        reason = n_("a hidden file")
    elif entry.name.endswith(".part"):
        reason = n_("an unfinished copy")
    return Found(Path(entry.path), information.st_size, reason)


def check_room(stick: Stick, needed: int) -> None:
    """Look at the free space before `needed` bytes are written. Raises StickTooSmallError, StorageError."""
    try:
        free = shutil.disk_usage(stick.root).free
    except OSError as error:
        raise storage_error(error, stick.place) from error
    if needed and needed + SLACK > free:
        raise StickTooSmallError(place=stick.place, needed=-(-(needed + SLACK) >> 20), free=free >> 20)


@contextmanager
def opened(path: Path, report: Callable[[int], None] | None = None) -> Iterator[BinaryIO]:
    """Read `path`; what goes wrong with the medium comes out as StorageError. `report` gets the bytes of each read."""
    try:
        with path.open("rb") as handle:
            yield cast("BinaryIO", _Counting(handle, report)) if report else handle
    except OSError as error:
        raise reading_error(error, path) from error


def reading_error(error: OSError, path: Path) -> StorageError:
    """The typed error for what went wrong while `path` was read."""
    found = storage_error(error, path)
    return UnreadableError(place=str(path)) if isinstance(found, NotWritableError) else found


def read_piece(stream: BinaryIO, path: Path, size: int) -> bytes:
    """At most `size` bytes of `path`, which is `stream`. Raises StorageError."""
    try:
        return stream.read(size)
    except OSError as error:
        raise reading_error(error, path) from error


class _Counting:
    """The one method that reading a container needs, with a count."""

    def __init__(self, handle: BinaryIO, report: Callable[[int], None]) -> None:
        self._handle = handle
        self._report = report

    def read(self, size: int) -> bytes:
        """Read and report."""
        data = self._handle.read(size)
        self._report(len(data))
        return data


def looks_ours(path: Path) -> bool:
    """Whether it starts like one of our files, whatever it is called. Raises StorageError."""
    with opened(path) as handle:
        return handle.read(len(MAGIC)) == MAGIC
