"""A month to choose a day from, over a date: arrows move by days and weeks, PgUp and PgDn by months."""

from __future__ import annotations

import calendar
from datetime import MAXYEAR, MINYEAR, date, timedelta
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.screens.base import Overlay
from fieldsurvey.tui.typed import MONTHS, WEEKDAYS, day_in_words
from fieldsurvey.tui.widgets.text import Words, bracketed

CELL = 4  # columns of a day


def by_months(day: date, months: int) -> date:
    """The same day of another month, or its last day where that month is shorter; `day` where no such year is."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        return day
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def month_page(day: date, today: date) -> Content:
    """The month of `day` in weeks from Monday: `day` in [brackets], today underlined."""
    head = "".join(_(name)[:2].rjust(CELL - 1) + " " for name in WEEKDAYS)
    lines = [Content(" " + head.rstrip())]
    for week in calendar.Calendar().monthdatescalendar(day.year, day.month):
        parts = []
        for cell in week:
            text = f"[{cell.day:2}]" if cell == day else f" {cell.day:2} "
            style = "bold $accent" if cell == day else "" if cell.month == day.month else "$text-muted"
            style = f"{style} underline".strip() if cell == today else style
            parts.append(Content.styled(text if cell.month == day.month else " " * CELL, style))
        lines.append(Content("").join(parts))
    return Content("\n").join(lines)


class CalendarScreen(Overlay[date]):
    """The result is the day, None when closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "days(-1)", show=False),
        Binding("right", "days(1)", show=False),
        Binding("up", "days(-7)", show=False),
        Binding("down", "days(7)", show=False),
        Binding("pageup", "months(-1)", show=False),
        Binding("pagedown", "months(1)", show=False),
        Binding("shift+pageup,ctrl+pageup", "months(-12)", show=False),
        Binding("shift+pagedown,ctrl+pagedown", "months(12)", show=False),
        Binding("home", "today", show=False),
        Binding("enter,space", "take", show=False),
    ]

    def __init__(self, day: date, today: date) -> None:
        super().__init__()
        self.day = day
        self.today = today

    def compose(self) -> ComposeResult:
        """Month, weeks, the day in words, keys."""
        with Vertical(classes="box"):
            yield Words(classes="group", id="month")
            yield Words(id="weeks")
            yield Words(classes="echo", id="day")
            keys = _("[←] [→] [↑] [↓] days   [PgUp] [PgDn] months   [Ctrl+PgUp] [Ctrl+PgDn] years")
            yield Words(bracketed(keys), classes="instruction")
            yield Words(bracketed(_("[Enter] takes it   [Home] today   [Esc] closes")), classes="echo")

    def on_mount(self) -> None:
        """The month of the day."""
        self._lay_out()

    def _lay_out(self) -> None:
        self.query_one("#month", Words).say(f"{_(MONTHS[self.day.month - 1])} {self.day.year}")
        self.query_one("#weeks", Words).say(month_page(self.day, self.today))
        self.query_one("#day", Words).say(f"= {day_in_words(self.day)}")

    def action_days(self, days: int) -> None:
        """On or back."""
        try:
            self.day += timedelta(days=days)
        except OverflowError:  # the calendar's first or last year
            return
        self._lay_out()

    def action_months(self, months: int) -> None:
        """The same day of another month."""
        self.day = by_months(self.day, months)
        self._lay_out()

    def action_today(self) -> None:
        """Home."""
        self.day = self.today
        self._lay_out()

    def action_take(self) -> None:
        """This day."""
        self.dismiss(self.day)
