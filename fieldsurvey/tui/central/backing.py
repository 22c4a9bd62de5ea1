"""A backup of central from the screen, and what came of it in words. Laptops purge only what a backup holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_, ngettext
from fieldsurvey.base.visible import visible
from fieldsurvey.tui.central.desk import Desk
from fieldsurvey.tui.central.erasing import role_key
from fieldsurvey.tui.central.job import Stop, Told
from fieldsurvey.tui.central.sticks import Purpose, Sentence, out_words, stopping
from sync.backups import BackupReport, back_up
from sync.covering import KEEP_DAYS
from sync.errors import NothingHereError, StoppedError


class BackupStoppedError(StoppedError):
    """Stopped: a backup is one piece, and holds all of central or nothing."""

    code = "refused.backup_stopped"
    template = "The backup was stopped before it was finished."
    hint = "Nothing of it was left, and earlier backups stay as they are. The next one starts again from the beginning."


def make_backup(desk: Desk, place: Path, told: Told, stop: Stop) -> BackupReport:
    """A verified backup in `place`.

    Raises what `back_up` raises, BackupStoppedError, NothingHereError before any import.
    """
    if not desk.begun:
        raise NothingHereError(place=str(desk.home))
    with desk.central() as central:
        key = role_key(desk, central.trusted) if central.trusted is not None else None
        tell = stopping(told, stop, BackupStoppedError)
        project = desk.project()
        return back_up(central, desk.home, place, key=key, project=project, clock=desk.clock, progress=tell)


def backup_said(done: BackupReport) -> list[Sentence]:
    """What was written and checked, what it frees laptops to do, what was removed."""
    text = ngettext(
        "{count} record copied, checked from the bytes up, written and read back.",
        "{count} records copied, checked from the bytes up, written and read back.",
        done.counts.bodies,
    )
    lines = [
        Sentence(True, text.format(count=done.counts.bodies)),
        Sentence(True, _("{path}, {size} KB").format(path=visible(done.path), size=done.size + 1023 >> 10)),
        _freed(done),
    ]
    if done.removed:
        text = ngettext(
            "{count} backup older than {days} days was removed, so that what was withdrawn is gone.",
            "{count} backups older than {days} days were removed, so that what was withdrawn is gone.",
            len(done.removed),
        )
        lines.append(Sentence(True, text.format(count=len(done.removed), days=KEEP_DAYS)))
    if done.problem is not None:
        lines.append(
            Sentence(
                False,
                _("An older backup could not be removed. {reason}").format(reason=done.problem),
                _("Remove backups older than {days} days by hand: what was withdrawn must go.").format(days=KEEP_DAYS),
            )
        )
    return [*lines, *out_words()]


def _freed(done: BackupReport) -> Sentence:
    if done.signed:
        return Sentence(True, _("The next receipts say that it is backed up: laptops may then let go of their copies."))
    return Sentence(
        False,
        _("NOT SIGNED: central.key and the project are not here. Laptops let go of nothing after it."),
        _("Back up again where they are: in the folder steward of FIELDSURVEY_HOME."),
    )


BACKUP_PURPOSES: Mapping[str, Purpose] = {
    "backup": Purpose(
        "backup",
        n_("Back central up"),
        n_("Backing up to"),
        n_("A copy of all of central, checked from the bytes up. Keep it on another disk than central's own."),
        n_("To where?"),
        make_backup,
        stopping=n_("stopping; the next backup starts again from the beginning …"),
    )
}
