"""Import a stick into central: every batch on it, each whole or not at all; receipts and the project go back on it.

A file that is refused is named with its reason and stops nothing else. It does not decide what a batch is worth:
central does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fieldsurvey.base.errors import FieldsurveyError, Rendered, StorageError, UntrustedError, render
from fieldsurvey.base.files import write_atomic
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.project.signed import SignedProject, read_project
from fieldsurvey.records.container import Signer
from fieldsurvey.records.receipt import Receipt, Role, write_receipt
from sync.central import Central
from sync.errors import NotCentralsKeyError
from sync.stick import Found, Progress, Stick, looks_ours, opened

Outcome = Literal["merged", "present", "refused", "ignored", "left"]
"""`left`: the import was stopped before this file; nothing of it was looked at."""
Offer = Literal["written", "there", "newer", "foreign", "failed"]
"""What became of the project on the stick: put there; the same is there; a newer one or another project's is."""


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file. `new`: entries that central did not have.

    `reason` and `advice` (what is safe, what to do): in the user's language.
    """

    name: str
    outcome: Outcome
    device: str = ""
    device_name: str = ""
    first: int = 0
    last: int = 0
    new: int = 0
    code: str = ""
    reason: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a stick. `receipts`: those now on it; `stick_problem`: why it could not be written to.

    `aside`: names of laptops on it that are not enrolled; what they send is kept, and counts once they are.
    """

    place: str
    files: tuple[FileReport, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    stick_problem: Rendered | None = None
    project: Offer = "failed"
    aside: tuple[str, ...] = ()

    def having(self, outcome: Outcome) -> tuple[FileReport, ...]:
        """The files with this outcome."""
        return tuple(file for file in self.files if file.outcome == outcome)

    @property
    def new(self) -> int:
        """Entries that central did not have."""
        return sum(file.new for file in self.files)

    @property
    def refused(self) -> tuple[FileReport, ...]:
        """Files that were refused."""
        return self.having("refused")


@dataclass
class _Meter:
    """Bytes read so far, out of all."""

    total: int
    progress: Progress | None
    done: int = field(default=0)
    text: str = field(default="")

    def add(self, size: int) -> None:
        self.done += size
        if self.progress:
            self.progress(min(self.done, self.total), self.total, self.text)


def import_batches(
    central: Central, stick: Stick, progress: Progress | None = None, stop: Callable[[], bool] | None = None
) -> list[FileReport]:
    """Merge every batch on the stick; `stop` is asked between two files, and the rest is left when it says so.

    Raises NothingHereError, CentralBusyError, and StorageError of central's own.
    """
    stick.require()
    found = stick.files(stick.batches)
    meter = _Meter(sum(file.size for file in found if not file.ignored), progress)
    return [FileReport(f.name, "left") if stop and stop() else _import_file(central, f, meter) for f in found]


def _import_file(central: Central, file: Found, meter: _Meter) -> FileReport:
    if file.ignored:
        return FileReport(file.name, "ignored", reason=_(file.ignored))
    meter.text = file.name
    until = meter.done + file.size
    try:
        if file.path.suffix != ".fsb" and not looks_ours(file.path):
            return FileReport(file.name, "ignored", reason=_("not a batch"))
        with opened(file.path, meter.add) as stream:
            merged = central.merge(stream)
    except FieldsurveyError as error:
        if isinstance(error, StorageError) and not _is_about(error, file.path):
            raise  # central's own disk is full or its database damaged: no file's fault, and no other would fare better
        return FileReport(file.name, "refused", code=error.code, reason=error.message, advice=error.advice)
    finally:
        meter.add(max(0, until - meter.done))
    outcome: Outcome = "merged" if merged.new else "present"
    return FileReport(file.name, outcome, merged.device, merged.name, merged.first, merged.last, merged.new)


def _is_about(error: StorageError, path: Path) -> bool:
    return error.details.get("place") == str(path)


def write_receipts(stick: Stick, receipts: list[Receipt], key: Signer) -> None:
    """Put receipts on the stick, each in place of the older one for the same log. Raises StorageError."""
    if receipts:
        stick.make(stick.receipts)
    first: set[str] = set()
    for receipt in receipts:
        branch = f"-{receipt.head[:8]}" if receipt.device in first else ""
        first.add(receipt.device)
        path = stick.receipts / f"{receipt.by.value}-{receipt.device}{branch}.fsr"
        write_atomic(path, write_receipt(receipt, key))


def import_folder(
    central: Central,
    source: Path,
    project: SignedProject,
    central_key: Signer | None,
    progress: Progress | None = None,
    *,
    stop: Callable[[], bool] | None = None,
) -> ImportReport:
    """Merge what is on a stick, then put central's receipts and the project on it.

    `central_key`: central's role key; without it no receipts are written. `progress` counts bytes read; `stop` is asked
    between two files, and the rest is left when it says so: receipts are written for what was merged. Raises
    NothingHereError, ForeignProjectError (central serves another project), NotCentralsKeyError, CentralBusyError,
    StorageError of central's own disk. What had been merged before stays merged, and trying again goes on from there.
    """
    stick = Stick(source)
    stick.require()
    model = project.model
    if central_key and (Role.CENTRAL, central_key.public) not in model.role_keys:
        raise NotCentralsKeyError(project=model.name)
    central.learn(model)
    files = import_batches(central, stick, progress, stop)
    senders = sorted({file.device for file in files if file.device})
    receipts = [receipt for device in senders for receipt in central.receipts(device)] if central_key else []
    problem: Rendered | None = None
    offered: Offer = "failed"
    try:
        if central_key:
            write_receipts(stick, receipts, central_key)
        offered = offer_project(stick, project)
    except StorageError as error:  # the stick is write-protected or full: what was merged is safe all the same
        problem = render(error)
    strangers = {file.device: file.device_name for file in files if file.device and model.device(file.device) is None}
    written = () if problem else tuple(receipts)
    return ImportReport(str(source), tuple(files), written, problem, offered, tuple(sorted(strangers.values())))


def offer_project(stick: Stick, project: SignedProject) -> Offer:
    """Put the project on the stick for laptops to take, unless what is there is newer or another's."""
    model = project.model
    if stick.project.exists():
        try:
            there = read_project(stick.project)
        except UntrustedError:  # damaged on the road: of no use to anybody
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
