"""What goes back on a stick: receipts, work that is returned, the project. Names say what it is to people only.

A receipt takes the place of an older one that says the same; of each device and level a stick keeps a few.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from fieldsurvey.base.errors import StorageError, UntrustedError
from fieldsurvey.base.files import storage_error, write_atomic
from fieldsurvey.project.model import Project
from fieldsurvey.project.signed import SignedProject, read_project
from fieldsurvey.records.container import Signer
from fieldsurvey.records.receipt import MAX_BYTES, Receipt, read_receipt, write_receipt
from fieldsurvey.records.returned import SUFFIX as RETURN_SUFFIX
from fieldsurvey.vault.sealed_log import utc
from sync.stick import Stick, opened

SUFFIX: Final = ".fsr"
KEPT: Final = 8
"""Receipts of one role for a device and level that stay on a stick: a fork has several histories."""

Offer = Literal["written", "there", "newer", "foreign", "failed"]
"""What became of the project on the stick: put there; the same is there; a newer one or another project's is."""
Signed = tuple[Receipt, bytes]
"""A receipt and the file that a role's key signed."""


def signed(receipts: Iterable[Receipt], key: Signer) -> list[Signed]:
    """Each with its file."""
    return [(receipt, write_receipt(receipt, key)) for receipt in receipts]


def put_receipts(stick: Stick, receipts: Iterable[Signed], project: Project) -> int:
    """Put receipts on the stick, unless the same or a later word is there; how many there were to put.

    Raises StorageError.
    """
    given = list(receipts)
    if given:
        stick.make(stick.receipts)
    for receipt, data in given:
        path = stick.receipts / _name(receipt)
        there = _read(path, project)
        if there is None or _same(there) != _same(receipt) or (utc(there.issued) or "") < (utc(receipt.issued) or ""):
            write_atomic(path, data)
    if given:
        _sweep(stick, project)
    return len(given)


def put_returns(stick: Stick, files: Iterable[bytes]) -> int:
    """Put returned work on the stick that is not there yet; how much there was to put. Raises StorageError."""
    count = 0
    for count, data in enumerate(files, 1):  # noqa: B007  it counts
        path = stick.returned / f"{hashlib.sha256(data).hexdigest()[:32]}{RETURN_SUFFIX}"
        if not path.is_file() or path.stat().st_size != len(data):
            stick.make(stick.returned)
            write_atomic(path, data)
    return count


def offer_project(stick: Stick, project: SignedProject) -> Offer:
    """Put the project on the stick for laptops to take, unless what is there is newer or another's."""
    model = project.model
    if stick.project.exists():
        try:
            there = read_project(stick.project)
        except (UntrustedError, StorageError):  # damaged on the road: of no use to anybody
            there = None
        followed = there is not None and project.root_fingerprint in there.model.root_fingerprints
        if there and not followed and there.root_fingerprint not in model.root_fingerprints:
            return "foreign"
        if there and followed and there.model.version > model.version:  # a root before ours has nothing newer to say
            return "newer"
        if there and there.model == model:
            return "there"
    stick.make(stick.root)
    write_atomic(stick.project, project.data)
    return "written"


def _name(receipt: Receipt) -> str:
    return f"{receipt.by.value}-{receipt.device}-{receipt.level.value}-{receipt.up_to:06d}-{receipt.head[:8]}{SUFFIX}"


def _same(receipt: Receipt) -> tuple[str, ...]:
    return receipt.project, receipt.device, receipt.by.value, receipt.level.value, str(receipt.up_to), receipt.head


def _read(path: Path, project: Project) -> Receipt | None:
    """A receipt that a role key of the project signed, else None: also for what cannot be read."""
    if path.is_file():
        with suppress(UntrustedError, StorageError), opened(path) as stream:
            return read_receipt(stream.read(MAX_BYTES + 1), project.role_keys)
    return None


def _sweep(stick: Stick, project: Project) -> None:
    """Remove the least of what this project's roles signed where there are too many. Anything else is left alone."""
    found: dict[tuple[str, ...], list[tuple[int, str, Path]]] = defaultdict(list)
    for file in stick.files(stick.receipts):
        receipt = None if file.ignored or file.size > MAX_BYTES else _read(file.path, project)
        if receipt is not None and receipt.project == project.id:
            kind = (receipt.by.value, receipt.device, receipt.level.value)
            found[kind].append((receipt.up_to, utc(receipt.issued) or "", file.path))
    for several in found.values():
        for _up_to, _issued, path in sorted(several)[:-KEPT]:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(error, stick.place) from error
