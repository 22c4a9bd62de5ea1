"""Nonces that the server need not remember, and requests that are taken once.

A nonce is the server's own running time and random bits under an HMAC with a secret that lives as long as the process:
no clock of a device plays a part, and a server that was started again takes none of before. What is remembered is
which counts were used with a nonce, and only for requests whose signature held; so nobody else can fill the memory.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Final

from fieldsurvey.records.labels import bind

_LABEL: Final = "fieldsurvey/1/nonce"


class Nonces:
    """`seconds`: how long one holds; `each`: how many one caller may have in use at a time."""

    def __init__(self, seconds: int, each: int, monotonic: Callable[[], float]) -> None:
        self.seconds, self._each, self._monotonic = seconds, each, monotonic
        self._secret = secrets.token_bytes(32)
        self._used: dict[str, dict[str, tuple[float, int]]] = {}

    def issue(self) -> str:
        """A new one, 112 hexadecimal digits."""
        start = int(self._monotonic() * 1000).to_bytes(8, "big") + secrets.token_bytes(16)
        return (start + self._mac(start)).hex()

    def holds(self, nonce: str) -> bool:
        """Whether this process gave it out, and not too long ago."""
        data = bytes.fromhex(nonce)
        start, mac = data[:24], data[24:]
        if not hmac.compare_digest(mac, self._mac(start)):
            return False
        age = self._monotonic() - int.from_bytes(start[:8], "big") / 1000
        return -1.0 <= age <= self.seconds

    def use(self, caller: str, nonce: str, count: int) -> bool:
        """Take a verified request: False when it, or a later one with this nonce, was taken before, or too many."""
        now = self._monotonic()
        used = self._used.setdefault(caller, {})
        if nonce not in used and len(used) >= self._each:
            for old in [key for key, (since, _count) in used.items() if now - since > self.seconds + 1]:
                del used[old]
            if len(used) >= self._each:
                return False
        since, last = used.get(nonce, (now, 0))
        if count <= last:
            return False
        used[nonce] = (since, count)
        return True

    def remembered(self) -> int:
        """How many nonces are kept."""
        return sum(len(used) for used in self._used.values())

    def _mac(self, start: bytes) -> bytes:
        return hmac.digest(self._secret, bind(_LABEL, start), "sha256")
