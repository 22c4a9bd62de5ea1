"""The first screen: every laptop, what it sent, what is missing; above it what somebody should do now."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widgets import OptionList

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_
from fieldsurvey.tui.actions import Scope
from fieldsurvey.tui.central.overview import Overview, Trouble, look
from fieldsurvey.tui.central.screens.base import Table
from fieldsurvey.tui.central.screens.first import FirstScreen
from fieldsurvey.tui.central.wording import alerts, backup_words, device_cells, device_head, device_said, summary
from fieldsurvey.tui.screens.base import bindings
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.bars import TopBar
from fieldsurvey.tui.widgets.text import Words, bracketed

AGAIN = 60.0
"""Seconds after which central is read again by itself, where reading takes less than a tenth of that."""


class DevicesScreen(FirstScreen[Overview]):
    """Central at a glance."""

    SCOPES = (Scope.CENTRAL,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.CENTRAL)
    TITLE_ID = n_("Central")
    TAKE = "central_take"
    EXPENDABLE = (3, 5)

    def on_mount(self) -> None:
        """Look again now and then: a server or a second import may be at work."""
        super().on_mount()
        self.set_interval(AGAIN, self._again)

    def _again(self) -> None:
        if self.is_current and self.took < AGAIN / 10:
            self.action_again()

    def look(self) -> Overview:
        """Central."""
        return look(self.mine.desk)

    def show(self, found: Overview) -> None:
        """What to do now, and every laptop."""
        good, words = backup_words(found)
        sign = symbols().saved if good else symbols().caution
        version = _("version {version}").format(version=found.version) if found.version else ""
        self.query_one(TopBar).show(
            title=found.name or _("Central"), state=f"{sign} {words}", good=good, section=version, right=""
        )
        lines = []
        for loud, text in alerts(found, backup_key=self.key("central_backup"), cases_key=self.key("central_cases")):
            said = Content.assemble(f"{symbols().caution} ") + bracketed(text)
            lines.append(said.stylize("bold $error" if loud else "$warning", 0, 1).stylize("bold" if loud else "", 2))
        self.query_one("#alerts", Words).say(Content("\n").join(lines))
        rows = [(device_cells(row), _style(row.troubles)) for row in found.devices]
        self.query_one(Table).fill(device_head(), rows, _("No laptop is enrolled yet, and nothing was imported."))
        self.query_one("#sealed", Words).say(summary(found))

    def row_said(self, at: int) -> str:
        """A laptop, without what to do: Enter says that."""
        return device_said(self.found.devices[at]) if self.found is not None else ""

    # -- what the keys do

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter on a laptop."""
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        """The highlighted laptop."""
        at = self.query_one(Table).at
        if at is not None and self.found is not None and at < len(self.found.devices):
            from fieldsurvey.tui.central.screens.device import DeviceScreen  # when it is looked at

            self.app.push_screen(DeviceScreen(self.found.devices[at]))

    def action_cases(self) -> None:
        """Conflicts, proposals, originals that are missing."""
        from fieldsurvey.tui.central.screens.cases import CasesScreen  # when it is looked at

        self.app.push_screen(CasesScreen())

    def action_returned(self) -> None:
        """Work that the HMU gave back."""
        from fieldsurvey.tui.central.screens.returned import ReturnedScreen  # when it is looked at

        self.app.push_screen(ReturnedScreen())

    def action_take(self) -> None:
        """A stick comes in; or what is under way."""
        self.work_on("import")

    def action_receipts(self) -> None:
        """A stick goes out."""
        self.work_on("receipts")

    def action_backup(self) -> None:
        """Another disk."""
        self.work_on("backup")


def _style(troubles: tuple[Trouble, ...]) -> str:
    """Beside the words: colour is never alone."""
    if not troubles:
        return ""
    return "$error" if troubles[0] in {Trouble.FORK, Trouble.GAP} else "$warning"
