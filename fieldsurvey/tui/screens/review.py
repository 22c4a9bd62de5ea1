"""Review: answered, missing, doubtful, notes. Enter jumps there, going on from there comes back. Then: seal."""

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
from fieldsurvey.tui.choosing import ROWS
from fieldsurvey.tui.hand import Hand, alone
from fieldsurvey.tui.overview import Filter, Line, Overview
from fieldsurvey.tui.returned import hmu_says
from fieldsurvey.tui.screens.base import WORK_CSS, BaseScreen, bindings
from fieldsurvey.tui.screens.dialogs import AskYes, Tell
from fieldsurvey.tui.sealing import before_ending, ended_text, ended_title
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import KEY, Words, hanging

if TYPE_CHECKING:
    from fieldsurvey.tui.screens.turning import TurningScreen


class ReviewScreen(BaseScreen):
    """Over the interview it reviews."""

    CSS_PATH = WORK_CSS
    SCOPES = (Scope.REVIEW,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.REVIEW)

    def __init__(self, interview: TurningScreen) -> None:
        super().__init__()
        self.interview = interview
        self.filter = Filter.ALL
        self._shown: list[Line] = []
        self._heads = 0  # rows before the first question: what the HMU says to the whole
        self._filters = list(Filter)

    @property
    def hand(self) -> Hand:
        """The app's."""
        return self.ours.hand

    def compose(self) -> ComposeResult:
        """Counts, list."""
        yield TopBar(Heading(_("Review")))
        yield Words("", id="counts", classes="standing")
        yield OptionList(id="answers", markup=False)
        yield KeyBar(of(Scope.REVIEW, Scope.EVERYWHERE), self.ours.keymap)

    def on_mount(self) -> None:
        """Problems first, where there are any."""
        self.renewed()

    def renewed(self) -> None:
        """Fill it."""
        self.query_one(OptionList).focus()
        self.run_worker(self._fill(opening=True))

    @alone
    async def _fill(self, *, opening: bool = False) -> None:
        sitting = self.interview.sitting
        overview = await self.hand.do(lambda: Overview.of(sitting))
        self._filters = overview.filters
        if opening:
            first = Filter.COMMENTED if Filter.COMMENTED in self._filters else Filter.ALL
            self.filter = Filter.ATTENTION if overview.blocking and first is Filter.ALL else first
        heads = overview.said if self.filter is Filter.COMMENTED else ()
        self._heads = len(heads)
        self._shown = overview.lines(self.filter)[:ROWS]
        options = self.query_one(OptionList)
        width = max(options.scrollable_content_region.width, 40)
        said = [Option(said_prompt(text, width - 2)) for text in heads]
        options.set_options([*said, *(Option(prompt(line, width - 2)) for line in self._shown)])
        options.highlighted = self._heads if self._shown else None
        self.query_one(TopBar).show(
            title=f"{_('Review')} {symbols().then} {self.interview.form_title}",
            section=overview.filter_words(self.filter, len(self._shown)),
            state=self.interview.saved_words(),
            good=sitting.work.saved,
        )
        self.query_one("#counts", Words).say(overview.summary())

    def action_filter(self) -> None:
        """The next view of the list."""
        kinds = self._filters
        self.filter = kinds[(kinds.index(self.filter) + 1) % len(kinds)]
        self.run_worker(self._fill())

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter: to the question, and back here afterwards."""
        event.stop()
        self._go(event.option_index)

    def action_go(self) -> None:
        """Enter, when the list has no focus."""
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self._go(at)

    def _go(self, at: int) -> None:
        if at < self._heads:
            return
        ref = self._shown[at - self._heads].ref
        self.app.pop_screen()
        self.interview.start(self.interview.go_to(ref, to_review=True))

    def action_close(self) -> None:
        """Back to the question."""
        self.app.pop_screen()

    async def action_language(self) -> None:
        """The form's other language."""
        await self.interview.action_language()
        await self._fill()

    # -- sealing

    async def action_seal(self) -> None:
        """Finish, after asking: nothing can be changed afterwards."""
        blocking = self.interview.sitting.blocking()
        if blocking:
            self.filter = Filter.ATTENTION
            await self._fill()
            text = ngettext(
                "{count} answer still needs attention. It is listed here; [Enter] goes there.",
                "{count} answers still need attention. They are listed here; [Enter] goes there.",
                blocking,
            ).format(count=blocking)
            self.app.push_screen(Tell(_("Not yet"), text))
            return
        hours = 0 if self.interview.sitting.correction else self.ours.review_hours
        title, text, yes = before_ending(self.interview.work, hours)
        self.app.push_screen(AskYes(title, text, yes, _("Not yet")), self._decided)

    async def _decided(self, yes: bool | None) -> None:
        if not yes:
            return
        try:
            card = await self.hand.do(self.interview.work.complete)
        except FieldsurveyError as error:  # nothing is lost: the draft is as it was
            self.ours.tell(error)
            return
        self.ours.close_interview()
        self.app.push_screen(Tell(ended_title(card), ended_text(card)))


def said_prompt(text: str, width: int) -> Content:
    """A row of what the HMU says to the whole."""
    return hanging(Content.styled(f"    {symbols().said} ", "bold $accent"), text, width)


def prompt(line: Line, width: int) -> Content:
    """A row: number, sign, question, answer."""
    signs = symbols()
    sign, style = {
        "attention": (signs.stop, "bold $error"),
        "doubt": (signs.caution, "bold $warning"),
        "answered": (signs.done, "$success"),
        "blank": ("·", "$text-muted"),
    }[line.kind]
    number = "" if line.number is None else str(line.number)
    lead = Content.assemble((number.rjust(3), KEY), " ", (sign, style), " ")
    text = hanging(lead, line.label, width)
    if line.answer:
        text = text + "\n" + hanging(Content("      "), f"{line.answer}", width).stylize("bold")
    for said in line.said:
        text = text + "\n" + hanging(Content("      "), said, width).stylize(style)
    if line.comment:
        lead = Content.styled(f"    {signs.said} ", "bold $accent")
        text = text + "\n" + hanging(lead, hmu_says(line.comment), width)
    if line.note:
        said = _("Note: {text}").format(text=line.note)
        text = text + "\n" + hanging(Content("      "), said, width).stylize("italic $text-muted")
    return text
