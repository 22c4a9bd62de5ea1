"""A line or an area on the card: a line to type the next point into, and below it the points so far.

Enter adds what is typed, Enter on nothing goes on. In the list Enter edits a point, Del removes it, Shift+arrows move
it. The logic is `points.Points`.
"""

from __future__ import annotations

from typing import Self

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.places import PlaceError, parse_place
from fieldsurvey.tui.points import Points
from fieldsurvey.tui.widgets.text import KEY, bracketed
from fieldsurvey.xforms.contract import Question


class PointLine(Input):
    """Where a point is typed. A list of several lines may be pasted."""

    def _on_paste(self, event: events.Paste) -> None:
        lines = [line.strip() for line in event.text.splitlines() if line.strip()]
        event.stop()
        event.prevent_default()
        self.insert_text_at_cursor("; ".join(lines))


class PointsEditor(Vertical):
    """Posts `Edited` when the points changed, `Refused` for what is no place, `Entered` on an empty Enter."""

    DEFAULT_CSS = """
    PointsEditor { height: auto; }
    PointsEditor OptionList { height: auto; max-height: 9; }
    PointsEditor OptionList.-none { display: none; }
    """

    class Edited(Message):
        """The points, or what is typed. `settled`: a point came, went or moved."""

        def __init__(self, *, settled: bool) -> None:
            super().__init__()
            self.settled = settled

    class Refused(Message):
        """Enter on something that is no place."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    class Entered(Message):
        """Nothing more is typed: go on."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.kind = question.type
        self.points = Points(self.kind, question.raw if question.raw is not None else question.value)
        self.line = PointLine(
            self.points.typed, placeholder=_("latitude longitude, like 0.3512 -78.1223"), select_on_focus=False
        )
        self.rows = OptionList(markup=False)
        self.at: int | None = None  # the point that is being edited

    def compose(self) -> ComposeResult:
        """The line first: that is where one types."""
        yield self.line
        yield self.rows

    def on_mount(self) -> None:
        """The points so far."""
        self._lay_out(None)

    def _lay_out(self, at: int | None) -> None:
        rows = [
            Option(Content.assemble((f"[{number}]", KEY), " ", place.words()))
            for number, place in enumerate(self.points.places, 1)
        ]
        self.rows.set_options(rows)
        self.rows.set_class(not rows, "-none")
        self.rows.highlighted = min(at, len(rows) - 1) if at is not None and rows else None

    def focus(self, scroll_visible: bool = True) -> Self:
        """The line."""
        self.line.focus(scroll_visible)
        return self

    # -- Editor

    def stored(self) -> str | None:
        """See Editor. What is being typed counts as if Enter had been pressed."""
        now = Points(self.kind)
        now.places = list(self.points.places)
        text = self.line.value.strip()
        try:
            if not text:
                return now.stored()
            self._put(now, text)
        except PlaceError:
            now.typed = text
        return now.stored()

    def show(self, question: Question) -> None:
        """See Editor."""
        text = question.raw if question.raw is not None else question.value
        if text != self.stored():
            self.points = Points(self.kind, text)
            self.line.value, self.at = self.points.typed, None
        self._lay_out(self.rows.highlighted)

    def status(self) -> Content | str:
        """What is typed, as it is understood; else the points and the keys of their list."""
        text = self.line.value.strip()
        if text:
            which = f"[{self.at + 1}] " if self.at is not None else ""
            try:
                return bracketed(f"{which}= {parse_place(text).words()}   {_('[Enter] takes it')}")
            except PlaceError:
                return bracketed(which)
        keys = _("[↓] the points: [Enter] edits, [Del] removes, [Shift+↑] [Shift+↓] move")
        return bracketed(self.points.summary() + (f"\n{keys}" if self.points.places else ""))

    def _put(self, points: Points, text: str) -> None:
        if self.at is not None and self.at < len(points.places):
            points.replace(self.at, text)
        else:
            points.add(text)

    # -- keys

    def on_input_changed(self, event: Input.Changed) -> None:
        """Somebody types."""
        event.stop()
        self.post_message(self.Edited(settled=False))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: the point is added, or takes the place of the one that is edited."""
        event.stop()
        text = self.line.value.strip()
        if not text:
            self.post_message(self.Entered())
            return
        try:
            self._put(self.points, text)
        except PlaceError as error:
            self.post_message(self.Refused(_(str(error))))
            return
        self.line.value, self.at = "", None
        self._changed(None)
        self.rows.scroll_end(animate=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter on a point: it is edited in the line."""
        event.stop()
        self.at = event.option_index
        self.line.value = self.points.places[self.at].shown()
        self.line.cursor_position = len(self.line.value)
        self.line.focus()

    def on_key(self, event: events.Key) -> None:
        """Between line and list, and what the list's keys do."""
        at = self.rows.highlighted
        if self.line.has_focus:
            if event.key == "down" and self.points.places:
                self.rows.focus()
                self.rows.highlighted = 0
                event.stop()
            return
        if event.key == "up" and at == 0:
            self.line.focus()
        elif event.key in {"delete", "backspace"} and at is not None:
            self.points.remove(at)
            self.at = None
            self._changed(at)
            if not self.points.places:
                self.line.focus()
        elif event.key in {"shift+up", "shift+down", "plus", "minus"} and at is not None:
            to = at + (-1 if event.key in {"shift+up", "plus"} else 1)
            if self.points.move(at, to):
                self._changed(to)
        else:
            return
        event.stop()
        event.prevent_default()

    def _changed(self, at: int | None) -> None:
        self._lay_out(at)
        self.post_message(self.Edited(settled=True))
