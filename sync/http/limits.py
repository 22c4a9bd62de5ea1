"""How much a caller may ask for: counted before anything of a request is read. Memory is bounded too."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sync.http.wire import MAX_PACKS, PACK

_KEYS: Final = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a server. Bytes, seconds, requests.

    head: magic, manifest and signatures of a batch. quota: staged packs of one caller, `room` of all, kept for `age`
    seconds. rate, burst: requests a second of one caller; strangers: the same for an address before it is known who
    asks. slow: the slowest line, in bytes a second, that a body may come over; patience: how long one may stall.
    """

    pack: int = PACK
    packs: int = MAX_PACKS
    head: int = (4 << 20) + (32 << 10)
    question: int = 256 << 10
    withdrawals: int = 1 << 20
    quota: int = 256 << 20
    room: int = 8 << 30
    age: float = 14 * 86_400.0
    rate: float = 20.0
    burst: int = 200
    strangers: float = 10.0
    strangers_burst: int = 240
    nonce_seconds: int = 600
    nonces: int = 64
    slow: int = 2 << 10
    patience: float = 30.0
    connections: int = 256


class Buckets:
    """A token bucket for each key; of the least recently seen the state is forgotten, which only favours them."""

    def __init__(self, rate: float, burst: int, monotonic: Callable[[], float], keys: int = _KEYS) -> None:
        self._rate, self._burst, self._monotonic, self._keys = rate, burst, monotonic, keys
        self._state: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """0 when the request may go on; else in how many seconds the next one may."""
        now = self._monotonic()
        left, since = self._state.pop(key, (float(self._burst), now))
        left = min(float(self._burst), left + (now - since) * self._rate)
        allowed = left >= 1.0
        self._state[key] = (left - 1.0 if allowed else left, now)
        if len(self._state) > self._keys:
            self._state.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / self._rate

    def __len__(self) -> int:
        return len(self._state)
