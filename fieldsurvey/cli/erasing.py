"""Withdrawals in the commands of the HMU: applied before anything is read of an opened round."""

from __future__ import annotations

from pathlib import Path

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import RefusedError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.cli.common import Json, command, passphrase, result
from fieldsurvey.cli.overdue import has_rounds, said_overdue
from fieldsurvey.fieldwork.erasures import Reports
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.needs.opened.erasing import Cleared, clear_rounds, taken_from
from fieldsurvey.project.keys import HmuKeys, open_hmu, people_needed
from fieldsurvey.project.model import Project
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.project.steward import read_steward
from fieldsurvey.records.erased import Place
from fieldsurvey.records.receipt import Role
from sync.central import Central
from sync.erasing import hand_on, learn_withdrawals, trust_of
from sync.place import central_exists, open_central


class CentralNeededError(RefusedError):
    """Withdrawals are known, rounds are open, and what says which records they name is not here."""

    code = "needs.central_needed"
    template = "{count} withdrawals are known here, and central, which says which records they name, is not in {place}."
    hint = "Nothing was read. Bring central back, so that they are erased first: `fieldsurvey central restore FILE`."


class RoundNotClearedError(RefusedError):
    """A round's file does not open, so that nobody can say that a withdrawn case is not in it."""

    code = "needs.not_cleared"
    template = "Withdrawals could not be erased from these opened rounds: {rounds}."
    hint = "All others are done. Open each of them again, then it is without them: fieldsurvey needs open --round R"


def hmu_keys() -> HmuKeys:
    """Asks for as many passphrases as hmu.key needs people."""
    given = [passphrase("HMU", _("Passphrase of the HMU"))]
    if people_needed(paths.steward_dir()) > 1:
        given.append(passphrase("HMU2", _("Passphrase of the second person of the HMU")))
    return open_hmu(paths.steward_dir(), given)


def clear_here(project: SignedProject, keys: HmuKeys) -> Cleared:
    """At the HMU, before anything is read of an opened round: take out what is withdrawn, and report it.

    Raises CentralNeededError, RoundNotClearedError (after all others are done), StorageError.
    """
    home, model = paths.home(), project.model
    if not central_exists(home):
        count = len(Withdrawals(home).of(model.id))
        if count and has_rounds():
            raise CentralNeededError(count=count, place=str(home))
        return Cleared()
    with open_central(home) as central:
        central.learn(model)
        learn_withdrawals(central, home)
        central.erase()
        taken = taken_from(central)
        cleared = clear_rounds(taken, keys)
        if not cleared.failed:
            _report(central, home, model, keys, cleared)
    if cleared.failed:
        raise RoundNotClearedError(rounds=", ".join(f"{name} ({why.message})" for name, why in cleared.failed))
    return cleared


def _report(central: Central, home: Path, model: Project, keys: HmuKeys, cleared: Cleared) -> None:
    erased = {tag: cleared.records[tag] for tag in Withdrawals(home).of(model.id)}
    if erased and (Role.HMU, keys.sign.public) in model.role_keys:
        reports = Reports(home, trust_of(central))
        reports.write(Place.HMU, keys.sign, model.id, erased, SystemClock().now())
        hand_on(central, reports)


def cleared_lines(cleared: Cleared) -> list[str]:
    """What left the opened rounds, in words; nothing when nothing did."""
    count = cleared.records.total()
    if not count:
        return []
    text = ngettext(
        "{count} withdrawn record was erased from {rounds}.",
        "{count} withdrawn records were erased from {rounds}.",
        count,
    )
    return [text.format(count=count, rounds=", ".join(cleared.rounds))]


def register(app: typer.Typer) -> None:
    """Add `erase` to `fieldsurvey needs`."""

    @app.command("erase")
    @command
    def erase(json_: Json = False) -> None:
        """Take withdrawn cases out of every opened round, and report it. Asks for the HMU's passphrase.

        Every command that reads an opened round does this first, by itself. Use this one when no other is due, within
        the policy's days after a withdrawal. What is published stays; the next release leaves the case out.

        Example: fieldsurvey needs erase
        """
        project = read_steward(paths.steward_dir())
        cleared = clear_here(project, hmu_keys())
        due, loud = said_overdue()
        lines = cleared_lines(cleared) or [_("No opened round holds anything of a withdrawn case.")]
        data = {"records_erased": cleared.records.total(), "rounds": list(cleared.rounds), "overdue": due}
        result(json_, data, "\n".join([*lines, *loud]))
