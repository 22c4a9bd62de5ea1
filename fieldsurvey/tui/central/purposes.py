"""All long work at central and on a supervisor's laptop, most of it with a stick, and words for what came of it."""

from __future__ import annotations

from collections.abc import Mapping

from fieldsurvey.tui.central.backing import BACKUP_PURPOSES, backup_said
from fieldsurvey.tui.central.pushing import PUSH_PURPOSES, Pushed, push_words
from fieldsurvey.tui.central.relaying import RELAY_PURPOSES, hand_words, take_words
from fieldsurvey.tui.central.sticks import (
    CENTRAL_PURPOSES,
    Purpose,
    ReceiptsWritten,
    Sentence,
    import_words,
    receipt_words,
)
from sync.backups import BackupReport
from sync.carrying import HandReport, TakeReport
from sync.importing import ImportReport

PURPOSES: Mapping[str, Purpose] = {**CENTRAL_PURPOSES, **BACKUP_PURPOSES, **RELAY_PURPOSES, **PUSH_PURPOSES}


def words_of(outcome: object) -> list[Sentence]:
    """What came of any of them."""
    match outcome:
        case ImportReport():
            return import_words(outcome)
        case ReceiptsWritten():
            return receipt_words(outcome)
        case BackupReport():
            return backup_said(outcome)
        case TakeReport():
            return take_words(outcome)
        case HandReport():
            return hand_words(outcome)
        case Pushed():
            return push_words(outcome)
    raise TypeError(type(outcome).__name__)
