"""`fieldsurvey central`: what central holds, and whether all of it is whole. It cannot read a record."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.base.visible import filled, visible
from fieldsurvey.cli.central_keeping import backup_lines, opened_central
from fieldsurvey.cli.central_keeping import register as register_keeping
from fieldsurvey.cli.central_show import register as register_show
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.overdue import overdue_here, settle_here, stale_backup
from fieldsurvey.cli.progress import progress_bar
from fieldsurvey.project.model import WARN_DAYS, Project
from fieldsurvey.project.steward import PROJECT_FILE, read_steward
from fieldsurvey.tui.withdrawing import overdue_lines
from sync.audit import AuditReport
from sync.central import CentralStatus, DeviceStatus
from sync.covering import backing
from sync.mending import discard_altered

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
    help="""Central: the store that all laptops' batches merge into. It holds sealed records and cannot read them.

    Batches come in with `fieldsurvey sync import STICK`. State lives under FIELDSURVEY_HOME.""",
)
register_show(app)


@app.command("status")
@command
def status(json_: Json = False) -> None:
    """Devices, what each has sent, gaps and forks, cases and conflicts. Needs no key.

    A gap means that entries are still on their way, or were withheld. A fork means that a laptop was cloned or restored
    from a backup: both histories are kept. Entries of devices that are not enrolled are kept aside until they are. What
    was withdrawn is erased first, where it is not yet; a place that has not reported it in time is named.

    Example: fieldsurvey central status
    """
    with opened_central() as central:
        if (paths.steward_dir() / PROJECT_FILE).exists():
            central.learn(read_steward(paths.steward_dir()).model)  # a laptop enrolled since the last import counts now
        settled = settle_here(central)
        found = central.status()
        backed = backing(central)
        model = central.project()
        late = overdue_here(central, model) if model is not None else ()
        loud = [*overdue_lines(late), *(stale_backup(central, model) if model is not None else ())]
    data = {
        **_status_data(found, model),
        "last_backup": backed.at,
        "backup_counts": backed.counts if not backed.ahead else False,
        "withdrawals": {**asdict(settled), "overdue": [asdict(one) for one in late]},
    }
    result(json_, data, "\n".join([*_status_lines(found), *backup_lines(backed), *_expiry(model), *loud]))


@app.command("verify")
@command
def verify(
    *,
    mend: Annotated[bool, typer.Option("--mend", help="Take altered records out, so that true ones can come.")] = False,
    json_: Json = False,
) -> None:
    """Check everything central holds, from the bytes up: every chain, signature and record. Needs no key.

    Exit 1 if anything does not hold. With --mend a record whose bytes were altered is taken out: it is of no use, and
    nothing takes its place while it is there. The true one comes back with any stick that has it, with `fieldsurvey
    sync export --all STICK` on its laptop, or from a backup. Where more than records is damaged: move the database
    aside, `fieldsurvey central restore FILE`, and import the laptops' sticks.

    Example: fieldsurvey central verify --mend
    """
    with opened_central() as central, progress_bar(_("Verifying"), quiet=json_) as progress:
        gone = discard_altered(central, progress) if mend else ()
        report = central.verify(progress)
    lines = _audit_lines(report)
    if gone:
        text = ngettext(
            "{count} altered record was taken out.", "{count} altered records were taken out.", len(gone)
        ).format(count=len(gone))
        lines.insert(1, text)
    result(json_, {**_audit_data(report), "discarded": [asdict(one) for one in gone]}, "\n".join(lines))
    if not report.sound:
        raise typer.Exit(1)


def _expiry(model: Project | None) -> list[str]:
    """A warning when the project that central serves has expired or soon will; it stops nothing."""
    left = model.days_left(SystemClock().now()) if model else WARN_DAYS
    if left < 0:
        return [
            _("The project expired {n} days ago. Everything goes on; ask the steward for a newer one.").format(n=-left)
        ]
    if left < WARN_DAYS:
        return [_("The project expires in {n} days: ask the steward for a newer one.").format(n=left)]
    return []


def _status_data(found: CentralStatus, model: Project | None) -> dict[str, Any]:
    return {
        "project_expires": model.expires if model else None,
        "place": found.place,
        "project": found.project[0] if found.project else None,
        "project_version": found.project[1] if found.project else None,
        "counts": asdict(found.counts),
        "cases": asdict(found.cases),
        "devices": [_device_data(device) for device in found.devices],
    }


def _device_data(device: DeviceStatus) -> dict[str, Any]:
    log = device.log
    return {
        "device": device.device,
        "name": device.name,
        "standing": device.standing,
        "aside": device.aside,
        "entries": log.entries,
        "last": log.last,
        "whole_to": log.whole_to,
        "gaps": [list(gap) for gap in log.gaps],
        "forks": list(log.forks),
    }


def _status_lines(found: CentralStatus) -> list[str]:
    counts, cases = found.counts, found.cases
    lines = [
        filled(
            _("{place}: {records} records in {entries} log entries of {devices} laptops, {size} KB"),
            place=found.place,
            records=counts.bodies,
            entries=counts.entries,
            devices=len(found.devices),
            size=counts.body_bytes + 1023 >> 10,
        ),
        _("Cases that count: {count}; withdrawn: {withdrawn}").format(count=cases.current, withdrawn=cases.withdrawn),
    ]
    if cases.in_conflict:
        lines.append(_("{count} in conflict: every version is kept").format(count=cases.in_conflict))
    if cases.with_proposals:
        lines.append(_("{count} with a correction proposed by another device").format(count=cases.with_proposals))
    if cases.original_missing:
        lines.append(_("{count} whose first revision has not arrived").format(count=cases.original_missing))
    standing = {"enrolled": _("enrolled"), "quarantined": _("not enrolled"), "revoked": _("revoked")}
    for device in found.devices:
        log = device.log
        lines.append(f"  {device.device[:8]}  {visible(device.name)}  ({standing[device.standing]})")
        lines.append(_("    {entries} entries, whole up to {to}").format(entries=log.entries, to=log.whole_to))
        if log.gaps:
            gaps = ", ".join(f"{one}-{two}" if one < two else str(one) for one, two in log.gaps)
            lines.append(_("    GAP: {gaps} have not arrived").format(gaps=gaps))
        if log.forks:
            forks = ", ".join(str(seq) for seq in log.forks)
            lines.append(
                _("    FORK at {forks}: a cloned or restored laptop; both histories are kept").format(forks=forks)
            )
        if device.aside:
            lines.append(_("    {count} kept aside: they do not count").format(count=device.aside))
    return lines


def _audit_data(report: AuditReport) -> dict[str, Any]:
    return {"sound": report.sound, **asdict(report)}


def _audit_lines(report: AuditReport) -> list[str]:
    looked = _("{entries} entries of {devices} devices looked at.")
    lines = [looked.format(entries=report.entries, devices=report.devices)]
    for problem in report.problems:
        where = f"{problem.device[:8]} {problem.seq}: " if problem.device else ""
        lines.append(f"  {where}{_(problem.what)}")
    if report.sound:
        lines.append(_("Everything holds."))
    else:
        text = _(
            "Something does not hold. Altered records are taken out by: fieldsurvey central verify --mend\n"
            "Missing ones come with sticks that have them; on their laptops: fieldsurvey sync export --all STICK"
        )
        lines.append(text)
    return lines


register_keeping(app)  # last: in `--help` it stands after what is used every day
