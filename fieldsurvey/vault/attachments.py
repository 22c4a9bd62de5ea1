"""The files of drafts: each encrypted in chunks in a file of its own beside the vault, and the sealing of their parts.

The key of each is random and is kept by the caller, in the draft: when the draft goes, what the disk may still hold of
the file opens with nothing. A file is written whole or not at all, and never in the clear.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.base.files import fsync_folder, storage_error, write_atomic
from fieldsurvey.records.envelope import read_header, record_hash
from fieldsurvey.records.labels import bind
from fieldsurvey.records.log import LogEntry, next_entry
from fieldsurvey.vault.errors import NotOurRecordError, VaultDamagedError
from fieldsurvey.vault.returned import note_sealed
from fieldsurvey.vault.vault import LockedVault, Vault

DRAFT_FILE: Final = "fieldsurvey/1/vault/draft file"
FOLDER: Final = "attachments"
_KEY: Final = 32
_PIECE: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An encrypted file of a draft. `id`: 32 hexadecimal digits; `key`: 64 of them, secret; `size` in bytes."""

    id: str
    key: str = field(repr=False)
    size: int


class DraftFiles:
    """Those of one draft, in `home`/attachments/draft id."""

    def __init__(self, home: Path, draft_id: str) -> None:
        self._draft = bytes.fromhex(draft_id)
        self.folder = home / FOLDER / draft_id

    def add(self, content: Iterable[bytes]) -> StoredFile:
        """Encrypt and keep a file, durable on return; whatever `content` raises leaves nothing. Raises StorageError."""
        name, key = secrets.token_hex(16), os.urandom(_KEY)
        size = 0

        def encrypted() -> Iterator[bytes]:
            nonlocal size
            encryptor = Cobblestone256Encryptor(key, self._context(name))
            for piece in content:
                size += len(piece)
                yield encryptor.update(piece)
            yield encryptor.finalize()

        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fsync_folder(self.folder.parent)
        except OSError as error:
            raise storage_error(error, self.folder) from error
        path = self.folder / name
        try:
            write_atomic(path, encrypted(), private=True)
        finally:
            path.with_name(path.name + ".part").unlink(missing_ok=True)
        return StoredFile(name, key.hex(), size)

    def read(self, file: StoredFile) -> Iterator[bytes]:
        """Its bytes in pieces; nothing may be kept unless the end came. Raises VaultDamagedError, StorageError."""
        decryptor = Cobblestone256Decryptor(bytes.fromhex(file.key), self._context(file.id))
        size = 0
        try:
            with (self.folder / file.id).open("rb") as handle:
                while piece := handle.read(_PIECE):
                    opened = decryptor.update(piece)
                    size += len(opened)
                    yield opened
            last = decryptor.finalize()
        except InvalidTag:
            raise VaultDamagedError(what="attachment") from None
        except FileNotFoundError:
            raise VaultDamagedError(what="attachment is missing") from None
        except OSError as error:
            raise storage_error(error, self.folder) from error
        if size + len(last) != file.size:
            raise VaultDamagedError(what="attachment")
        yield last

    def remove(self, file_id: str) -> None:
        """Delete one; its key is what its draft must forget."""
        (self.folder / file_id).unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete all of them. What cannot be deleted now goes with `sweep`; nothing opens it any more."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _context(self, name: str) -> bytes:
        return bind(DRAFT_FILE, self._draft, bytes.fromhex(name))


def sweep(vault: Vault) -> int:
    """Delete the files of drafts that are gone, as after a crash between sealing and deleting; how many drafts' files.

    Nobody's living draft loses any: whose drafts there are is not secret to the vault.
    """
    return sweep_locked(vault.locked)


def sweep_locked(locked: LockedVault) -> int:
    """The same, by whoever holds the vault so that nobody is at work in it."""
    top = locked.path.parent / FOLDER
    if not top.is_dir():
        return 0
    living = {raw.hex() for (raw,) in locked.store.rows("SELECT id FROM draft")}
    gone = [folder for folder in top.iterdir() if folder.name not in living]
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)
    return len(gone)


def finalise_with_parts(
    vault: Vault,
    draft_id: str,
    parts: Iterable[bytes],
    record: Callable[[list[bytes]], bytes],
    *,
    count: bytes | None = None,
) -> LogEntry:
    """Append the sealed parts of a draft's files, then its record, and delete the draft, all in one transaction.

    `record(record hashes of the parts)` gives the record; `count` is as in `Vault.finalise`. One part is in memory at a
    time. Raises what
    `Vault.finalise` raises, and whatever `parts` or `record` raise; then the draft and the log are as they were.
    """
    store = vault.locked.store
    with store.write() as connection:
        hashes: list[bytes] = []
        last = vault.locked.last_entry()
        for blob in parts:
            last = _entry(vault, last, blob, "attachment")
            vault.locked.append(connection, last, blob)
            hashes.append(last.record_hash)
        blob = record(hashes)
        last = _entry(vault, last, blob, "record")
        vault.locked.append(connection, last, blob)
        if count is not None:
            vault.tally.put(connection, read_header(blob).case, count)
        note_sealed(connection, draft_id)
        vault.drafts.delete(connection, draft_id)
    store.tidy()
    return last


def _entry(vault: Vault, last: LogEntry | None, blob: bytes, kind: str) -> LogEntry:
    try:
        header = read_header(blob)
    except UntrustedError as error:
        raise NotOurRecordError(reason=error.code) from None
    if (header.project, header.device, header.kind) != (vault.project, vault.device, kind):
        raise NotOurRecordError(reason="project, device or kind")
    return next_entry(vault._signing, vault.project, vault.device, last, record_hash(blob))
