"""Small overlays: a line of text (notes, reasons), and a yes or no."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList, TextArea
from textual.widgets.option_list import Option

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.screens.base import Overlay, Result
from fieldsurvey.tui.widgets.text import Complaint, Hung, Words, bracketed


class AskLine(Overlay[str]):
    """Asks for one line; the result is its text, None when closed. `needed`: an empty line is not taken."""

    def __init__(self, title: str, instruction: str, value: str = "", *, needed: bool = False) -> None:
        super().__init__()
        self.words = (title, instruction)
        self.value = value
        self.needed = needed

    def compose(self) -> ComposeResult:
        """Title, instruction, line."""
        with Vertical(classes="box"):
            yield Words(self.words[0], classes="group")
            yield Words(bracketed(self.words[1]), classes="instruction")
            yield Input(self.value, select_on_focus=False)
            yield Complaint()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        text = event.value.strip()
        if self.needed and not text:
            self.query_one(Complaint).blame("!", _("Write a few words, or press Esc to correct the answer."), "")
            return
        self.dismiss(text)


class AskNote(Overlay[str]):
    """A note of several lines; the result is its text, None when closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown,ctrl+s,f3,ctrl+n", "keep", show=False, priority=True),
    ]

    def __init__(self, question: str, value: str) -> None:
        super().__init__()
        self.question = question
        self.value = value

    def compose(self) -> ComposeResult:
        """Whose note, and a box."""
        with Vertical(classes="box"):
            yield Words(_("Note on: {question}").format(question=self.question), classes="group")
            yield Words(
                bracketed(_("[F3] keeps it   [Esc] leaves it as it was   No names, no addresses.")),
                classes="instruction",
            )
            yield TextArea(self.value, soft_wrap=True, tab_behavior="focus")

    def action_keep(self) -> None:
        """Done."""
        self.dismiss(self.query_one(TextArea).text.strip())


class Said(VerticalScroll, can_focus=False):
    """Text of any length in a box: it wraps under its own first word, and what does not fit is a key away."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def compose(self) -> ComposeResult:
        """The text."""
        yield Words()

    def on_resize(self) -> None:
        """Wrapping depends on the width."""
        self.query_one(Words).say(_wrapped(self.text, self.scrollable_content_region.width or 60))


def _wrapped(text: str, width: int) -> Content:
    lines = []
    for line in text.splitlines():
        blanks = " " * (len(line) - len(line.lstrip()))
        lines += textwrap.wrap(line, width, subsequent_indent=blanks) or [""]
    return bracketed("\n".join(lines))


class _Scrolls(Overlay[Result]):
    """A box with a `Said`, whose text these keys move."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown", "further(1)", show=False, priority=True),
        Binding("pageup", "further(-1)", show=False, priority=True),
    ]

    def on_mount(self) -> None:
        """Say so where there is more."""
        self.call_after_refresh(self.call_after_refresh, self._more)

    def _more(self) -> None:
        if self.is_mounted and self.query_one(Said).max_scroll_y:
            self.query_one("#more", Words).say(bracketed(_("[PgDn] shows the rest")))

    def action_further(self, way: int) -> None:
        """A page on, or back."""
        said = self.query_one(Said)
        said.scroll_relative(y=way * max(said.size.height - 1, 1), animate=False)


class AskYes(_Scrolls[bool]):
    """A decision: the safe answer first and highlighted."""

    def __init__(self, title: str, text: str, yes: str, no: str) -> None:
        super().__init__()
        self.words = (title, text, yes, no)

    def compose(self) -> ComposeResult:
        """Title, what will happen, two answers."""
        title, text, yes, no = self.words
        with Vertical(classes="box"):
            yield Words(title, classes="group")
            yield Said(text)
            yield Words("", id="more", classes="echo")
            yield OptionList(Option(f"[Esc] {no}"), Option(f"[{_('Y')}] {yes}"), markup=False)

    def on_mount(self) -> None:
        """The safe one."""
        super().on_mount()
        self.query_one(OptionList).highlighted = 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter."""
        event.stop()
        self.dismiss(event.option_index == 1)

    def key_y(self) -> None:
        """Yes."""
        self.dismiss(True)

    def key_s(self) -> None:
        """Sí."""
        self.dismiss(True)

    def key_n(self) -> None:
        """No."""
        self.dismiss(False)


class Tell(_Scrolls[None]):
    """Something that must be read, closed with Enter."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "close", show=False)]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.words = (title, text)

    def compose(self) -> ComposeResult:
        """Title and text."""
        with Vertical(classes="box"):
            yield Words(self.words[0], classes="group")
            yield Said(self.words[1])
            yield Words("", id="more", classes="echo")
            yield Words(bracketed(_("[Enter] closes this")), classes="echo -last")


class Lines(Overlay[None]):
    """Lines in a box that scrolls. Without a `lead`, each begins where its own blanks end."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "close", show=False, priority=True)]

    def __init__(self, title: str, lines: Sequence[str], *, lead: str = "· ") -> None:
        super().__init__()
        self.lead = lead
        self.title_text = title
        self.lines = list(lines)

    def compose(self) -> ComposeResult:
        """Title, lines, how to close."""
        with VerticalScroll(classes="box -tall"):
            yield Words(self.title_text, classes="group")
            yield Hung(id="lines")
            yield Words(bracketed(_("[↑] [↓] scroll   [Esc] closes this")), classes="echo")

    def on_mount(self) -> None:
        """Each under its own first word."""
        leads = [self.lead or line[: len(line) - len(line.lstrip())] for line in self.lines]
        hung = [(Content(lead), line.lstrip(), "") for lead, line in zip(leads, self.lines, strict=True)]
        self.query_one("#lines", Hung).hang(hung)
