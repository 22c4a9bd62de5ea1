"""What is done with a stick at central: merge what is on it, put receipts on it; and what came of it, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fieldsurvey.base.errors import RefusedError, Rendered
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_, ngettext
from fieldsurvey.base.visible import visible
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.tui.central.desk import Desk
from fieldsurvey.tui.central.job import Stop, Told
from sync.answers import Offer, offer_project, put_returns
from sync.errors import StoppedError
from sync.importing import FileReport, ImportReport, import_folder, write_receipts
from sync.journal import Journal
from sync.returned import pending_returns
from sync.stick import Stick, there
from sync.withdrawals import export_withdrawals


@dataclass(frozen=True, slots=True)
class Sentence:
    """A line of an outcome. `good`: nothing is left to do; `advice`: what is safe and what to do, may be empty."""

    good: bool
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Purpose:
    """Something that is done with a stick or a disk. All texts are message ids.

    `verb` names it while it is under way, `what_for` says what it does and what it does not; `stopping` what is said
    once it was asked to stop. `by_line`: it goes to the project's server, and no place is chosen.
    """

    kind: str
    title: str
    verb: str
    what_for: str
    where: str
    work: Callable[[Desk, Path, Told, Stop], object]
    stopping: str = n_("stopping after this file …")
    by_line: bool = False


def stopping(told: Told, stop: Stop, error: type[StoppedError] = StoppedError) -> Told:
    """`told`, raising `error` once somebody wants it to stop: for work that is one piece, or copies files."""

    def tell(done: int, total: int, text: str) -> None:
        if stop():
            raise error
        told(done, total, text)

    return tell


class NoKeyError(RefusedError):
    """Central's key or the project is not here."""

    code = "refused.no_central_key"
    template = "Central's key is not in {place}: nothing can be imported and no receipt signed here."
    hint = "Nothing was changed. Put the project file and central.key there, or work at the machine that has them."


@dataclass(frozen=True, slots=True)
class ReceiptsWritten:
    """What was put on a stick without importing from it."""

    place: str
    receipts: int
    project: Offer
    returns: int = 0


def take(desk: Desk, place: Path, told: Told, stop: Stop) -> ImportReport:
    """Merge a stick, as `fieldsurvey sync import` does; `stop` is asked between two files.

    Raises NoKeyError and what `import_folder` raises.
    """
    project = _project(desk)
    with desk.central() as central:
        return import_folder(central, place, project, desk.key(), told, home=desk.home, stop=stop)


def give_receipts(desk: Desk, place: Path, told: Told, stop: Stop) -> ReceiptsWritten:
    """Put receipts for every laptop, returned work, the project and withdrawals on a stick.

    Raises NoKeyError, NoFolderError, StorageError.
    """
    project = _project(desk)
    stick = Stick(there(place))
    receipts = []
    with desk.central() as central:
        senders = list(dict.fromkeys(device.device for device in central.store.devices()))
        for number, device in enumerate(senders, 1):
            if stop():
                break
            receipts += central.receipts(device)
            told(number, len(senders), device[:8])
        returns = put_returns(stick, pending_returns(central))
    write_receipts(stick, receipts, desk.key(), project.model)
    export_withdrawals(desk.home, place)
    done = ReceiptsWritten(str(place), len(receipts), offer_project(stick, project), returns)
    Journal(desk.home, desk.clock).note("export", "central", place=done.place, receipts=done.receipts, returns=returns)
    return done


def _project(desk: Desk) -> SignedProject:
    project = desk.project()
    if project is None or not desk.can_sign:
        raise NoKeyError(place=str(desk.steward))
    return project


def import_words(report: ImportReport) -> list[Sentence]:
    """What came of an import: the whole first, then each file with its reason and what to do, then the stick."""
    total = ngettext("{count} new record merged.", "{count} new records merged.", report.new)
    lines = [Sentence(True, total.format(count=report.new))]
    if report.refused:
        text = ngettext("{count} file was refused.", "{count} files were refused.", len(report.refused))
        lines.append(Sentence(False, text.format(count=len(report.refused))))
    if left := report.having("left"):
        text = ngettext(
            "Stopped: {count} file was not looked at.", "Stopped: {count} files were not looked at.", len(left)
        )
        lines.append(Sentence(False, text.format(count=len(left)), _("Import the same stick again for the rest.")))
    if not report.files:
        lines.append(Sentence(False, _("There was no batch on it."), _("On the laptop: copy to this stick first.")))
    told = sorted((_file(file) for file in report.files if file.outcome != "left"), key=lambda said: said.good)
    lines += told  # what somebody must do something about comes first, the rest in the stick's order
    return lines + _stick(report)


def _file(file: FileReport) -> Sentence:
    name, whose = visible(file.name), visible(file.device_name)
    span = _("entries {first} to {last}").format(first=file.first, last=file.last)
    if file.outcome == "merged":
        text = ngettext("{whose}: {count} new, {span}.", "{whose}: {count} new, {span}.", file.new)
        return Sentence(True, text.format(whose=whose, count=file.new, span=span))
    if file.outcome == "present":
        return Sentence(True, _("{whose}: nothing new, {span}.").format(whose=whose, span=span))
    if file.outcome == "refused":
        return Sentence(False, _("{name} was refused. {reason}").format(name=name, reason=file.reason), file.advice)
    return Sentence(True, _("{name} was left aside: {reason}.").format(name=name, reason=file.reason))


def _stick(report: ImportReport) -> list[Sentence]:
    lines = []
    if report.aside:
        names = ", ".join(visible(name) for name in report.aside)
        lines.append(
            Sentence(
                False,
                _("Not enrolled, kept aside: {names}.").format(names=names),
                _("It counts as soon as the steward enrols them; nothing has to be imported again."),
            )
        )
    if report.stick_problem is not None:
        problem = report.stick_problem
        lines.append(
            Sentence(False, _("No receipts on the stick. {reason}").format(reason=problem.message), problem.advice)
        )
    elif report.receipts:
        text = ngettext("{count} receipt is on it.", "{count} receipts are on it.", len(report.receipts))
        lines.append(Sentence(True, text.format(count=len(report.receipts))))
    return (
        lines
        + _returned(report.returns)
        + _withdrawn(report)
        + offered_words(report.project)
        + out_words(report.stick_problem)
    )


def _returned(count: int) -> list[Sentence]:
    if not count:
        return []
    text = ngettext(
        "{count} piece of returned work is on it for its laptop.",
        "{count} pieces of returned work are on it for their laptops.",
        count,
    )
    return [Sentence(True, text.format(count=count))]


def _withdrawn(report: ImportReport) -> list[Sentence]:
    lines = []
    if report.withdrawals:
        text = ngettext(
            "{count} withdrawal came with it: excluded from now on.",
            "{count} withdrawals came with it: excluded from now on.",
            report.withdrawals,
        )
        lines.append(Sentence(True, text.format(count=report.withdrawals)))
    if report.erased:
        text = ngettext("{count} withdrawn record erased.", "{count} withdrawn records erased.", report.erased)
        lines.append(Sentence(True, text.format(count=report.erased)))
    return lines


def offered_words(offer: Offer) -> list[Sentence]:
    """What became of the project on a stick."""
    if offer == "written":
        return [Sentence(True, _("The newest project is on it for laptops to take."))]
    if offer == "newer":
        return [
            Sentence(
                False,
                _("The stick carries a newer project than this machine has: it was left there."),
                _("Put the newest project file beside central.key."),
            )
        ]
    if offer == "foreign":
        return [
            Sentence(False, _("The stick carries another project's file: it was left there."), _("Is it our stick?"))
        ]
    return []


def out_words(problem: Rendered | None = None) -> list[Sentence]:
    """Safe to remove: everything written was synced and the folder too before this is said.

    `problem`: why the stick could not be written to; then nothing is said of taking out what may be gone.
    """
    return [] if problem else [Sentence(True, _("Everything is written: the stick can be taken out."))]


def receipt_words(done: ReceiptsWritten) -> list[Sentence]:
    """What was put on a stick."""
    text = ngettext("{count} receipt put on {place}.", "{count} receipts put on {place}.", done.receipts)
    return [
        Sentence(True, text.format(count=done.receipts, place=visible(done.place))),
        *_returned(done.returns),
        *offered_words(done.project),
        *out_words(),
    ]


CENTRAL_PURPOSES: Mapping[str, Purpose] = {
    purpose.kind: purpose
    for purpose in (
        Purpose(
            "import",
            n_("Import a stick"),
            n_("Importing"),
            n_("Each batch is checked whole and merged, or refused by name. Importing twice changes nothing."),
            n_("From where?"),
            take,
        ),
        Purpose(
            "receipts",
            n_("Receipts onto a stick"),
            n_("Writing receipts to"),
            n_("Receipts for every laptop, the newest project and withdrawals; nothing is imported."),
            n_("To where?"),
            give_receipts,
        ),
    )
}
