"""Quick-hide: nothing of the interview is on the screen; the same key brings it back, a minute locks."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.actions import action, show_key
from fieldsurvey.tui.screens.base import BaseScreen
from fieldsurvey.tui.widgets.text import Words, bracketed


class HiddenScreen(BaseScreen):
    """A cover."""

    CSS = """
    #cover { width: 1fr; height: 1fr; content-align: center middle; text-align: center; color: $text-muted; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "hide", show=False)]

    def compose(self) -> ComposeResult:
        """One quiet line."""
        key = show_key(self.ours.keymap[action("hide").id][0])
        yield Words(bracketed(_("[{key}] comes back").format(key=key)), id="cover")

    def action_hide(self) -> None:
        """Uncover."""
        self.app.pop_screen()

    def action_help(self) -> None:
        """Nothing to say here."""

    async def action_language(self) -> None:
        """Nothing to translate here."""
