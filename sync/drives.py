"""Sticks that are plugged in, with their free space, for a person to choose from. It writes nothing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

_REMOVABLE: Final = 2  # GetDriveTypeW, winbase.h: DRIVE_REMOVABLE
_LINUX: Final = ("/media/", "/run/media/")


@dataclass(frozen=True, slots=True)
class Drive:
    """A stick. Sizes in bytes."""

    path: Path
    label: str
    free: int
    total: int
    writable: bool


class WindowsDrives(Protocol):
    """What is asked of kernel32."""

    def GetLogicalDrives(self) -> int:  # noqa: N802  the name in the Windows API
        """A bit for each letter, A first."""
        ...

    def GetDriveTypeW(self, root: str) -> int:  # noqa: N802  the name in the Windows API
        """2 for a removable one."""
        ...


def removable_drives() -> list[Drive]:
    """The sticks of this machine, by label; one that vanishes while it is looked at is left out."""
    return sorted((drive for path in _places() if (drive := look(path))), key=lambda drive: drive.label)


def look(path: Path) -> Drive | None:
    """The drive at `path`, or None when it cannot be read."""
    try:
        usage = shutil.disk_usage(path)
    except OSError:  # pulled out this moment, or no medium in it: it cannot be offered
        return None
    return Drive(path, path.name or str(path), usage.free, usage.total, os.access(path, os.W_OK))


def _places() -> list[Path]:
    if sys.platform == "win32":
        import ctypes  # there is no such library elsewhere

        return list(windows_places(ctypes.windll.kernel32))
    if sys.platform == "darwin":
        return list(mac_places(Path("/Volumes")))
    try:
        return list(linux_places(Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")))
    except OSError:  # a system that does not say: the place can still be typed
        return []


def linux_places(mounts: str) -> Iterator[Path]:
    """Mount points under the folders where desktops mount what is plugged in (udisks2: /run/media, /media).

    `mounts`: the text of /proc/self/mounts, where spaces and the like are written in octal (fstab(5)).
    """
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) > 1:
            point = fields[1]
            for octal, letter in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
                point = point.replace(octal, letter)
            if point.startswith(_LINUX):
                yield Path(point)


def mac_places(volumes: Path, is_mount: Callable[[Path], bool] = os.path.ismount) -> Iterator[Path]:
    """Volumes that are mounted; the system's own is a link there."""
    try:
        found = sorted(volumes.iterdir())
    except OSError:  # a system that does not say: the place can still be typed
        return
    for path in found:
        if not path.is_symlink() and is_mount(path):
            yield path


def windows_places(kernel: WindowsDrives) -> Iterator[Path]:
    """The letters of removable drives."""
    letters = kernel.GetLogicalDrives()
    for number in range(26):
        root = f"{chr(ord('A') + number)}:\\"
        if letters >> number & 1 and kernel.GetDriveTypeW(root) == _REMOVABLE:
            yield Path(root)
