"""What central's screens share: the app, typed; a table in a list; a box of lines to scroll."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, TypeVar, cast

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.tui.central.app import CentralApp
from fieldsurvey.tui.central.layout import columns
from fieldsurvey.tui.screens.base import WORK_CSS, BaseScreen
from fieldsurvey.tui.widgets.text import Words

T = TypeVar("T")
CENTRAL_CSS = Path(__file__).parent.parent / "central.tcss"
ROOMY = 22
"""Lines of a terminal from which on the row under the cursor is said whole below the table."""
MARGIN = 6  # what a list leaves at its sides, its scrollbar among it


class CentralScreen(BaseScreen):
    """A screen of central."""

    CSS_PATH: ClassVar = [WORK_CSS, CENTRAL_CSS]

    @property
    def mine(self) -> CentralApp:
        """The app, typed."""
        return cast("CentralApp", self.app)

    def on_mount(self) -> None:
        """Fill it."""
        self.renewed()

    async def read(self, call: Callable[[], T]) -> T | None:
        """What `call` finds, in a thread; None after saying why it could not."""
        try:
            return await self.mine.hand.do(call)
        except FieldsurveyError as error:
            self.mine.tell(error)
            return None

    def action_close(self) -> None:
        """Back."""
        self.app.pop_screen()


class ListScreen(CentralScreen):
    """One with a table, and below it the row under the cursor, whole: columns may be cut, names may be long."""

    def row_said(self, at: int) -> str:
        """All of a row, in a sentence or two."""
        raise NotImplementedError

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another row."""
        event.stop()
        self.say_row()

    def on_resize(self) -> None:
        """Another height: there may be no room for it."""
        self.say_row()

    def say_row(self) -> None:
        """The row under the cursor; nothing where there is none, or the table would have no room left."""
        at = self.query_one(Table).at if self.size.height >= ROOMY else None
        self.query_one("#row", Words).say("" if at is None else self.row_said(at))


class Table(OptionList):
    """A head that cannot be chosen, and rows that can; re-made for another width."""

    def __init__(self, *, id: str = "work", flexible: int = 0, expendable: tuple[int, ...] = ()) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id, markup=False)
        self.flexible = flexible
        self.expendable = expendable
        self._head: tuple[str, ...] = ()
        self._rows: list[tuple[tuple[str, ...], str]] = []
        self._nothing = ""
        self._width = 0

    @property
    def at(self) -> int | None:
        """The position of the highlighted row, the first is 0."""
        found = self.highlighted
        return found - 1 if found is not None and self._rows and found > 0 else None

    def fill(self, head: tuple[str, ...], rows: Sequence[tuple[tuple[str, ...], str]], nothing: str) -> None:
        """Show (cells, style) rows; `nothing` where there are none. The cursor stays in its line."""
        self._head, self._rows, self._nothing = head, list(rows), nothing
        self._lay_out()

    def on_resize(self) -> None:
        """Another width, other columns."""
        if self.size.width != self._width and (self._rows or self._nothing):
            self._lay_out()

    def _lay_out(self) -> None:
        at = self.highlighted
        self._width = self.size.width
        if not self._rows:
            self.set_options([Option(Content.styled(self._nothing, "$text-muted"), disabled=True)])
            return
        room = max((self.size.width or self.app.size.width - MARGIN) - 2, 20)
        head, *lines = columns(
            self._head, [cells for cells, _style in self._rows], room, self.flexible, self.expendable
        )
        options = [Option(Content.styled(head, "bold"), disabled=True)]
        options += [Option(Content.styled(line, style)) for line, (_c, style) in zip(lines, self._rows, strict=True)]
        self.set_options(options)
        self.highlighted = min(max(at or 1, 1), len(self._rows))
