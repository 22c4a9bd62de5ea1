"""What `doctor` looks at. Each check is a function that returns findings; none writes anything."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import distribution
from pathlib import Path

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.paths import home

# A release cannot run before it was made: an earlier clock has lost its battery (1970 is the usual sign).
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
LATEST_YEARS = 15
SPACE_WANTED = 200 << 20


class Grade(StrEnum):
    """How a finding bears on fieldwork."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check-up."""

    check: str
    grade: Grade
    what: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """For `--json`."""
        return {"check": self.check, "grade": self.grade, "what": self.what, "advice": self.advice}


def check_packages() -> Iterator[Finding]:
    """Our packages come from where ours was installed: a folder called `sync` or `forms` nearby would shadow them."""
    root = Path(__file__).resolve().parents[2]
    for name in ("fieldsurvey", "sync", "forms"):
        spec = importlib.util.find_spec(name)
        place = Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
        if place == root:
            yield Finding("packages", Grade.GOOD, _("{name} is ours").format(name=name))
        else:
            yield Finding(
                "packages",
                Grade.BAD,
                _("{name} comes from {place}, not from this program").format(name=name, place=place),
                _("Start fieldsurvey from another folder, or install it in an environment of its own."),
            )
    version = distribution("cryptography").version
    yield Finding("packages", Grade.GOOD, _("cryptography {version}").format(version=version))


def check_clock(now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Finding]:
    """A wrong clock never stops an interview, but somebody should set it."""
    seen = now()
    if EARLIEST <= seen <= EARLIEST.replace(year=EARLIEST.year + LATEST_YEARS):
        yield Finding("clock", Grade.GOOD, _("the clock says {when}").format(when=f"{seen:%Y-%m-%d %H:%M} UTC"))
    else:
        yield Finding(
            "clock",
            Grade.WARN,
            _("the clock says {when}, which cannot be").format(when=f"{seen:%Y-%m-%d}"),
            _("Interviews and exports go on. Set the clock when you can; the day of fieldwork is asked anyway."),
        )


def check_disk(folder: Path | None = None) -> Iterator[Finding]:
    """Room for interviews, and a private folder."""
    place = folder or home()
    free = shutil.disk_usage(place).free
    mib = free >> 20
    if free >= SPACE_WANTED:
        yield Finding("disk", Grade.GOOD, _("{mib} MiB free").format(mib=mib))
    else:
        yield Finding(
            "disk",
            Grade.WARN,
            _("only {mib} MiB free").format(mib=mib),
            _("Export what is sealed, then free some space: every answer needs a little."),
        )
    if os.name == "posix" and place.stat().st_mode & 0o077:
        yield Finding(
            "disk",
            Grade.WARN,
            _("other users of this machine can look into {place}").format(place=place),
            _("Make it private: chmod 700 {place}").format(place=place),
        )


def check_swap(swaps: Path = Path("/proc/swaps"), mapper: Path = Path("/sys/block")) -> Iterator[Finding]:
    """Swap without encryption can keep a copy of an open interview (not promised: see docs/security.md)."""
    if sys.platform != "linux" or not swaps.exists():
        yield Finding(
            "swap",
            Grade.WARN,
            _("whether memory is swapped to an encrypted disk cannot be seen here"),
            _("Turn on the system's disk encryption (BitLocker, FileVault)."),
        )
        return
    devices = [line.split()[0] for line in swaps.read_text().splitlines()[1:] if line.strip()]
    plain = [d for d in devices if not _encrypted(d, mapper)]
    if plain:
        yield Finding(
            "swap",
            Grade.WARN,
            _("swap on {device} is not seen to be encrypted").format(device=", ".join(plain)),
            _("Turn swap off (swapoff -a) or encrypt the disk: an open interview could be written to it."),
        )
    else:
        yield Finding("swap", Grade.GOOD, _("no unencrypted swap"))


def _encrypted(device: str, blocks: Path) -> bool:
    if "zram" in device:
        return True
    uuid = blocks / Path(device).resolve().name / "dm" / "uuid"
    return uuid.exists() and uuid.read_text().startswith("CRYPT-")


def check_terminal() -> Iterator[Finding]:
    """Size and letters of the terminal."""
    size = shutil.get_terminal_size()
    if size.columns >= 60 and size.lines >= 20:
        yield Finding("terminal", Grade.GOOD, _("{w} × {h} characters").format(w=size.columns, h=size.lines))
    else:
        yield Finding(
            "terminal",
            Grade.WARN,
            _("only {w} × {h} characters").format(w=size.columns, h=size.lines),
            _("Make the window larger (80 × 24 is comfortable), or use `fieldsurvey --plain`."),
        )
    if (sys.stdout.encoding or "").lower().replace("-", "") != "utf8":
        yield Finding(
            "terminal", Grade.WARN, _("the terminal does not speak UTF-8"), _("Set PYTHONUTF8=1 before starting.")
        )


def check_crypto() -> Iterator[Finding]:
    """The algorithms give their published answers on this machine."""
    from fieldsurvey.cli.known_answers import failures  # loads cryptography's hazmat layer: 40 ms, only when asked

    wrong = failures()
    for name in wrong:
        yield Finding(
            "crypto",
            Grade.BAD,
            _("{name} gives a wrong answer").format(name=name),
            _("Reinstall from the lock file (see the README); do not use this machine until this passes."),
        )
    if not wrong:
        yield Finding("crypto", Grade.GOOD, _("every algorithm gives its published answer"))


def all_findings() -> list[Finding]:
    """Every check, in the order in which people can act on them."""
    checks = (check_crypto, check_packages, check_disk, check_clock, check_swap, check_terminal)
    return [finding for check in checks for finding in check()]
