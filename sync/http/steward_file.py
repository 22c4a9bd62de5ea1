"""The signed project in a steward's folder, as a server reads it with every request: again only when it has changed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.project.steward import PROJECT_FILE, read_steward


class StewardFile:
    """A newer version that the same root signed takes the place of the one before, while the server runs."""

    def __init__(self, folder: Path) -> None:
        """Raises NoProjectError, UntrustedError, StorageError."""
        self._folder = folder
        self._lock = threading.Lock()
        self._stamp = self._look()
        self._signed = read_steward(folder)

    def __call__(self) -> SignedProject:
        """The newest. What cannot be read, or is not newer, changes nothing."""
        stamp = self._look()
        if stamp != self._stamp:
            with self._lock:
                self._stamp = stamp
                try:
                    found = read_steward(self._folder)
                except FieldsurveyError:  # being replaced, or damaged: the one at hand goes on
                    return self._signed
                known = self._signed
                if (
                    found.model.version > known.model.version
                    and known.root_fingerprint in found.model.root_fingerprints
                ):
                    self._signed = found
        return self._signed

    def _look(self) -> tuple[int, int]:
        try:
            found = os.stat(self._folder / PROJECT_FILE)  # noqa: PTH116  one call with every request
        except OSError:  # being replaced: the one at hand goes on
            return (0, 0)
        return found.st_mtime_ns, found.st_size
