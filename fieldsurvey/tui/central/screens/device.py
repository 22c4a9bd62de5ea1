"""One laptop: what is wrong and what to do about it first, then all that is known."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import visible
from fieldsurvey.project.model import Person
from fieldsurvey.tui.actions import Scope, of
from fieldsurvey.tui.central.overview import DeviceDetail, DeviceRow, detail
from fieldsurvey.tui.central.screens.base import CentralScreen
from fieldsurvey.tui.central.wording import detail_lines, trouble_words
from fieldsurvey.tui.screens.base import bindings
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import Hung


class DeviceScreen(CentralScreen):
    """The details."""

    SCOPES = (Scope.CENTRAL_DEVICE,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.CENTRAL_DEVICE)

    def __init__(self, row: DeviceRow) -> None:
        super().__init__()
        self.row = row

    def compose(self) -> ComposeResult:
        """Lines to scroll."""
        yield TopBar(Heading(visible(self.row.name)))
        with VerticalScroll(id="found"):
            yield Hung(id="lines")
        yield KeyBar(of(Scope.CENTRAL_DEVICE, Scope.EVERYWHERE), self.ours.keymap)

    def renewed(self) -> None:
        """Fill it."""
        self.query_one("#found").focus()
        self.run_worker(self._fill())

    async def _fill(self) -> None:
        desk, row = self.mine.desk, self.row

        def read() -> tuple[DeviceDetail, tuple[Person, ...]]:
            project = desk.project()
            found = desk.read(lambda central: detail(central, row), DeviceDetail(row, None, None, (), ()))
            return found, project.model.people if project else ()

        found = await self.read(read)
        if found is None:
            return
        lines: list[tuple[Content, str, str]] = []
        for text, advice in trouble_words(row):
            lines.append((Content.styled(f"{symbols().caution} ", "bold $warning"), text, "bold"))
            lines += [(Content("  "), advice, ""), (Content(""), "", "")]
        known = detail_lines(*found)
        wide = max(len(label) for label, _text in known) + 2
        lines += [(Content.styled(label.ljust(wide), "$text-muted"), text, "") for label, text in known]
        self.query_one(Hung).hang(lines)
        self.query_one(TopBar).show(state="", section=_("laptop"))
