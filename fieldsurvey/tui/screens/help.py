"""The keys of a screen, derived from the registry and the keymap in use."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.actions import Scope, of, show_key
from fieldsurvey.tui.screens.base import Overlay
from fieldsurvey.tui.widgets.text import KEY, Words, bracketed, hanging


class HelpScreen(Overlay[None]):
    """A box with a line an action."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1,ctrl+o,enter", "close", show=False, priority=True)]

    def __init__(self, scopes: tuple[Scope, ...]) -> None:
        super().__init__()
        self.scopes = scopes

    def compose(self) -> ComposeResult:
        """Keys left, words right."""
        with VerticalScroll(classes="box -tall"):
            yield Words(_("Keys"), classes="group")
            yield Words(id="keys")
            if Scope.INTERVIEW in self.scopes:
                yield Words(id="legend")
            yield Words(bracketed(_("[↑] [↓] scroll   [Esc] closes this")), classes="echo")

    def on_resize(self) -> None:
        """Wrapping depends on the width."""
        width = max(self.query_one(".box").scrollable_content_region.width, 30)
        lines = []
        for action in of(*self.scopes):
            shown = list(dict.fromkeys(show_key(k) for k in self.ours.keymap[action.id]))
            lead = Content.styled(", ".join(shown[:3]).ljust(20), KEY) + " "
            lines.append(hanging(lead, f"{action.shown}. {_(action.help)}", width))
        self.query_one("#keys", Words).say(Content("\n").join(lines))
        for legend in self.query("#legend").results(Words):
            legend.say(
                _("Bold beside the bar: read it aloud as it is written.") + "\n"
                + _("› slanted: an instruction for you; do not read it aloud.") + "\n"
                + _("In a list: type the code, or letters of the option, or use the arrows.")
            )  # fmt: skip
