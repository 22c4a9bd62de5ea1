"""The laptop's encrypted SQLite: people, drafts, log, outbox. It sees no form and no answer: bytes in, bytes out."""

from __future__ import annotations

from fieldsurvey.vault.drafts import OpenDraft
from fieldsurvey.vault.sealed_log import Copied, Head, Pin, SealedLog, SlotInfo
from fieldsurvey.vault.vault import LockedVault, Vault, open_locked
from fieldsurvey.vault.verify import Finding, VerifyReport, verify_log, verify_vault

__all__ = [
    "Copied",
    "Finding",
    "Head",
    "LockedVault",
    "OpenDraft",
    "Pin",
    "SealedLog",
    "SlotInfo",
    "Vault",
    "VerifyReport",
    "open_locked",
    "verify_log",
    "verify_vault",
]
