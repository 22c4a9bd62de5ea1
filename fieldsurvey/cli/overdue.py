"""Withdrawals in the commands of central: erased and reported whatever the command, and said where they are overdue.

Without the tables' library, which costs start-up time: opened rounds are for `cli.erasing`.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any, Final

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.cli.common import tell
from fieldsurvey.fieldwork.erasures import Overdue, Reports, Standing, overdue, standings
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.keys import CENTRAL, HMU, read_role_key
from fieldsurvey.project.model import Project
from fieldsurvey.records.erased import Place
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.tui.withdrawing import backup_to_go, backup_to_go_line, overdue_lines
from sync.central import Central
from sync.erasing import Settled, makers, settle, trust_of
from sync.place import central_exists, open_central

ROUNDS: Final = "*.fso"
"""Opened rounds, as `needs.opened.store` names them."""


def central_key(project: Project) -> SigningKey | None:
    """Central's role key where it lies here and the project names it."""
    path = paths.steward_dir() / CENTRAL
    if not path.exists():
        return None
    key = read_role_key(path).key
    return key if (Role.CENTRAL, key.public) in project.role_keys else None


def settle_here(central: Central) -> Settled:
    """At central, whatever the command: erase what is withdrawn, and report it."""
    project = central.project()
    key = central_key(project) if project is not None else None
    return settle(central, paths.home(), key, SystemClock().now())


def overdue_here(central: Central | None, project: Project, today: date | None = None) -> tuple[Overdue, ...]:
    """Which places have not reported, as far as this home knows."""
    home = paths.home()
    requests = {tag: stone.requested for tag, stone in Withdrawals(home).of(project.id).items()}
    if not requests or central is None:
        return ()
    made = makers(central)
    nothing = [Place.HMU] if (paths.steward_dir() / HMU).exists() and not has_rounds() else []
    return overdue(
        requests,
        project,
        Reports(home, trust_of(central)),
        today or SystemClock().now().date(),
        devices_of=lambda tag: made.get(tag, ()),
        nothing_at=nothing,
    )


def stale_backup(central: Central, project: Project, today: date | None = None) -> list[str]:
    """Said loudly where backups from before an erasure should be gone by now, and no later backup removed them."""
    day = today or SystemClock().now().date()
    late = backup_to_go(Reports(paths.home(), trust_of(central)), project.id, central.store.last_backup(), day)
    return [backup_to_go_line(late)] if late is not None else []


def said_overdue() -> tuple[list[dict[str, Any]], list[str]]:
    """For commands that need no key: what is overdue as data and in words."""
    if not central_exists(paths.home()):
        return [], []
    with open_central(paths.home()) as central:
        project = central.project()
        found = overdue_here(central, project) if project is not None else ()
    return [asdict(one) for one in found], overdue_lines(found)


def warn_overdue(*, quiet: bool) -> None:
    """On the error channel, so that what a command prints stays what it prints; not with `--json`."""
    for line in [] if quiet else said_overdue()[1]:
        tell(line)


def standings_here(central: Central, project: Project, tag: str, requested: str) -> tuple[Standing, ...]:
    """Place by place, as far as central knows."""
    reports = Reports(paths.home(), trust_of(central))
    today = SystemClock().now().date()
    return standings(tag, requested, project, reports, today, devices=makers(central).get(tag, ()))


def has_rounds() -> bool:
    """Whether an opened round lies here."""
    return any(paths.needs_dir().glob(ROUNDS))
