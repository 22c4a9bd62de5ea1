"""The interview: what its keys do besides going on and back, which `turning` does."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from textual.binding import BindingType

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.actions import Scope
from fieldsurvey.tui.hand import alone
from fieldsurvey.tui.missing import Missing
from fieldsurvey.tui.screens.base import WORK_CSS, bindings
from fieldsurvey.tui.screens.dialogs import AskNote, AskYes, Tell
from fieldsurvey.tui.screens.turning import TurningScreen
from fieldsurvey.tui.sitting import MissingRefusedError, PageKind
from fieldsurvey.tui.widgets.editors import LineEditor
from fieldsurvey.tui.widgets.repeat import RepeatTable
from fieldsurvey.tui.wording import Wording


class InterviewScreen(TurningScreen):
    """Drives one interview until it is left or sealed."""

    CSS_PATH = WORK_CSS
    SCOPES = (Scope.INTERVIEW,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.INTERVIEW, Scope.REPEAT)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The table's keys work on a table only."""
        del parameters
        if action in {"add", "remove"}:
            return self.page is not None and self.page.kind is PageKind.REPEAT
        return True

    # -- missing codes

    @alone
    async def _missing(self, code: Missing) -> None:
        field = self.card.focused_field()
        if field is None or self.gate.closed:
            return
        await self.save_pending()
        try:
            option = await self.do(lambda: self.sitting.put_missing(field.ref, code))
        except MissingRefusedError as error:
            field.blame(Wording("!", error.message, error.advice))
            return
        await self.card.follow(self.sitting.page(), self._around)
        if option is None:
            field.blame(Wording("!", _("This question does not offer that."), _("Answer it, or go on.")))
        else:
            field.blame(None)
            self._say_saved()

    async def action_dont_know(self) -> None:
        """F5."""
        await self._missing(Missing.DONT_KNOW)

    async def action_prefers_not(self) -> None:
        """F6."""
        await self._missing(Missing.PREFERS_NOT)

    async def action_not_applicable(self) -> None:
        """F7."""
        await self._missing(Missing.NOT_APPLICABLE)

    # -- the calendar of a date

    def on_line_editor_calendar_wanted(self, event: LineEditor.CalendarWanted) -> None:
        """Down in a date."""
        from fieldsurvey.tui.screens.calendar import CalendarScreen  # shown rarely; kept off the start path

        event.stop()
        editor = event.editor

        def chosen(day: date | None) -> None:
            if day is not None and editor.is_attached:
                editor.take_day(day)

        self.app.push_screen(CalendarScreen(editor.day() or self.now().date(), self.now().date()), chosen)

    # -- language, notes, undo

    @alone
    async def action_language(self) -> None:
        """The form's next language, in place."""
        if len(self.languages) < 2:
            return
        now = self.sitting.interview.language
        at = self.languages.index(now) if now in self.languages else 0
        wanted = self.languages[(at + 1) % len(self.languages)]
        await self.save_pending()
        if not await self.done(lambda: self.sitting.work.set_language(wanted)):
            return
        blamed = [f for f in self.card.fields if f.blamed]
        await self.card.follow(self.sitting.page(), self._around)
        self.blame([f for f in blamed if f in self.card.fields])
        await self._say_progress()

    def action_note(self) -> None:
        """A note on the question the cursor is in."""
        field = self.card.focused_field() or (self.card.fields[0] if self.card.fields else None)
        if field is None:
            return
        ref = field.ref

        async def keep(text: str | None) -> None:
            if text is not None:
                await self.done(lambda: self.sitting.work.set_note(ref, text))

        self.app.push_screen(AskNote(field.question.label, self.sitting.interview.note(ref)), keep)

    @alone
    async def action_undo(self) -> None:
        """The last answer back as it was."""
        await self.save_pending()
        if await self.do(self.sitting.undo) is None:
            self.app.bell()
        await self.turn()

    # -- elsewhere in the interview

    @alone
    async def action_problem(self) -> None:
        """To the first answer that needs attention."""
        await self.save_pending()
        ref = self.sitting.first_problem()
        if ref is None:
            self.app.push_screen(Tell(_("Nothing needs attention"), _("Every answer so far is as the form asks.")))
            return
        await self.go_to(ref)
        self.blame(self.card.fields)

    @alone
    async def action_jump(self) -> None:
        """The list of questions."""
        from fieldsurvey.tui.screens.jump import JumpScreen  # shown rarely; kept off the start path

        await self.save_pending()

        async def chosen(ref: str | None) -> None:
            if ref is not None:
                await self.go_to(ref)

        outline = self.sitting.outline()
        commented = {item.ref for item in outline if self.sitting.comment(item.ref)}
        self.app.push_screen(JumpScreen(outline, self.page.ref if self.page else "", commented), chosen)

    async def action_review(self) -> None:
        """All answers."""
        await self.review()

    async def action_save(self) -> None:
        """To Home; the draft opens at this question."""
        await self.save_pending()
        if not self._dirty and await self.done(self.work.close):
            self.ours.close_interview()

    # -- the table of a repeat

    def on_repeat_table_picked(self, event: RepeatTable.Picked) -> None:
        """Enter on a row, on "add", on "go on"."""
        event.stop()
        if event.what == "on":
            self.start(self.action_next())
        elif event.what == "add":
            self.start(self.action_add())
        elif event.row is not None:
            self.start(self._open_row(event.row.ref))

    @alone
    async def _open_row(self, ref: str) -> None:
        if await self.done(lambda: self.sitting.open_row(ref)):
            await self.turn()

    @alone
    async def action_add(self) -> None:
        """One more row; the cursor goes to its first question."""
        page = self.page
        if page is not None and page.can_add and not self.gate.closed:
            await self.do(lambda: self.sitting.add(page.ref))
            await self.turn()

    def action_remove(self) -> None:
        """Away with the highlighted row, after asking."""
        page = self.page
        row = self.query_one(RepeatTable).row
        if page is None or row is None:
            return

        async def decided(yes: bool | None) -> None:
            if yes and await self.done(lambda: self.sitting.remove(page.ref, row.position)):
                await self.turn()

        title = _("Remove row {position}?").format(position=row.position)
        self.app.push_screen(AskYes(title, row.label, _("Remove it"), _("Keep it")), decided)
