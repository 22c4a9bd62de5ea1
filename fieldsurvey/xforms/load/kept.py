"""What was worked out of the last few forms, by the hash of the bytes they came from. Holds no answers and no media."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

MOST_FORMS = 16
MOST_BYTES = 16 * 1024 * 1024
"""Of form XML altogether; what is made of it takes some ten times as much memory."""

Made = TypeVar("Made")


def digest(*parts: bytes | str) -> str:
    """One hash of several parts; none can be taken for two."""
    found = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()


class Kept(Generic[Made]):
    """The things used last, bounded by number and by weight. Threads may share it; two may make the same thing."""

    def __init__(self, most: int = MOST_FORMS, weight: int = MOST_BYTES) -> None:
        self.most = most
        self.weight = weight
        self._lock = Lock()
        self._held: OrderedDict[str, tuple[Made, int]] = OrderedDict()
        self._weight = 0

    def get(self, key: str) -> Made | None:
        """What is kept under `key`, and now the one used last."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def put(self, key: str, made: Made, weight: int) -> None:
        """Keep something of that weight; what was used longest ago goes. What is too heavy by itself is not kept."""
        if weight > self.weight:
            return
        with self._lock:
            before = self._held.pop(key, None)
            self._weight += weight - (before[1] if before is not None else 0)
            self._held[key] = (made, weight)
            while len(self._held) > self.most or self._weight > self.weight:
                _key, (_made, gone) = self._held.popitem(last=False)
                self._weight -= gone

    def __len__(self) -> int:
        return len(self._held)

    def clear(self) -> None:
        """Keep nothing any more."""
        with self._lock:
            self._held.clear()
            self._weight = 0
