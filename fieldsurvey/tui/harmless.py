"""What reaches the terminal from a screen cannot act on it: labels, names and answers are drawn, never obeyed.

Textual and rich take out five control characters of sixty-five, and leave escape sequences, bidi overrides and halves
of characters in; one of the last would end the program. Names that are not ours are shown by `base.visible` before;
this is for all the rest, and keeps the width that the layout has counted.
"""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

# Cc, Cs, Zl, Zp, and the controls of direction (UAX #9, 2.1 to 2.4); joiners and soft hyphens belong to texts.
_ACTS: Final = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")


class Harmless(LineFilter):
    """Puts a dot, or nothing where nothing was counted, in the place of what would act."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same line, in the same width."""
        del background
        return [one if one.control or one.text.isprintable() else _drawn(one) for one in segments]


HARMLESS: Final = (Harmless(),)


def _drawn(one: Segment) -> Segment:
    return Segment(_ACTS.sub(lambda found: "·" * cell_len(found.group()), one.text), one.style)
