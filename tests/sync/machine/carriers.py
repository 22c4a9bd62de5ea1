"""What happens to a stick on the road, and what somebody ill-disposed puts on it. Nothing here is judged."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from fieldsurvey.records.container import Signer, write_container
from fieldsurvey.records.receipt import Level, Receipt, Role
from sync.stick import Stick
from tests.sync.laptops import OTHER_PROJECT, PROJECT
from tests.sync.machine import kit
from tests.sync.machine.laptops import FieldLaptop

Change = Callable[[Path, int], None]


def batches(stick: Path) -> list[Path]:
    """The files that laptops put on a stick, by name."""
    return _listed(Stick(stick).batches)


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def everything(stick: Path) -> list[Path]:
    """Every file on it."""
    return [path for path in sorted(stick.rglob("*")) if path.is_file()]


def _drop(path: Path, _at: int) -> None:
    path.unlink()


def _cut(path: Path, at: int) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: at % max(1, len(data))])


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    if data:
        data[at % len(data)] ^= 1 << at % 8
        path.write_bytes(data)


def _rename(path: Path, at: int) -> None:
    path.rename(path.with_name(f"{at:05d}-renamed.fsb"))


def _repeat(path: Path, at: int) -> None:
    path.with_name(f"{at:05d}-again.fsb").write_bytes(path.read_bytes())


def _append(path: Path, at: int) -> None:
    others = [other for other in _listed(path.parent) if other.is_file()]
    path.write_bytes(path.read_bytes() + others[at % len(others)].read_bytes())


def _half_written(path: Path, _at: int) -> None:
    path.rename(path.with_name(path.name + ".part"))


MISHAPS: Final[Sequence[Change]] = (_drop, _cut, _flip, _drop, _cut, _flip, _rename, _repeat, _append, _half_written)


def copy_stick(source: Path, target: Path) -> None:
    """All that is on one stick is put on another too."""
    if source.is_dir() and source != target:
        shutil.copytree(source, target, dirs_exist_ok=True)


def put_back(image: Path, stick: Path) -> None:
    """The stick is again what it was."""
    shutil.rmtree(stick, ignore_errors=True)
    if image.is_dir():
        shutil.copytree(image, stick)


def _receipt(laptop: FieldLaptop, level: Level, by: Role, issued: datetime, **changed: Any) -> dict[str, Any]:
    head = laptop.log.head()
    said: dict[str, Any] = {
        "project": PROJECT,
        "device": laptop.device,
        "up_to": head.seq,
        "head": head.head.hex(),
        "level": level.value,
        "by": by.value,
        "issued": issued.isoformat("T", "seconds"),
    }
    return {**Receipt.model_validate({**said, "level": Level.RECEIVED}).content(), **said, **changed}


def forge(stick: Path, laptop: FieldLaptop, kind: int, issued: datetime) -> None:
    """Put on it a receipt that would allow a purge, if it were believed."""
    signer: Signer = kit.FOREIGN
    by = Role.CENTRAL
    changed: dict[str, Any] = {}
    if kind == 1:  # a supervisor's key may say "received" only
        signer, by = kit.SUPERVISOR, Role.SUPERVISOR
    elif kind == 2:  # a supervisor's key in central's name
        signer = kit.SUPERVISOR
    elif kind == 3:  # central's key, but of another project: central never signs for one that it does not serve
        signer, changed = kit.CENTRAL, {"project": OTHER_PROJECT}
    elif kind == 4:  # central's key, of a history that is not this laptop's: central met a clone
        signer, changed = kit.CENTRAL, {"head": "ab" * 32}
    elif kind == 5:  # beyond the end of the log
        signer, changed = kit.CENTRAL, {"up_to": laptop.log.head().seq + 3}
    if not laptop.log.head().seq:
        return
    content = _receipt(laptop, Level.BACKED_UP, by, issued, **changed)
    folder = Stick(stick).receipts
    folder.mkdir(parents=True, exist_ok=True)
    data = b"".join(write_container("receipt", content, (), signer))
    (folder / f"central-{laptop.device}-{kind}.fsr").write_bytes(data)


FORGERIES: Final = 6


def put_strange(stick: Path) -> None:
    """Put on it files that are no batches of this project, under names that look like it."""
    folder = Stick(stick).batches
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(kit.strange_batches()):
        (folder / f"strange{number}.fsb").write_bytes(data)


def put_return(stick: Path, data: bytes) -> None:
    """Put on it a file that pretends to be work that the HMU returns."""
    folder = Stick(stick).returned
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "returned.fsr").write_bytes(data)


def put_project(stick: Path, kind: int) -> None:
    """Put on it a project that no laptop may follow: another root's, or damaged."""
    where = Stick(stick)
    where.root.mkdir(parents=True, exist_ok=True)
    data = kit.foreign_project()
    where.project.write_bytes(data if kind == 0 else data[: len(data) // 2])
