"""The few signs that are not letters. The Linux console's font has no heavy lines, ticks or crosses: ASCII there."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Symbols:
    """One sign for one meaning, whatever the colours."""

    saved: str = "●"
    unsaved: str = "○"
    stop: str = "✗"
    caution: str = "!"
    done: str = "✓"
    said: str = "»"  # the HMU has a comment to it
    bar: str = "━"
    rest: str = "─"
    then: str = "›"
    single: tuple[str, str] = ("( )", "(•)")
    several: tuple[str, str] = ("[ ]", "[x]")


RICH = Symbols()
PLAIN = Symbols("*", "o", "x", "!", "+", "#", "=", "-", ">", ("( )", "(x)"), ("[ ]", "[x]"))


def symbols() -> Symbols:
    """The set for this terminal."""
    return PLAIN if os.environ.get("TERM") in {"linux", "dumb", "vt100", "vt220"} else RICH
