"""Whose fault it is: a file that is refused by itself, or this machine's own disk, which stops everything.

A file on a stick that is truncated, damaged or cannot be read is named, and the rest is taken. Where this machine's own
disk is full, or its database is held or gone, no other file would fare better: that is raised. What was taken before
stays taken, nothing on the stick is changed, and taking it again takes nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fieldsurvey.base.errors import FieldsurveyError, RefusedError, Rendered, StorageError, UntrustedError, render
from fieldsurvey.base.files import NoSpaceError
from fieldsurvey.records.errors import SignatureError
from sync.errors import OwnDiskFullError
from sync.stick import Found, Stick, opened

_MAGICS: Final = (b"FSB1", b"FSW1")


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """`name`: its folder and name on the stick; `reason`, `advice`: in the user's language."""

    name: str
    code: str
    reason: str
    advice: str


def refusal(error: FieldsurveyError, path: Path) -> Rendered:
    """What to say of the file at `path`, which is at fault; raises `error` where it is not.

    A StorageError says where it happened: only one at the file itself is the file's. Raises StorageError.
    """
    if isinstance(error, StorageError) and error.details.get("place") != str(path):
        if type(error) is NoSpaceError:
            raise OwnDiskFullError(**error.details) from error
        raise error
    return render(error)


def take_files(
    stick: Stick, folder: Path, suffix: str, limit: int, take: Callable[[bytes, str], None]
) -> tuple[RefusedFile, ...]:
    """Give `take` every file in one of a stick's folders, at most `limit` bytes and one more, with its name for
    messages; which were refused.

    `take` raises UntrustedError for what is damaged. A SignatureError is none: it is somebody's whom nobody here knows,
    or knows no longer. What neither is called nor begins like a file of ours is left aside. Raises MediumGoneError when
    the stick was pulled out, and StorageError of this machine's own disk.
    """
    refused = []
    for file in stick.files(folder):
        if file.ignored:
            continue
        data = b""
        try:
            with opened(file.path) as stream:
                data = stream.read(limit + 1)
            take(data, file.name)
        except SignatureError:
            continue
        except (UntrustedError, StorageError) as error:
            shown = refusal(error, file.path)
            if isinstance(error, StorageError):
                stick.stays()  # pulled out: no file is at fault
            elif not seems_ours(file.name, data, suffix):
                continue
            refused.append(RefusedFile(f"{folder.name}/{file.name}", shown.code, shown.message, shown.advice))
    return tuple(refused)


def seems_ours(name: str, data: bytes, suffix: str) -> bool:
    """Whether it is called, or begins, like a file of ours: a note that somebody put beside them is left aside."""
    return name.endswith(suffix) or data.startswith(_MAGICS)


@contextmanager
def passing_over(stick: Stick, file: Found) -> Iterator[None]:
    """What is damaged, another project's, or cannot be read is passed over: whoever takes it from the stick names it.

    Raises MediumGoneError when the stick was pulled out, and StorageError of this machine's own disk.
    """
    try:
        yield
    except (UntrustedError, RefusedError):
        return
    except StorageError as error:
        refusal(error, file.path)
        stick.stays()
