"""Work that the HMU sends back, on its way through a relay to its laptops: sealed to them, named by its hash."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path
from typing import Final

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.base.files import private_folder, storage_error, write_atomic
from fieldsurvey.project.model import Project
from fieldsurvey.records.returned import MAX_BYTES, SUFFIX, read_return
from sync.stick import opened

MAX_RETURNS: Final = 1_000


class PassingBack:
    """One process at a time writes to it; see `Relay.alone`."""

    def __init__(self, folder: Path, project: Project) -> None:
        self.folder = folder
        self.project = project

    def keep(self, data: bytes, tags: AbstractSet[str]) -> bool:
        """Keep one, unless its case is withdrawn (`tags`); whether it is new. Raises UntrustedError, StorageError."""
        found = read_return(data, self.project.role_keys)
        if found.manifest.project != self.project.id or found.manifest.withdrawal in tags:
            return False
        path = self.folder / f"{found.digest.hex()}{SUFFIX}"
        if path.exists() or len(list(self.folder.glob(f"*{SUFFIX}"))) >= MAX_RETURNS:
            return False
        private_folder(self.folder)
        write_atomic(path, data, private=True)
        return True

    def files(self) -> Iterator[bytes]:
        """What is on its way."""
        for _path, data, _tag in self._each():
            yield data

    def forget(self, tags: AbstractSet[str]) -> None:
        """What belongs to these cases goes. Raises StorageError."""
        for path, _data, tag in list(self._each()):
            if tag in tags:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise storage_error(error, path) from error

    def _each(self) -> Iterator[tuple[Path, bytes, str | None]]:
        """Each with its case's tag. What the HMU's present key did not sign is left where it is: nobody takes it."""
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            with suppress(UntrustedError), opened(path) as stream:
                data = stream.read(MAX_BYTES + 1)
                yield path, data, read_return(data, self.project.role_keys).manifest.withdrawal
