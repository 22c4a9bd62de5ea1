"""Turning the pages of an interview: every change is saved before the next page is shown.

Work's calls run in the app's hand (a thread): a slow disk then never freezes the screen. Keys pressed before the
new page was painted were meant for the old one and are dropped, so a double press never skips a question.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from time import monotonic
from typing import Any, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.timer import Timer
from textual.widgets import TextArea

from fieldsurvey.base.errors import InputError, RefusedError, StorageError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.actions import Scope, of, show_key
from fieldsurvey.tui.hand import Hand, alone
from fieldsurvey.tui.missing import missing_options
from fieldsurvey.tui.ports import SealableWork
from fieldsurvey.tui.scales import pebbles_left
from fieldsurvey.tui.screens.base import BaseScreen
from fieldsurvey.tui.screens.dialogs import AskLine, Tell
from fieldsurvey.tui.sitting import Page, PageKind, Sitting, Step
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.turnstile import Turnstile
from fieldsurvey.tui.waiting import PATIENCE, Waiting
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.card import Card
from fieldsurvey.tui.widgets.field import Around, Field
from fieldsurvey.tui.wording import Wording, word
from fieldsurvey.xforms.contract import Question

T = TypeVar("T")
PAUSE = 0.8  # seconds without typing after which what is typed so far is saved
LONGEST = 3.0  # seconds of typing without a pause after which it is saved all the same


def titled(work: SealableWork, *, returned: bool = False) -> str:
    """The form's title, after what makes this interview different from others, in capitals."""
    if work.practice:
        return f"{_('PRACTICE')} {symbols().then} {work.title}"
    if work.completed or returned:
        return f"{_('MENDING')} {symbols().then} {work.title}"
    return work.title


class TurningScreen(BaseScreen):
    """The card, what is saved when, going on and going back."""

    def __init__(
        self, sitting: Sitting, work: SealableWork, languages: tuple[str, ...], now: Callable[[], datetime]
    ) -> None:
        super().__init__()
        self.sitting = sitting
        self.work = work
        self.form_title = titled(work, returned=sitting.correction is not None)
        self.languages = languages
        self.now = now
        self.gate = Turnstile()
        self.waiting = Waiting()
        self._dirty: set[str] = set()
        self._pause: Timer | None = None
        self._failed = 0.0  # when a change was last refused by the disk
        self._typing_since = 0.0
        self._to_review = False  # came from the review: going on returns there

    # -- the page

    def compose(self) -> ComposeResult:
        """Top, card, keys: they stay."""
        yield TopBar(Heading(self.form_title))
        yield Card(self.now, lambda action: show_key(self.ours.keymap[action][0]))
        yield KeyBar(of(Scope.INTERVIEW, Scope.EVERYWHERE), self.ours.keymap)

    @property
    def card(self) -> Card:
        """The card."""
        return self.query_one(Card)

    @property
    def page(self) -> Page | None:
        """What is on the card."""
        return self.card.page

    @property
    def hand(self) -> Hand:
        """The app's."""
        return self.ours.hand

    def on_mount(self) -> None:
        """The question where the interview stands."""
        self.start(self.turn())

    def start(self, doing: Coroutine[Any, Any, object]) -> None:
        """Run it beside the screen's own messages, which go on being painted and answered."""
        self.run_worker(doing, group="interview")

    @alone
    async def turn(self) -> None:
        """Show the page of the interview's place."""
        self.gate.close()
        self.waiting.end()
        self._dirty.clear()
        if self._pause is not None:
            self._pause.stop()
            self._pause = None
        await self.card.turn(self.sitting.page(), self._around)
        self._say_saved()
        self.call_after_refresh(self._painted)

    def on_descendant_focus(self) -> None:
        """Where Enter writes a new line, the keys at the bottom say how to go on."""
        self.query_one(KeyBar).enter_is(typed=isinstance(self.focused, TextArea))

    def _painted(self) -> None:
        self.gate.open()
        self.start(self._say_progress())

    @alone
    async def _say_progress(self) -> None:
        page = self.page
        if page is not None:
            progress = await self.hand.do(self.sitting.progress)
            self.query_one(TopBar).show(section=f" {symbols().then} ".join(page.section), progress=progress)

    def accepts(self, at: float, key: str) -> bool:
        """See Turnstile."""
        return self.gate.passes(at, key)

    def keeps(self, key: events.Key) -> bool:
        """See Waiting."""
        return self.waiting.take(key)

    def after_key(self, key: events.Key) -> None:
        """Enter in an editor may move the cursor or turn the page."""
        typed = self.card.focused_field() is not None and not isinstance(self.focused, TextArea)
        if key.key == "enter" and typed and not self.gate.closed:
            self._bear_with(self.waiting.begin())

    def _bear_with(self, wait: int) -> None:
        def tire() -> None:  # what is still under way, on a slow disk for long, ends the wait itself when it is done
            if self.waiting.busy and self.waiting.number == wait:
                busy = any(worker.node is self and not worker.is_finished for worker in self.workers)
                self._bear_with(wait) if busy else self._let_go()

        self.set_timer(PATIENCE, tire)

    def _let_go(self) -> None:
        """What waited goes on to where the cursor is now; to nobody when this screen is covered."""
        for key in self.waiting.end():
            if self.app.screen is self:
                key.set_sender(self.app)  # else it would not get past this screen to the bindings
                self.app.post_message(key)

    def _around(self, question: Question) -> Around:
        options = missing_options(question, self.sitting.interview)
        now = self.sitting.missing_of(question)
        keymap = self.ours.keymap
        offered = tuple((show_key(keymap[c.value][0]), o.label) for c, o in options.items())
        own = tuple((c.value, show_key(keymap[c.value][0])) for c, o in options.items() if o.ref == question.ref)
        left = pebbles_left(question, self.sitting.interview)
        takes_file, comment = self.sitting.takes_file(question), self.sitting.comment(question.ref)
        return Around(offered, now.label if now else None, own, left, takes_file, comment)

    # -- saving

    async def do(self, change: Callable[[], T]) -> T | None:
        """Run a durable change in the app's hand. A storage failure is said, and stays said on top; None then."""
        try:
            return await self.hand.do(change)
        except StorageError as error:
            self._failed = monotonic()
            self.query_one(TopBar).show(state=f"{symbols().stop} {_('NOT SAVED')}", good=False)
            if not isinstance(self.app.screen, Tell):  # said once, until it is closed
                self.app.push_screen(Tell(_("This was not saved"), f"{error.message}\n\n{error.advice}"))
            return None

    async def done(self, change: Callable[[], object]) -> bool:
        """`do` for a change without a result; whether it is saved."""
        if await self.do(lambda: (change(),)) is None:
            return False
        self._say_saved()
        return True

    def _say_saved(self) -> None:
        clock = self.now().strftime("%H:%M:%S")
        state = f"{symbols().saved} " + _("saved {clock}").format(clock=clock)
        if self.work.practice:
            state = f"{symbols().caution} " + _("kept nowhere")
        self.query_one(TopBar).show(state=state, good=not self.work.practice)

    def saved_words(self) -> str:
        """The truth in two words, for the review."""
        if self.work.practice:
            return _("kept nowhere")
        return _("saved") if self.work.saved else _("NOT SAVED")

    def _values(self) -> dict[str, str | None]:
        """What was edited and is not saved yet."""
        return {f.ref: f.stored() for f in self.card.fields if f.editable and (f.ref in self._dirty or f.touched)}

    @alone
    async def save_pending(self) -> None:
        """Save what is typed; before locking, leaving, jumping."""
        values = self._values()
        if values and await self.done(lambda: self.sitting.put_all(values)):
            now = {f.ref: f.stored() for f in self.card.fields}  # keys went on coming while the disk was busy
            self._dirty -= {ref for ref, value in values.items() if now.get(ref) == value}

    def on_field_edited(self, event: Field.Edited) -> None:
        """Choices are saved at once, typing after a short pause."""
        event.stop()
        field = event.field
        if field not in self.card.fields:
            return
        before = field.question.raw if field.question.raw is not None else field.question.value
        if field.stored() == before and field.ref not in self._dirty:
            return
        self._dirty.add(field.ref)
        field.blame(None)
        self.query_one(TopBar).show(state=f"{symbols().unsaved} " + _("not saved yet"), good=True)
        if event.settled:
            self.start(self.save_and_follow(None))
        else:
            self._save_soon(field)

    def _save_soon(self, field: Field) -> None:
        """At the next pause in typing; for somebody who never pauses, after LONGEST."""
        now = monotonic()
        if self._pause is not None:
            if now - self._typing_since > LONGEST:
                return
            self._pause.stop()
        else:
            self._typing_since = now

        def save() -> None:
            self._pause = None
            if self._failed < now:  # else Enter has tried since, and it was said: Enter tries again
                self.start(self.save_and_follow(field))

        self._pause = self.set_timer(PAUSE, save)

    @alone
    async def save_and_follow(self, spare: Field | None) -> None:
        """Save, then show what the answer changed on this page."""
        if not self.gate.closed and self._dirty:
            await self.save_pending()
            ahead = [f for f in self.card.fields if f is spare or f.ref in self._dirty]
            await self.card.follow(self.sitting.page(), self._around, spare=ahead)

    # -- going on and back

    def on_field_done(self, event: Field.Done) -> None:
        """Enter in an editor: the next field of the page, then the next page."""
        event.stop()
        fields = [f for f in self.card.fields if f.editable]
        if event.field not in fields or self.gate.closed:
            self._let_go()
            return
        self.start(self.action_next() if len(fields) == 1 else self._next_field(event.field))

    def on_field_picked(self, event: Field.Picked) -> None:
        """Enter on the place of a picture."""
        event.stop()
        if event.field in self.card.fields and not self.gate.closed:
            self.start(self._pick(event.field))
        self._let_go()

    @alone
    async def _pick(self, field: Field) -> bool:
        """Take in the picture whose place is typed; why it cannot be is said under it. Whether it was taken."""
        place = field.place
        try:
            taken = await self.done(lambda: self.sitting.attach(field.ref, place))
        except (InputError, RefusedError) as error:
            field.blame(Wording("✗", error.message, error.advice))
            return False
        if taken:
            await self.card.follow(self.sitting.page(), self._around)
            field.blame(None)
        return taken

    def on_field_stayed(self, event: Field.Stayed) -> None:
        """Enter in an editor that keeps the cursor."""
        event.stop()
        self._let_go()

    @alone
    async def _next_field(self, field: Field) -> None:
        """The next field of a page of several; an answer may have made one appear. After the last, the next page."""
        await self.save_pending()
        await self.card.follow(self.sitting.page(), self._around)
        here = self.card.field(field.ref)
        if here is None:
            self._let_go()
            return
        later = self.card.fields[self.card.fields.index(here) + 1 :]
        if any(f.take_focus() for f in later):
            self.blame([here])
            self._let_go()
        else:
            await self.action_next()

    @alone
    async def action_next(self) -> None:
        """Save, check, go on. From the review, "on" is back to it."""
        if self.gate.closed or self.page is None:
            return
        if self.page.kind is PageKind.END:
            await self.review()
            return
        for field in [f for f in self.card.fields if f.place]:  # typed, and not yet taken in with Enter
            if not await self._pick(field):
                return
        self.gate.close()
        values, stay = self._values(), self._to_review
        step = await self.do(lambda: self.sitting.forward(values, stay=stay))
        if step is Step.MOVED:
            self._to_review = False
            await self.turn()
            if stay:
                await self.review()
        else:
            await self._stopped(step)

    async def _stopped(self, step: Step | None) -> None:
        self.gate.open()
        self.waiting.end()  # meant for a page that does not come
        if step is None:
            return
        self._dirty.clear()
        self._say_saved()
        await self.card.follow(self.sitting.page(), self._around)
        bad = self.blame(self.card.fields)
        if bad is not None:
            bad.take_focus()
        if step is Step.REASON:
            self._ask_reason()

    def blame(self, fields: list[Field]) -> Field | None:
        """Violations under their fields; returns the first field with one."""
        first = None
        for field in fields:
            wording = self._wording(field.question)
            field.blame(wording)
            if wording is not None and first is None:
                first = field
        return first

    def _wording(self, question: Question) -> Wording | None:
        if question.violation is None or question.violation.accepted:
            return None
        keys = " ".join(f"[{key}]" for key, _label in self._around(question).offered)
        return word(question.violation, question, missing_keys=keys)

    def _ask_reason(self) -> None:
        question = self.sitting.warned()
        if question is None:
            return
        reason = question.violation.message if question.violation and question.violation.message else ""

        async def accepted(text: str | None) -> None:
            if text and await self.done(lambda: self.sitting.accept(question.ref, text)):
                await self.action_next()

        keys = _("[Enter] keeps the reason and goes on   [Esc] corrects the answer")
        self.app.push_screen(AskLine(_("Why is this right all the same?"), f"{reason}\n{keys}", needed=True), accepted)

    @alone
    async def action_back(self) -> None:
        """Save and go back; checks nothing."""
        if self.gate.closed:
            return
        self.gate.close()
        values = self._values()
        if await self.done(lambda: self.sitting.back(values)):
            await self.turn()
        else:
            self.gate.open()

    @alone
    async def go_to(self, ref: str, *, to_review: bool = False) -> None:
        """Jump to a question; `to_review`: going on from there returns to the review."""
        await self.save_pending()
        self._to_review = await self.done(lambda: self.sitting.go_to(ref)) and to_review
        await self.turn()

    @alone
    async def review(self) -> None:
        """All answers; Enter there comes back here."""
        from fieldsurvey.tui.screens.review import ReviewScreen  # shown rarely; kept off the start path

        await self.save_pending()
        self.app.push_screen(ReviewScreen(self))
