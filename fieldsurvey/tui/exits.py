"""How the unlocked child ends, as the parent reads it. Standard library only: the parent imports this."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the child."""

    QUIT = 0
    REFUSED = 1  # said why, in words
    CRASHED = 70  # a fault in the program; the child has already said so, without any value
    LOCKED = 75  # start again at Unlock; the keys and answers went with the process
    TERMINATED = 143  # asked to end by the system; what was typed is saved
