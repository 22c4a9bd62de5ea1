"""What around the program could keep or show an open interview: swap, an unencrypted disk, screen recorders, the clock.

Every look is best effort: what cannot be seen is said to be so, and never fails. Linux is read from its files; Windows
and macOS are asked with the tools that they bring along.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.cli.findings import Finding, Grade

# Encrypting file systems by the name that the kernel gives them.
_ENCRYPTING: Final = frozenset({"ecryptfs", "fuse.gocryptfs", "fuse.encfs", "fuse.cryfs", "fuse.securefs"})
_RECORDERS: Final = frozenset(
    {
        "script", "scriptlive", "ttyrec", "asciinema", "termrec", "termtosvg", "terminalizer", "t-rec", "vhs",
        "tmate", "ttyd", "gotty", "sshx", "obs", "obs64", "obs-studio", "simplescreenrecorder", "kazam", "peek",
        "recordmydesktop", "gtk-recordmydesktop", "vokoscreen", "vokoscreenng", "wf-recorder", "wl-screenrec",
        "kooha", "spectacle", "screenkey", "byzanz-record", "ffmpeg", "x11vnc", "x0vncserver", "wayvnc", "krfb",
        "gnome-remote-de", "teamviewer", "teamviewerd", "anydesk", "rustdesk", "screenrecord", "quicktime player",
        "loom", "camtasia", "bandicam", "sharex", "gamebar", "psr", "snippingtool",
    }
)  # fmt: skip
_SLACK: Final = timedelta(minutes=10)
Run = Callable[[Sequence[str]], str | None]
"""Runs a command of the system: what it printed, or None when there is none or it fails."""


def run_command(command: Sequence[str]) -> str | None:
    """What the system's own tool says; nothing that takes long is waited for."""
    try:
        done = subprocess.run(  # noqa: S603  fixed commands of the system
            list(command), capture_output=True, text=True, errors="replace", timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


@dataclass(frozen=True)
class Machine:
    """Where to look; tests hand in another one."""

    system: str = sys.platform
    proc: Path = Path("/proc")
    sys: Path = Path("/sys")
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    run: Run = run_command
    pid: int = field(default_factory=os.getpid)


def check_swap(machine: Machine) -> Iterator[Finding]:
    """Swap without encryption can keep a copy of an open interview (not promised: see docs/security.md)."""
    found = _swaps(machine)
    if found is None:
        yield Finding(
            "swap",
            Grade.WARN,
            _("could not look whether memory is swapped to an encrypted disk"),
            _("Turn on the system's disk encryption (BitLocker, FileVault)."),
        )
    elif found:
        yield Finding(
            "swap",
            Grade.WARN,
            _("swap on {device} is not seen to be encrypted").format(device=", ".join(found)),
            _("Turn swap off (swapoff -a) or encrypt the disk: an open interview could be written to it."),
        )
    else:
        yield Finding("swap", Grade.GOOD, _("no unencrypted swap"))


def _swaps(machine: Machine) -> list[str] | None:
    """Unencrypted ones; None when it cannot be seen."""
    if machine.system == "darwin":
        said = machine.run(["sysctl", "-n", "vm.swapusage"])
        return None if said is None else [] if "(encrypted)" in said else ["vm.swapusage"]
    if machine.system == "win32":
        said = machine.run(["fsutil", "behavior", "query", "EncryptPagingFile"])
        on = said is not None and "1" in said
        return [] if on or _windows_disk(machine, "C:\\") else None if said is None else ["pagefile.sys"]
    try:
        lines = (machine.proc / "swaps").read_text(encoding="utf-8", errors="replace").splitlines()[1:]
    except OSError:
        return None
    return [
        words[0]
        for words in (line.split() for line in lines)
        if words and not _swap_encrypted(machine, words[0], is_file=words[1:2] == ["file"])
    ]


def _swap_encrypted(machine: Machine, device: str, *, is_file: bool) -> bool:
    if "zram" in device:
        return True
    return bool(_disk_encrypted(machine, Path(device)) if is_file else _encrypted(machine, Path(device).resolve().name))


def check_encryption(machine: Machine, folder: Path) -> Iterator[Finding]:
    """The vault is encrypted anyway; the disk's own encryption covers swap, temporary files and sizes and times."""
    found = _disk_encrypted(machine, folder)
    advice = _("What is answered is encrypted anyway. Disk encryption (LUKS, BitLocker, FileVault) protects the rest.")
    if found is None:
        what = _("could not look whether the disk under {place} is encrypted")
        yield Finding("encryption", Grade.WARN, what.format(place=folder), advice)
    elif found:
        yield Finding("encryption", Grade.GOOD, _("the disk under {place} is encrypted").format(place=folder))
    else:
        what = _("the disk under {place} is not seen to be encrypted")
        yield Finding("encryption", Grade.WARN, what.format(place=folder), advice)


def _disk_encrypted(machine: Machine, place: Path) -> bool | None:
    if machine.system == "darwin":
        said = machine.run(["fdesetup", "status"])
        return None if said is None else "FileVault is On" in said
    if machine.system == "win32":
        return _windows_disk(machine, place.anchor)
    mount = _mount_of(machine, place)
    if mount is None:
        return None
    device, kind, source = mount
    if kind in _ENCRYPTING:
        return True
    if not device.startswith("0:"):
        return _encrypted(machine, (machine.sys / "dev" / "block" / device).resolve().name)
    return _encrypted(machine, Path(source).resolve().name) if source.startswith("/dev/") else None


def _windows_disk(machine: Machine, drive: str) -> bool | None:
    # Explorer's own property: unlike manage-bde it needs no administrator. 1, 3, 5: on; 2: off.
    shell = f"(New-Object -ComObject Shell.Application).NameSpace('{drive}').Self"
    said = machine.run(
        ["powershell", "-NoProfile", "-Command", f"{shell}.ExtendedProperty('System.Volume.BitLockerProtection')"]
    )
    return {"1": True, "3": True, "5": True, "2": False}.get((said or "").strip())


def _mount_of(machine: Machine, place: Path) -> tuple[str, str, str] | None:
    """(major:minor, file system, source) of the mount that `place` is on; see proc(5), mountinfo."""
    try:
        lines = (machine.proc / "self" / "mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    wanted = place.resolve()
    best: tuple[int, tuple[str, str, str]] | None = None
    for line in lines:
        before, _dash, after = line.partition(" - ")
        words, last = before.split(), after.split()
        if len(words) < 5 or len(last) < 2:
            continue
        point = Path(words[4].replace("\\040", " "))
        if wanted.is_relative_to(point) and (best is None or len(point.parts) >= best[0]):
            best = len(point.parts), (words[2], last[0], last[1])
    return best[1] if best else None


def _encrypted(machine: Machine, name: str) -> bool | None:
    """Whether a block device, or everything it lies on, is dm-crypt; None when it is not to be seen."""
    block = machine.sys / "class" / "block" / name
    try:
        if not block.exists():
            return None
        uuid = block / "dm" / "uuid"
        if uuid.exists() and uuid.read_text(encoding="ascii", errors="replace").startswith("CRYPT-"):
            return True
        below = sorted(item.name for item in (block / "slaves").iterdir()) if (block / "slaves").is_dir() else []
    except OSError:
        return None
    return bool(below) and all(_encrypted(machine, item) for item in below)


def check_recording(machine: Machine) -> Iterator[Finding]:
    """Programs that keep or send what is on the screen, as far as their names tell."""
    running = _running(machine)
    seen = sorted({name for name in running or () if name in _RECORDERS} | set(_multiplexers(machine)))
    if seen:
        what = _("something that can record or share the screen is running: {names}")
        advice = _("Close it before an interview: what is on the screen could be kept outside the vault.")
        yield Finding("recording", Grade.WARN, what.format(names=", ".join(seen)), advice)
    elif running is None:
        what = _("could not look whether something records the screen")
        yield Finding("recording", Grade.WARN, what, _("Look yourself, and close what does."))
    else:
        yield Finding("recording", Grade.GOOD, _("no program that records the screen is seen"))


def _running(machine: Machine) -> set[str] | None:
    """Names of programs in lower case, without folder and ending; None when they cannot be listed."""
    if machine.system == "win32":
        said = machine.run(["tasklist", "/fo", "csv", "/nh"])
        rows = [line.split('"')[1] for line in (said or "").splitlines() if line.count('"') > 1]
        return None if said is None else {_program(row) for row in rows}
    if machine.system == "darwin":
        said = machine.run(["ps", "-axo", "comm="])
        return None if said is None else {_program(line) for line in said.splitlines()}
    try:
        processes = [item for item in machine.proc.iterdir() if item.name.isdigit()]
    except OSError:
        return None
    names = set()
    for process in processes:
        try:
            names.add(_program((process / "comm").read_text(encoding="utf-8", errors="replace")))
            words = (process / "cmdline").read_bytes().split(b"\0")[:2]
        except OSError:  # it ended, or belongs to somebody whom we may not see
            continue
        # An interpreter's second word is its script: `python3 /usr/bin/asciinema rec`.
        names |= {_program(word.decode("utf-8", "replace")) for word in words if word and not word.startswith(b"-")}
    return names if processes else None


def _program(path: str) -> str:
    return path.strip().replace("\\", "/").rsplit("/", 1)[-1].lower().removesuffix(".exe").removesuffix(".py")


def _multiplexers(machine: Machine) -> Iterator[str]:
    """tmux that pipes this pane elsewhere, screen that keeps a log."""
    if machine.environ.get("TMUX") and (machine.run(["tmux", "display-message", "-p", "#{pane_pipe}"]) or "").strip(
        " \n0"
    ):
        yield "tmux pipe-pane"
    if machine.environ.get("STY") and "log" in (machine.run(["screen", "-Q", "info"]) or "").split("(", 1)[-1]:
        yield "screen log"


def check_known_times(home: Path, now: datetime) -> Iterator[Finding]:
    """The clock against what it cannot be before: the project's signature, central's receipts, files written here."""
    for what, known in _known_times(home):
        if known > now + _SLACK:
            text = _("the clock says {when}, before {what} ({known})")
            yield Finding(
                "clock",
                Grade.WARN,
                text.format(when=_day(now), what=what, known=_day(known)),
                _("Interviews and exports go on. Set the clock when you can; the day of fieldwork is asked anyway."),
            )
            return


def _known_times(home: Path) -> Iterator[tuple[str, datetime]]:
    from fieldsurvey.project.signed import read_project  # loads the signatures' library: only when asked

    project = home / "project.fsp"
    if project.is_file():
        try:
            yield _("the project was signed"), _instant(read_project(project).model.issued)
        except FieldsurveyError:  # its own trouble is told where it is used
            return
    signed = _signed_time(home / "vault.db")
    if signed:
        yield _("the last signed receipt"), _instant(signed)
    try:
        newest = max((item.stat().st_mtime for item in home.glob("*") if item.is_file()), default=0.0)
    except OSError:
        return
    yield _("files here were written"), datetime.fromtimestamp(newest, UTC)


def _signed_time(vault: Path) -> str:
    """The latest signed time that the vault knows; "" when it cannot be read without changing anything."""
    log = vault.with_name(vault.name + "-wal")
    if not vault.is_file():
        return ""
    # Without a log nobody has it open, and SQLite need not make one for looking.
    how = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    try:
        connection = sqlite3.connect(f"{vault.resolve().as_uri()}?{how}", uri=True, timeout=1)
    except sqlite3.Error:
        return ""
    try:
        found = connection.execute("SELECT signed_time FROM device").fetchone()
    except (sqlite3.Error, UnicodeDecodeError):
        return ""
    finally:
        connection.close()
    return str(found[0]) if found else ""


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
