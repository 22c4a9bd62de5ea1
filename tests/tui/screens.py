"""Reading an app's screen as text, and waiting until it has come to rest."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, cast

from rich.console import Console
from textual.widget import Widget

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from fieldsurvey.tui.app import FieldsurveyApp

PATIENCE = 120.0  # seconds; a busy machine may take so long


def text(app: FieldsurveyApp) -> str:
    """What is painted, overlays included, without colours; lines without trailing blanks."""
    width, height = app.size
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=True, color_system="truecolor",
                      record=True, legacy_windows=False, safe_box=False)  # fmt: skip
    console.print(app.screen._compositor.render_update(full=True, screen_stack=app._background_screens))
    return "\n".join(line.rstrip() for line in console.export_text(styles=False).splitlines())


def words(app: FieldsurveyApp) -> str:
    """The same as one line of words: where a line is broken may depend on what stands before, a path for instance."""
    return " ".join(word for word in text(app).split() if word.strip("│─╭╮╰╯"))


async def rest(pilot: Pilot[int]) -> None:
    """Wait until no worker runs, no page changes, no key waits, all messages are answered, all is laid out, the picture
    stands still.
    """
    app = cast("FieldsurveyApp", pilot.app)
    before, until = "", monotonic() + PATIENCE
    while monotonic() < until:
        await app.workers.wait_for_complete()
        await pilot.pause()
        gate, waiting = getattr(app.screen, "gate", None), getattr(app.screen, "waiting", None)
        held = waiting is not None and waiting.busy
        laid_out = not any(one._layout_required for one in app.screen.walk_children(Widget, with_self=True))
        if laid_out and not list(app.workers) and not held and (gate is None or not gate.closed):
            now = text(app)
            if now == before:
                return
            before = now
        await asyncio.sleep(0.02)
    raise AssertionError("the app does not come to rest")


async def settled(pilot: Pilot[int], done: Callable[[], bool]) -> None:
    """Wait until `done`, and the app is at rest."""
    until = monotonic() + PATIENCE
    while not done():
        assert monotonic() < until, text(cast("FieldsurveyApp", pilot.app))
        await pilot.pause(0.05)
    await rest(pilot)


async def press(pilot: Pilot[int], *keys: str) -> None:
    """Press keys one by one, resting before and after each; `=text` types text."""
    await rest(pilot)
    for key in keys:
        if key.startswith("="):
            await pilot.press(*(_NAMES.get(c, c) for c in key[1:]))
        else:
            await pilot.press(key)
        await rest(pilot)


_NAMES = {" ": "space", "/": "slash", ",": "comma", ".": "full_stop", "-": "minus", "+": "plus", ":": "colon",
          "[": "left_square_bracket", "]": "right_square_bracket", "°": "degree sign",
          "'": "apostrophe", '"': "quotation_mark"}  # fmt: skip
