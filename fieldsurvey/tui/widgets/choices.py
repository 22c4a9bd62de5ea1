"""A list to choose from: by code, by letters that filter, or by arrows. The logic is `choosing.Chooser`.

Nothing is highlighted until somebody types or moves, so that Enter pressed twice never chooses the first option.
"""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.answers import choice_label
from fieldsurvey.tui.choosing import ROWS, Chooser
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.text import KEY, hanging

FILTER_FROM = 11  # more than about ten options: the list says that it can be filtered


class ChoiceList(OptionList):
    """The options of a select; posts `Chosen` when the choice changed, `Entered` when Enter is done with it."""

    class Chosen(Message):
        """The choice is different now."""

        def __init__(self, choices: ChoiceList) -> None:
            super().__init__()
            self.choices = choices

        @property
        def control(self) -> ChoiceList:
            """The list."""
            return self.choices

    class Entered(Message):
        """Enter, and nothing is left to choose with it: go on."""

        def __init__(self, choices: ChoiceList) -> None:
            super().__init__()
            self.choices = choices

    class Typed(Message):
        """What has been typed changed."""

        def __init__(self, choices: ChoiceList) -> None:
            super().__init__()
            self.choices = choices

    def __init__(self, chooser: Chooser) -> None:
        super().__init__(markup=False)
        self.chooser = chooser
        self.hints: dict[str, str] = {}  # value -> the key that records it (missing codes)
        self._rows: list[int] = []
        self._width = 72

    def on_mount(self) -> None:
        """Lay out; open at what is chosen."""
        self.set_class(len(self.chooser.choices) >= FILTER_FROM, "-long")
        self._lay_out()

    def use(self, chooser: Chooser) -> None:
        """Show other options or another language, keeping the place and what was typed."""
        chooser.typed, at = self.chooser.typed, self.highlighted
        self.chooser = chooser
        self._lay_out()
        self.highlighted = at

    def on_resize(self) -> None:
        """Wrapping depends on the width."""
        width = self.scrollable_content_region.width
        if width and width != self._width:
            self._width = width
            at = self.highlighted
            self._lay_out()
            self.highlighted = at

    def _lay_out(self) -> None:
        self._rows = self.chooser.rows()
        self.set_options([Option(self._prompt(i)) for i in self._rows])
        first = self.chooser.first_chosen()
        self.highlighted = self._rows.index(first) if first in self._rows else None

    def _prompt(self, index: int) -> Content:
        marks = symbols().several if self.chooser.multiple else symbols().single
        chosen = self.chooser.is_chosen(index)
        code = self.chooser.codes[index]
        size = max(len(self.chooser.codes[-1]), 1)
        lead = Content.assemble(
            (f"[{code}]".rjust(size + 2), KEY), " ", (marks[chosen], "bold $success" if chosen else ""), " "
        )
        choice = self.chooser.choices[index]
        text = hanging(lead, choice_label(choice), self._width - 2)
        text = text.stylize("bold", lead.cell_length) if chosen else text
        key = self.hints.get(choice.value)
        return text + "  " + Content.styled(f"[{key}]", KEY) if key else text

    def _remark(self) -> None:
        for row, index in enumerate(self._rows):
            self.replace_option_prompt_at_index(row, self._prompt(index))

    def status(self) -> str:
        """What is typed and how much of the list it leaves."""
        chooser = self.chooser
        found = len(chooser.matches())
        if chooser.typed and not chooser.by_code:
            said = (
                _("“{typed}”: {found} of {total}")
                if found
                else _("“{typed}”: nothing fits. [Backspace] [Esc] show all")
            )
            text = said.format(typed=chooser.typed, found=found, total=len(chooser.choices))
        elif chooser.typed:
            text = _("Code {typed}").format(typed=chooser.typed)
        elif len(chooser.choices) >= FILTER_FROM:
            text = _("{total} options: type letters to filter, or a code").format(total=len(chooser.choices))
        else:
            text = ""
        return text + (" " + _("(the first {rows} are shown)").format(rows=ROWS) if found > ROWS else "")

    # -- keys

    def on_key(self, event: events.Key) -> None:
        """Letters filter, digits are codes, Space marks, Backspace takes a letter back."""
        if event.key == "backspace" and self.chooser.typed:
            self.chooser.rub_out()
            self._filtered()
        elif event.key == "escape" and self.chooser.typed:
            self.chooser.typed = ""
            self._filtered()
        elif event.key == "space":
            self._space()
        elif event.is_printable and event.character and event.character not in "+-":
            self.chooser.type(event.character)
            self._filtered()
            self._code_typed()
        else:
            return
        event.stop()
        event.prevent_default()

    def _space(self) -> None:
        if self.chooser.typed and not self.chooser.by_code and not self.chooser.multiple:
            self.chooser.type(" ")
            self._filtered()
        elif self.highlighted is not None:
            self._choose(self._rows[self.highlighted], back=True)

    def _filtered(self) -> None:
        self._lay_out()
        code = self.chooser.code_index
        if self.chooser.typed:
            fits = 0 if self._rows and not self.chooser.by_code else None
            self.highlighted = self._rows.index(code) if code in self._rows else fits
        self.post_message(self.Typed(self))

    def _code_typed(self) -> None:
        """A whole code chooses at once; `1` in a list that has 10 waits for Enter, Space or another digit."""
        index = self.chooser.code_index
        if index is not None and (self.chooser.code_is_whole or not self.chooser.multiple):
            typed = "" if self.chooser.code_is_whole else self.chooser.typed
            self._choose(index)
            self.chooser.typed = typed
            self.post_message(self.Typed(self))

    def _choose(self, index: int, *, back: bool = False) -> None:
        filtered = len(self._rows) != len(self.chooser.choices)
        self.chooser.choose(index, back=back)
        if filtered:
            self._lay_out()
        else:
            self._remark()
        self.highlighted = self._rows.index(index) if index in self._rows else None
        self.post_message(self.Chosen(self))
        self.post_message(self.Typed(self))

    def action_select(self) -> None:
        """Enter: one choice is made and done; in a multiple list it marks what was typed, else it goes on."""
        at = None if self.highlighted is None else self._rows[self.highlighted]
        if at is not None and (not self.chooser.multiple or self.chooser.typed):
            done = not self.chooser.multiple
            if self.chooser.multiple or not self.chooser.is_chosen(at):
                self._choose(at)
            if not done:
                return
        if not self.chooser.typed or at is not None:
            self.post_message(self.Entered(self))

    def on_click(self, event: events.Click) -> None:
        """A click marks, and never goes on."""
        event.prevent_default()
        row = event.style.meta.get("option")
        if isinstance(row, int):
            self._choose(self._rows[row])
