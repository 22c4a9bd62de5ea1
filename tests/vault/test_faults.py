"""Full disk, read-only files, a killed process: a typed error, nothing acknowledged is lost, it works afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.files import NoSpaceError, NotWritableError
from fieldsurvey.vault import Vault, open_locked, verify_vault
from tests.vault.conftest import FORM, WORDS, make_vault

Sealer = Callable[[bytes], bytes]


def _fill(vault: Vault) -> None:
    """From now on the database cannot grow by a page."""
    connection = vault.locked.store.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    assert connection.execute(f"PRAGMA max_page_count={pages}").fetchone()[0] == pages


def _empty(vault: Vault) -> None:
    vault.locked.store.connection.execute("PRAGMA max_page_count=1000000")


def test_a_full_disk_while_saving_loses_nothing(vault: Vault) -> None:
    """Saves until it is full: the one that failed said so, all before it are there, and its retry works."""
    draft = vault.drafts.create(FORM, b"head", b"snapshot")
    _fill(vault)
    saved = 0
    with pytest.raises(NoSpaceError):
        while True:
            draft.append(b"%d" % saved)
            saved += 1
    assert not vault.locked.store.connection.in_transaction
    assert vault.drafts.open(draft.draft_id).changes == [b"%d" % n for n in range(saved)]
    _empty(vault)
    draft.append(b"%d" % saved)
    assert vault.drafts.open(draft.draft_id).changes == [b"%d" % n for n in range(saved + 1)]


def test_a_full_disk_at_a_snapshot_or_a_new_draft(vault: Vault) -> None:
    """A snapshot that does not fit leaves the old one and the changes; a draft that does not fit is not there."""
    draft = vault.drafts.create(FORM, b"head", b"snapshot")
    draft.append(b"change")
    _fill(vault)
    with pytest.raises(NoSpaceError):
        draft.rebase(b"head", bytes(100_000))
    with pytest.raises(NoSpaceError):
        vault.drafts.create(FORM, b"", bytes(100_000))
    again = vault.drafts.open(draft.draft_id)
    assert (again.snapshot, again.changes) == (b"snapshot", [b"change"])
    assert vault.drafts.ids() == [draft.draft_id]
    _empty(vault)
    draft.rebase(b"head", bytes(100_000))
    assert vault.drafts.open(draft.draft_id).snapshot == bytes(100_000)


def test_a_full_disk_while_finalising_keeps_the_draft(vault: Vault, sealed: Sealer) -> None:
    """The log has not grown, the draft opens, and the same call works once there is room."""
    draft = vault.drafts.create(FORM, b"head", b"snapshot")
    record = sealed(bytes(50_000))
    _fill(vault)
    with pytest.raises(NoSpaceError):
        vault.finalise(draft.draft_id, record)
    assert vault.locked.head().seq == 0
    assert vault.drafts.open(draft.draft_id).snapshot == b"snapshot"
    _empty(vault)
    assert vault.finalise(draft.draft_id, record).seq == 1


_WORK = """
import sys
from pathlib import Path
from fieldsurvey.records.envelope import Header, seal
from fieldsurvey.vault import open_locked
from tests.vault.conftest import FORM, HMU, PROJECT
vault = open_locked(Path(sys.argv[1])).unlock(sys.argv[2])
n = 0
while True:
    draft = vault.drafts.create(FORM, b"head", b"snapshot")
    print("draft", draft.draft_id, flush=True)
    for k in range(7):
        draft.append(b"%d" % k)
        print("saved", draft.draft_id, k, flush=True)
    if n % 2:
        record = seal(Header(project=PROJECT, device=vault.device, case="%032x" % n), b"payload", [HMU.public])
        print("finalised", draft.draft_id, vault.finalise(draft.draft_id, record).seq, flush=True)
    n += 1
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX; TerminateProcess is tried by hand")
@pytest.mark.parametrize("lines", [3, 9, 12, 17, 40])
def test_killed_in_the_middle(tmp_path: Path, lines: int) -> None:
    """SIGKILL after so many acknowledgements: each one printed is there when the vault is opened again."""
    path = tmp_path / "vault.db"
    make_vault(path).close()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", _WORK, str(path), WORDS], stdout=subprocess.PIPE, text=True, env=environment
    ) as worker:
        assert worker.stdout is not None
        said = [worker.stdout.readline().split() for _ in range(lines)]
        worker.send_signal(signal.SIGKILL)
        said += [line.split() for line in worker.stdout.read().splitlines()]
    saved: dict[str, int] = {}
    sealed = 0
    for words in said:
        if words[0] == "saved":
            saved[words[1]] = int(words[2]) + 1
        elif words[0] == "finalised":
            saved.pop(words[1])
            sealed = int(words[2])
    with open_locked(path).unlock(WORDS) as vault:
        assert verify_vault(vault).whole
        assert vault.locked.head().seq in {sealed, sealed + 1}  # one may be durable that was not yet acknowledged
        held = {draft_id: len(vault.drafts.open(draft_id).changes) for draft_id in vault.drafts.ids()}
        lost = {draft_id for draft_id, count in saved.items() if held.get(draft_id, 0) < count}
        assert len(lost) <= vault.locked.head().seq - sealed  # that one's draft went with it


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root writes read-only files")
def test_a_read_only_folder_says_so(tmp_path: Path) -> None:
    """Opening a vault whose folder cannot be written is a typed error."""
    path = tmp_path / "vault.db"
    make_vault(path).close()
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError):
            open_locked(path).unlock(WORDS).drafts.create(FORM, b"", b"")
    finally:
        tmp_path.chmod(0o700)


def test_a_connection_made_read_only_refuses_and_keeps(vault: Vault) -> None:
    """A medium that turns read-only in the middle: the save is refused with a sentence, what was saved stays."""
    draft = vault.drafts.create(FORM, b"", b"")
    draft.append(b"kept")
    vault.locked.store.connection.execute("PRAGMA query_only=ON")
    with pytest.raises(NotWritableError):
        draft.append(b"refused")
    vault.locked.store.connection.execute("PRAGMA query_only=OFF")
    draft.append(b"again")
    assert vault.drafts.open(draft.draft_id).changes == [b"kept", b"again"]
