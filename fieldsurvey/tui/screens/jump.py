"""The jump list: number, section, label; opens where we are; letters and numbers filter it."""

from __future__ import annotations

from collections.abc import Container

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.choosing import ROWS, fold
from fieldsurvey.tui.screens.base import Overlay
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.text import KEY, Words, bracketed
from fieldsurvey.xforms.contract import OutlineItem


class JumpScreen(Overlay[str]):
    """The result is the ref to go to, None when closed."""

    def __init__(self, outline: list[OutlineItem], here: str, commented: Container[str] = ()) -> None:
        """`commented`: the refs to which the HMU has a comment; they are marked."""
        super().__init__()
        self.here = here
        self.commented = commented
        self.lines = list(_lines(outline))
        self._shown: list[tuple[OutlineItem, str]] = []

    def compose(self) -> ComposeResult:
        """A filter over a list."""
        with Vertical(classes="box -tall"):
            yield Words(_("Go to a question"), classes="group")
            yield Input(placeholder=_("number or words"))
            yield OptionList(markup=False)
            yield Words(bracketed(_("[↑] [↓] choose   [Enter] goes there   [Esc] stays here")), classes="echo")

    def on_mount(self) -> None:
        """At the present question."""
        self._filter("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow it down."""
        event.stop()
        self._filter(event.value)

    def _filter(self, text: str) -> None:
        words = fold(text).split()
        fits = [
            (item, section)
            for item, section in self.lines
            if all(w == str(item.number) or w in fold(f"{item.label} {section}") for w in words)
        ]
        at = next((i for i, (item, _section) in enumerate(fits) if item.ref == self.here), 0)
        start = max(min(at - ROWS // 2, len(fits) - ROWS), 0)
        self._shown = fits[start : start + ROWS]
        options = self.query_one(OptionList)
        options.set_options(
            [Option(_prompt(item, section, said=item.ref in self.commented)) for item, section in self._shown]
        )
        options.highlighted = at - start if self._shown else None

    def on_key(self, event: events.Key) -> None:
        """The arrows move in the list while letters go to the filter."""
        options = self.query_one(OptionList)
        if self.focused is options:
            return
        if event.key == "up":
            options.action_cursor_up()
        elif event.key == "down":
            options.action_cursor_down()
        elif event.key in {"pageup", "pagedown"}:
            at = (options.highlighted or 0) + (10 if event.key == "pagedown" else -10)
            options.highlighted = min(max(at, 0), options.option_count - 1)
        else:
            return
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the filter."""
        event.stop()
        self._go(self.query_one(OptionList).highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click in the list."""
        event.stop()
        self._go(event.option_index)

    def _go(self, at: int | None) -> None:
        if at is not None and at < len(self._shown):
            self.dismiss(self._shown[at][0].ref)


def _lines(outline: list[OutlineItem]) -> list[tuple[OutlineItem, str]]:
    """Questions with the label of the section they are in."""
    found = []
    sections: list[tuple[int, str]] = []
    for item in outline:
        while sections and sections[-1][0] >= item.depth:
            sections.pop()
        if item.kind == "question":
            found.append((item, sections[-1][1] if sections else ""))
        elif item.label:
            sections.append((item.depth, item.label))
    return found


def _prompt(item: OutlineItem, section: str, *, said: bool = False) -> Content:
    signs = symbols()
    mark = " "
    if item.violation is not None and not item.violation.accepted and item.answered:
        mark = signs.stop if item.violation.blocks else signs.caution
    elif item.answered:
        mark = signs.done
    number = "" if item.number is None else str(item.number)
    label = " ".join(item.label.split())
    return Content.assemble(
        (number.rjust(4), KEY),
        f" {mark} ",
        (f"{signs.said} " if said else "", "bold $accent"),
        label,
        (f"  {section}" if section else "", "$text-muted"),
    ).truncate(120, ellipsis=True)
