"""What the sending process says of itself, in a small file that the app's screens read. It loads nothing heavy.

HOME/push.json. It is a courtesy: what is confirmed is in the vault, by central's signed receipts.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.files import write_atomic
from fieldsurvey.base.process_lock import ProcessLock

NAME: Final = "push.json"
LOCK: Final = "push.lock"
_MAX: Final = 8 << 10

Stage = Literal["sending", "done", "waiting", "refused"]
"""sending: now. done: everything is confirmed. waiting: no line, it tries again. refused: somebody must look."""


@dataclass(frozen=True, slots=True)
class PushState:
    """`at`: ISO 8601, the laptop's clock. `confirmed` of `sealed` entries; `again`: that central asked for once more.

    `code`, `message`: what was in the way.
    """

    stage: Stage
    at: str
    server: str = ""
    confirmed: int = 0
    sealed: int = 0
    code: str = ""
    message: str = ""
    again: int = 0


def write_state(home: Path, state: PushState) -> None:
    """Keep it; a full disk is nobody's reason to stop."""
    try:
        write_atomic(home / NAME, json.dumps(asdict(state), ensure_ascii=False).encode("utf-8"), private=True)
    except StorageError:
        return


def read_state(home: Path) -> PushState | None:
    """The last word; None where there is none that can be read. See `under_way` for whether anybody is at it."""
    try:
        with (home / NAME).open("rb") as handle:
            found = json.loads(handle.read(_MAX))
        state = PushState(**found)
    except (OSError, ValueError, TypeError, RecursionError):  # not there yet, or damaged: the next push says it anew
        return None
    whole = all(
        isinstance(value, int if name in {"confirmed", "sealed", "again"} else str)
        for name, value in asdict(state).items()
    )
    return state if whole and state.stage in get_args(Stage) else None


def under_way(home: Path) -> bool:
    """Whether a process is sending, or waiting to, right now. Raises StorageError."""
    lock = ProcessLock(home / LOCK)
    if not (home / LOCK).exists():
        return False
    if lock.acquire():
        lock.release()
        return False
    return True
