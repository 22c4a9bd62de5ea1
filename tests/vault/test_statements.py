"""What changes a vault for good is all or nothing: failing before each SQL statement in turn leaves it as it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fieldsurvey.base.errors import StorageError
from fieldsurvey.records.receipt import Level
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.vault import LockedVault, Vault, open_locked, verify_log
from fieldsurvey.vault.ending import destroy
from fieldsurvey.vault.purge import purge_drafts, purge_records
from fieldsurvey.vault.renewal import begin_after_restore, new_vault, recover
from fieldsurvey.vault.sealed_log import note_signed_time
from tests.vault.conftest import FORM, NOW, OTHER_WORDS, WORDS, make_vault
from tests.vault.test_finalise import Failing
from tests.vault.test_renewal import ESCROW, _receipt, _seal_some

Sealer = Callable[[bytes], bytes]
LATER = NOW + timedelta(days=60)


@pytest.fixture
def worked(vault: Vault, sealed: Sealer) -> LockedVault:
    """Locked: three records, two drafts, a recovery slot, a receipt for a backup, and signed time on both sides."""
    _seal_some(vault, sealed, 3)
    for _ in range(2):
        vault.drafts.create(FORM, b"head", b"snapshot").append(b"change")
    vault.people.keep_recovery(ESCROW.public)
    vault.locked.take_receipt(_receipt(vault.locked, 3, Level.BACKED_UP), NOW)
    purge_drafts(vault.locked, datetime(2000, 1, 1, tzinfo=UTC))
    with vault.locked.store.write() as connection:
        note_signed_time(connection, LATER.isoformat("T", "seconds"))
    vault.close()
    return vault.locked


def _new(locked: LockedVault) -> None:
    new_vault(locked, person="E01", passphrase=OTHER_WORDS, now=NOW, params=FLOOR)


def _restored(locked: LockedVault) -> None:
    begin_after_restore(locked, WORDS, NOW)


def _records(locked: LockedVault) -> None:
    assert purge_records(locked, LATER) == 3


def _drafts(locked: LockedVault) -> None:
    assert purge_drafts(locked, LATER) == 2


def _recovered(locked: LockedVault) -> None:
    recover(locked, ESCROW, "E01", OTHER_WORDS, FLOOR)


def _taken_over(locked: LockedVault) -> None:
    with locked.unlock(OTHER_WORDS) as vault:
        assert vault.take_over_drafts(WORDS) == 2


@pytest.mark.parametrize("work", [_new, _restored, _records, _drafts, _recovered, _taken_over])
def test_all_or_nothing_at_every_statement(worked: LockedVault, work: Callable[[LockedVault], None]) -> None:
    """Whichever statement fails, every table is as before, byte by byte, and doing it again works."""
    if work is _taken_over:
        _new(worked)
    store = worked.store
    whole = store.connection
    before = list(whole.iterdump())
    failures = 0
    while True:
        store.connection = Failing(whole, failures)  # type: ignore[assignment]
        try:
            work(worked)
        except StorageError:
            store.connection = whole
            assert list(whole.iterdump()) == before
            failures += 1
            continue
        finally:
            store.connection = whole
        break
    assert failures >= 5  # reads, begin, what is written, commit
    assert list(whole.iterdump()) != before
    assert verify_log(worked).whole


def test_destroying_is_all_or_nothing_until_it_is_done(tmp_path: Path) -> None:
    """While a statement can fail the words open all there was; then there is no file left to open."""
    path = tmp_path / "vault.db"
    made = make_vault(path)
    made.drafts.create(FORM, b"head", b"snapshot")
    made.close()
    made.locked.close()
    failures = 0
    while path.exists():
        locked = open_locked(path)
        whole = locked.store.connection
        locked.store.connection = Failing(whole, failures)  # type: ignore[assignment]
        try:
            destroy(locked)
        except StorageError:
            locked.store.connection = whole
            with locked.unlock(WORDS) as vault:
                assert len(vault.drafts.ids()) == 1
            failures += 1
        finally:
            whole.close()
    assert failures >= 9
    assert list(tmp_path.iterdir()) == []
