"""`--relay`: a supervisor's laptop and its sticks, in words. The work is done in `sync.carrying`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import RefusedError, StorageError, render
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.base.visible import filled, visible
from fieldsurvey.cli.common import result
from fieldsurvey.cli.device_words import confirm_words
from fieldsurvey.cli.progress import progress_bar
from fieldsurvey.cli.sync_words import problem_data, project_lines
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.project.keys import SUPERVISOR
from fieldsurvey.project.signed import read_project
from fieldsurvey.project.steward import wipe
from fieldsurvey.records.container import MAX_FILE
from fieldsurvey.tui.withdrawing import waiting_lines
from sync.carrying import HandReport, TakeReport, hand_on, take_stick
from sync.errors import NoRelayError
from sync.relay import FOLDER, Relay
from sync.settling import settle, settling
from sync.stick import Stick, opened, there
from sync.waiting import erased_batches


@dataclass(frozen=True, slots=True)
class Carried:
    """What a relay holds, as data and in lines."""

    data: dict[str, Any]
    lines: list[str]


def take_from(place: Path, key: Path | None, *, yes: bool, json_: bool) -> None:
    """Take what is on a stick; the steward's stick makes this laptop a supervisor's, or gives it a new key."""
    stick = Stick(place)
    stick.require()
    lines = _set_up(stick, key, yes=yes)
    relay = Relay.open(paths.home(), SystemClock())
    with progress_bar(_("Taking"), quiet=json_) as progress:
        report = take_stick(relay, place, progress)
    result(json_, _take_data(report), "\n".join(lines + _take_lines(report)))
    if report.having("refused") or report.project_problem:
        raise typer.Exit(1)


def hand_on_to(find: Callable[[], Path], *, json_: bool) -> None:
    """Put everything that is carried on a stick. `find`: gives it, or raises; then what is due today goes unsent."""
    relay = Relay.open(paths.home(), SystemClock())
    with settling(relay), progress_bar(_("Copying"), quiet=json_) as progress:
        report = hand_on(relay, there(find()), progress)
    result(json_, {"role": "relay", **asdict(report)}, "\n".join(_hand_lines(report)))


def carried(home: Path) -> Carried | None:
    """What is held for others; None where this is no supervisor's laptop. A key that was replaced is said.

    Raises UntrustedError, StorageError.
    """
    if not (home / FOLDER / SUPERVISOR).exists():
        return None
    try:
        relay = Relay.open(home, SystemClock())
        erased = settle(relay)
        held, damaged = relay.holding.batches(), relay.holding.damaged()
    except RefusedError as error:  # it must not hide how the laptop's own work stands
        shown = render(error)
        return Carried({"problem": problem_data(shown)}, [shown.as_text()])
    waiting = relay.waiting()
    until = {one.held.manifest: one.until.isoformat() for one in waiting}
    lines = [_("Carried for others, until central has it:")] if held else [_("Nothing is carried for others.")]
    for one in held:
        text = _("  {name} ({device}): entries {first} to {last}, {size} KB")
        lines.append(
            filled(text, name=one.name, device=one.device[:8], first=one.first, last=one.last, size=-(-one.size >> 10))
        )
    data = [
        {
            "device": one.device,
            "name": one.name,
            "first": one.first,
            "last": one.last,
            "bytes": one.size,
            "waits_until": until.get(one.manifest),
        }
        for one in held
    ]
    told = {"batches": data, "damaged": [one.as_data() for one in damaged], "erased": erased}
    lines += [erased_batches(erased)] if erased else []
    return Carried(told, lines + waiting_lines(waiting) + [visible(one.told) for one in damaged])


def _set_up(stick: Stick, key: Path | None, *, yes: bool) -> list[str]:
    """Take a key that is offered. What this laptop trusts already decides whether the project is ours."""
    home = paths.home()
    offered = key or (stick.root / SUPERVISOR if (stick.root / SUPERVISOR).is_file() else None)
    if offered is None:
        return []
    data = _project(stick, home)
    if not (home / FOLDER / SUPERVISOR).exists():
        if paths.vault_path().exists():  # a laptop that has joined knows the root
            read_project(data, pinned=Laptop.open(home, SystemClock()).locked.pin().root)
        else:
            confirm_words(read_project(data), yes=yes)
    relay = Relay.set_up(home, offered, data, SystemClock())
    lines = [filled(_("This is a supervisor's laptop of {name} now."), name=relay.project.model.name)]
    if key is None:
        try:
            wipe(offered)
        except StorageError:
            lines.append(_("The key is still on the stick, which cannot be written to: delete supervisor.key there."))
        else:
            lines.append(_("The key was taken off the stick."))
    return lines


def _project(stick: Stick, home: Path) -> bytes:
    for path in (stick.project, paths.pinned_project_path(), home / FOLDER / "project.fsp"):
        if path.is_file():
            with opened(path) as stream:
                return stream.read(MAX_FILE + 1)
    raise NoRelayError(place=stick.place)


def _take_data(report: TakeReport) -> dict[str, Any]:
    return {
        "role": "relay",
        "place": report.place,
        "taken": len(report.having("taken")),
        "refused": len(report.having("refused")),
        "files": [asdict(file) for file in report.files],
        "receipts": [receipt.model_dump(mode="json") for receipt in report.receipts],
        "committed": [receipt.model_dump(mode="json") for receipt in report.committed],
        "forgotten": report.forgotten,
        "withdrawals": report.withdrawals,
        "erased": report.erased,
        "waiting": len(report.waiting),
        "returns": report.returns,
        "project_version": report.project,
        "project_problem": problem_data(report.project_problem),
        "stick_problem": problem_data(report.stick_problem),
        "damaged": [one.as_data() for one in report.damaged],
    }


def _take_lines(report: TakeReport) -> list[str]:
    words = {
        "taken": _("{name}: taken, {device_name}, entries {first} to {last}"),
        "present": _("{name}: here already, {device_name}, entries {first} to {last}"),
        "committed": _("{name}: central has it, {device_name}, entries {first} to {last}"),
        "withdrawn": _(
            "{name}: not taken, somebody in it withdrew; {device_name} will send the rest again. If that laptop is"
            " lost, take this stick to central: it takes the rest."
        ),
        "refused": _("{name}: REFUSED. {reason} Nothing of it was taken."),
        "ignored": _("{name}: left aside, not a batch"),
        "left": _("{name}: not looked at"),
    }
    lines = [filled(words[file.outcome], **asdict(file)) for file in report.files]
    count = len(report.having("taken"))
    lines.append(ngettext("{count} batch taken.", "{count} batches taken.", count).format(count=count))
    lines += _counted(report)
    lines += waiting_lines(report.waiting)
    lines += [visible(one.told) for one in report.damaged]
    if report.project:
        lines.append(_("The project is now at version {version}.").format(version=report.project))
    if report.project_problem:
        lines += project_lines(report.project_problem)
    if report.stick_problem:
        lines.append(_("What was taken is safe here, but receipts could not be put on the stick:"))
        lines.append(report.stick_problem.as_text())
    return lines


def _counted(report: TakeReport) -> list[str]:
    lines = []
    if count := len(report.receipts):
        text = ngettext(
            "{count} receipt of yours is on the stick.", "{count} receipts of yours are on the stick.", count
        )
        lines.append(text.format(count=count))
    if count := len(report.committed):
        text = ngettext(
            "{count} new receipt of central's, to be handed on.", "{count} new receipts of central's, to be handed on.",
            count,
        )  # fmt: skip
        lines.append(text.format(count=count))
    if count := report.forgotten:
        text = ngettext(
            "{count} batch that central has now was removed from here.",
            "{count} batches that central has now were removed from here.",
            count,
        )
        lines.append(text.format(count=count))
    if count := report.withdrawals:
        lines.append(ngettext("{count} new withdrawal.", "{count} new withdrawals.", count).format(count=count))
    if count := report.erased:
        lines.append(erased_batches(count))
    if count := report.returns:
        text = ngettext(
            "{count} interview goes back to its laptop.", "{count} interviews go back to their laptops.", count
        )
        lines.append(text.format(count=count))
    return lines


def _hand_lines(report: HandReport) -> list[str]:
    text = ngettext(
        "{count} batch copied to {place}, read back and compared.",
        "{count} batches copied to {place}, read back and compared.",
        report.written,
    )
    lines = [filled(text, count=report.written, place=report.place)] if report.written else []
    if report.present:
        text = ngettext("{count} was on it already, whole.", "{count} were on it already, whole.", report.present)
        lines.append(text.format(count=report.present))
    if not lines:
        lines.append(_("Nothing is carried for others: there was no batch to copy."))
    if report.erased:
        lines.append(erased_batches(report.erased))
    lines += [visible(one.told) for one in report.damaged]
    if report.written or report.present:
        lines.append(_("They stay here until central's receipt comes back. The stick can be taken out."))
    return lines
