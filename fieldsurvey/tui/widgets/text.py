"""Text on the screen: survey text as it is, keys in [brackets]. Nothing here reads markup."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from textual.content import Content
from textual.visual import Visual
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.css.styles import RulesMap
    from textual.selection import Selection
    from textual.strip import Strip
    from textual.style import Style
    from textual.visual import RenderOptions

KEY = "bold $accent"


def keys(pairs: Iterable[tuple[str, str]], *, gap: str = "   ") -> Content:
    """`[Enter] Next   [PgUp] Back` from (key, words) pairs."""
    parts = [Content.assemble((f"[{key}]", KEY), f" {words}") for key, words in pairs]
    return Content(gap).join(parts)


def bracketed(text: str) -> Content:
    """A sentence of ours with its [keys] marked, as they are in the card."""
    content = Content("")
    rest = text
    while "[" in rest and "]" in rest:
        before, _open, rest = rest.partition("[")
        key, _close, rest = rest.partition("]")
        content = content + before + Content.styled(f"[{key}]", KEY)
    return content + rest


def hanging(lead: Content, text: str, width: int) -> Content:
    """`lead`, then `text` wrapped to `width` cells with its further lines under its first letter."""
    indent = lead.cell_length
    room = max(width - indent, 12)
    lines = [line for paragraph in text.splitlines() or [""] for line in (textwrap.wrap(paragraph, room) or [""])]
    return lead + Content("\n" + " " * indent).join([Content(line) for line in lines])


class Words(Static):
    """A static text that wraps, hides itself when empty, and never reads markup."""

    DEFAULT_CSS = """
    Words { width: 1fr; height: auto; }
    Words.-empty { display: none; }
    """

    def __init__(self, text: str | Content = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  Textual's name
        super().__init__(Content(text) if isinstance(text, str) else text, id=id, classes=classes, markup=False)
        self.text = text
        self.set_class(not text, "-empty")

    def say(self, text: str | Content) -> None:
        """Show `text` from now on."""
        if text == self.text:
            return
        self.text = text
        self.update(Content(text) if isinstance(text, str) else text)
        self.set_class(not text, "-empty")


Line: TypeAlias = tuple[Content, str, str]


class Hanging(Visual):
    """(lead, text, style) lines, each wrapped under its own first word at whatever width they are asked for."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self._wrapped: tuple[int, Content] | None = None

    def at(self, width: int) -> Content:
        """The lines as they stand in `width` cells."""
        if self._wrapped is None or self._wrapped[0] != width:
            hung = [hanging(lead, text, width).stylize(style, lead.cell_length) for lead, text, style in self.lines]
            self._wrapped = width, Content("\n").join(hung)
        return self._wrapped[1]

    def get_height(self, rules: RulesMap, width: int) -> int:
        """Rows in `width` cells."""
        return self.at(width).get_height(rules, width)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """Cells that nothing needs to be wrapped in, or all there are."""
        return min(self.at(sys.maxsize).get_optimal_width(rules, container_width), container_width)

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        """Drawn in `width` cells."""
        return self.at(width).render_strips(width, height, style, options)


class Hung(Words):
    """Lines that wrap under their own first word, at whatever width there is: instructions, complaints, help."""

    def hang(self, lines: list[Line]) -> None:
        """Show (lead, text, style) lines from now on."""
        shown = self.visual
        if lines == (shown.lines if isinstance(shown, Hanging) else []):  # as at most key presses: nothing to lay out
            return
        self.update(Hanging(lines))
        self.set_class(not lines, "-empty")

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What the mouse has marked, as it is wrapped on the screen."""
        shown = self.visual
        return (selection.extract(str(shown.at(self.size.width))), "\n") if isinstance(shown, Hanging) else None


class Complaint(Hung):
    """What is wrong and what to do about it."""

    DEFAULT_CSS = """
    Complaint { color: $error; padding: 0 0 0 1; margin-top: 1; }
    Complaint.-warning { color: $warning; }
    """

    def __init__(self) -> None:
        super().__init__(classes="problem")

    def blame(self, sign: str, reason: str, remedy: str) -> None:
        """Show it: sign and reason in the colour of errors, the remedy in that of text."""
        lines = [(Content.styled(f"{sign} ", "bold"), reason, "bold")]
        if remedy:
            lines.append((Content(" " * (len(sign) + 1)), remedy, "$text"))
        self.hang(lines)

    def clear(self) -> None:
        """Nothing is wrong."""
        self.hang([])
