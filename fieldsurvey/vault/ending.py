"""The end of a vault: first what opens it, then what it holds, then its files."""

from __future__ import annotations

import contextlib
import os
from typing import Final

from fieldsurvey.base.files import storage_error
from fieldsurvey.vault.backup import discard
from fieldsurvey.vault.vault import LockedVault, hold

_PIECE: Final = 1 << 20


def destroy(locked: LockedVault) -> None:
    """Destroy every slot and key in one transaction, then overwrite and remove the files; closes `locked`.

    After the transaction nothing opens any more, whatever becomes of the rest: a file system or flash storage may keep
    old blocks, and they hold ciphertext alone. Raises VaultInUseError, StorageError.
    """
    guard = hold(locked.path)
    try:
        with locked.store.write() as connection:
            for table in ("slot", "former_slot", "draft_key", "draft_age", "change", "draft", "outbox"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the line above
            connection.execute("UPDATE device SET secrets = zeroblob(92), carrier = zeroblob(33)")
            connection.execute("UPDATE former SET carrier = zeroblob(33)")
        locked.store.tidy()
        locked.close()
        _overwrite(locked)
    finally:
        guard.release()
    discard(locked.path)


def _overwrite(locked: LockedVault) -> None:
    for suffix in ("", "-wal"):
        path = locked.path.with_name(locked.path.name + suffix)
        with contextlib.suppress(FileNotFoundError):
            left = path.stat().st_size
            try:
                with path.open("r+b") as handle:
                    while left:
                        left -= handle.write(os.urandom(min(left, _PIECE)))
                    handle.flush()
                    os.fsync(handle.fileno())
            except OSError as error:
                raise storage_error(error, path) from error
