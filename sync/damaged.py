"""What a relay held and holds no more, because its own disk damaged it: a note in the place of each such batch.

The batch itself is removed: nobody could use it, and it may be of somebody who withdrew. Its laptop still has all of
it. A note goes when the batch comes again, or central says that it holds the entries. It decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.files import storage_error, write_atomic
from fieldsurvey.base.i18n import gettext as _

SUFFIX: Final = ".damaged"
_MAX_NOTE: Final = 4_096


@dataclass(frozen=True, slots=True)
class Damaged:
    """A batch that is not whole any more. `file`: what it was called here; without a `device`, not even its manifest
    could be read.
    """

    file: str
    device: str = ""
    name: str = ""
    first: int = 0
    last: int = 0

    def as_data(self) -> dict[str, Any]:
        """As `--json` shows it."""
        return {"file": self.file, "device": self.device, "name": self.name, "first": self.first, "last": self.last}

    @property
    def told(self) -> str:
        """What happened, what is safe and what to do, in the user's language."""
        if not self.device:
            return _(
                "A batch was damaged on this laptop's disk ({file}) and is not handed on. Its laptop still has it: take"
                " every laptop's stick again."
            ).format(file=self.file[:12])
        text = _(
            "Entries {first} to {last} of {name} ({device}) were damaged on this laptop's disk and are not handed on."
            " That laptop still has them: take its stick again."
        )
        return text.format(first=self.first, last=self.last, name=self.name, device=self.device[:8])


def put_note(folder: Path, what: Damaged) -> None:
    """Leave a note in `folder`. Raises StorageError."""
    data = {"device": what.device, "name": what.name, "first": what.first, "last": what.last}
    write_atomic(folder / f"{what.file}{SUFFIX}", canonical(data), private=True)


def notes(folder: Path) -> Iterator[tuple[Path, Damaged]]:
    """Every note in `folder`. One that is damaged itself still says that something was."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        yield path, _read(path)


def drop_note(path: Path) -> None:
    """Raises StorageError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, path) from error


def _read(path: Path) -> Damaged:
    file = path.name.removesuffix(SUFFIX)
    try:
        with path.open("rb") as handle:
            found = json.loads(handle.read(_MAX_NOTE))
        texts, numbers = [found["device"], found["name"]], [found["first"], found["last"]]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return Damaged(file)
    if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
        return Damaged(file)
    return Damaged(file, *texts, *numbers)
