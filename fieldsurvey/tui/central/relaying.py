"""What a supervisor does with a stick: take what laptops put on it, hand on what is carried; and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_, ngettext
from fieldsurvey.base.visible import visible
from fieldsurvey.tui.central.desk import Desk
from fieldsurvey.tui.central.job import Stop, Told
from fieldsurvey.tui.central.sticks import Purpose, Sentence, offered_words, out_words, stopping
from fieldsurvey.tui.withdrawing import waiting_lines
from sync.carrying import HandReport, RelayFile, TakeReport, hand_on, take_stick
from sync.settling import settling
from sync.stick import there
from sync.waiting import erased_batches


def relay_take(desk: Desk, place: Path, told: Told, stop: Stop) -> TakeReport:
    """Raises what `take_stick` raises."""
    return take_stick(desk.relay(), place, told, stop=stop)


def relay_hand(desk: Desk, place: Path, told: Told, stop: Stop) -> HandReport:
    """Raises what `hand_on` raises, NoFolderError, StoppedError: then what was copied before stays on the stick."""
    relay = desk.relay()
    with settling(relay):
        return hand_on(relay, there(place), stopping(told, stop))


def take_words(report: TakeReport) -> list[Sentence]:
    """What came of taking a stick: the whole first, then file by file with the reason, then the stick."""
    taken = report.having("taken")
    text = ngettext("{count} batch taken.", "{count} batches taken.", len(taken))
    lines = [Sentence(True, text.format(count=len(taken)))]
    if refused := report.having("refused"):
        text = ngettext("{count} file was refused.", "{count} files were refused.", len(refused))
        lines.append(Sentence(False, text.format(count=len(refused))))
    if left := report.having("left"):
        text = ngettext(
            "Stopped: {count} file was not looked at.", "Stopped: {count} files were not looked at.", len(left)
        )
        lines.append(Sentence(False, text.format(count=len(left)), _("Take the same stick again for the rest.")))
    if not report.files:
        lines.append(Sentence(False, _("There was no batch on it."), _("On the laptop: copy to this stick first.")))
    lines += sorted((_file(file) for file in report.files if file.outcome != "left"), key=lambda said: said.good)
    lines += _counted(report)
    lines += [Sentence(False, line) for line in waiting_lines(report.waiting)]
    if report.project is not None:
        text = _("The newer project came with it: version {version}.")
        lines.append(Sentence(True, text.format(version=report.project)))
    if report.project_problem is not None:
        text = _("The project on the stick was refused. {reason}")
        problem = report.project_problem
        lines.append(Sentence(False, text.format(reason=problem.message), problem.advice))
    lines += [Sentence(False, one.told) for one in report.damaged]
    if report.stick_problem is not None:
        text = _("No receipts on the stick. {reason}")
        problem = report.stick_problem
        lines.append(Sentence(False, text.format(reason=problem.message), problem.advice))
    return [*lines, *out_words(report.stick_problem)]


def _file(file: RelayFile) -> Sentence:
    whose, name = visible(file.device_name), visible(file.name)
    span = _("entries {first} to {last}").format(first=file.first, last=file.last)
    said = {
        "taken": _("{whose}: taken, {span}."),
        "present": _("{whose}: here already, {span}."),
        "committed": _("{whose}: central has it already, {span}."),
        "ignored": _("{name} was left aside."),
    }
    if file.outcome == "refused":
        return Sentence(False, _("{name} was refused. {reason}").format(name=name, reason=file.reason), file.advice)
    if file.outcome == "withdrawn":
        return Sentence(
            False,
            _("{whose}: not taken, a record in it was withdrawn, {span}.").format(whose=whose, span=span),
            _(
                "Copy again from that laptop: it sends the rest without it. If it is lost, take this stick to central:"
                " it takes the rest."
            ),
        )
    return Sentence(True, said[file.outcome].format(whose=whose, name=name, span=span))


def _counted(report: TakeReport) -> list[Sentence]:
    counted = (
        (report.withdrawals, _("withdrawals came with it: {count}.")),
        (report.returns, _("returned work for laptops: {count}.")),
        (len(report.committed), _("new receipts of central's: {count}.")),
        (report.forgotten, _("batches that central has, let go of: {count}.")),
        (report.erased, _("batches erased for a withdrawal: {count}.")),
        (len(report.receipts), _("receipts of ours put on it: {count}.")),
    )
    return [Sentence(True, text.format(count=count)) for count, text in counted if count]


def hand_words(report: HandReport) -> list[Sentence]:
    """What was handed on."""
    text = ngettext(
        "{count} batch written and read back, {size} KB.", "{count} batches written and read back, {size} KB.",
        report.written,
    )  # fmt: skip
    lines = [Sentence(True, text.format(count=report.written, size=report.bytes + 1023 >> 10))]
    if not report.written and not report.present:
        lines = [Sentence(True, _("Nothing is carried for others: there was no batch to copy."))]
    if report.present:
        text = ngettext("{count} was on it already.", "{count} were on it already.", report.present)
        lines.append(Sentence(True, text.format(count=report.present)))
    if report.erased:
        lines.append(Sentence(True, erased_batches(report.erased)))
    lines += [Sentence(False, one.told) for one in report.damaged]
    if report.written or report.present:
        lines.append(Sentence(True, _("They stay here until central's receipt says that it holds them.")))
    return [*lines, *offered_words(report.project), *out_words()]


RELAY_PURPOSES: Mapping[str, Purpose] = {
    purpose.kind: purpose
    for purpose in (
        Purpose(
            "relay_take",
            n_("Take a stick"),
            n_("Taking"),
            n_("Sealed batches of any laptop, whole or not at all; a signed receipt goes back on the stick."),
            n_("From where?"),
            relay_take,
        ),
        Purpose(
            "relay_hand",
            n_("Hand on to a stick"),
            n_("Handing on to"),
            n_("Everything that is carried, for central; each batch is read back. It stays here until central has it."),
            n_("To where?"),
            relay_hand,
        ),
    )
}
