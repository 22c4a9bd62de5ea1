"""The laptop's encrypted SQLite: people, drafts, log, outbox. It sees no form and no answer: bytes in, bytes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldsurvey.base.later import later

if TYPE_CHECKING:
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

# A server at central names these for what it says about laptops: each loads when it is used.
_WHERE = {
    "OpenDraft": "fieldsurvey.vault.drafts",
    **dict.fromkeys(("Copied", "Head", "Pin", "SealedLog", "SlotInfo"), "fieldsurvey.vault.sealed_log"),
    **dict.fromkeys(("LockedVault", "Vault", "open_locked"), "fieldsurvey.vault.vault"),
    **dict.fromkeys(("Finding", "VerifyReport", "verify_log", "verify_vault"), "fieldsurvey.vault.verify"),
}

__getattr__ = later(__name__, _WHERE)
