"""What `doctor` looks at. Each check is a function that returns findings; none writes anything."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import distribution
from pathlib import Path

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.paths import home
from fieldsurvey.cli import surroundings
from fieldsurvey.cli.findings import Finding, Grade

# A release cannot run before it was made: an earlier clock has lost its battery (1970 is the usual sign).
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
LATEST_YEARS = 15
SPACE_WANTED = 200 << 20


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


def check_clock(
    now: Callable[[], datetime] = lambda: datetime.now(UTC), folder: Path | None = None
) -> Iterator[Finding]:
    """A wrong clock never stops an interview, but somebody should set it."""
    seen = now()
    contradicted = list(surroundings.check_known_times(folder or home(), seen))
    if contradicted:
        yield from contradicted
    elif EARLIEST <= seen <= EARLIEST.replace(year=EARLIEST.year + LATEST_YEARS):
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


def check_surroundings(machine: surroundings.Machine | None = None, folder: Path | None = None) -> Iterator[Finding]:
    """Disk encryption, swap, and programs that record the screen."""
    around = machine or surroundings.Machine()
    yield from surroundings.check_encryption(around, folder or home())
    yield from surroundings.check_swap(around)
    yield from surroundings.check_recording(around)


def all_findings() -> list[Finding]:
    """Every check, in the order in which people can act on them."""
    checks = (check_crypto, check_packages, check_disk, check_clock, check_surroundings, check_terminal)
    return [finding for check in checks for finding in check()]
