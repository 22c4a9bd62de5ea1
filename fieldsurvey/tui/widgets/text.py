"""Text on the screen: survey text as it is, keys in [brackets]. Nothing here reads markup."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from textual.content import Content
from textual.widgets import Static

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


class Hung(Words):
    """Lines that wrap under their own first word, at whatever width there is: instructions, complaints, help."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id, classes=classes)
        self.lines: list[tuple[Content, str, str]] = []

    def hang(self, lines: list[tuple[Content, str, str]]) -> None:
        """Show (lead, text, style) lines from now on."""
        self.lines = lines
        self._wrap()

    def on_resize(self) -> None:
        """Wrapping depends on the width."""
        self._wrap()

    def _wrap(self) -> None:
        width = self.content_region.width or 70
        hung = [hanging(lead, text, width).stylize(style, lead.cell_length) for lead, text, style in self.lines]
        self.say(Content("\n").join(hung) if hung else "")


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
