"""The tally: sealed with the record or not at all, one row a case, nothing of it to be had without the vault key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fieldsurvey.base.errors import StorageError
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.vault import Vault, open_locked
from fieldsurvey.vault.attachments import finalise_with_parts
from fieldsurvey.vault.renewal import begin_after_restore, new_vault
from tests.vault.canaries import search
from tests.vault.conftest import FORM, NOW, OTHER_WORDS, WORDS
from tests.vault.test_finalise import Failing
from tests.vault.test_migrations import old  # noqa: F401 - a fixture

Sealer = Callable[[bytes], bytes]
CANARY = "cuota-canaria-Ñ-73311"


def _draft(vault: Vault) -> str:
    return vault.drafts.create(FORM, b"head", b"snapshot").draft_id


def _contents(vault: Vault) -> list[bytes | None]:
    return sorted((row.content for row in vault.tally.kept()), key=repr)


def test_a_case_has_one_row(vault: Vault, sealed: Sealer) -> None:
    """A second record of the case, as a revision is, takes the place of the first; another case has its own."""
    for payload, count in ((b"one", b"1"), (b"two", b"2"), (b"one", b"3")):
        vault.finalise(_draft(vault), sealed(payload), count=count)
    assert _contents(vault) == [b"2", b"3"]
    assert vault.tally.drop([vault.tally.kept()[0].name, b"no such row"]) == 1
    assert len(vault.tally.kept()) == 1


@pytest.mark.parametrize("parts", [False, True])
def test_it_is_written_with_the_record_or_not_at_all(vault: Vault, sealed: Sealer, parts: bool) -> None:
    """Whichever statement fails, all tables are as before; in the end log and tally both have the case."""
    draft, record = _draft(vault), sealed(b"one")
    whole = vault.locked.store.connection
    before = list(whole.iterdump())
    failures = 0
    while True:
        vault.locked.store.connection = Failing(whole, failures)  # type: ignore[assignment]
        try:
            if parts:
                finalise_with_parts(vault, draft, [], lambda _parts: record, count=b"1")
            else:
                vault.finalise(draft, record, count=b"1")
        except StorageError:
            vault.locked.store.connection = whole
            assert list(whole.iterdump()) == before
            failures += 1
            continue
        finally:
            vault.locked.store.connection = whole
        break
    assert failures >= 6
    assert (vault.locked.head().seq, _contents(vault)) == (1, [b"1"])


def test_locked_it_says_nothing(vault: Vault, sealed: Sealer) -> None:
    """No content and no case is in the file beside the record, whatever it counts for all rows are of one length."""
    case = b"one".hex().ljust(32, "0")
    vault.finalise(_draft(vault), sealed(b"one"), count=CANARY.encode())
    vault.finalise(_draft(vault), sealed(b"two"), count=b"")
    folder = vault.locked.path.parent
    assert search(folder, [CANARY]) == []
    rows = vault.locked.store.rows("SELECT name, box FROM tally")
    assert len({len(box) for _name, box in rows}) == 1
    assert not any(bytes.fromhex(case) in name + box for name, box in rows)
    (folder / "planted").write_bytes(CANARY.encode())
    assert search(folder, [CANARY]) != []


def test_a_row_opens_in_its_place_only(vault: Vault, sealed: Sealer) -> None:
    """Damaged, or under another row's name, it is no row; the others still count."""
    for payload in (b"one", b"two", b"three"):
        vault.finalise(_draft(vault), sealed(payload), count=payload)
    first, second, _third = (row.name for row in vault.tally.kept())
    with vault.locked.store.write() as connection:
        moved = "UPDATE tally SET box = (SELECT box FROM tally WHERE name = ?) WHERE name = ?"
        connection.execute(moved, (first, second))
        connection.execute("UPDATE tally SET box = substr(box, 2) WHERE name = ?", (first,))
    assert [row.content is None for row in vault.tally.kept()] == [True, True, False]


def test_a_vault_of_long_ago_keeps_its_records_and_says_that_they_are_not_counted(old: Path) -> None:  # noqa: F811
    """The tally begins empty, and the day of the migration stands beside it; a new vault has no such day."""
    with open_locked(old).unlock(WORDS) as vault:
        assert vault.tally.kept() == []
        assert len(vault.tally.since()) == len("2026-03-01")
        assert vault.locked.head().seq == 2


def test_a_new_vault_has_no_such_day(vault: Vault) -> None:
    """Nothing was sealed that is not counted."""
    assert vault.tally.since() == ""


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_new_log_keeps_what_can_be_read(vault: Vault, sealed: Sealer, forgotten: bool) -> None:
    """After a restore the rows are there; where the words were forgotten they go: nothing opens them. Both say so."""
    vault.finalise(_draft(vault), sealed(b"one"), count=b"1")
    vault.close()
    locked = vault.locked
    if forgotten:
        new_vault(locked, person="E01", passphrase=OTHER_WORDS, now=NOW, params=FLOOR)
    else:
        begin_after_restore(locked, WORDS, NOW)
    with locked.unlock(OTHER_WORDS if forgotten else WORDS) as opened:
        assert _contents(opened) == ([] if forgotten else [b"1"])
        assert opened.tally.since() == NOW.date().isoformat()
