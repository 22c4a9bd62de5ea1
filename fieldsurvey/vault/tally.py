"""The tally: for each case that was sealed here, the few bytes that say what it counts for.

One row a case, whatever it counts for, so that their number tells a locked laptop nothing that its log does not. A row
lies under a name that only the vault key can make from the case, and opens with the vault key alone. A revision takes
the place of the one before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

from fieldsurvey.records.padding import pad, unpad
from fieldsurvey.vault.errors import VaultDamagedError
from fieldsurvey.vault.keys import TALLY, TALLY_CASE, derive, lock_box, open_box
from fieldsurvey.vault.store import Store


@dataclass(frozen=True, slots=True)
class Kept:
    """A row. `content` as its writer gave it; None: it is damaged."""

    name: bytes
    content: bytes | None = field(repr=False)


class Tally:
    """Everybody's of this laptop; for whoever has unlocked it."""

    def __init__(self, store: Store, project: str, vault_key: bytes) -> None:
        self._store = store
        self._project = bytes.fromhex(project)
        self._vault_key = vault_key
        self._key = derive(vault_key, TALLY)

    def put(self, connection: sqlite3.Connection, case: str, content: bytes) -> None:
        """What a case counts for from now on, inside the caller's transaction."""
        name = derive(self._vault_key, TALLY_CASE, self._project, bytes.fromhex(case))[:16]
        box = lock_box(self._key, pad(content), TALLY, self._project, name)
        connection.execute("INSERT OR REPLACE INTO tally (name, box) VALUES (?, ?)", (name, box))

    def kept(self) -> list[Kept]:
        """Every row, by name. Raises StorageError."""
        rows = self._store.rows("SELECT name, box FROM tally ORDER BY name")
        return [Kept(name, self._opened(name, box)) for name, box in rows]

    def _opened(self, name: bytes, box: bytes) -> bytes | None:
        try:
            return unpad(open_box(self._key, box, TALLY, self._project, name))
        except VaultDamagedError:
            return None

    def drop(self, names: Iterable[bytes]) -> int:
        """Forget these rows; how many there were. Raises StorageError."""
        with self._store.write() as connection:
            return sum(connection.execute("DELETE FROM tally WHERE name = ?", (name,)).rowcount for name in names)

    def since(self) -> str:
        """The day (YYYY-MM-DD, UTC) before which cases were sealed here that are not in it; "" where there are none."""
        return str(self._store.one("SELECT tally_since FROM device")[0])


def begin_tally(connection: sqlite3.Connection, day: str, *, keep: bool) -> None:
    """A new log was begun: the laptop may have sealed what is not in it. Inside the caller's transaction.

    `keep`: the vault key is the one that it had.
    """
    if not keep:
        connection.execute("DELETE FROM tally")
    connection.execute("UPDATE device SET tally_since = ?", (day,))
