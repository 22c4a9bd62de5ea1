"""What the folders of golden files beside those of the first day have in common: they share some of those, and are
written once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.records.make_golden import GOLDEN


def sharing(*names: str) -> Callable[[Mapping[str, bytes], Path], Path]:
    """Puts files, and these of the first day that reading them needs, into one folder; gives the folder back."""

    def with_shared(files: Mapping[str, bytes], folder: Path) -> Path:
        first = {name: (GOLDEN / name).read_bytes() for name in names}
        for name, data in {**first, **files}.items():
            (folder / name).write_bytes(data)
        return folder

    return with_shared


def write_new(files: Mapping[str, bytes]) -> None:
    """Into a new folder that the command line names: never over files that were made before."""
    target = Path(sys.argv[1])
    target.mkdir()
    for name, data in files.items():
        (target / name).write_bytes(data)
