"""What a laptop lets go of, and when. Only signed time counts, and the laptop's clock may only slow it down:

a record's body goes when central signed `backed_up` for it, with this log's own head, and both signed time and the
laptop's clock have passed the policy's days since; a draft goes when both have passed the policy's days since the first
signed time that came after the last work on it, unless it is complete and waits to be sealed; returned work that nobody
unlocked for goes like a draft. Log entries, with the hashes, stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fieldsurvey.project.policy import Policy
from fieldsurvey.vault import LockedVault
from fieldsurvey.vault.errors import VaultInUseError
from fieldsurvey.vault.purge import purge_drafts, purge_records
from fieldsurvey.vault.returned import purge_returns


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """How many record bodies and drafts went; `returned`: files of returned work that nobody unlocked for."""

    records: int = 0
    drafts: int = 0
    returned: int = 0


def purge(locked: LockedVault, policy: Policy, now: datetime) -> PurgeReport:
    """Let go of what the policy says, while locked; drafts wait while somebody is at work. Raises StorageError."""
    signed = locked.signed_time()
    if not signed:
        return PurgeReport()
    trusted = min(datetime.fromisoformat(signed), now.astimezone(UTC))
    records = 0
    if policy.purge_after_receipts:
        before = trusted - timedelta(days=policy.retention.laptop_days_after_backup)
        records = sum(purge_records(log, before) for log in locked.logs())
    untouched = trusted - timedelta(days=policy.retention.draft_days)
    returned = purge_returns(locked, untouched)
    try:
        drafts = purge_drafts(locked, untouched)
    except VaultInUseError:  # one of them may be open on the screen: the next time
        drafts = 0
    if records or drafts or returned:
        locked.store.tidy()
    return PurgeReport(records, drafts, returned)
