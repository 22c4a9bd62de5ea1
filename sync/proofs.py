"""Central's receipts as a relay keeps them: proof of what may be forgotten, and post for laptops."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.base.files import private_folder, storage_error, write_atomic
from fieldsurvey.project.model import Project
from fieldsurvey.records.receipt import MAX_BYTES, Receipt, Role, read_receipt
from fieldsurvey.vault.sealed_log import utc
from sync.holding import Chain, Held
from sync.merge import Position

SUFFIX: Final = ".fsr"
KEPT: Final = 16
"""For each device and level, those that reach furthest."""


class Proofs:
    """A folder of receipts, verified when they come and whenever they are read: a key may have been retired since."""

    def __init__(self, folder: Path, project: Project) -> None:
        self.folder = folder
        self.project = project
        self._found: dict[Path, tuple[Receipt, bytes]] | None = None

    def keep(self, data: bytes) -> Receipt | None:
        """Keep a receipt that central signed; None where it says nothing new, or is a relay's.

        Raises what `read_receipt` raises, StorageError.
        """
        receipt = read_receipt(data, self.project.role_keys)
        if receipt.by is not Role.CENTRAL or receipt.project != self.project.id or not utc(receipt.issued):
            return None
        same = {
            path: known
            for path, (known, _data) in self._read().items()
            if (known.device, known.level) == (receipt.device, receipt.level)
        }
        for path, known in same.items():
            if (known.up_to, known.head) == (receipt.up_to, receipt.head):
                if _reach(known) >= _reach(receipt):
                    return None
                self._drop(path)
                break
        else:
            if len(same) >= KEPT:
                least = min(same, key=lambda path: _reach(same[path]))
                if _reach(same[least]) >= _reach(receipt):
                    return None
                self._drop(least)
        private_folder(self.folder)
        path = self.folder / f"{hashlib.sha256(data).hexdigest()}{SUFFIX}"
        write_atomic(path, data, private=True)
        self._read()[path] = receipt, data
        return receipt

    def ends(self, device: str) -> set[tuple[int, bytes]]:
        """(seq, head) of everything that central says it holds of a device's log."""
        return {(receipt.up_to, bytes.fromhex(receipt.head)) for receipt in self.of(device)}

    def of(self, device: str) -> list[Receipt]:
        """What central said of one device's log."""
        return [receipt for receipt, _data in self.files() if receipt.device == device]

    def files(self) -> list[tuple[Receipt, bytes]]:
        """Every one as central signed it, by device; of a device those that reach furthest first."""
        return sorted(self._read().values(), key=lambda pair: (pair[0].device, -pair[0].up_to))

    def _read(self) -> dict[Path, tuple[Receipt, bytes]]:
        if self._found is None:
            self._found = {}
            for path in sorted(self.folder.glob(f"*{SUFFIX}")):
                with suppress(UntrustedError):
                    data = _bytes(path)
                    self._found[path] = read_receipt(data, self.project.role_keys), data
        return self._found

    def _drop(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, path) from error
        self._read().pop(path, None)


def left_out(receipt: Receipt, held: Held) -> bool:
    """Whether central lacks a record of that batch that is in it."""
    return any(
        not held.erased.issuperset(range(max(first, held.first), min(last, held.last) + 1))
        for first, last in receipt.absent
    )


def down_from(ends: set[Position], links: Chain, over: Mapping[Position, Position]) -> set[Position]:
    """The ends, and every entry that one of them follows from, as far as the links are known.

    `over`: from the end of a batch that is not here to what it begins after.
    """
    found: set[Position] = set()
    for end in ends:
        at: Position | None = end
        while at is not None and at not in found:
            found.add(at)
            at = (at[0] - 1, links[at]) if at in links else over.get(at)
    return found


def _reach(receipt: Receipt) -> tuple[int, str]:
    return receipt.up_to, utc(receipt.issued) or ""


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            return handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise storage_error(error, path) from error
