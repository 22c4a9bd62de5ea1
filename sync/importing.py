"""Import a stick into central: every batch on it, each whole or not at all; receipts and the project go back on it.

A file that is refused is named with its reason and stops nothing else. It does not decide what a batch is worth:
central does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from fieldsurvey.base.clock import instant
from fieldsurvey.base.errors import FieldsurveyError, Rendered, StorageError, render
from fieldsurvey.base.files import MediumGoneError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.project.model import Project
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.container import Signer
from fieldsurvey.records.receipt import Receipt, Role
from sync.again import again
from sync.answers import Offer, offer_project, put_receipts, put_returns, signed
from sync.central import Central, Merged
from sync.covering import Backing, backing
from sync.erasing import Settled, learn_withdrawals, settle, trust_of
from sync.errors import NotCentralsKeyError
from sync.journal import Journal
from sync.putback import clear_returns
from sync.refusals import refusal
from sync.returned import answered, pending_returns
from sync.stick import Found, Progress, Stick, looks_ours, opened
from sync.vouching import Vouching
from sync.withdrawals import Brought, export_withdrawals, keep_withdrawals, take_reports

Outcome = Literal["merged", "present", "refused", "ignored", "left"]
"""`left`: the import was stopped before this file; nothing of it was looked at."""
BACKUP_DAYS: Final = 7
"""A backup older than this is none: laptops keep what they sealed until central has one."""


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
    `returns`: work that goes back to laptops, now on it; `withdrawals`: new ones; `erased`: records erased for them.
    `last_backup`: when central was last backed up, ISO 8601; `unbacked`: never, or too long ago.
    """

    place: str
    files: tuple[FileReport, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    stick_problem: Rendered | None = None
    project: Offer = "failed"
    aside: tuple[str, ...] = ()
    returns: int = 0
    withdrawals: int = 0
    erased: int = 0
    last_backup: str | None = None
    unbacked: bool = False

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
    return list(_import_each(central, stick, progress, stop))


def _import_each(
    central: Central, stick: Stick, progress: Progress | None, stop: Callable[[], bool] | None
) -> Iterator[FileReport]:
    stick.require()
    found = stick.files(stick.batches)
    meter = _Meter(sum(file.size for file in found if not file.ignored), progress)

    def leave() -> bool:
        return (stop is not None and stop()) or not stick.root.is_dir()  # pulled out: no file that is left is at fault

    for file in found:
        yield FileReport(file.name, "left") if leave() else _import_file(central, file, meter)


def _import_file(central: Central, file: Found, meter: _Meter) -> FileReport:
    if file.ignored:
        return FileReport(file.name, "ignored", reason=_(file.ignored))
    meter.text = file.name
    until = meter.done + file.size
    try:
        if file.path.suffix != ".fsb" and not looks_ours(file.path):
            return FileReport(file.name, "ignored", reason=_("not a batch"))
        merged = again(lambda: _merge_file(central, file, meter, until - file.size))
    except FieldsurveyError as error:
        shown = refusal(error, file.path)
        return FileReport(file.name, "refused", code=shown.code, reason=shown.message, advice=shown.advice)
    finally:
        meter.add(max(0, until - meter.done))
    outcome: Outcome = "merged" if merged.new else "present"
    return FileReport(file.name, outcome, merged.device, merged.name, merged.first, merged.last, merged.new)


def _merge_file(central: Central, file: Found, meter: _Meter, before: int) -> Merged:
    meter.done = before  # of an earlier try, nothing was kept
    with opened(file.path, meter.add) as stream:
        return central.merge(stream)


def _is_about(error: StorageError, path: Path) -> bool:
    return error.details.get("place") == str(path)


def write_receipts(stick: Stick, receipts: Iterable[Receipt], key: Signer, project: Project) -> int:
    """Sign receipts and put them on the stick; how many. Raises StorageError."""
    return put_receipts(stick, signed(receipts, key), project)


def import_folder(
    central: Central,
    source: Path,
    project: SignedProject,
    central_key: Signer | None,
    progress: Progress | None = None,
    *,
    home: Path | None = None,
    stop: Callable[[], bool] | None = None,
) -> ImportReport:
    """Merge what is on a stick, then put central's receipts, returned work and the project on it.

    What was withdrawn is known before anything is merged, and erased after it. `central_key`: central's role key;
    without it no receipts are written. `progress` counts bytes read; `stop` is asked between two files, and the rest is
    left when it says so: receipts are written for what was merged. `home`: where withdrawals, reports of erasure and
    the sync log of this place are kept; without it none are. Raises NothingHereError, ForeignProjectError (central
    serves another project), NotCentralsKeyError, CentralBusyError, StorageError of central's own disk. What had been
    merged before stays merged, and trying again goes on from there.
    """
    stick = Stick(source)
    stick.require()
    model = project.model
    if central_key and (Role.CENTRAL, central_key.public) not in model.role_keys:
        raise NotCentralsKeyError(project=model.name)
    central.learn(model)
    brought = keep_withdrawals(home, model.id, source) if home else Brought(0)
    withdrawals = brought.new + (learn_withdrawals(central, home) if home else 0)
    batches = _merge_all(central, stick, progress, stop, home=home, withdrawals=withdrawals)
    reports = _reports(central, home, stick) if home else Brought(0)  # once its laptops are known
    bad = [
        FileReport(one.name, "refused", code=one.code, reason=one.reason, advice=one.advice)
        for one in (*brought.refused, *reports.refused)
    ]
    files = [*bad, *batches]
    settled = settle(central, home, central_key, central.clock.now()) if home else Settled(central.erase(), 0)
    receipts = tuple(receipts_for(central, files)) if central_key else ()
    returns, offered, problem = _put_on(
        central, stick, project, central_key, receipts=receipts, home=home, whole=_all_merged(batches)
    )
    strangers = {file.device: file.device_name for file in files if file.device and model.device(file.device) is None}
    backed = backing(central)
    report = ImportReport(
        str(source), tuple(files), () if problem else receipts, problem, offered, tuple(sorted(strangers.values())),
        returns, withdrawals, settled.erased, backed.at, is_unbacked(backed, central.clock.now()),
    )  # fmt: skip
    if home:
        _note(Journal(home, central.clock), report)
    return report


def _put_on(
    central: Central,
    stick: Stick,
    project: SignedProject,
    key: Signer | None,
    *,
    receipts: Iterable[Receipt],
    home: Path | None,
    whole: bool,
) -> tuple[int, Offer, Rendered | None]:
    """What goes back on the stick: receipts, returned work, the project, withdrawals. How much returned work is on it,
    the project's part, and why it could not be done. `whole`: every batch on it was merged. Raises StorageError of
    central's own.
    """
    offered: Offer = "failed"
    returns = 0
    source, model = Path(stick.place), project.model
    try:
        stick.stays()
        if key:
            write_receipts(stick, receipts, key, model)
        clear_returns(
            stick, lambda said: said.project == model.id and bool(answered(said, central.store.case(said.case)))
        )
        returns = put_returns(stick, pending_returns(central))
        offered = offer_project(stick, project)
        if home:  # once more, now with the stick: all that is on it is merged
            settle(central, home, key, central.clock.now(), source if whole else None)
            export_withdrawals(home, source)
    except StorageError as error:  # the stick is write-protected or full: what was merged is safe all the same
        if not _is_about(error, source) and not str(error.details.get("place", "")).startswith(str(stick.root)):
            raise
        return returns, offered, render(error)
    return returns, offered, None


def _merge_all(
    central: Central,
    stick: Stick,
    progress: Progress | None,
    stop: Callable[[], bool] | None,
    *,
    home: Path | None,
    withdrawals: int,
) -> list[FileReport]:
    """Every batch on the stick. What was done before central's own disk stopped it is in the sync log."""
    files: list[FileReport] = []
    try:
        files.extend(_import_each(central, stick, progress, stop))  # what came before it broke off stays in the list
    except StorageError as error:
        if home:
            log = Journal(home, central.clock)
            _note(log, ImportReport(stick.place, tuple(files), withdrawals=withdrawals))
            log.note("refusal", "central", place=stick.place, code=error.code)
        raise
    return files


def _reports(central: Central, home: Path, stick: Stick) -> Brought:
    """Reports of erasure on the stick. One that was pulled out is said where receipts cannot be put on it."""
    try:
        return take_reports(home, trust_of(central), Path(stick.place))
    except MediumGoneError:
        if stick.root.is_dir():
            raise
        return Brought(0)


def receipts_for(central: Central, files: Iterable[FileReport]) -> Iterator[Receipt]:
    """Receipts for whoever sent something: for the end of each log, and for where what a carrier brought ends.

    A carrier forgets only what it can follow up to a receipt's head: what came here by another way, and reaches further
    than what it brought, would leave it with nothing to follow.
    """
    spans: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for file in files:
        if file.device:
            spans[file.device].add((file.first, file.last))
    for device, pairs in sorted(spans.items()):
        firsts = {first for first, _last in pairs}
        vouching = Vouching(central, device)
        known = vouching.receipts()
        yield from known
        yield from vouching.receipts_at({last for _first, last in pairs if last + 1 not in firsts}, known)


def is_unbacked(backed: Backing, now: datetime) -> bool:
    """Whether nobody backs central up, or what was backed up does not count: then no laptop may let go of anything."""
    made = instant(backed.at or "")
    return made is None or not backed.good or now - made > timedelta(days=BACKUP_DAYS)


def _all_merged(files: Iterable[FileReport]) -> bool:
    return all(file.outcome in {"merged", "present", "ignored"} for file in files)


def _note(log: Journal, report: ImportReport) -> None:
    log.note(
        "import",
        "central",
        place=report.place,
        new=report.new,
        merged=len(report.having("merged")),
        present=len(report.having("present")),
        refused=len(report.refused),
        receipts=len(report.receipts),
        returns=report.returns,
    )
    for file in report.files:
        if file.new:
            log.note(
                "import", "central", place=f"{report.place}: {file.name}", device=file.device, first=file.first,
                last=file.last, new=file.new,
            )  # fmt: skip
        if file.outcome == "refused":
            log.note("refusal", "central", place=f"{report.place}: {file.name}", code=file.code)
    if report.withdrawals:
        log.note("withdrawal", "central", place=report.place, new=report.withdrawals)
    if report.erased:
        log.note("erasure", "central", place=report.place, records=report.erased)
    if report.stick_problem:
        log.note("refusal", "central", place=report.place, code=report.stick_problem.code)
