"""What goes over the line beside batches: the project, withdrawals, returned work, reports of erasure, receipts.

What comes in is laid out as a stick in HOME/push, so that the same functions take it as from a stick: nothing that a
server says is believed in any other way. The folder is made anew each time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fieldsurvey.base.files import storage_error, write_atomic
from fieldsurvey.fieldwork.erasures import Reports, Trust
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from sync.http.line import Line
from sync.http.wire import Heads, digest_of
from sync.stick import Stick
from sync.withdrawals import FOLDER as WITHDRAWALS
from sync.withdrawals import REPORTS

FOLDER: Final = "push"
_SEEN: Final = "seen.json"
_BOX: Final = "in"
KINDS: Final = ("withdrawals", "returns", "erased")


class Exchange:
    """One home and one server. `seen`: the server's digests of what was taken already, so that it is not asked again.

    They save a line's time and nothing else: a lost or wrong note means asking once more.
    """

    def __init__(self, line: Line, home: Path, project: str) -> None:
        """Raises StorageError."""
        self._line, self._home, self._project = line, home, project
        self._folder = home / FOLDER
        self.stick = Stick(self._folder / _BOX)
        self._seen = self._read_seen()
        self._clear(self._folder / _BOX)
        self.stick.make(self.stick.root)

    @property
    def place(self) -> Path:
        """Where what came in lies, as a stick."""
        return self._folder / _BOX

    def fetch_project(self, heads: Heads, version: int) -> bool:
        """Get the project if the server's is newer than `version`; whether there is one to take."""
        if heads.project <= version or not (data := self._line.project_after(version)):
            return False
        write_atomic(self.stick.project, data)
        return True

    def agree(self, heads: Heads) -> int:
        """Hand in the withdrawals and reports of erasure that the server lacks, and get those that this home lacks.

        How many withdrawals were new there. They go before any batch: what is withdrawn must not be merged first.
        """
        stones = [stone.to_bytes() for stone in Withdrawals(self._home).of(self._project).values()]
        reports = list(Reports(self._home, Trust()).files())
        new = self._both_ways("withdrawals", WITHDRAWALS, heads.withdrawals, stones)
        self._both_ways("erased", REPORTS, heads.erased, reports)
        return new

    def fetch_returns(self, heads: Heads) -> bool:
        """Get work that comes back for correction; whether there is any that was not here before."""
        if self._seen.get("returns") == heads.returns:
            return False
        self._put(self.stick.returned, self._line.files("returns"))
        self._seen["returns"] = heads.returns
        return True

    def put_receipts(self, receipts: Iterable[str]) -> None:
        """Lay out receipt files (hexadecimal), in place of those before."""
        self._clear(self.stick.receipts)
        self._put(self.stick.receipts, (bytes.fromhex(receipt) for receipt in receipts))

    def taken(self) -> None:
        """What came in was taken: clear it away, and remember what the server had."""
        self._clear(self._folder / _BOX)
        self.stick.make(self.stick.root)
        write_atomic(self._folder / _SEEN, json.dumps(self._seen).encode("ascii"))

    def _both_ways(self, what: str, folder: str, theirs: str, own: list[bytes]) -> int:
        ours = digest_of(own)
        if ours == theirs or self._seen.get(what) == f"{theirs} {ours}":
            return 0
        there = list(self._line.files(what))
        known, mine = set(there), set(own)
        self._put(self.stick.root / folder, (data for data in there if data not in mine))
        missing = [data for data in own if data not in known]
        new = self._line.hand_in(what, missing) if missing else 0
        self._seen[what] = f"{digest_of([*there, *missing])} {digest_of([*there, *own])}"
        return new

    def _put(self, folder: Path, files: Iterable[bytes]) -> None:
        for data in files:
            self.stick.make(folder)
            write_atomic(folder / f"{hashlib.sha256(data).hexdigest()[:32]}.fsx", data)

    def _clear(self, folder: Path) -> None:
        try:
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(folder)
        except OSError as error:
            raise storage_error(error, folder) from error

    def _read_seen(self) -> dict[str, str]:
        try:
            found = json.loads((self._folder / _SEEN).read_bytes())
        except (OSError, ValueError, RecursionError):  # a memory that is lost costs asking for it all once more
            return {}
        known = found if isinstance(found, dict) else {}
        return {key: value for key, value in known.items() if key in KINDS and isinstance(value, str)}
