"""Which backups in a folder are too old to be kept: what was withdrawn since must be gone from them too.

A backup's age is that of the date in its name. One that is dated in the future was made by a wrong clock, or is looked
at by one, and nobody knows how old it is. To keep it until its date comes would keep for years what people withdrew;
to remove it at once would let one wrong clock, an empty battery, take every good backup but the newest. So its days
are counted from when it was first noticed, which is written beside it: it goes with that many days' delay at most, and
as soon as the clock is right again, the date in its name counts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.files import storage_error, write_atomic
from sync.covering import is_ahead

STAMP: Final = "%Y%m%dT%H%M%SZ"
NOTICED: Final = ".noticed"
SIGNED: Final = ".fsp"
"""Beside a backup: since when it is known that its date is wrong; the project, signed."""
_NAME: Final = re.compile(r"(central-[0-9a-f]{8}-(\d{8}T\d{6}Z)\.db)(?:\.sha256|\.noticed|\.fsp)?(\.part)?")


def name_of(project: str, made: datetime) -> str:
    """A backup's file name. `project`: its id, "" where none is known; `made`: UTC."""
    return f"central-{project[:8] or '0' * 8}-{made.strftime(STAMP)}.db"


def expire(folder: Path, now: datetime, newest: str, days: int) -> tuple[tuple[str, ...], str | None]:
    """Remove what is older than `days` and what was left half written; never the newest, nor anybody else's file: of
    another project's central it may be the only backup.

    The names of the backups that went, and why one could not be removed. Raises nothing: the newest stands.
    """
    try:
        found = sorted(folder.iterdir())
    except OSError as error:  # the disk went away after the backup was written, read back and noted: that stands
        return (), storage_error(error, folder).message
    ours = newest[: -len("YYYYMMDDTHHMMSSZ.db")]
    since: dict[str, datetime] = {}
    removed: set[str] = set()
    problem = None
    for path in found:
        match = _NAME.fullmatch(path.name) if path.name.startswith(ours) else None
        if match is None or match[1] == newest or path.is_symlink() or not path.is_file():
            continue
        try:
            made = datetime.strptime(match[2], STAMP).replace(tzinfo=UTC)
        except ValueError:  # a day that there is not: no name of ours
            continue
        try:
            if match[3] is None:
                if match[1] not in since:
                    since[match[1]] = _noticed(folder / match[1], now) if is_ahead(made, now) else made
                if now - since[match[1]] <= timedelta(days=days):
                    continue
            path.unlink()
        except OSError as error:
            problem = storage_error(error, path).message
        except StorageError as error:
            problem = error.message
        else:
            removed.add(match[1])
    return tuple(sorted(removed)), problem


def _noticed(backup: Path, now: datetime) -> datetime:
    """Since when it is known that this backup is dated in the future: the note beside it, written where there is none.

    A note that is itself dated in the future says as little. Raises StorageError, OSError.
    """
    beside = backup.with_name(backup.name + NOTICED)
    if beside.is_file() and not beside.is_symlink():
        with beside.open("rb") as stream:
            text = stream.read(64).decode("ascii", "replace").strip()
        try:
            found = datetime.strptime(text, STAMP).replace(tzinfo=UTC)
        except ValueError:
            found = None
        if found is not None and not is_ahead(found, now):
            return found
    write_atomic(beside, f"{now.strftime(STAMP)}\n".encode(), private=True)
    return now
