"""A backup of format version 1, made once and kept for ever, is restored with all that it holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.custody import Restoring, recover_person
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.records.envelope import open_record
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.vault import verify_vault
from fieldsurvey.vault.attachments import DraftFiles, StoredFile
from tests.fieldwork.conftest import NOW, OTHER_WORDS, WORDS
from tests.vault.make_golden import CODE, ESCROW, EXPECTED, FILE, GOLDEN, OPERATIONAL, STORY

NEW_WORDS = "barco luna tigre salto norte queso"


@pytest.fixture
def restored(tmp_path: Path) -> Laptop:
    """With the words of E01."""
    with Restoring(tmp_path / "home", GOLDEN, FixedClock(NOW)) as restoring:
        return restoring.finish(OTHER_WORDS).laptop


def test_the_golden_backup_is_restored_whole(restored: Laptop) -> None:
    """Three logs now, each record opens at the HMU, the draft and its file open, the withdrawal stands."""
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    logs = restored.locked.logs()
    assert [log.device_card().device for log in logs[:2]] == expected["devices"]
    assert [log.head().head.hex() for log in logs[:2]] == expected["heads"]
    assert [log.head().seq for log in logs] == [3, 2, 0]
    assert logs[0].acknowledged() == {"backed_up": 2}
    for log in logs:
        assert all(b"told" in open_record(record, OPERATIONAL).payload for _, record in log.entries())
    session = restored.unlock(OTHER_WORDS)
    report = verify_vault(session.vault)
    assert (report.whole, report.entries, report.former, report.slots, report.drafts) == (True, 5, 2, 2, 1)
    work = session.resume(expected["draft"])
    assert work.interview.question("/data/story").value == STORY
    file_id, key, size = expected["file"]
    assert b"".join(DraftFiles(restored.home, expected["draft"]).read(StoredFile(file_id, key, size))) == FILE
    session.close()
    with restored.locked.unlock(WORDS) as other:
        assert other.person == "E02"
    assert Withdrawals(restored.home).holds(CODE.tag(restored.project.model.id))


def test_the_golden_recovery_slot_opens(restored: Laptop) -> None:
    """With the escrow key of its day E01 gets new words."""
    recover_person(restored, ESCROW, "E01", NEW_WORDS, FLOOR)
    session = restored.unlock(NEW_WORDS)
    assert len(session.drafts()) == 1
    session.close()
