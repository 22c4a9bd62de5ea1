"""The card: its contents are swapped, it stays. Which widgets a page needs is decided here, what they do is not."""

from __future__ import annotations

from collections.abc import Callable, Collection

from textual.containers import VerticalScroll
from textual.widget import Widget

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.sitting import Page, PageKind
from fieldsurvey.tui.widgets.choices import ChoiceList
from fieldsurvey.tui.widgets.editors import Now
from fieldsurvey.tui.widgets.field import Around, Field
from fieldsurvey.tui.widgets.repeat import RepeatTable
from fieldsurvey.tui.widgets.tally import TallyEditor, tally_letters
from fieldsurvey.tui.widgets.text import Words, bracketed
from fieldsurvey.xforms.contract import Question

AroundOf = Callable[[Question], Around]


class Card(VerticalScroll, can_focus=False):
    """Holds one page."""

    DEFAULT_CSS = """
    Card { padding: 1 2 0 2; scrollbar-size-vertical: 1; }
    """

    def __init__(self, now: Now, keys: Callable[[str], str]) -> None:
        """`keys`: action id -> the key that is shown for it."""
        super().__init__()
        self.now = now
        self.keys = keys
        self.page: Page | None = None
        self.fields: list[Field] = []

    async def turn(self, page: Page, around_of: AroundOf) -> None:
        """Swap the contents for `page` and put the cursor where one would type."""
        letters = tally_letters(page.questions)
        note = self.keys("note")
        fields = [
            Field(q, around_of(q), self.now, note_key=note, letter=letters.get(q.ref, "")) for q in page.questions
        ]
        with self.app.batch_update():
            await self.remove_children()
            self.page, self.fields = page, fields
            await self.mount(*self._head(page), *fields, *self._tail(page))
            self.scroll_home(animate=False)
        self._count()
        self.focus_first()
        self.call_after_refresh(self._fit)

    async def follow(self, page: Page, around_of: AroundOf, *, spare: Collection[Field] = ()) -> None:
        """The same place after an answer or in another language: fields come and go, the rest stays as it is.

        `spare`: the fields that somebody is typing in; their editors are left alone.
        """
        if page.kind not in {PageKind.FIELDS, PageKind.QUESTION} or [q.ref for q in page.questions] != [
            f.ref for f in self.fields
        ]:
            at = self.focused_field()
            keep = at.ref if at is not None else None
            await self.turn(page, around_of)
            if found := self.field(keep):
                found.take_focus()
            return
        self.page = page
        for field, question in zip(self.fields, page.questions, strict=True):
            field.show(question, around_of(question), editor=field not in spare)
        self._count()
        for words in self.query(".group").results(Words):
            words.say(page.title)

    def _head(self, page: Page) -> list[Widget]:
        if page.kind is PageKind.FIELDS:
            tally = _("[a] one more   [A] one less   digits type the number   [↑] [↓] from row to row")
            head: list[Widget] = [Words(page.title, classes="group")] if page.title else []
            return [*head, Words(bracketed(tally), classes="instruction")] if tally_letters(page.questions) else head
        if page.kind is PageKind.SECTION:
            begin = _("[{next}] begins this section.").format(next=self.keys("next"))
            return [Words(page.title, classes="group"), Words(bracketed(begin))]
        if page.kind is PageKind.REPEAT:
            table = RepeatTable(page)
            text = _("[Enter] opens or adds   [{add}] adds   [{remove}] removes")
            what = bracketed(text.format(add=self.keys("add"), remove=self.keys("remove")))
            return [Words(page.title, classes="group"), table, Words(what, classes="echo")]
        if page.kind is PageKind.END:
            on = _("[{next}] shows all answers, and from there the interview is sealed.")
            return [
                Words(_("That was the last question."), classes="group"),
                Words(bracketed(on.format(next=self.keys("next")))),
                Words(bracketed(_("[{back}] goes back.").format(back=self.keys("back"))), classes="echo"),
            ]
        return []

    @staticmethod
    def _tail(page: Page) -> list[Widget]:
        if page.kind is PageKind.FIELDS and not page.questions:
            return [Words(_("Nothing to ask here now."), classes="echo")]
        return [Words(id="total", classes="standing")] if tally_letters(page.questions) else []

    def _count(self) -> None:
        """How many were counted on this page."""
        for total in self.query("#total").results(Words):
            found = sum(row.count or 0 for row in self.query(TallyEditor))
            total.say(_("{count} in all").format(count=found))

    def on_tally_editor_counted(self, event: TallyEditor.Counted) -> None:
        """One more, one less."""
        event.stop()
        self._count()

    def field(self, ref: str | None) -> Field | None:
        """The field of that question, if it is on the card."""
        return next((f for f in self.fields if f.ref == ref), None)

    def focused_field(self) -> Field | None:
        """The field the cursor is in; the only field where there is one."""
        focused = self.screen.focused
        for field in self.fields:
            if focused is not None and field in focused.ancestors:
                return field
        return self.fields[0] if len(self.fields) == 1 else None

    def focus_first(self) -> None:
        """Put the cursor into the first editor, or the table."""
        for table in self.query(RepeatTable):
            table.focus()
            return
        if not any(field.take_focus() for field in self.fields):
            self.screen.set_focus(None)

    def _fit(self) -> None:
        """A list that makes the card longer than the screen scrolls by itself, so that its question stays in sight."""
        lists = list(self.query(ChoiceList))
        over = self.virtual_size.height - self.size.height
        if len(lists) == 1 and over > 0 and self.size.height:
            lists[0].styles.max_height = max(lists[0].outer_size.height - over - 1, 5)
