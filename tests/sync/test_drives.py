"""Sticks are found as each system mounts them; what is not a stick is not offered."""

from __future__ import annotations

from pathlib import Path

from sync.drives import linux_places, look, mac_places, removable_drives, windows_places

MOUNTS = r"""sysfs /sys sysfs rw 0 0
/dev/sda2 / ext4 rw 0 0
/dev/sdb1 /media/user/FIELD\040STICK vfat rw 0 0
/dev/sdc1 /run/media/user/OTHER exfat rw 0 0
/dev/sdd1 /mnt/disk ext4 rw 0 0
/dev/sde1 /media/user/back\134slash vfat rw 0 0
short
"""


def test_linux_mounts_of_desktops_are_sticks() -> None:
    """/media and /run/media, with names unescaped; disks mounted elsewhere are not offered."""
    found = [str(path) for path in linux_places(MOUNTS)]
    assert found == ["/media/user/FIELD STICK", "/run/media/user/OTHER", "/media/user/back\\slash"]


def test_windows_letters_of_removable_drives() -> None:
    """Only type 2, only letters in use."""

    class Kernel:
        def GetLogicalDrives(self) -> int:  # noqa: N802  the name in the Windows API
            return 0b1011100  # C, D, E, G

        def GetDriveTypeW(self, root: str) -> int:  # noqa: N802  the name in the Windows API
            return {"C:\\": 3, "D:\\": 5, "E:\\": 2, "G:\\": 2}[root]

    assert [str(path) for path in windows_places(Kernel())] == ["E:\\", "G:\\"]


def test_mac_volumes_that_are_mounted(tmp_path: Path) -> None:
    """The link to the system's own volume and folders that nobody mounted are left out."""
    (tmp_path / "STICK").mkdir()
    (tmp_path / "leftover").mkdir()
    (tmp_path / "Macintosh HD").symlink_to("/")
    assert [p.name for p in mac_places(tmp_path, lambda path: path.name != "leftover")] == ["STICK"]
    assert list(mac_places(tmp_path / "nowhere")) == []


def test_a_drive_shows_its_space(tmp_path: Path) -> None:
    """Free and total bytes, and whether it can be written; one that vanished is no drive."""
    drive = look(tmp_path)
    assert drive is not None
    assert 0 < drive.free <= drive.total
    assert drive.writable
    assert look(tmp_path / "gone") is None


def test_this_machine_can_be_asked() -> None:
    """Whatever is plugged in here, asking works and gives drives in the order of their labels."""
    labels = [drive.label for drive in removable_drives()]
    assert labels == sorted(labels)
