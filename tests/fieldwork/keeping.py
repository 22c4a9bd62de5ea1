"""Restoring a synthetic laptop and reading its whole log, as tests of its keeping say it."""

from __future__ import annotations

from pathlib import Path

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork.custody import (
    Restored,
    Restoring,
    find_backup,
)
from fieldsurvey.records.envelope import record_hash
from fieldsurvey.records.log import verify_run
from fieldsurvey.vault import SealedLog
from tests.fieldwork.conftest import WORDS


def restore(home: Path, place: Path, clock: FixedClock, words: str = WORDS) -> Restored:
    """Into an empty home, with one person's words."""
    with Restoring(home, find_backup(place), clock) as restoring:
        return restoring.finish(words)


def whole(log: SealedLog) -> list[bytes]:
    """The records of a log whose chain and signatures hold."""
    pairs = list(log.entries())
    card = log.device_card()
    verify_run(card.sign_key, card.project, card.device, None, [entry for entry, _ in pairs], every_signature=True)
    assert all(record_hash(record) == entry.record_hash for entry, record in pairs)
    return [record for _, record in pairs]
