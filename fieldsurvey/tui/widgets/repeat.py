"""A repeat as a table: its rows, "add one", "go on". Knows only `Row`s; what happens is the screen's business."""

from __future__ import annotations

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.tui.sitting import Page, Row
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.text import KEY, hanging


class RepeatTable(OptionList):
    """Posts `Picked(what, row)` on Enter."""

    class Picked(Message):
        """`what` is "row", "add" or "on"."""

        def __init__(self, what: str, row: Row | None = None) -> None:
            super().__init__()
            self.what = what
            self.row = row

    def __init__(self, page: Page) -> None:
        super().__init__(markup=False)
        self.page = page

    def on_mount(self) -> None:
        """Rows first; the cursor on "go on", or on "add" while there is none."""
        signs = symbols()
        for row in self.page.rows:
            lead = Content.assemble((f"[{row.position}]", KEY), " ")
            if row.problems:
                lead = lead + Content.styled(f"{signs.stop} ", "bold $error")
            self.add_option(Option(hanging(lead, row.label or _("(nothing yet)"), 66)))
        if self.page.can_add:
            self.add_option(
                Option(Content.assemble(("[+]", KEY), " ", _("Add one more") if self.page.rows else _("Add")))
            )
        self.add_option(Option(Content.assemble(("[Enter]", KEY), " ", self._on_text())))
        self.highlighted = len(self.page.rows) if not self.page.rows else self.option_count - 1

    def _on_text(self) -> str:
        count = len(self.page.rows)
        if not count:
            return _("None: go on")
        return ngettext("{count} is all: go on", "{count} are all: go on", count).format(count=count)

    @property
    def row(self) -> Row | None:
        """The highlighted row, None on "add" and "go on"."""
        at = self.highlighted
        return self.page.rows[at] if at is not None and at < len(self.page.rows) else None

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter, or a click."""
        event.stop()
        at = event.option_index
        if at < len(self.page.rows):
            self.post_message(self.Picked("row", self.page.rows[at]))
        else:
            self.post_message(self.Picked("on" if at == self.option_count - 1 else "add"))
