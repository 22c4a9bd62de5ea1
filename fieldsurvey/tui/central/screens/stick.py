"""A stick or a folder: chosen, then worked on. Sticks are found by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import visible
from fieldsurvey.tui.carrying import found_line
from fieldsurvey.tui.central.screens.work import WorkScreen
from fieldsurvey.tui.central.sticks import Purpose
from fieldsurvey.tui.widgets.text import Words

if TYPE_CHECKING:
    from sync.drives import Drive

PLUGGED = 2.0
"""Seconds between two looks for sticks."""


class StickScreen(WorkScreen):
    """Work with a stick, a disk or a folder."""

    def __init__(self, purpose: Purpose) -> None:
        super().__init__(purpose)
        self.drives: list[Drive] = []
        self._looking = False

    def chooser(self) -> Iterator[Widget]:
        """The sticks that are there, or a folder."""
        yield Words(_(self.purpose.where), classes="group")
        yield OptionList(id="drives", markup=False)
        yield Words("", id="none", classes="label")
        yield Input(placeholder=_("or type a folder"), id="folder", select_on_focus=False)

    def on_mount(self) -> None:
        """Go on looking for sticks."""
        super().on_mount()
        self.set_interval(PLUGGED, self._look_around)

    def choose(self) -> None:
        """Afresh."""
        self.drives = []
        self.query_one("#folder", Input).focus()
        self._look_around()

    def _look_around(self) -> None:
        if not self._looking and not self.mine.working and not self.has_class("-done"):
            self._looking = True
            self.run_worker(self._look())

    async def _look(self) -> None:
        from sync.drives import removable_drives  # with the first look

        try:
            found = await self.mine.hand.do(removable_drives)
        finally:
            self._looking = False
        if found != self.drives or not self.drives:
            self._list(found)

    def _list(self, found: list[Drive]) -> None:
        options = self.query_one("#drives", OptionList)
        at = options.highlighted
        before = self.drives[at].path if at is not None and at < len(self.drives) else None
        new = {drive.path for drive in found} - {drive.path for drive in self.drives}
        self.drives = found
        options.set_options([Option(Content(visible(found_line(drive)))) for drive in found])
        options.display = bool(found)
        self.query_one("#none", Words).say("" if found else _("No stick yet: put one in, or type a folder."))
        if found:
            options.highlighted = next((n for n, drive in enumerate(found) if drive.path == before), 0)
        typed = self.query_one("#folder", Input)
        if new and not typed.value:
            options.focus()
        elif not found:
            typed.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter on a stick."""
        event.stop()
        self.action_begin()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter on a folder."""
        event.stop()
        typed = event.value.strip().strip("'\"")
        if typed:
            self._begin(Path(typed).expanduser().absolute())
        elif self.drives:
            self.action_begin()

    def action_begin(self) -> None:
        """The highlighted stick."""
        at = self.query_one("#drives", OptionList).highlighted
        if at is not None and at < len(self.drives) and not self.has_class("-done"):
            self._begin(self.drives[at].path)
