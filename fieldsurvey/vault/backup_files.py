"""The encrypted files of drafts in a backup: as they lie beside the vault, one after the other, named by their ids.

draft id (16) | file id (16) | length (8) | bytes
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from fieldsurvey.base.files import storage_error, write_atomic
from fieldsurvey.base.sqlite import DatabaseBusyError
from fieldsurvey.vault.attachments import FOLDER

_ID: Final = re.compile(r"[0-9a-f]{32}")
_HEAD: Final = 40
_PIECE: Final = 1 << 20


class KeptFile(NamedTuple):
    """A file of a draft; both ids 32 hexadecimal digits, the size in bytes."""

    draft: str
    name: str
    size: int


def listed(home: Path) -> list[KeptFile]:
    """All that lie beside the vault now; unfinished ones and strangers are left out. Raises StorageError."""
    top = home / FOLDER
    try:
        return sorted(
            KeptFile(folder.name, file.name, file.stat().st_size)
            for folder in (top.iterdir() if top.is_dir() else ())
            if _ID.fullmatch(folder.name)
            for file in folder.iterdir()
            if _ID.fullmatch(file.name)
        )
    except FileNotFoundError:  # a draft was finalised just now
        raise DatabaseBusyError(place=str(home)) from None
    except OSError as error:
        raise storage_error(error, top) from error


def length(files: list[KeptFile]) -> int:
    """Bytes that they take in a backup."""
    return sum(_HEAD + file.size for file in files)


def pieces(home: Path, files: list[KeptFile]) -> Iterator[bytes]:
    """Their bytes. Raises DatabaseBusyError when one went or changed meanwhile."""
    for file in files:
        yield bytes.fromhex(file.draft) + bytes.fromhex(file.name) + file.size.to_bytes(8, "big")
        left = file.size
        try:
            with (home / FOLDER / file.draft / file.name).open("rb") as handle:
                while piece := handle.read(_PIECE):
                    left -= len(piece)
                    yield piece
        except OSError:
            raise DatabaseBusyError(place=str(home)) from None
        if left:
            raise DatabaseBusyError(place=str(home))


def unpack(stream: Callable[[int], Iterator[bytes]], total: int, folder: Path) -> bool:
    """Write `total` bytes of files below `folder`; False when their lengths do not fit. Raises StorageError.

    `stream(n)` gives the next n bytes in pieces.
    """
    left = total
    while left:
        if left < _HEAD:
            return False
        head = b"".join(stream(_HEAD))
        size = int.from_bytes(head[32:], "big")
        left -= _HEAD + size
        if left < 0:
            return False
        place = folder / head[:16].hex()
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, place) from error
        write_atomic(place / head[16:32].hex(), stream(size), private=True)
    return True


def put_in_place(folder: Path, home: Path) -> None:
    """What `unpack` wrote becomes the files of the vault that comes to `home`. Raises StorageError."""
    shutil.rmtree(home / FOLDER, ignore_errors=True)  # nobody's: there is no vault
    if folder.is_dir():
        try:
            folder.replace(home / FOLDER)
        except OSError as error:
            raise storage_error(error, home) from error
