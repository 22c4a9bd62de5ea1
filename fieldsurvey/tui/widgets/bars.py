"""The two lines on top and the line of keys at the bottom. They stay mounted while the card is swapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from fieldsurvey.base.visible import visible
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
        first = ends(Content.styled(visible(h.title), "bold"), state, width)
        right = Content.styled(visible(h.right), "$text-muted") if h.progress is None else _progress(h.progress, width)
        second = ends(Content.styled(visible(h.section), "$text-muted"), right, width)
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
    """The keys of this screen, from the registry: as many as fit the line, or the `lines` there may be."""

    DEFAULT_CSS = """
    KeyBar { dock: bottom; height: 1; background: $panel; padding: 0 1; }
    """

    def __init__(self, actions: Sequence[Action], keymap: Keymap, *, lines: int = 1) -> None:
        super().__init__()
        self.actions = actions
        self.keymap = keymap
        self.lines = lines
        self.enter_types = False  # Enter is a new line where the cursor is: another key is shown for what it does

    def enter_is(self, *, typed: bool) -> None:
        """Whether Enter belongs to the editor now."""
        if typed is not self.enter_types:
            self.enter_types = typed
            self.refresh()

    def offer(self, actions: Sequence[Action]) -> None:
        """Name these from now on: what works where the cursor stands."""
        if [a.id for a in actions] != [a.id for a in self.actions]:
            self.actions = actions
            self._fit()

    def on_resize(self) -> None:
        """Another width, perhaps another number of lines."""
        self._fit()

    def _fit(self) -> None:
        self.styles.height = max(len(self.rows(self.content_size.width)), 1)
        self.refresh()

    def _key(self, action: Action) -> str:
        keys = self.keymap[action.id]
        others = [k for k in keys if k != "enter"]
        return show_key(others[0] if self.enter_types and others else keys[0])

    def shown(self, width: int) -> list[tuple[str, str]]:
        """(key, words) in order, as many as fit."""
        return [pair for row in self.rows(width) for pair in row]

    def rows(self, width: int) -> list[list[tuple[str, str]]]:
        """The same, line by line, each within `width`."""
        ranked = sorted((a for a in self.actions if a.rank), key=lambda a: a.rank)
        while len(ranked) > FOOTER_KEYS * self.lines:
            ranked.remove(_last(ranked))
        while True:
            rows = _flow([(self._key(a), a.shown) for a in ranked], width)
            if len(rows) <= self.lines or len(ranked) < 2:
                return rows
            ranked.remove(_last(ranked))

    def render(self) -> Content:
        """A line, or two."""
        rows = [
            Content(GAP).join([Content.assemble((f"[{key}]", KEY), f" {words}") for key, words in row])
            for row in self.rows(self.content_size.width)
        ]
        return Content("\n").join(rows)


def _last(ranked: list[Action]) -> Action:
    """What is named last; help tells of the rest, so it stays."""
    return [a for a in ranked if a.id != "help"][-1]


def _flow(pairs: list[tuple[str, str]], width: int) -> list[list[tuple[str, str]]]:
    rows: list[list[tuple[str, str]]] = []
    room = 0
    for key, words in pairs:
        cells = len(key) + len(words) + 3
        if rows and cells + len(GAP) <= room:
            rows[-1].append((key, words))
            room -= cells + len(GAP)
        else:
            rows.append([(key, words)])
            room = width - cells
    return rows
