"""Withdrawals, whenever central is looked at: what is withdrawn is erased and reported, and who is late is named."""

from __future__ import annotations

from fieldsurvey.base.paths import needs_dir
from fieldsurvey.fieldwork.erasures import Overdue, Reports, overdue
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.keys import HMU
from fieldsurvey.project.model import Project
from fieldsurvey.records.erased import Place
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.tui.central.desk import Desk
from fieldsurvey.tui.withdrawing import backup_to_go
from sync.central import Central
from sync.erasing import makers, settle, trust_of


def settled(central: Central, desk: Desk) -> tuple[Overdue, ...]:
    """As `central status`: erase, report, pass reports on; which places have not reported in time. StorageError."""
    project = central.project()
    if project is None:
        return ()
    now = desk.clock.now()
    settle(central, desk.home, role_key(desk, project), now)
    requests = {tag: stone.requested for tag, stone in Withdrawals(desk.home).of(project.id).items()}
    if not requests:
        return ()
    nothing = [Place.HMU] if (desk.steward / HMU).exists() and not _rounds(desk) else []
    reports = Reports(desk.home, trust_of(central))
    made = makers(central)
    return overdue(requests, project, reports, now.date(), devices_of=lambda tag: made.get(tag, ()), nothing_at=nothing)


def stale_backup(central: Central, desk: Desk) -> str | None:
    """By which day a backup from before an erasure was to be gone, where it is not known to be. Raises StorageError."""
    project = central.project()
    if project is None:
        return None
    reports = Reports(desk.home, trust_of(central))
    return backup_to_go(reports, project.id, central.store.last_backup(), desk.clock.now().date())


def role_key(desk: Desk, project: Project) -> SigningKey | None:
    """Central's, where it lies here and the project names it. Raises KeyFileError, StorageError."""
    if not desk.can_sign:
        return None
    key = desk.key()
    return key if (Role.CENTRAL, key.public) in project.role_keys else None


def _rounds(desk: Desk) -> bool:
    """Whether opened rounds lie here: `*.fso`, as `needs.opened.store` names them."""
    return any((desk.home / needs_dir().name).glob("*.fso"))
