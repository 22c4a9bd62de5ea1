"""Copying to a stick and taking receipts, in one step and in words; for the screen and `--plain`. No widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fieldsurvey.base.clock import Clock
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.base.visible import filled
from fieldsurvey.fieldwork import DeviceStatus, Laptop
from fieldsurvey.tui.standing import waiting_lines, when
from sync.errors import NothingHereError
from sync.folder import ExportReport, ReceiptsReport, collect, export_batches
from sync.stick import there

if TYPE_CHECKING:
    from sync.drives import Drive


@dataclass(frozen=True, slots=True)
class Carried:
    """What a visit of a stick did. `receipts` is None when the stick held nothing of ours to read."""

    exported: ExportReport
    receipts: ReceiptsReport | None


def carry(laptop: Laptop, target: Path, clock: Clock, progress: Callable[[int, int, str], None]) -> Carried:
    """Take what came back, then copy what nobody has confirmed; the copy is read back. Raises StorageError,
    NoFolderError.
    """
    there(target)
    receipts: ReceiptsReport | None
    try:
        receipts = collect(laptop, target)  # first: what central confirms need not travel again
    except NothingHereError:
        receipts = None
    return Carried(export_batches(laptop.locked, target, progress=progress, clock=clock), receipts)


def last_words(outcome: Carried) -> list[tuple[bool, str]]:
    """(good, sentence) for everything somebody should know."""
    done = outcome.exported
    lines: list[tuple[bool, str]] = []
    if done.written:
        text = ngettext(
            "{count} record copied to {place} and read back.", "{count} records copied to {place} and read back.",
            done.written,
        )  # fmt: skip
        lines.append((True, filled(text, count=done.written, place=done.place)))
    if done.present:
        text = ngettext("{count} record was on it already.", "{count} records were on it already.", done.present)
        lines.append((True, text.format(count=done.present)))
    if not done.files:
        lines.append(
            (True, _("Nothing to copy: everything sealed is confirmed.") if done.head else _("Nothing is sealed yet."))
        )
    if done.withdrawals:
        text = ngettext(
            "{count} withdrawal was put beside them.", "{count} withdrawals were put beside them.", done.withdrawals
        )
        lines.append((True, text.format(count=done.withdrawals)))
    if done.left_out:
        seqs = ", ".join(map(str, done.left_out[:10]))
        text = _("Records {seqs} are damaged on this laptop and were not copied. Tell the steward.")
        lines.append((False, text.format(seqs=seqs)))
    if outcome.receipts is not None:
        lines += _receipt_words(outcome.receipts)
    return lines


def _receipt_words(report: ReceiptsReport) -> list[tuple[bool, str]]:
    lines = [
        (True, _("Receipt: up to record {up_to} is held ({level}).").format(up_to=r.up_to, level=_level(r.level)))
        for r in report.taken
    ]
    if report.withdrawals:
        text = ngettext(
            "{count} withdrawal came with it; what it names is erased here.",
            "{count} withdrawals came with it; what they name is erased here.",
            report.withdrawals,
        )
        lines.append((True, text.format(count=report.withdrawals)))
    if report.returned:
        text = ngettext(
            "{count} interview came back from the HMU: it is on Home when its enumerator unlocks.",
            "{count} interviews came back from the HMU: they are on Home when their enumerators unlock.",
            report.returned,
        )
        lines.append((True, text.format(count=report.returned)))
    lines += [
        (False, filled(_("Returned work was refused. {reason}"), reason=one.reason)) for one in report.returns_ignored
    ]
    lines += [(False, filled(_("A receipt was refused. {reason}"), reason=item.reason)) for item in report.warnings]
    text = _("{name} was refused. {reason}")
    lines += [(False, filled(text, name=item.name, reason=item.reason)) for item in report.refused]
    if report.project is not None:
        model = report.project.model
        lines.append((True, filled(_("{name} is now at version {version}."), name=model.name, version=model.version)))
    if report.project_problem is not None:
        problem = report.project_problem
        lines.append((False, filled(_("The project on the stick was refused. {reason}"), reason=problem.message)))
    return lines


def _level(level: str) -> str:
    return {
        "received": _("by a supervisor's laptop"),
        "committed": _("by central"),
        "backed_up": _("by central, and in its backup"),
    }.get(level, level)


def status_words(status: DeviceStatus) -> str:
    """`14 sealed · up to 9 acknowledged by central · last copied 21/11 10:42 to …`."""
    if not status.sealed:
        return _("Nothing sealed on this laptop yet.")
    parts = [_("{count} sealed").format(count=status.sealed)]
    if status.on_sticks:
        parts.append(_("copied up to {seq}").format(seq=status.on_sticks))
    if status.received > status.acknowledged:
        parts.append(_("received by a supervisor up to {seq}").format(seq=status.received))
    if status.acknowledged:
        parts.append(_("acknowledged by central up to {seq}").format(seq=status.acknowledged))
    line = " · ".join(parts)
    if status.last_copied is not None:
        place, at = status.last_copied
        line += "\n" + filled(_("Last copied {when} to {place}"), when=when(at), place=place)
    return "\n".join([line, *waiting_lines(status)])


def found_line(drive: Drive) -> str:
    """A stick as it is offered."""
    if drive.free < 1_000_000_000:
        text = filled(_("{label}   {free} MB free"), label=drive.label, free=drive.free // 1_000_000)
    else:
        text = filled(_("{label}   {free} GB free"), label=drive.label, free=f"{drive.free / 1_000_000_000:.1f}")
    return text if drive.writable else text + "   " + _("read-only")
