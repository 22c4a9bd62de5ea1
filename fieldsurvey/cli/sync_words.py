"""What `fieldsurvey sync` says, as data and in lines; nothing is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fieldsurvey.base.errors import Rendered
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.base.visible import filled, visible
from fieldsurvey.fieldwork import DeviceStatus, SealedCard
from fieldsurvey.tui.standing import STATES, local_day, moment, waiting_lines, when
from sync.drives import Drive
from sync.folder import ExportReport, ReceiptsReport
from sync.refusals import RefusedFile

if TYPE_CHECKING:  # start-up: central's store loads sqlite-utils, which a laptop's export does not need
    from sync.importing import ImportReport


def export_data(report: ExportReport) -> dict[str, Any]:
    """What an export did."""
    return {**asdict(report), "written": report.written, "present": report.present}


def export_lines(report: ExportReport) -> list[str]:
    """The same for people."""
    lines = []
    if report.withdrawals:
        text = ngettext("{count} withdrawal was put on it.", "{count} withdrawals were put on it.", report.withdrawals)
        lines.append(text.format(count=report.withdrawals))
    if report.head == report.after and not report.files:
        if not report.head:
            return [*lines, _("Nothing is sealed on this laptop yet: there is nothing to copy.")]
        text = _("All {count} records are confirmed already: there is nothing to copy.")
        return [*lines, text.format(count=report.head)]
    if report.written:
        text = ngettext(
            "{count} record copied to {place}, read back and compared.",
            "{count} records copied to {place}, read back and compared.",
            report.written,
        )
        lines.append(filled(text, count=report.written, place=report.place))
    if report.present:
        lines.append(
            ngettext(
                "{count} record was on it already, whole.", "{count} records were on it already, whole.", report.present
            ).format(count=report.present)
        )
    if report.left_out:
        lines.append(left_out_line(report.left_out))
    lines.append(_("They stay on this laptop until central says that it holds them. The stick can be taken out."))
    return lines


def left_out_line(entries: Sequence[int]) -> str:
    """What was neither copied nor sent."""
    text = _("Left out, damaged on this laptop: {entries}. Tell the project's steward.")
    return text.format(entries=", ".join(map(str, entries)))


def receipts_data(report: ReceiptsReport) -> dict[str, Any]:
    """What came back."""
    return {
        "receipts": [receipt.model_dump(mode="json") for receipt in report.taken],
        "ignored": [asdict(item) for item in report.ignored],
        "project_version": report.project.model.version if report.project else None,
        "project_problem": problem_data(report.project_problem),
        "withdrawals": report.withdrawals,
        "returned": report.returned,
        "returns_ignored": [asdict(item) for item in report.returns_ignored],
        "purged": report.purged,
        "refused": [asdict(item) for item in report.refused],
    }


def received_lines(report: ReceiptsReport) -> list[str]:
    """The same for people; empty when nothing did."""
    lines = []
    words = {
        "received": _("A supervisor's laptop holds your records up to {up_to}."),
        "committed": _("Central holds your records up to {up_to}."),
        "backed_up": _("Central holds your records up to {up_to}, backed up."),
    }
    lines += [words[receipt.level.value].format(up_to=receipt.up_to) for receipt in report.taken]
    if report.project:
        model = report.project.model
        text = _("The project {name} is now at version {version}.")
        lines.append(filled(text, name=model.name, version=model.version))
    if report.withdrawals:
        text = ngettext(
            "{count} withdrawal came with it; what it names is erased here.",
            "{count} withdrawals came with it; what they name is erased here.",
            report.withdrawals,
        )
        lines.append(text.format(count=report.withdrawals))
    if report.returned:
        text = ngettext(
            "{count} interview came back to be mended: it is a draft once its enumerator unlocks.",
            "{count} interviews came back to be mended: they are drafts once their enumerators unlock.",
            report.returned,
        )
        lines.append(text.format(count=report.returned))
    lines += [visible(f"{item.name}: {item.reason}" if item.name else item.reason) for item in report.returns_ignored]
    if report.purged:
        text = ngettext(
            "{count} record that central has backed up was removed from this laptop.",
            "{count} records that central has backed up were removed from this laptop.",
            report.purged,
        )
        lines.append(text.format(count=report.purged))
    lines += [visible(f"{item.name}: {item.reason}") for item in report.warnings]
    lines += refused_lines(report.refused)
    if report.project_problem:
        lines += project_lines(report.project_problem)
    return lines


def project_lines(problem: Rendered) -> list[str]:
    """Why the project on a stick was not taken, while the rest of the stick was used."""
    return [
        filled(_("The project on the stick was refused. {reason}"), reason=problem.message),
        _("Your project stays as it was; everything else was done. Ask the steward whether this is the right stick."),
    ]


def refused_lines(refused: Sequence[RefusedFile]) -> list[str]:
    """Files that were not taken, each with its reason; what is safe."""
    text = _("{name}: REFUSED. {reason} The rest was taken.")
    return [filled(text, name=one.name, reason=one.reason) for one in refused]


def import_data(report: ImportReport) -> dict[str, Any]:
    """What central took."""
    return {
        "role": "central",
        "place": report.place,
        "new": report.new,
        "refused": len(report.refused),
        "files": [asdict(file) for file in report.files],
        "aside": list(report.aside),
        "receipts": [receipt.model_dump(mode="json") for receipt in report.receipts],
        "returns": report.returns,
        "withdrawals": report.withdrawals,
        "erased": report.erased,
        "last_backup": report.last_backup,
        "backed_up": not report.unbacked,
        "project": report.project,
        "stick_problem": problem_data(report.stick_problem),
    }


def import_lines(report: ImportReport) -> list[str]:
    """The same for people."""
    words = {
        "merged": _("{name}: {new} new of {device_name}, entries {first} to {last}"),
        "present": _("{name}: nothing new of {device_name}, entries {first} to {last}"),
        "refused": _("{name}: REFUSED. {reason} Central is as it was."),
        "ignored": _("{name}: left aside, {reason}"),
    }
    lines = [filled(words[file.outcome], **asdict(file)) for file in report.files]
    total = ngettext("{count} new record merged.", "{count} new records merged.", report.new)
    lines.append(total.format(count=report.new))
    if report.refused:
        text = ngettext("{count} file was refused.", "{count} files were refused.", len(report.refused))
        lines.append(text.format(count=len(report.refused)))
    if report.aside:
        lines.append(filled(_("Kept aside until the steward enrols them: {names}."), names=", ".join(report.aside)))
    if report.receipts:
        text = ngettext("{count} receipt is on the stick.", "{count} receipts are on the stick.", len(report.receipts))
        lines.append(text.format(count=len(report.receipts)))
    if report.returns:
        text = ngettext(
            "{count} interview goes back to its laptop with the stick.",
            "{count} interviews go back to their laptops with the stick.",
            report.returns,
        )
        lines.append(text.format(count=report.returns))
    if report.withdrawals:
        text = ngettext("{count} new withdrawal.", "{count} new withdrawals.", report.withdrawals)
        lines.append(text.format(count=report.withdrawals))
    if report.erased:
        text = ngettext(
            "{count} withdrawn record erased here.", "{count} withdrawn records erased here.", report.erased
        )
        lines.append(text.format(count=report.erased))
    lines += backup_lines(report.last_backup, unbacked=report.unbacked)
    if report.project == "newer":
        lines.append(_("The stick carries a newer project than this one: it was left there."))
    if report.stick_problem:
        lines.append(_("What was merged is safe, but receipts could not be put on the stick:"))
        lines.append(report.stick_problem.as_text())
    return lines


def backup_lines(last: str | None, *, unbacked: bool) -> list[str]:
    """A warning when nobody backs central up: until then every laptop keeps all that it sealed."""
    if not unbacked:
        return []
    told = (
        _("NOBODY HAS BACKED CENTRAL UP.")
        if last is None
        else _("CENTRAL WAS LAST BACKED UP ON {day}.").format(day=local_day(last))
    )
    return [
        told,
        _("Laptops let go of nothing until it is: fieldsurvey central backup FOLDER, onto another disk, each week."),
    ]


def problem_data(problem: Rendered | None) -> dict[str, str] | None:
    """As `--json` shows it."""
    return problem.as_dict() if problem else None


def _where(copied: tuple[str, str] | None) -> str:
    return filled(_(", last to {place} on {at}"), place=copied[0], at=moment(copied[1])) if copied else ""


def _when(issued: str | None) -> str:
    return _(", last on {at}").format(at=moment(issued)) if issued else ""


def drive_line(drive: Drive) -> str:
    """A stick that is plugged in."""
    text = _("Stick {path}: {free} MB free of {total} MB")
    return filled(text, path=drive.path, free=drive.free >> 20, total=drive.total >> 20)


def drive_data(drive: Drive) -> dict[str, Any]:
    """The same as data."""
    return {**asdict(drive), "path": str(drive.path)}


def status_data(
    found: DeviceStatus, drives: Sequence[Drive], waiting: int, pushed: tuple[str, str] | None = None
) -> dict[str, Any]:
    """How a laptop's work stands; `waiting`: records that are nowhere but here and on sticks."""
    return {
        **asdict(found),
        "copies": [{"place": place, "at": at, "up_to": up_to} for place, at, up_to in found.copies],
        "copied_to_sticks": found.on_sticks,
        "last_sent_by_line": {"server": pushed[0], "at": pushed[1]} if pushed else None,
        "not_confirmed": waiting,
        "drives": [drive_data(drive) for drive in drives],
    }


def status_lines(
    found: DeviceStatus, drives: Sequence[Drive], waiting: int, pushed: tuple[str, str] | None = None
) -> list[str]:
    """The same for people. `pushed`: to which server something was sent by line last, and when (ISO 8601)."""
    lines = [
        visible(f"{found.name}, {found.project} ({_('version')} {found.project_version})"),
        _("  {count} sealed on this laptop").format(count=found.sealed),
    ]
    if found.on_sticks or not pushed:
        text = _("  copied to sticks up to record {seq}{where}") if found.on_sticks else _("  copied to no stick yet")
        lines.append(text.format(seq=found.on_sticks, where=_where(found.last_copied)))
    if pushed:
        lines.append(_("  sent by line{where}").format(where=_where(pushed)))
    if found.received > found.acknowledged:
        lines.append(_("  {count} received by a supervisor's laptop").format(count=found.received))
    last = _when(found.last_receipt)
    lines.append(_("  {count} acknowledged by central{when}").format(count=found.acknowledged, when=last))
    if found.removed:
        lines.append(_("  {count} of them acknowledged, body removed").format(count=found.removed))
    if found.former:
        text = _("  {count} from before this laptop's new vault or restore, {waiting} of them not acknowledged")
        lines.append(text.format(count=found.former, waiting=found.former_waiting))
    if waiting:
        lines.append(
            ngettext(
                "{count} record exists only on this laptop and on the sticks it was copied to.",
                "{count} records exist only on this laptop and on the sticks they were copied to.",
                waiting,
            ).format(count=waiting)
        )
    lines += waiting_lines(found)
    if found.enrolment == "unknown":
        lines.append(_("This laptop is not enrolled yet: central keeps what it sends aside until it is."))
    return lines + [drive_line(drive) for drive in drives]


def record_lines(cards: Sequence[SealedCard]) -> list[str]:
    """Record by record, the newest first: its state, since when it waits, where its copies lie."""
    lines = []
    for card in cards:
        line = f"{card.seq:6}  {_(STATES[card.state])}"
        if card.removed:
            line += _("; body removed")
        if card.sealed:
            line += _("; sealed on {day}").format(day=when(card.sealed))
        places = ", ".join(f"{place} ({when(at)})" for place, at in card.copies)
        lines.append(line + (filled(_("; copies: {places}"), places=places) if places else ""))
    return lines
