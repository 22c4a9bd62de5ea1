"""What could keep or show an open interview is seen on a machine made for the test, each beside one where it is not."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.cli import checkup, surroundings
from fieldsurvey.cli.findings import Finding, Grade
from fieldsurvey.cli.surroundings import Machine
from tests.tui.laptops import joined
from tests.tui.memory import DATA

SWAPS = "Filename Type Size Used Priority\n"
MOUNTS = "36 35 {device} / {point} rw,noatime shared:1 - {kind} {source} rw\n"


def machine(root: Path, system: str = "linux", said: Mapping[str, str] | None = None, **environ: str) -> Machine:
    """A Linux without swap, disks or programs; `said`: what the command that begins so prints."""
    answers = said or {}

    def run(command: Sequence[str]) -> str | None:
        line = " ".join(command)
        return next((text for start, text in answers.items() if line.startswith(start)), None)

    (root / "proc" / "self").mkdir(parents=True, exist_ok=True)
    (root / "sys").mkdir(exist_ok=True)
    return Machine(system, root / "proc", root / "sys", environ, run, 1)


def block(root: Path, name: str, device: str = "", *, crypt: bool = False, on: Sequence[str] = ()) -> None:
    """A block device, as the kernel shows it in /sys."""
    made = root / "sys" / "class" / "block" / name
    (made / "slaves").mkdir(parents=True)
    for below in on:
        (made / "slaves" / below).mkdir()
    if name.startswith("dm-"):
        (made / "dm").mkdir()
        (made / "dm" / "uuid").write_text("CRYPT-LUKS2-00-home" if crypt else "LVM-00")
    if device:
        link = root / "sys" / "dev" / "block"
        link.mkdir(parents=True, exist_ok=True)
        (link / device).symlink_to(made)


def grades(found: object) -> list[Grade]:
    """Of some findings; each that is not good has a remedy."""
    findings = list(found)  # type: ignore[call-overload]
    assert all(isinstance(f, Finding) and (f.grade is Grade.GOOD or f.advice) for f in findings)
    return [f.grade for f in findings]


@pytest.mark.parametrize(
    ("device", "grade"), [("sda2", Grade.WARN), ("zram0", Grade.GOOD), ("dm-1", Grade.GOOD), ("dm-2", Grade.WARN)]
)
def test_unencrypted_swap_is_seen(tmp_path: Path, device: str, grade: Grade) -> None:
    """A partition or a plain mapping is a warning; zram and dm-crypt are not."""
    around = machine(tmp_path)
    block(tmp_path, "sda2")
    block(tmp_path, "dm-1", crypt=True)
    block(tmp_path, "dm-2")
    (tmp_path / "proc" / "swaps").write_text(f"{SWAPS}/dev/{device} partition 1 0 -2\n")
    assert grades(surroundings.check_swap(around)) == [grade]
    (tmp_path / "proc" / "swaps").write_text(SWAPS)
    assert grades(surroundings.check_swap(around)) == [Grade.GOOD]


@pytest.mark.parametrize("crypt", [True, False])
def test_a_swap_file_is_as_its_disk(tmp_path: Path, crypt: bool) -> None:
    """A swap file on an encrypted disk is good, on another a warning."""
    around = machine(tmp_path)
    block(tmp_path, "dm-0", "253:0", crypt=crypt)
    mounts = MOUNTS.format(device="253:0", point="/", kind="ext4", source="/dev/mapper/x")
    (tmp_path / "proc" / "self" / "mountinfo").write_text(mounts)
    (tmp_path / "proc" / "swaps").write_text(f"{SWAPS}/swapfile file 1 0 -2\n")
    assert grades(surroundings.check_swap(around)) == [Grade.GOOD if crypt else Grade.WARN]


@pytest.mark.parametrize(
    ("system", "command", "good", "bad"),
    [
        ("darwin", "sysctl", "total = 1024.00M  used = 0.00M  (encrypted)", "total = 1024.00M"),
        ("win32", "fsutil", "EncryptPagingFile = 1  (Enabled)", "EncryptPagingFile = 0  (Disabled)"),
    ],
)
def test_swap_elsewhere(tmp_path: Path, system: str, command: str, good: str, bad: str) -> None:
    """macOS and Windows say it themselves; without their tool doctor says that it could not look."""
    assert grades(surroundings.check_swap(machine(tmp_path, system, {command: good}))) == [Grade.GOOD]
    assert grades(surroundings.check_swap(machine(tmp_path, system, {command: bad}))) == [Grade.WARN]
    (unseen,) = surroundings.check_swap(machine(tmp_path, system))
    assert "could not look" in unseen.what


def test_disk_encryption_is_seen_through_what_lies_between(tmp_path: Path) -> None:
    """LVM on LUKS, a plain partition, RAID of which one half is plain, an encrypting file system, btrfs."""
    around = machine(tmp_path)
    block(tmp_path, "sda2", "8:2")
    block(tmp_path, "dm-0", "253:0", crypt=True, on=["sda2"])
    block(tmp_path, "dm-1", "253:1", on=["dm-0"])
    block(tmp_path, "md0", "9:0", on=["dm-0", "sda2"])
    home = tmp_path / "home" / "person"
    home.mkdir(parents=True)
    info = tmp_path / "proc" / "self" / "mountinfo"
    for device, kind, grade in (
        ("253:1", "ext4", Grade.GOOD),
        ("8:2", "ext4", Grade.WARN),
        ("9:0", "ext4", Grade.WARN),
        ("0:40", "fuse.gocryptfs", Grade.GOOD),
    ):
        mount = MOUNTS.format(device=device, point=tmp_path / "home", kind=kind, source="none")
        info.write_text(MOUNTS.format(device="253:0", point="/", kind="ext4", source="x") + mount)
        assert grades(surroundings.check_encryption(around, home)) == [grade], (device, kind)
    info.write_text(MOUNTS.format(device="0:33", point="/", kind="btrfs", source="/dev/dm-0"))
    assert grades(surroundings.check_encryption(around, home)) == [Grade.GOOD]


@pytest.mark.parametrize(
    ("system", "command", "on", "off"),
    [("darwin", "fdesetup status", "FileVault is On.", "FileVault is Off."), ("win32", "powershell", "1\n", "2\n")],
)
def test_disk_encryption_elsewhere(tmp_path: Path, system: str, command: str, on: str, off: str) -> None:
    """FileVault and BitLocker."""
    assert grades(surroundings.check_encryption(machine(tmp_path, system, {command: on}), tmp_path)) == [Grade.GOOD]
    assert grades(surroundings.check_encryption(machine(tmp_path, system, {command: off}), tmp_path)) == [Grade.WARN]
    (unseen,) = surroundings.check_encryption(machine(tmp_path, system), tmp_path)
    assert "could not look" in unseen.what


def process(root: Path, number: int, name: str, *words: str) -> None:
    """A running program."""
    made = root / "proc" / str(number)
    made.mkdir(parents=True)
    (made / "comm").write_text(name[:15] + "\n")
    (made / "cmdline").write_bytes(b"\0".join(word.encode() for word in (words or (name,))) + b"\0")


@pytest.mark.parametrize(
    ("name", "words", "seen"),
    [
        ("script", (), "script"),
        ("obs", (), "obs"),
        ("python3", ("python3", "/usr/bin/asciinema", "rec"), "asciinema"),
        ("simplescreenrec", ("/usr/bin/simplescreenrecorder",), "simplescreenrecorder"),
        ("bash", ("bash", "script.txt"), ""),
        ("fieldsurvey", (), ""),
    ],
)
def test_a_screen_recorder_is_seen(tmp_path: Path, name: str, words: tuple[str, ...], seen: str) -> None:
    """By its name, its whole path, or as the script of an interpreter; other programs are none."""
    around = machine(tmp_path)
    process(tmp_path, 1, "init")
    process(tmp_path, 77, name, *words)
    (found,) = surroundings.check_recording(around)
    assert (found.grade, seen in found.what) == (Grade.WARN if seen else Grade.GOOD, True)


def test_a_multiplexer_that_keeps_the_pane_is_seen(tmp_path: Path) -> None:
    """tmux pipe-pane and screen's log, when this terminal is in one of them."""
    process(tmp_path, 1, "init")
    piped = machine(tmp_path, said={"tmux": "1\n"}, TMUX="/tmp/tmux,1,0")
    assert "tmux pipe-pane" in next(surroundings.check_recording(piped)).what
    assert grades(surroundings.check_recording(machine(tmp_path, said={"tmux": "0\n"}, TMUX="x"))) == [Grade.GOOD]
    assert grades(surroundings.check_recording(machine(tmp_path, said={"tmux": "1\n"}))) == [Grade.GOOD]
    logged = machine(tmp_path, said={"screen": "(1,1)/(80,24)+1024 +flow log UTF-8 0(sh)"}, STY="1.pts")
    assert "screen log" in next(surroundings.check_recording(logged)).what


@pytest.mark.parametrize(
    ("system", "command", "line"),
    [("win32", "tasklist", '"obs64.exe","4711","Console","1","10 K"\n'), ("darwin", "ps", "/Applications/x/OBS\n")],
)
def test_recorders_elsewhere(tmp_path: Path, system: str, command: str, line: str) -> None:
    """tasklist and ps; without them doctor says that it could not look."""
    assert grades(surroundings.check_recording(machine(tmp_path, system, {command: line}))) == [Grade.WARN]
    (unseen,) = surroundings.check_recording(machine(tmp_path, system))
    assert "could not look" in unseen.what


def test_where_nothing_can_be_seen_it_says_so_and_fails_nowhere(tmp_path: Path) -> None:
    """No /proc, no /sys: three lines that say "could not look", none of them bad."""
    nowhere = Machine("linux", tmp_path / "no", tmp_path / "no", {}, lambda _command: None, 1)
    found = list(checkup.check_surroundings(nowhere, tmp_path))
    assert [f.grade for f in found] == [Grade.WARN] * 3
    assert all("could not look" in f.what for f in found)
    assert surroundings.run_command(["a-command-that-is-not-there"]) is None


def test_this_very_machine_can_be_looked_at(tmp_path: Path) -> None:
    """The real one: three findings, whatever they are, and nothing written."""
    before = sorted(tmp_path.iterdir())
    assert [f.check for f in checkup.check_surroundings(None, tmp_path)] == ["encryption", "swap", "recording"]
    assert sorted(tmp_path.iterdir()) == before


def test_a_clock_before_the_project_is_seen(tmp_path: Path) -> None:
    """Issued in February 2026: a clock in January is wrong by a signature, one in March is not."""
    joined(tmp_path, {"types": (DATA / "types.xml").read_bytes()}, clock=FixedClock(datetime.now(UTC))).close()
    for name in os.listdir(tmp_path):  # noqa: PTH208  names only
        os.utime(tmp_path / name, (0, 0))
    (found,) = checkup.check_clock(lambda: datetime(2026, 1, 15, tzinfo=UTC), tmp_path)
    assert found.grade is Grade.WARN
    assert "the project was signed" in found.what
    assert grades(checkup.check_clock(lambda: datetime(2026, 3, 15, tzinfo=UTC), tmp_path)) == [Grade.GOOD]


def test_a_clock_before_a_receipt_is_seen(tmp_path: Path) -> None:
    """What central signed is later than the clock; looking changes no byte."""
    laptop = joined(tmp_path, {"types": (DATA / "types.xml").read_bytes()}, clock=FixedClock(datetime.now(UTC)))
    pin = laptop.locked.pin()
    laptop.locked.move_pin(pin.root, pin.version, issued="2026-07-01T00:00:00Z")
    laptop.close()
    for name in os.listdir(tmp_path):  # noqa: PTH208  names only
        os.utime(tmp_path / name, (0, 0))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (found,) = checkup.check_clock(lambda: datetime(2026, 6, 1, tzinfo=UTC), tmp_path)
    assert "the last signed receipt" in found.what
    assert grades(checkup.check_clock(lambda: datetime(2026, 7, 2, tzinfo=UTC), tmp_path)) == [Grade.GOOD]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_clock_before_files_written_here_is_seen(tmp_path: Path) -> None:
    """A file of tomorrow."""
    now = datetime(2026, 5, 1, tzinfo=UTC)
    (tmp_path / "x").touch()
    os.utime(tmp_path / "x", ((now + timedelta(days=1)).timestamp(),) * 2)
    (found,) = checkup.check_clock(lambda: now, tmp_path)
    assert "files here were written" in found.what
    os.utime(tmp_path / "x", (now.timestamp(),) * 2)
    assert grades(checkup.check_clock(lambda: now, tmp_path)) == [Grade.GOOD]


def test_damage_keeps_nobody_from_looking(tmp_path: Path) -> None:
    """A project and a vault that are garbage: the clock is judged by the rest."""
    (tmp_path / "project.fsp").write_bytes(b"garbage")
    (tmp_path / "vault.db").write_bytes(b"garbage" * 100)
    for name in ("project.fsp", "vault.db"):
        os.utime(tmp_path / name, (0, 0))
    assert grades(checkup.check_clock(lambda: datetime(2026, 5, 1, tzinfo=UTC), tmp_path)) == [Grade.GOOD]
