"""What answers are typed into: one editor a type, all with the same two methods.

`stored()` is the answer as `Work.answer` takes it (text that cannot be read included); `show(question)` puts the
question's answer, options and language in, keeping focus. Checking is the engine's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from textual import events
from textual.message import Message
from textual.widgets import Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_
from fieldsurvey.tui.answers import PATHS, RECORDINGS, choice_label
from fieldsurvey.tui.choosing import Chooser
from fieldsurvey.tui.typed import parse_date, read, shown
from fieldsurvey.tui.widgets.choices import ChoiceList
from fieldsurvey.tui.widgets.picture import PictureEditor
from fieldsurvey.tui.widgets.points import PointsEditor
from fieldsurvey.tui.widgets.tally import TallyEditor
from fieldsurvey.tui.widgets.text import bracketed
from fieldsurvey.xforms.contract import Question

Now = Callable[[], datetime]
ACKNOWLEDGED = "OK"  # what ODK stores for an acknowledged trigger
_RESTRICT = {"integer": r"[+-]?\d*", "decimal": r"[+-]?\d*[.,]?\d*", "range": r"[+-]?\d*[.,]?\d*"}
_SHORT = frozenset({"integer", "decimal", "date", "time", "dateTime", "range"})
COUNTERS = frozenset({"counter", "tally", "pebbles", "pairwise"})
_PLACEHOLDER = {
    "date": n_("DD/MM/YYYY"),
    "time": n_("HH:MM"),
    "dateTime": n_("DD/MM/YYYY HH:MM"),
    "integer": n_("whole number"),
    "decimal": n_("number"),
    "barcode": n_("scan it, or type it"),
    "geopoint": n_("latitude longitude, like 0.3512 -78.1223"),
}


@runtime_checkable
class Editor(Protocol):
    """What a field needs of its editor."""

    def stored(self) -> str | None:
        """The answer as it would be stored, None when blank."""
        ...

    def show(self, question: Question) -> None:
        """Show this answer, these options, this language."""
        ...


def has_calendar(question: Question) -> bool:
    """Whether a day is asked for, as a day."""
    return question.type in {"date", "dateTime"} and not {"no-calendar", "year", "month-year"} & set(
        question.appearance
    )


class LineEditor(Input):
    """Text, numbers, dates, times, places and codes on one line."""

    class CalendarWanted(Message):
        """Down in a date: a day is to be chosen."""

        def __init__(self, editor: LineEditor) -> None:
            super().__init__()
            self.editor = editor

    def __init__(self, question: Question, now: Now) -> None:
        self.kind = question.type
        self.appearance = question.appearance
        self.parameters = question.parameters
        self.now = now
        self.calendar = has_calendar(question)
        mask = _PLACEHOLDER.get(question.type, "")
        self.given = shown(self.kind, question.value, question.raw, self.appearance)
        super().__init__(
            self.given,
            placeholder=_(mask) if not {"year", "month-year"} & set(self.appearance) else "",
            restrict=_RESTRICT.get(self.kind) if question.raw is None else None,
            password="masked" in self.appearance,
            select_on_focus=self.kind != "text",  # a number or a date is replaced, a text is gone on with
        )
        self.set_class(self.kind in _SHORT, "-short")

    def stored(self) -> str | None:
        """See Editor."""
        return read(self.kind, self.value, self.now(), self.appearance)

    def show(self, question: Question) -> None:
        """See Editor. What is being typed is left alone when it means the same."""
        text = shown(self.kind, question.value, question.raw, self.appearance)
        if read(self.kind, text, self.now(), self.appearance) != self.stored():
            self.given = self.value = text
            self.cursor_position = len(text)

    def on_key(self, event: events.Key) -> None:
        """A range moves with the arrows; a counter, a tally, pebbles and pairs with + and − and Space too."""
        if event.key == "down" and self.calendar:
            event.stop()
            self.post_message(self.CalendarWanted(self))
            return
        step = {"up": 1, "down": -1, "plus": 1, "space": 1, "minus": -1}.get(event.key, 0)
        counts = COUNTERS & set(self.appearance) and self.kind in {"integer", "decimal"}
        if not step or not (counts or (self.kind == "range" and event.key in {"up", "down"})):
            return
        event.stop()
        event.prevent_default()
        self._move(step)

    def day(self) -> date | None:
        """The day that is typed."""
        return parse_date(self.value.partition(" ")[0], self.now().date())

    def take_day(self, day: date) -> None:
        """A day from the calendar; the time of day stays."""
        _day, space, clock = self.value.partition(" ")
        self.value = f"{day.day:02}/{day.month:02}/{day.year:04}" + (space + clock or " " * (self.kind == "dateTime"))
        self.cursor_position = len(self.value)

    def _move(self, step: int) -> None:
        from decimal import Decimal, InvalidOperation  # only ranges and counters need it

        try:
            low, high = self.parameters.get("start"), self.parameters.get("end")
            by = Decimal(self.parameters.get("step", "0.5" if "pairwise" in self.appearance else "1"))
            now = Decimal(read(self.kind, self.value, self.now()) or "") + step * by if self.value.strip() else None
            first = Decimal(self.parameters.get("placeholder") or low or "0")
            value = now if now is not None else first
            if low is not None and high is not None:
                value = min(max(value, min(Decimal(low), Decimal(high))), max(Decimal(low), Decimal(high)))
            elif COUNTERS & set(self.appearance):
                value = max(value, Decimal(0))
        except InvalidOperation:  # what is typed is not a number: the arrows leave it alone
            return
        self.value = format(value, "f")
        self.cursor_position = len(self.value)


class BoxEditor(TextArea):
    """Text of several lines. Enter is a new line here; PgDn goes on."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.value or "", soft_wrap=True, tab_behavior="focus", show_line_numbers=False)

    def stored(self) -> str | None:
        """See Editor."""
        return self.text if self.text.strip() else None

    def show(self, question: Question) -> None:
        """See Editor."""
        if (question.value or None) != self.stored():
            self.text = question.value or ""


class ChoiceEditor(ChoiceList):
    """Select one, select multiple."""

    def __init__(self, question: Question) -> None:
        super().__init__(_chooser(question))

    def stored(self) -> str | None:
        """See Editor."""
        return self.chooser.value

    def show(self, question: Question) -> None:
        """See Editor."""
        chooser = _chooser(question)
        if (chooser.choices, chooser.chosen) != (self.chooser.choices, self.chooser.chosen):
            self.use(chooser)


def _chooser(question: Question) -> Chooser:
    return Chooser(question.choices, multiple=question.type == "selectMultiple", value=question.value)


class RankEditor(OptionList):
    """All options in order; Shift+arrows move the highlighted one."""

    class Ranked(Message):
        """The order changed."""

        def __init__(self, editor: RankEditor) -> None:
            super().__init__()
            self.editor = editor

    def __init__(self, question: Question) -> None:
        super().__init__(markup=False)
        self.order: list[str] = []
        self._touched = False
        self._labels: dict[str, str] = {}
        self._take(question)

    def _take(self, question: Question) -> None:
        self._labels = {c.value: choice_label(c) for c in question.choices}
        given = (question.value or "").split()
        self._touched = bool(given)
        self.order = [v for v in given if v in self._labels] + [v for v in self._labels if v not in given]

    def on_mount(self) -> None:
        """Lay out."""
        self._lay_out(0)

    def _lay_out(self, at: int | None) -> None:
        self.set_options([Option(bracketed(f"[{i}] {self._labels[v]}")) for i, v in enumerate(self.order, 1)])
        self.highlighted = at

    def stored(self) -> str | None:
        """See Editor."""
        return " ".join(self.order) if self._touched else None

    def show(self, question: Question) -> None:
        """See Editor."""
        self._take(question)
        self._lay_out(self.highlighted)

    def on_key(self, event: events.Key) -> None:
        """Shift+up and Shift+down (or + and −) move an option; Space says that the order is right as it stands."""
        step = {"shift+up": -1, "shift+down": 1, "plus": -1, "minus": 1, "space": 0}.get(event.key)
        if step is None or self.highlighted is None:
            return
        event.stop()
        event.prevent_default()
        to = self.highlighted + step
        if 0 <= to < len(self.order):
            here = self.highlighted
            self.order[here], self.order[to] = self.order[to], self.order[here]
            self._touched = True
            self._lay_out(to)
            self.post_message(self.Ranked(self))


class Confirm(Static, can_focus=True):
    """An acknowledge: Enter or Space confirms that it was read."""

    def __init__(self, question: Question) -> None:
        super().__init__(markup=False)
        self.confirmed = question.value is not None
        self._words()

    def _words(self) -> None:
        self.update(
            bracketed(_("[x] Read and confirmed") if self.confirmed else _("[ ] Not confirmed yet: [Enter] confirms"))
        )

    def stored(self) -> str | None:
        """See Editor."""
        return ACKNOWLEDGED if self.confirmed else None

    def show(self, question: Question) -> None:
        """See Editor."""
        self.confirmed = question.value is not None
        self._words()

    def on_key(self, event: events.Key) -> None:
        """Space changes it; Enter confirms and goes on."""
        if event.key == "space":
            self.confirmed = not self.confirmed
            event.stop()
        elif event.key == "enter":
            self.confirmed = True
        self._words()


AnyEditor = LineEditor | BoxEditor | ChoiceEditor | RankEditor | Confirm | PointsEditor | TallyEditor | PictureEditor


def make_editor(question: Question, now: Now, letter: str = "", *, takes_file: bool = False) -> AnyEditor | None:
    """The editor for a question; None for notes, and for recordings where none is taken (`takes_file`).

    A type that is not known here is edited as text: whatever it is, it can be answered. `letter`: its row of a tally.
    """
    if takes_file:
        return PictureEditor(question)
    if letter:
        return TallyEditor(question, letter)
    if question.type == "note" or question.type in RECORDINGS:
        return None
    if question.type in {"select", "selectMultiple"}:
        return ChoiceEditor(question)
    if question.type == "rank":
        return RankEditor(question)
    if question.type == "acknowledge":
        return Confirm(question)
    if question.type in PATHS:
        return PointsEditor(question)
    if question.type == "text" and "multiline" in question.appearance:
        return BoxEditor(question)
    return LineEditor(question, now)
