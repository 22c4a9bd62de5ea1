"""The evening review: completed interviews that wait. Enter looks and mends, one key seals them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.tui.actions import Scope, of
from fieldsurvey.tui.evening import card_line, report_text, what_for
from fieldsurvey.tui.screens.base import WORK_CSS, BaseScreen, bindings
from fieldsurvey.tui.screens.dialogs import AskYes, Tell
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import Words

if TYPE_CHECKING:
    from fieldsurvey.fieldwork.waiting import WaitingCard
    from fieldsurvey.tui.screens.home import HomeScreen


class EveningScreen(BaseScreen):
    """Over Home."""

    CSS_PATH = WORK_CSS
    SCOPES = (Scope.EVENING,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.EVENING)

    def __init__(self, home: HomeScreen) -> None:
        super().__init__()
        self.home = home
        self._cards: list[WaitingCard] = []

    def compose(self) -> ComposeResult:
        """What it is for, the list."""
        yield TopBar(Heading(_("Evening review")))
        yield Words(what_for(), classes="standing")
        yield OptionList(id="work", markup=False)
        yield KeyBar(of(Scope.EVENING, Scope.EVERYWHERE), self.ours.keymap)

    def on_mount(self) -> None:
        """Fill it."""
        self.renewed()

    def renewed(self) -> None:
        """Fill in what is not words."""
        self.query_one(OptionList).focus()
        self.run_worker(self._fill())

    async def _fill(self) -> None:
        try:
            self._cards = await self.ours.hand.do(self.home.session.waiting)
        except FieldsurveyError as error:
            self.ours.tell(error)
            return
        count = len(self._cards)
        self.query_one(TopBar).show(right=ngettext("{count} waits", "{count} wait", count).format(count=count))
        options = self.query_one(OptionList)
        rows = [
            Option(Content.assemble(f" {card.title}\n    ", (card_line(card), "$text-muted"))) for card in self._cards
        ]
        options.set_options(rows or [Option(Content.styled(_("Nothing waits."), "$text-muted"), disabled=True)])
        options.highlighted = 0 if rows else None

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter."""
        event.stop()
        self._look(event.option_index)

    def action_look(self) -> None:
        """Enter, when the list has no focus."""
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self._look(at)

    def _look(self, at: int) -> None:
        if at < len(self._cards):
            card = self._cards[at]
            self.app.pop_screen()
            self.home.open_waiting(card)

    def action_seal_all(self) -> None:
        """After asking."""
        if self._cards:
            text = _("Sealed, only the HMU can read them: not this laptop, not you. Nothing can be changed after.")
            title = ngettext("Seal {count} interview?", "Seal {count} interviews?", len(self._cards))
            ask = AskYes(title.format(count=len(self._cards)), text, _("Seal all"), _("Not yet"))
            self.app.push_screen(ask, self._decided)

    async def _decided(self, yes: bool | None) -> None:
        if not yes:
            return
        try:
            report = await self.ours.hand.do(lambda: self.home.session.seal_waiting(everything=True))
        except FieldsurveyError as error:
            self.ours.tell(error)
            return
        self.app.pop_screen()
        self.app.push_screen(Tell(_("Evening review"), report_text(report)))

    def action_close(self) -> None:
        """Back to Home."""
        self.app.pop_screen()
