"""Makes tests/vault/golden/backup-1.fsv: `python -m tests.vault.make_golden`. Once: a golden file is kept for ever.

Synthetic. A laptop's backup of format version 1 with all that one can hold: a log and a former log, records, a draft
with changes and a file, people, a recovery slot, receipts, a withdrawal.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Final

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.custody import backup, begin_again
from fieldsurvey.fieldwork.withdrawals import withdraw
from fieldsurvey.project.policy import Policy
from fieldsurvey.records.receipt import Level
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.withdrawal import WithdrawalCode
from fieldsurvey.vault.attachments import DraftFiles
from tests.fieldwork.conftest import NOW, OTHER_WORDS, WORDS, SyntheticProject, join
from tests.fieldwork.test_retention import receipt

GOLDEN: Final = Path(__file__).parent / "golden" / "backup-1.fsv"
EXPECTED: Final = GOLDEN.with_suffix(".json")
ESCROW: Final = RecipientPrivate(hashlib.sha256(b"golden escrow").digest())
OPERATIONAL: Final = RecipientPrivate(hashlib.sha256(b"golden operational").digest())
CODE: Final = WithdrawalCode(7)
STORY: Final = "told before the backup"
FILE: Final = b"synthetic picture" * 100


def _records(laptop: Laptop, words: str, count: int) -> None:
    session = laptop.unlock(words)
    for _ in range(count):
        work = session.start("synthetic")
        work.answer("/data/story", "told")
        work.finalise()
    session.close()


def main() -> None:
    """Write it."""
    project = SyntheticProject()
    project.operational, project.escrow = OPERATIONAL, ESCROW
    project.policy = Policy(recovery_slot=True)
    with tempfile.TemporaryDirectory() as folder:
        laptop = join(Path(folder) / "home", project, FixedClock(NOW))
        _records(laptop, WORDS, 3)
        laptop.locked.take_receipt(receipt(laptop.locked, 2, Level.BACKED_UP), NOW)
        begin_again(laptop, "E01", OTHER_WORDS, FLOOR)
        _records(laptop, OTHER_WORDS, 2)
        with laptop.unlock(OTHER_WORDS).vault as vault:
            vault.people.add("E02", WORDS, FLOOR)
        session = laptop.unlock(OTHER_WORDS)
        work = session.start("synthetic")
        work.answer("/data/story", STORY)
        work.next()
        work.close()
        file = DraftFiles(laptop.home, work.draft_id).add([FILE])
        session.close()
        withdraw(laptop.locked, CODE, NOW.date())
        made = backup(laptop, Path(folder) / "out").path
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_bytes(made.read_bytes())
        expected = {
            "devices": [log.device_card().device for log in laptop.locked.logs()],
            "heads": [log.head().head.hex() for log in laptop.locked.logs()],
            "draft": work.draft_id,
            "file": [file.id, file.key, file.size],
        }
        EXPECTED.write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
