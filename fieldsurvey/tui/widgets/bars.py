"""The two lines on top and the line of keys at the bottom. They stay mounted while the card is swapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from fieldsurvey.tui.actions import Action, show_key
from fieldsurvey.tui.keymap import Keymap
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.text import KEY

if TYPE_CHECKING:  # start-up: Unlock has a bar and no interview
    from fieldsurvey.tui.sitting import Progress

FOOTER_KEYS = 6  # what fills 80 columns
GAP = "  "


@dataclass(frozen=True)
class Heading:
    """What the top says. `state` is the truth about saving: a sign and words."""

    title: str
    state: str = ""
    good: bool = True
    section: str = ""
    right: str = ""
    progress: Progress | None = None


class TopBar(Widget):
    """Title and saved state; section and progress."""

    DEFAULT_CSS = """
    TopBar { height: 3; background: $panel; padding: 0 1; border-bottom: none; }
    """

    def __init__(self, heading: Heading) -> None:
        super().__init__()
        self.heading = heading

    def show(self, **changes: object) -> None:
        """Change some of it."""
        heading = replace(self.heading, **changes)  # type: ignore[arg-type]
        if heading != self.heading:
            self.heading = heading
            self.refresh()

    def render(self) -> Content:
        """Two lines of the widget's width, and an empty third that gives air."""
        h = self.heading
        width = self.size.width
        state = Content.styled(h.state, "$success" if h.good else "bold $error")
        first = ends(Content.styled(h.title, "bold"), state, width)
        right = Content.styled(h.right, "$text-muted") if h.progress is None else _progress(h.progress, width)
        second = ends(Content.styled(h.section, "$text-muted"), right, width)
        return Content("\n").join([first, second])


def ends(left: Content, right: Content, width: int) -> Content:
    """One line of `width` cells: `left` cut to what `right` leaves."""
    room = width - right.cell_length - 2
    if left.cell_length > room:
        left = left.truncate(max(room, 0), ellipsis=True)
    return left + " " * max(width - left.cell_length - right.cell_length, 1) + right


def _progress(progress: Progress, width: int) -> Content:
    signs = symbols()
    cells = 20 if width >= 76 else 10
    full = round(cells * progress.answered / progress.asked) if progress.asked else 0
    counts = f"{progress.number}/{progress.asked} "
    return Content.assemble(
        (counts, "$text"), (signs.bar * full, "bold $primary"), (signs.rest * (cells - full), "$text-muted")
    )


class KeyBar(Widget):
    """The keys of this screen, from the registry; at most six, fewer where the terminal is narrow."""

    DEFAULT_CSS = """
    KeyBar { dock: bottom; height: 1; background: $panel; padding: 0 1; }
    """

    def __init__(self, actions: Sequence[Action], keymap: Keymap) -> None:
        super().__init__()
        self.actions = actions
        self.keymap = keymap
        self.enter_types = False  # Enter is a new line where the cursor is: another key is shown for what it does

    def enter_is(self, *, typed: bool) -> None:
        """Whether Enter belongs to the editor now."""
        if typed is not self.enter_types:
            self.enter_types = typed
            self.refresh()

    def _key(self, action: Action) -> str:
        keys = self.keymap[action.id]
        others = [k for k in keys if k != "enter"]
        return show_key(others[0] if self.enter_types and others else keys[0])

    def shown(self, width: int) -> list[tuple[str, str]]:
        """(key, words) in order, as many as fit `width`."""
        ranked = sorted((a for a in self.actions if a.rank), key=lambda a: a.rank)[:FOOTER_KEYS]
        pairs = {a.id: (self._key(a), a.shown) for a in ranked}
        while len(pairs) > 1 and sum(len(k) + len(w) + len(GAP) + 3 for k, w in pairs.values()) - len(GAP) > width:
            del pairs[[i for i in pairs if i != "help"][-1]]  # help tells of the rest, so it stays
        return list(pairs.values())

    def render(self) -> Content:
        """One line."""
        parts = [Content.assemble((f"[{key}]", KEY), f" {words}") for key, words in self.shown(self.content_size.width)]
        return Content(GAP).join(parts)
