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
from fieldsurvey.tui.widgets.text import KEY, Hung, Words, bracketed


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
            yield Hung(id="keys")
            if Scope.INTERVIEW in self.scopes:
                yield Words(id="legend")
            yield Words(bracketed(_("[↑] [↓] scroll   [Esc] closes this")), classes="echo")

    def on_mount(self) -> None:
        """A line an action, those of this screen first."""
        lines = []
        for scope in self.scopes:
            for action in (a for a in of(scope) if a.id not in self.ours.WITHOUT):
                shown = list(dict.fromkeys(show_key(k) for k in self.ours.keymap[action.id]))
                lead = Content.styled(", ".join(shown[:2]).ljust(14), KEY) + " "
                lines.append((lead, f"{action.shown}. {_(action.help)}", ""))
        self.query_one("#keys", Hung).hang(lines)
        for legend in self.query("#legend").results(Words):
            legend.say(
                _("Bold beside the bar: read it aloud as it is written.") + "\n"
                + _("› slanted: an instruction for you; do not read it aloud.") + "\n"
                + _("In a list: type the code, or letters of the option, or use the arrows.")
            )  # fmt: skip
