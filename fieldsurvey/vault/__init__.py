"""The laptop's encrypted SQLite: people, drafts, log, outbox. It sees no form and no answer: bytes in, bytes out."""

from __future__ import annotations

from fieldsurvey.vault.drafts import OpenDraft
from fieldsurvey.vault.sealed_log import Copied, Head, Pin, SealedLog, SlotInfo
from fieldsurvey.vault.vault import LockedVault, Vault, open_locked

__all__ = ["Copied", "Head", "LockedVault", "OpenDraft", "Pin", "SealedLog", "SlotInfo", "Vault", "open_locked"]
