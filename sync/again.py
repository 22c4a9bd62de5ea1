"""Doing once more what a database that went away has interrupted. Only for what may safely be done twice."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from sync.errors import CentralGoneError

T = TypeVar("T")

TRIES: Final = 4
PAUSE: Final = 0.5
"""Seconds before the second try; twice as long before each further one."""


def again(work: Callable[[], T], *, tries: int = TRIES, pause: float = PAUSE) -> T:
    """What `work` gives; tried again where central's database went away. Merging is: a batch merged twice is once.

    The database rolled back what was under way, and the store connects anew: it waits for the server by itself. Raises
    CentralGoneError when it did not come back.
    """
    for left in reversed(range(tries)):
        try:
            return work()
        except CentralGoneError:
            if not left:
                raise
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  spreads tries, guards nothing
        pause *= 2
    raise AssertionError  # the last try returned or raised
